package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/bounce"
	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/store"
	"broadsheet/templates"
)

// press is what a command needs that builds or sends editions.
type press struct {
	transport mail.Relays
	engine    *delivery.Engine
	readers   *readers.Service
}

// connectionAge is how long a connection to a relay is used: relays behind one name share
// the load, and come and go.
const connectionAge = 10 * time.Minute

// openPress makes the services' desk one that can build and send editions.
func (s *services) openPress() (*press, error) {
	sources, err := s.mailTemplates()
	if err != nil {
		return nil, err
	}
	return s.newPress(sources)
}

// usableTemplates returns the sources of the mails; none, with a warning, if they are broken: who has
// to pause an edition, or to look at one, must not have to mend a template first. What composes a
// mail of them fails then.
func (s *services) usableTemplates() digest.Templates {
	sources, err := s.mailTemplates()
	if err != nil {
		s.app.warn("%s", err)
		return nil
	}
	return sources
}

func (s *services) newPress(sources digest.Templates) (*press, error) {
	limits := mail.Limits{Connections: s.settings.SMTPConnections, Age: connectionAge}
	transport, err := mail.ParseRelays(s.settings.SMTPURL, limits, mail.Options{HelloName: heloName(s.settings.BaseURL), Now: s.app.now})
	if err != nil {
		return nil, renamed(err, "SMTP_URL")
	}
	signers, err := s.settings.signers(s.app.now)
	if err != nil {
		return nil, err
	}
	p := &press{transport: transport, readers: s.newReaders(sources)}
	var proofs delivery.Outbox // nobody to ask: none is sent
	mailer := &desk.ProofMailer{To: s.settings.Staff, From: s.mailFrom}
	if mailer.To.Email != "" {
		proofs = proofOutbox{store.ProofMails{Store: s.store}, mailer}
	}
	p.engine = delivery.NewEngine(delivery.Options{
		Ledger: s.store, Role: s.store, Outbox: transactional{s.store, p.readers}, Proofs: proofs, Relays: transport,
		Rate: s.settings.SendRate, Brakes: s.settings.brakes(), BaseURL: s.settings.BaseURL,
		Signers: signers, BounceDomain: s.settings.BounceDomain, Staff: s.canaryStaff, Judge: bounce.Refusal,
		Keys: s.keys, Suppression: s.suppression, Now: s.app.now, Random: rand.Float64, Logger: s.log,
	})
	s.desk = s.newDesk(desk.Press{
		Store: s.store, Engine: p.engine, Transport: transport, Templates: sources, Signers: signers,
		Keys: s.keys, Suppression: s.suppression, Staff: s.canaryStaff,
	})
	s.press, mailer.Desk = p, s.desk
	return p, nil
}

// refuseOutbox returns an error if mail for real readers would end in the outbox folder.
func (s *services) refuseOutbox(p *press) error {
	if p.transport.Real() || loopbackURL(s.settings.BaseURL) {
		return nil
	}
	return newsletter.Refusef("outbox",
		"%sSMTP_URL is the outbox folder, which is for trying things, but %sBASE_URL is %s; set %sSMTP_URL to your relay: smtp://user:password@host:587",
		settingPrefix, settingPrefix, s.settings.BaseURL, settingPrefix)
}

// refuseLoopback returns an error if mail for readers elsewhere would have links that lead to
// this machine only.
func (s *services) refuseLoopback() error {
	if !loopbackURL(s.settings.BaseURL) {
		return nil
	}
	for _, relay := range mail.SplitRelays(s.settings.SMTPURL) {
		u, err := url.Parse(relay)
		if err != nil || u.Scheme == "outbox" || loopbackHost(u.Hostname()) {
			continue
		}
		return newsletter.Refusef("base_url",
			"%sSMTP_URL is a relay (%s) that mails readers, and %sBASE_URL is %s, where only this machine gets: nobody could unsubscribe. Set %sBASE_URL to the https address that readers reach",
			settingPrefix, u.Hostname(), settingPrefix, s.settings.BaseURL, settingPrefix)
	}
	return nil
}

// refuseSending returns an error if the settings are wrong for mail to real readers.
func (s *services) refuseSending(ctx context.Context, p *press) error {
	if err := errors.Join(s.refuseOutbox(p), s.refuseLoopback()); err != nil {
		return err
	}
	list, err := s.desk.Newsletters(ctx)
	if err != nil {
		return err
	}
	s.warnUnsigned(list)
	for _, n := range list {
		if strings.EqualFold(n.From.Email, s.settings.Confirm.Email) {
			return newsletter.Refusef("confirm_from",
				"%sCONFIRM_FROM is %s, and so is the sender of %s; if readers report a digest as spam, confirmations must not suffer: set %sCONFIRM_FROM to another address, or give the newsletter one with \"broadsheet newsletter edit %s --from\"",
				settingPrefix, s.settings.Confirm.Email, n.Slug, settingPrefix, n.Slug)
		}
	}
	return nil
}

// refuseUnnamed returns an error if the newsletter, or with an empty slug any that is open, must
// not be mailed to real readers since it does not say who publishes it.
func (s *services) refuseUnnamed(ctx context.Context, slug string) error {
	list, err := s.desk.Newsletters(ctx)
	if err != nil {
		return err
	}
	var refused []error
	for _, n := range list {
		if (slug == "" || n.Slug == slug) && n.Status == newsletter.Open {
			refused = append(refused, n.MayMail(s.settings.BaseURL))
		}
	}
	return errors.Join(refused...)
}

// mailTemplates returns the sources of the mails.
func (s *services) mailTemplates() (digest.Templates, error) {
	fsys, err := templates.FS(s.settings.Templates)
	if err != nil {
		return nil, err
	}
	sources, err := templates.Mail(fsys)
	if err == nil && s.settings.Templates != "" { // ours are checked by the tests
		err = digest.Check(sources)
	}
	if err != nil {
		return nil, newsletter.Invalidf(settingPrefix+"TEMPLATES", "%s\n\"broadsheet template check\" says more", err)
	}
	return digest.Templates(sources), nil
}

// newReaders returns what readers, and staff on their behalf, can do.
func (s *services) newReaders(sources digest.Templates) *readers.Service {
	return readers.New(s.store, readers.Options{
		BaseURL: s.settings.BaseURL, Keys: s.keys, Suppression: s.suppression,
		ConfirmFrom: s.settings.Confirm, SignUps: s.settings.signUpLimits(), Templates: sources, Now: s.app.now,
	})
}

// transactional is the outbox of transactional mail: the store keeps it, readers composes it.
type transactional struct {
	*store.Store
	*readers.Service
}

// proofOutbox is the outbox of mails that ask staff to approve a draft.
type proofOutbox struct {
	store.ProofMails
	*desk.ProofMailer
}

// renamed returns an Invalid error with its fields called by the setting that holds them.
func renamed(err error, setting string) error {
	if newsletter.KindOf(err) != newsletter.Invalid {
		return fmt.Errorf("%s%s: %w", settingPrefix, setting, err)
	}
	return newsletter.Invalidf(settingPrefix+setting, "%s", fieldMessage(err))
}

// heloName is how we greet the relay: by the host of our own address.
func heloName(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// loopbackURL reports whether only this machine can reach the address.
func loopbackURL(raw string) bool {
	return newsletter.Loopback(raw)
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// orderedKeys returns the keys of a map of counts, the largest count first.
func orderedKeys(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	return keys
}

// withPress opens an existing database with a desk that can build and send, runs f, and
// closes it again. With templates that are broken, the desk can do whatever composes nothing.
func (a *app) withPress(ctx context.Context, f func(*services) error) error {
	return a.with(ctx, store.ExistingOnly, func(s *services) error {
		if _, err := s.newPress(s.usableTemplates()); err != nil {
			return err
		}
		return f(s)
	})
}
