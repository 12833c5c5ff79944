package main

import (
	"bufio"
	"bytes"
	"fmt"
	"mime"
	netmail "net/mail"
	"strings"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// sampleMail is one mail that the template check rendered, and what is wrong with it.
type sampleMail struct {
	mail, language, sample string // "brief", "en", "fifty"
	variant                digest.Variant
	faults                 []digest.Fault
}

func (m sampleMail) name() string { return m.mail + "-" + m.language + "-" + m.sample }

// examineTemplates renders every mail in every language with hard data and looks at it, by the
// standards that a bulk sender has to meet.
func examineTemplates(t digest.Templates, baseURL string, now time.Time, see func(sampleMail)) error {
	for _, language := range words.Languages(t) {
		for _, design := range newsletter.Designs() {
			samples, err := digest.Samples(t, design, language, baseURL)
			if err != nil {
				return err
			}
			for _, s := range samples {
				m := sampleMail{mail: string(design), language: language, sample: s.Name}
				m.examine(s, baseURL, now)
				see(m)
			}
		}
		for _, s := range digest.MailSamples(language, baseURL) {
			m := sampleMail{mail: s.Name, language: language, sample: "usual"}
			var err error
			if m.variant, err = s.Render(t); err != nil {
				m.faults = []digest.Fault{{Standard: "template", Message: err.Error()}}
			} else {
				m.faults = digest.InspectMail(m.variant)
			}
			see(m)
		}
	}
	return nil
}

// examine renders a digest, composes it as it would be sent, and looks at both.
func (m *sampleMail) examine(s digest.Sample, baseURL string, now time.Time) {
	var err error
	if m.variant, err = digest.Render(s.Snapshot, s.Copy); err != nil {
		m.faults = []digest.Fault{{Standard: "template", Message: err.Error()}}
		return
	}
	m.faults = digest.Inspect(m.variant)
	message := delivery.DigestMessage(s.Snapshot, m.variant, 1)
	composed, err := mail.ComposeOne(message, mail.Personal{
		To: newsletter.Address{Email: "vera@example.org"}, MessageID: "1.1@example.org", Date: now,
		UnsubscribeURL: baseURL + "/unsubscribe/sample", ManageURL: baseURL + "/manage/sample",
	})
	if err != nil {
		m.faults = append(m.faults, digest.Fault{Standard: "template", Message: err.Error()})
		return
	}
	m.faults = append(m.faults, examineMessage(composed)...)
}

// examineMessage looks at a digest as it is sent: S4, S9 to S13.
func examineMessage(data []byte) []digest.Fault {
	var faults []digest.Fault
	fault := func(standard, format string, args ...any) {
		faults = append(faults, digest.Fault{Standard: standard, Message: fmt.Sprintf(format, args...)})
	}
	message, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		fault("S11", "the message cannot be read: %v", err)
		return faults
	}
	h := message.Header
	out := h.Get("List-Unsubscribe")
	if link := strings.Trim(out, "<>"); !strings.HasPrefix(link, "https://") && !loopbackURL(link) {
		fault("S4", "List-Unsubscribe is %q; it has to be an https address", out)
	}
	if post := h.Get("List-Unsubscribe-Post"); post != "List-Unsubscribe=One-Click" {
		fault("S4", "List-Unsubscribe-Post is %q", post)
	}
	if id := h.Get("List-Id"); !strings.HasSuffix(id, ">") || strings.Contains(id[strings.LastIndexByte(id, '<')+1:], "=?") {
		fault("S9", "List-Id is %q", id)
	}
	if h.Get("Auto-Submitted") != "auto-generated" || h.Get("Precedence") != "bulk" {
		fault("S10", "Auto-Submitted is %q and Precedence %q", h.Get("Auto-Submitted"), h.Get("Precedence"))
	}
	for _, field := range []string{"From", "Date", "Message-Id"} {
		if n := len(h[field]); n != 1 {
			fault("S11", "there are %d fields %s", n, field)
		}
	}
	for _, field := range []string{"From", "To"} {
		if _, err := h.AddressList(field); err != nil {
			fault("S12", "the field %s cannot be read: %v", field, err)
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		if len(lines.Bytes()) > 998 {
			fault("S11", "a line has %d octets; 998 are possible", len(lines.Bytes()))
		}
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || kind != "multipart/alternative" {
		fault("S13", "the message is %q, not multipart/alternative", kind)
	}
	if text, html := bytes.Index(data, []byte("text/plain")), bytes.Index(data, []byte("text/html")); text < 0 || html < text {
		fault("S13", "the text part does not stand before the HTML part")
	}
	return faults
}
