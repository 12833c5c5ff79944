package readers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// maxSubjects bounds the memory of subjects.
const maxSubjects = 1000

// Compose makes the message of a transactional mail for handing it over: envelope sender,
// recipient and bytes. The same mail always gives the same bytes, but for a change of
// settings or templates, and that a fresh link is made each time: its time begins at hand-over. It contains nothing that the person at the form typed, the address
// aside (S29).
func (s *Service) Compose(ctx context.Context, m newsletter.Mail) (from, to string, message []byte, err error) {
	from, to, message, err = s.compose(ctx, m)
	if err != nil {
		return "", "", nil, fmt.Errorf("compose mail %d (%s): %w", m.ID, m.Kind, err)
	}
	return from, to, message, nil
}

func (s *Service) compose(ctx context.Context, m newsletter.Mail) (from, to string, message []byte, err error) {
	all, err := s.newsletters(ctx)
	if err != nil {
		return "", "", nil, err
	}
	if m.Kind == newsletter.MailLink {
		return s.composeNotice(ctx, m, all)
	}
	if m.Kind == newsletter.MailWelcome {
		return s.composeWelcome(ctx, m, all)
	}
	su, err := s.store.FindSignUp(ctx, m.SignupID)
	if err != nil {
		return "", "", nil, err
	}
	wanted, err := wantedBy(all, su)
	if err != nil {
		return "", "", nil, err
	}
	sender := s.confirmFrom(all, wanted)
	subject, html, text, err := s.render(m, su, wanted)
	if err != nil {
		return "", "", nil, err
	}
	message, err = mail.ComposeOne(mail.Message{
		From: sender, Subject: subject, HTML: html, Text: text, Language: wanted[0].Language,
	}, mail.Personal{
		To:        newsletter.Address{Email: m.Email},
		MessageID: s.o.Keys.MessageID(-m.ID, m.SubscriberID, sender.Domain()), // no edition has a negative id
		Date:      m.NotBefore,
	})
	return sender.Email, m.Email, message, err
}

func (s *Service) render(m newsletter.Mail, su newsletter.SignUp, wanted []newsletter.Newsletter) (subject, html, text string, err error) {
	first := wanted[0]
	var names []digest.Wanted
	for i, n := range wanted {
		names = append(names, digest.Wanted{Name: n.Name, Cadence: su.Choices[i].Cadence})
	}
	if m.Kind == newsletter.MailAlready {
		for i := range names {
			names[i].Cadence = "" // that of the subscription may be another
		}
		token := s.o.Keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: m.SubscriberID, NewsletterID: first.ID})
		return digest.RenderAlready(s.o.Templates, digest.AlreadyMail{
			Wanted: names, Address: m.Email, ManageURL: s.o.BaseURL + "/manage/" + token, Language: first.Language,
			Sender: senderOf(first), PostalAddress: first.PostalAddress, PrivacyURL: first.PrivacyURL,
		})
	}
	days := su.ExpiresAt.Sub(m.NotBefore).Hours() / 24
	return digest.RenderConfirm(s.o.Templates, digest.ConfirmMail{
		Wanted: names, Address: m.Email, ConfirmURL: s.o.BaseURL + "/confirm/" + s.o.Keys.Confirmation(su.ID, su.Nonce),
		ValidDays: max(1, int(math.Round(days))), Language: first.Language,
		Sender: senderOf(first), PostalAddress: first.PostalAddress, PrivacyURL: first.PrivacyURL,
	})
}

// wantedBy returns the newsletters of a sign-up, in the order of its choices.
func wantedBy(all []newsletter.Newsletter, su newsletter.SignUp) ([]newsletter.Newsletter, error) {
	var wanted []newsletter.Newsletter
	for _, c := range su.Choices {
		n, ok := byID(all, c.NewsletterID)
		if !ok {
			return nil, fmt.Errorf("sign-up %d asks for newsletter %d, which is gone", su.ID, c.NewsletterID)
		}
		wanted = append(wanted, n)
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("sign-up %d asks for nothing", su.ID)
	}
	return wanted, nil
}

// senderOf returns who writes: the publisher as digests name it.
func senderOf(n newsletter.Newsletter) string {
	if n.From.Name != "" {
		return n.From.Name
	}
	return n.Name
}

// confirmFrom returns the From of a confirmation mail, which no digest has (S7): providers
// judge a sender by all that comes from it.
func (s *Service) confirmFrom(all, wanted []newsletter.Newsletter) newsletter.Address {
	if from := s.o.ConfirmFrom; from.Email != "" {
		if from.Name == "" {
			from.Name = senderOf(wanted[0])
		}
		return from
	}
	return newsletter.Address{Name: wanted[0].Name, Email: freeAddress(all, wanted[0].From.Domain())}
}

// freeAddress returns an address of the domain that no newsletter is from.
func freeAddress(all []newsletter.Newsletter, domain string) string {
	for i := 0; ; i++ { // it ends: there are not that many newsletters
		name := "confirm" + strconv.Itoa(i)
		if names := []string{"confirm", "subscribe", "hello", "signup", "welcome"}; i < len(names) {
			name = names[i]
		}
		email := name + "@" + domain
		if !slices.ContainsFunc(all, func(n newsletter.Newsletter) bool { return strings.EqualFold(n.From.Email, email) }) {
			return email
		}
	}
}

// subject returns the subject of the confirmation mail for the newsletters. It is kept, as
// parsing templates takes longer than all the rest of a sign-up.
func (s *Service) subject(wanted []newsletter.Newsletter) (string, error) {
	data := digest.ConfirmMail{Address: "a@example.org", ConfirmURL: "https://example.org/confirm", Language: wanted[0].Language, Sender: senderOf(wanted[0])}
	key := data.Language + "\x00" + data.Sender
	for _, n := range wanted {
		data.Wanted = append(data.Wanted, digest.Wanted{Name: n.Name})
		key += "\x00" + n.Name
	}
	s.mu.Lock()
	subject, ok := s.subjects[key]
	s.mu.Unlock()
	if ok {
		return subject, nil
	}
	data.ValidDays = int(newsletter.SignUpValid / (24 * time.Hour))
	subject, _, _, err := digest.RenderConfirm(s.o.Templates, data)
	if err != nil {
		return "", fmt.Errorf("the confirmation mail: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subjects) >= maxSubjects {
		clear(s.subjects)
	}
	s.subjects[key] = subject
	return subject, nil
}
