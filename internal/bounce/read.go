package bounce

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"broadsheet/internal/newsletter"
)

// Read says what a message means. It looks at the first 10 MB of it, at 500 parts, 10 levels
// deep, and at 64 kB of each text, so its time and memory are bounded whatever a stranger
// sends. The only error is that of r: a message that cannot be understood is ReturnOther.
func Read(r io.Reader) (Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxMessage))
	if err != nil {
		return Report{}, fmt.Errorf("read the message: %w", err)
	}
	m := parse(data)
	recipients, machine := m.recipients()
	report := Report{Recipients: recipients, ReturnPaths: returnPaths(m, machine)}
	report.Kind = worst(recipients)
	return report, nil
}

// worst returns the kind that counts for the whole.
func worst(recipients []Recipient) newsletter.ReturnKind {
	for _, kind := range []newsletter.ReturnKind{newsletter.ReturnComplaint, newsletter.ReturnHard, newsletter.ReturnSoft, newsletter.ReturnAutoReply} {
		for _, r := range recipients {
			if r.Kind == kind {
				return kind
			}
		}
	}
	return newsletter.ReturnOther
}

// recipients returns what the message says of each address, and the fields for machines that
// are about the message as a whole.
func (m *message) recipients() ([]Recipient, header) {
	if p, ok := m.find("message/feedback-report"); ok {
		h := joined(p.decoded(maxMachine))
		return readARF(h, m.returned), h
	}
	n, copied := newNotice(m.text())
	if m.returned == nil && copied != "" {
		m.returned, _ = splitHeader([]byte(copied))
	}
	if p, ok := m.find(statusTypes...); ok {
		failures, whole := readDSN(p.decoded(maxMachine))
		if len(failures) == 0 {
			failures = m.named(n)
		}
		return m.judged(n, failures), whole
	}
	if r, ok := m.junk(); ok {
		return []Recipient{r}, nil
	}
	if events := readEvent(m.text()); len(events) > 0 {
		return events, nil
	}
	return m.fromText(n), nil
}

// fromText returns what a message says that has nothing for machines.
func (m *message) fromText(n notice) []Recipient {
	system := fromMailSystem(m.header)
	switch {
	case m.has("message/disposition-notification"):
		return nil // a receipt: somebody, or something, has opened or deleted it
	case m.header.get("x-failed-recipients") == "" && autoReply(m.header):
		return []Recipient{m.answer()}
	case system:
		if failures := readQuotedDSN(m.text()); len(failures) > 0 {
			return m.judged(n, failures)
		}
		return m.judged(n, m.named(n))
	case autoSubmitted(m.header):
		return []Recipient{m.answer()}
	}
	return nil
}

// named returns what the text says of each address that it or the header names. If none is
// named, it is about whom the returned message was for.
func (m *message) named(n notice) []failure {
	if failures := n.failures(m.known()); len(failures) > 0 {
		return failures
	}
	return []failure{{address: first(addressesIn(m.returned.get("to")))}}
}

// answer is the recipient whose machine answered.
func (m *message) answer() Recipient {
	return Recipient{Address: first(addressesIn(m.header.get("from"))), Kind: newsletter.ReturnAutoReply, Reason: ReasonVacation}
}

// notYet matches what a report tells people that the relay goes on trying (RFC 3464 §2.3.3).
var notYet = regexp.MustCompile(`(?i)warning message only|need not resend|not need to re-?send|(?:will (?:be|keep|continue)|continue to be) (?:retried|trying|attempted)|has not yet been delivered|delivery (?:is |has been )?(?:delayed|incomplete)|still (?:be )?try|will (?:try|retry)`)

// judged says what each failure means, in the light of what the report tells people.
func (m *message) judged(n notice, failures []failure) []Recipient {
	n.describe(failures)
	hollow, delayed := m.hollow(), notYet.MatchString(start(n.text()))
	var all []Recipient
	for _, f := range failures {
		if len(failures) == 1 {
			f.told = n.text()
			if f.notice == "" || reasonIn(f.diagnostic+"\n"+f.notice) == "" {
				f.notice = f.told
			}
		}
		if f.action == "" && delayed {
			f.action = "delayed"
		}
		r := judge(f)
		if hollow && r.Kind == newsletter.ReturnHard {
			r.Kind, r.Reason = newsletter.ReturnSoft, softer(f, r)
		}
		all = append(all, r)
	}
	return all
}

// known returns the addresses that the header says it is about.
func (m *message) known() []string {
	var all []string
	for _, v := range m.header.all("x-failed-recipients") {
		all = append(all, addressesIn(v)...)
	}
	return all[:min(len(all), maxRecipients)]
}

// hollow reports whether the message says that it has a delivery status for machines and has
// none: what has lost half of itself proves nothing.
func (m *message) hollow() bool {
	media, params := mediaType(m.header)
	return media == "multipart/report" && strings.EqualFold(params["report-type"], "delivery-status") && !m.has(statusTypes...)
}

// statusTypes are what a delivery status report may be called (RFC 3464, RFC 6533).
var statusTypes = []string{"message/delivery-status", "message/global-delivery-status"}

// has reports whether there is a part of one of these types.
func (m *message) has(media ...string) bool {
	_, ok := m.find(media...)
	return ok
}

// find returns the part of one of these types, rather one of the message itself than one of
// a message in it.
func (m *message) find(media ...string) (part, bool) {
	for _, inside := range []bool{false, true} {
		for _, p := range m.parts {
			for _, want := range media {
				if p.media == want && p.inside == inside {
					return p, true
				}
			}
		}
	}
	return part{}, false
}

// text returns what people read in the message: its plain texts, else its pages.
func (m *message) text() string {
	for _, media := range []string{"text/plain", "text/html"} {
		var b strings.Builder
		for _, p := range m.parts {
			if p.media == media && !p.inside && b.Len() < maxText {
				b.WriteString(p.text() + "\n")
			}
		}
		if text := b.String(); strings.TrimSpace(text) != "" {
			return text[:min(len(text), 2*maxText)]
		}
	}
	return ""
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
