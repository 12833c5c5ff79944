package alarm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// connectTime is how long connecting to a relay may take.
const connectTime = 20 * time.Second

// MailTimeouts are for the connection that alarms go by: a relay that hangs must not keep
// the next one, nor the next round, waiting for long.
func MailTimeouts() mail.Timeouts {
	return mail.Timeouts{
		Connect: 5 * time.Second, Greeting: 5 * time.Second, Command: 10 * time.Second, Data: 10 * time.Second,
		Block: 10 * time.Second, Dot: 20 * time.Second, Quit: 2 * time.Second,
	}
}

// Mail is mail to staff, over a connection of its own.
type Mail struct {
	Relays  []mail.Transport // in the order in which they are tried, with MailTimeouts
	Signers mail.Signers     // none: the relay signs
	To      string
	// From returns who the mail is from; newsletters come and go.
	From    func(context.Context) (newsletter.Address, error)
	Service string // our base URL
	Now     func() time.Time
}

// Name returns "mail".
func (m *Mail) Name() string { return "mail" }

// Tell sends one mail with all of the news, by the first relay that takes it. One that is in
// doubt counts as not told: better twice than never. It has the same Message-ID then.
func (m *Mail) Tell(ctx context.Context, news []newsletter.RaisedAlarm) (told int, err error) {
	from, err := m.From(ctx)
	if err != nil {
		return 0, err
	}
	message, err := m.compose(from, news)
	if err != nil {
		return 0, err
	}
	var failures []error // what is wrong may well be the first relay
	for _, relay := range m.Relays {
		err := m.hand(ctx, relay, from.Email, message)
		if err == nil {
			return len(news), nil
		}
		failures = append(failures, err)
	}
	return 0, errors.Join(failures...)
}

func (m *Mail) hand(ctx context.Context, relay mail.Transport, from string, message []byte) error {
	connecting, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	session, err := relay.Connect(connecting)
	if err != nil {
		return err
	}
	outcome := session.Send(ctx, from, m.To, message)
	_ = session.Close() // the outcome is what matters
	if outcome.State != newsletter.Accepted {
		return fmt.Errorf("%s: %s", relay, plain(outcome.String()))
	}
	return nil
}

func (m *Mail) compose(from newsletter.Address, news []newsletter.RaisedAlarm) ([]byte, error) {
	variant, err := mail.Compose(mail.Message{From: from, Subject: subject(news), Text: m.text(news), Language: "en"})
	if err != nil {
		return nil, fmt.Errorf("compose the mail about alarms: %w", err)
	}
	message, err := variant.Append(nil, mail.Personal{
		To: newsletter.Address{Email: m.To}, MessageID: messageID(from, news), Date: m.Now(),
	})
	if err != nil {
		return nil, err
	}
	if signer := m.Signers.For(from.Domain()); signer != nil {
		return signer.Sign(message)
	}
	return message, nil
}

// messageID is the same for the same news.
func messageID(from newsletter.Address, news []newsletter.RaisedAlarm) string {
	h := sha256.New()
	for _, r := range news {
		fmt.Fprintf(h, "%s %s %d %v\n", r.Kind, r.Subject, r.RaisedAt.UnixMilli(), r.Over())
	}
	return fmt.Sprintf("alarm-%x@%s", h.Sum(nil)[:12], from.Domain())
}

func subject(news []newsletter.RaisedAlarm) string {
	wrong, over := split(news)
	switch {
	case len(news) == 1 && len(wrong) == 1:
		return "Broadsheet: " + cut(news[0].Text, 90)
	case len(news) == 1:
		return "Broadsheet, over: " + cut(news[0].Text, 90)
	case len(over) == 0:
		return fmt.Sprintf("Broadsheet: %d things are wrong", len(wrong))
	case len(wrong) == 0:
		return fmt.Sprintf("Broadsheet: %d things are over", len(over))
	}
	return fmt.Sprintf("Broadsheet: %d wrong, %d over", len(wrong), len(over))
}

func split(news []newsletter.RaisedAlarm) (wrong, over []newsletter.RaisedAlarm) {
	for _, r := range news {
		if r.Over() {
			over = append(over, r)
		} else {
			wrong = append(wrong, r)
		}
	}
	return wrong, over
}

func (m *Mail) text(news []newsletter.RaisedAlarm) string {
	wrong, over := split(news)
	var b strings.Builder
	if len(wrong) > 0 {
		fmt.Fprintf(&b, "Something is wrong with Broadsheet at %s:\n\n", m.Service)
	}
	for _, r := range wrong {
		fmt.Fprintf(&b, "* %s\n\n", r.Text)
	}
	if len(over) > 0 {
		fmt.Fprintf(&b, "This is over at %s:\n\n", m.Service)
	}
	for _, r := range over {
		fmt.Fprintf(&b, "* %s\n  It lasted from %s to %s.\n\n", r.Text, stamp(r.Since), stamp(r.ClearedAt))
	}
	b.WriteString("\"broadsheet status\" shows how things stand now.")
	if len(wrong) > 0 {
		b.WriteString(" You are told once, and once more when it is over.")
	}
	return b.String() + "\n"
}

func stamp(t time.Time) string { return t.UTC().Format("Mon 2 Jan 15:04 MST") }
