package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"broadsheet/internal/newsletter"
)

// Compose composes the message once, by go-mail, for any number of readers. The same
// message gives the same bytes. The error is an Invalid one if a field of the message cannot
// stand in a mail.
func Compose(m Message) (*Variant, error) {
	m, err := m.clean()
	if err != nil {
		return nil, err
	}
	// A marker is a short line that neither go-mail's folding nor its quoted-printable
	// touches. It depends on a hash of the content, so no content can contain it.
	seed := m.seed()
	mark := func(n int) string { return fmt.Sprintf("slot.%s.%d.", seed[:24], n) }
	var slots []segment
	add := func(s segment) string {
		slots = append(slots, s)
		return mark(len(slots) - 1)
	}
	cut := func(text string, kind segmentKind) string {
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			if hasPlace(line) {
				lines[i] = add(segment{kind, line})
			}
		}
		return strings.Join(lines, "\n")
	}
	var f fields
	f.to = add(segment{kind: slotTo})
	f.date = add(segment{kind: slotDate})
	f.messageID = add(segment{kind: slotMessageID})
	if m.List != nil {
		f.unsubscribe = add(segment{kind: slotUnsubscribe})
	}
	m.Text, m.HTML = cut(m.Text, slotText), cut(m.HTML, slotHTML)
	data, err := m.compose(seed, f)
	if err != nil {
		return nil, err
	}
	v := &Variant{}
	if err := v.cutAt(data, slots, mark); err != nil {
		return nil, fmt.Errorf("compose %q: %w", m.Subject, err)
	}
	if err := v.complete(); err != nil {
		return nil, fmt.Errorf("compose %q: %w", m.Subject, err)
	}
	return v, nil
}

// ComposeOne composes the message for one reader, as a whole, by go-mail. The bytes are
// those of Compose and Append.
func ComposeOne(m Message, p Personal) ([]byte, error) {
	m, err := m.clean()
	if err != nil {
		return nil, err
	}
	needs := need{list: m.List != nil}
	needs.add(m.Text)
	needs.add(m.HTML)
	if err := p.check(needs); err != nil {
		return nil, err
	}
	seed := m.seed() // of the places, not of what they are filled with
	m.Text = fillPlaces(m.Text, p.UnsubscribeURL, p.ManageURL)
	m.HTML = fillPlaces(m.HTML, html.EscapeString(p.UnsubscribeURL), html.EscapeString(p.ManageURL))
	f := fields{
		to:        string(appendMailbox(nil, len("To: "), p.To)),
		date:      p.Date.UTC().Format(time.RFC1123Z),
		messageID: "<" + p.MessageID + ">",
	}
	if m.List != nil {
		f.unsubscribe = "<" + p.UnsubscribeURL + ">"
	}
	return m.compose(seed, f)
}

// fillPlaces replaces the places in a text.
func fillPlaces(s, unsubscribe, manage string) string {
	return strings.NewReplacer(newsletter.PlaceUnsubscribe, unsubscribe, newsletter.PlaceManage, manage).Replace(s)
}

// seed is a hash of all that the message says, for the boundary and the markers.
func (m Message) seed() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q %d", m.From, m.ReplyTo, m.Subject, m.Language, m.FeedbackID, m.Headers, len(m.Text))
	if m.List != nil {
		fmt.Fprintf(h, "%q", *m.List)
	}
	io.WriteString(h, m.Text) //nolint:errcheck,gosec // a hash takes everything
	io.WriteString(h, m.HTML) //nolint:errcheck,gosec // the same
	return hex.EncodeToString(h.Sum(nil))
}

// fields are the header fields that differ from reader to reader, as they are written.
type fields struct {
	to, date, messageID, unsubscribe string
}

// compose has go-mail write the message. m is clean.
//
// go-mail's setter for general fields encodes what is not ASCII, as a whole; so whatever
// needs encoding is encoded before, and go-mail only folds. Its setter for preformatted
// fields neither folds nor keeps an order: only To, which has its own folding, uses it.
func (m Message) compose(seed string, f fields) ([]byte, error) {
	msg := gomail.NewMsg(
		gomail.WithNoDefaultUserAgent(),
		gomail.WithBoundary("part-"+seed[:40]),
		gomail.WithEncoding(gomail.EncodingQP),
		gomail.WithCharset(gomail.CharsetUTF8),
	)
	from, err := headerAddress("from", m.From)
	if err != nil {
		return nil, err
	}
	msg.FromMailAddress(from)
	if m.ReplyTo.Email != "" {
		replyTo, err := headerAddress("reply_to", m.ReplyTo)
		if err != nil {
			return nil, err
		}
		msg.ReplyToMailAddress(replyTo)
	}
	msg.SetGenHeaderPreformatted(gomail.Header(gomail.HeaderTo), f.to)
	set := func(name gomail.Header, value string) { msg.SetGenHeader(name, value) }
	set(gomail.HeaderDate, f.date)
	set(gomail.HeaderMessageID, f.messageID)
	set(gomail.HeaderSubject, encodeText(m.Subject))
	set("Auto-Submitted", "auto-generated")
	if m.Language != "" {
		set(gomail.HeaderContentLang, m.Language)
	}
	if m.FeedbackID != "" {
		set("Feedback-ID", m.FeedbackID)
	}
	if m.List != nil {
		set("List-Id", m.List.field())
		set(gomail.HeaderPrecedence, "bulk")
		set(gomail.HeaderListUnsubscribe, f.unsubscribe)
		set(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	for _, h := range m.Headers {
		set(gomail.Header(h.Name), h.Value)
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	var buf bytes.Buffer
	if _, err := msg.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("compose %q: %w", m.Subject, err)
	}
	return buf.Bytes(), nil
}

// headerAddress returns the address as go-mail takes it.
func headerAddress(field string, a newsletter.Address) (*netmail.Address, error) {
	parsed, err := netmail.ParseAddress("<" + a.Email + ">")
	if err != nil || checkEmail(a.Email) != nil {
		return nil, newsletter.Invalidf(field, "%q is not an e-mail address", a.Email)
	}
	parsed.Name = cleanName(a.Name)
	return parsed, nil
}

// field is the value of List-Id: only the phrase is ever encoded, never the id (S9).
func (l List) field() string {
	id := "<" + l.ID + ">"
	name := cleanName(l.Name)
	if name == "" {
		return id
	}
	phrase, _ := appendPhrase(nil, len("List-Id: "), name)
	return strings.ReplaceAll(string(phrase), "\r\n", "") + " " + id
}
