package main

import (
	"context"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/doctor"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/web"
	"broadsheet/templates"
)

// lookAtSettings tells what is allowed and not as it should be.
func (x *examination) lookAtSettings(ctx context.Context) []doctor.Finding {
	var list []doctor.Finding
	for _, p := range x.settings.problems(x.env, x.envFile) {
		list = append(list, doctor.Warn("\"broadsheet config\" shows every setting", "%s", p))
	}
	if x.settings.Staff.Email == "" {
		list = append(list, doctor.Warn("set it to an address of the newsroom", "it is empty, so nobody gets a mail when something is wrong").About("STAFF_EMAIL"))
	}
	if x.settings.Confirm.Email == "" {
		list = append(list, doctor.Warn("set it to an address that no newsletter is from",
			"it is empty, so confirmations come from where digests come from, and suffer with them").About("CONFIRM_FROM"))
	}
	list = append(list, x.withDatabase(func(s *services) ([]doctor.Finding, error) { return x.newsletterSettings(ctx, s) })...)
	if len(list) == 0 {
		list = append(list, doctor.Good("they fit together"))
	}
	return list
}

// newsletterSettings tells what the newsletters lack.
func (x *examination) newsletterSettings(ctx context.Context, s *services) ([]doctor.Finding, error) {
	newsletters, err := s.desk.Newsletters(ctx)
	var list []doctor.Finding
	for _, n := range newsletters {
		if n.Status == newsletter.Closed {
			continue
		}
		if err := n.MayMail(x.settings.BaseURL); err != nil {
			list = append(list, doctor.Fail("give it; until then nothing of it is sent", "%v", err).About(n.Slug))
		} else if err := n.MayMail("https://"); err != nil {
			list = append(list, doctor.Warn("give it before readers elsewhere are mailed", "%v", err).About(n.Slug))
		}
		if n.Approval.Manual && x.settings.Staff.Email == "" {
			list = append(list, doctor.Warn("set BROADSHEET_STAFF_EMAIL; until then nothing of its slots is sent unless somebody says \"broadsheet edition approve\"",
				"its editions wait to be approved, and nobody gets a mail about them").About(n.Slug))
		}
		for _, message := range x.settings.unsigned(n.From) {
			list = append(list, doctor.Warn("broadsheet dkim generate --domain "+n.From.Domain()+" --selector NAME", "%s", message).About(n.Slug))
		}
	}
	return list, err
}

// lookAtFiles looks at who may read what is secret.
func (x *examination) lookAtFiles(context.Context) []doctor.Finding {
	s := &x.settings
	list := slices.Concat(doctor.File(s.DatabasePath, "database"), doctor.File(s.DatabasePath+"-wal", "database log"))
	for file := range x.secretFiles() {
		list = append(list, doctor.File(file, "settings")...)
	}
	for _, k := range s.SigningKeys {
		list = append(list, doctor.File(k.File, "dkim key")...)
	}
	if s.Journal != "" {
		list = append(list, doctor.File(s.Journal, "journal")...)
	}
	if s.BackupDir != "" {
		list = append(list, doctor.File(s.BackupDir, "backups")...)
	}
	return list
}

// secretFiles yields the files that a setting with a secret stands in.
func (x *examination) secretFiles() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, l := range x.settings.listed {
			hidden := l.Value == "(hidden)" || strings.Contains(l.Value, "xxxxx")
			file, _, _ := strings.Cut(l.Source, " (")
			if !hidden || file == "environment" || file == "default" || seen[file] {
				continue
			}
			seen[file] = true
			if !yield(file) {
				return
			}
		}
	}
}

func (x *examination) lookAtWeb(ctx context.Context) []doctor.Finding {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return doctor.Web{Client: client, BaseURL: x.settings.BaseURL, Now: x.now}.Look(ctx)
}

// lookAtRelay connects to a relay, logs in, and leaves.
func (x *examination) lookAtRelay(ctx context.Context, i int) []doctor.Finding {
	relays, err := mail.ParseRelays(x.settings.SMTPURL, mail.Limits{Connections: 1}, mail.Options{HelloName: heloName(x.settings.BaseURL), Now: x.now})
	if err != nil || i >= len(relays) {
		return []doctor.Finding{doctor.CannotTell("\"broadsheet config\" shows SMTP_URL", "the relay is not known: %v", err)}
	}
	r := relays[i]
	if !r.Real() {
		f := doctor.Warn("set "+settingPrefix+"SMTP_URL to your relay: smtp://user:password@host:587", "mail ends in a folder and reaches nobody (%s)", r)
		if !loopbackURL(x.settings.BaseURL) {
			f.State = doctor.Failure
		}
		return []doctor.Finding{f}
	}
	if err := askRelay(ctx, r); err != nil {
		return []doctor.Finding{doctor.Fail("mend what it says: address, password, certificate; or set "+settingPrefix+"SMTP_URL to another relay",
			"%s", strings.TrimPrefix(err.Error(), "connect to "))}
	}
	if strings.Contains(r.String(), "(TLS none)") {
		return []doctor.Finding{doctor.Warn("leave out ?tls=none, unless the way to it is private", "%s takes mail, in the clear", r)}
	}
	return []doctor.Finding{doctor.Good("%s takes mail from us", r)}
}

// real reports whether mail goes out, so that what the DNS says of it matters.
func (x *examination) real() bool { return !strings.HasPrefix(x.settings.SMTPURL, "outbox:") }

// senders returns the domains that mail is from.
func (x *examination) senders(ctx context.Context) ([]string, []doctor.Finding) {
	var domains []string
	if x.settings.Confirm.Email != "" {
		domains = append(domains, x.settings.Confirm.Domain())
	}
	found := x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		newsletters, err := s.desk.Newsletters(ctx)
		for _, n := range newsletters {
			if n.Status != newsletter.Closed {
				domains = append(domains, n.From.Domain())
			}
		}
		return nil, err
	})
	slices.Sort(domains)
	return slices.Compact(domains), found
}

// maxSenders is how many domains are looked up. sendersTime leaves time to tell which of them
// did not answer.
const (
	maxSenders  = 20
	sendersTime = doctorTime - 3*time.Second
)

// lookAtSenders looks up SPF, DKIM and DMARC of every domain that mail is from, all at once.
func (x *examination) lookAtSenders(ctx context.Context) []doctor.Finding {
	if !x.real() {
		return []doctor.Finding{doctor.Good("mail ends in a folder, so nothing is looked up")}
	}
	domains, list := x.senders(ctx)
	domains = domains[:min(len(domains), maxSenders)]
	var checks []doctor.Check
	add := func(name string, look func(context.Context) []doctor.Finding) {
		checks = append(checks, doctor.Check{Group: "dns", Name: name, Look: look})
	}
	returns := slices.Clone(domains)
	if d := x.settings.BounceDomain; d != "" && !slices.Contains(returns, d) {
		returns = append(returns, d)
	}
	for _, domain := range returns {
		add("spf", func(ctx context.Context) []doctor.Finding { return []doctor.Finding{x.dns.SPF(ctx, domain)} })
	}
	for _, key := range x.settings.SigningKeys {
		add("dkim", func(ctx context.Context) []doctor.Finding { return []doctor.Finding{x.lookAtKey(ctx, key)} })
	}
	for _, domain := range domains {
		add("dmarc", func(ctx context.Context) []doctor.Finding { return x.dns.DMARC(ctx, x.sender(domain)) })
	}
	return append(list, doctor.Run(ctx, sendersTime, checks)...)
}

// sender returns what mail of a domain can pass DMARC by.
func (x *examination) sender(domain string) doctor.Sender {
	s := doctor.Sender{Domain: domain, Return: x.settings.BounceDomain}
	for _, k := range x.settings.SigningKeys {
		if k.Domain == domain || strings.HasSuffix(domain, "."+k.Domain) {
			s.Keys = append(s.Keys, k.Domain)
		}
	}
	return s
}

// lookAtKey compares a key with its record, as "broadsheet dkim check" does.
func (x *examination) lookAtKey(ctx context.Context, k signingKey) doctor.Finding {
	record, err := k.record()
	if err != nil {
		return doctor.Fail("broadsheet dkim generate makes a key", "%s: %v", k.File, err)
	}
	var unanswered error
	err = checkRecord(ctx, record, func(ctx context.Context, name string) ([]string, error) {
		published, err := x.dns.TXT(ctx, name)
		unanswered = err
		return published, err
	})
	switch {
	case unanswered != nil:
		return doctor.CannotTell("try again later, or ask another name server: --dns HOST:53", "%s: %v", record.Name, err)
	case err != nil:
		return doctor.Fail("enter what \"broadsheet dkim show\" prints, or take the key out of the settings: a signature that fails is worse than none", "%s: %v", record.Name, err)
	}
	return doctor.Good("%s fits the key", record.Name)
}

func (x *examination) lookAtReverse(ctx context.Context) []doctor.Finding {
	host := heloName(x.settings.BaseURL)
	if loopbackHost(host) || !x.real() {
		return nil
	}
	// A relay on this machine delivers from it.
	first := mail.SplitRelays(x.settings.SMTPURL)[0]
	return x.dns.Reverse(ctx, host, loopbackURL(first))
}

// lookAtTemplates renders every mail with sample data, and reads the pages.
func (x *examination) lookAtTemplates(context.Context) []doctor.Finding {
	const do = "correct the file, or remove it from the folder so that the built-in one is used"
	fsys, err := templates.FS(x.settings.Templates)
	var sources map[string]string
	if err == nil {
		sources, err = templates.Mail(fsys)
	}
	if err == nil {
		err = digest.Check(sources)
	}
	if err == nil {
		err = x.readPages(fsys)
	}
	if err != nil {
		return []doctor.Finding{doctor.Fail(do, "%s", describe(nil, err))}
	}
	if x.settings.Templates != "" {
		return []doctor.Finding{doctor.Good("all can be used, those in %s included", filepath.Clean(x.settings.Templates))}
	}
	return []doctor.Finding{doctor.Good("all can be used")}
}

// readPages reads the templates of the pages, as serve does when it starts.
func (x *examination) readPages(fsys fs.FS) error {
	s, err := x.open()
	if err != nil || x.pressErr != nil {
		return x.pressErr
	}
	_, err = web.New(web.Options{
		Readers: s.press.readers, BaseURL: x.settings.BaseURL, Templates: fsys, Logger: s.log, Now: x.now,
		Health: s.store.Ping, Version: version,
	})
	return err
}
