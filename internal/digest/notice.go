package digest

import (
	"fmt"
	"strconv"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// The notices: mails about a reader's own page and address. Each is said in the words that begin
// with its name.
const (
	NoticeLink    = "link"    // a fresh link to the page
	NoticeAddress = "address" // confirm a new address
	NoticeTaken   = "taken"   // the new address has subscriptions of its own
	NoticeMoved   = "moved"   // to the old address: it is another now
)

// NoticeMail is what a notice says.
type NoticeMail struct {
	Notice        string        // NoticeLink …
	Address       string        // that it goes to
	Other         string        // of NoticeMoved: the new one, masked
	Link          string        // http(s), absolute
	Valid         time.Duration // how long the link works
	Language      string        // BCP 47
	Sender        string
	PostalAddress string
	PrivacyURL    string
}

// noticePage is what the templates of a notice are given.
type noticePage struct {
	frame
	SubjectSaid, PreheaderSaid      string
	Title, Say, Button, Valid, Else string
	Link                            string
}

// RenderNotice renders a mail about a reader's own page or address.
func RenderNotice(t Templates, data NoticeMail) (subject, html, text string, err error) {
	link, ok := cleanURL(data.Link)
	if !ok {
		return "", "", "", newsletter.Invalidf("link", "the link of a %s mail is not an address of the web", data.Notice)
	}
	templates, err := parsedMail(t, filesOf("notice"))
	if err != nil {
		return "", "", "", err
	}
	fixed, err := words.In(t, "mail template", data.Language)
	if err != nil {
		return "", "", "", err
	}
	said := fixed.With(
		"{address}", clean(data.Address),
		"{other}", clean(data.Other),
		"{sender}", clean(data.Sender),
		"{minutes}", strconv.Itoa(int(data.Valid/time.Minute)),
		"{hours}", strconv.Itoa(int(data.Valid/time.Hour)),
		"{days}", strconv.Itoa(int(data.Valid/(24*time.Hour))),
	)
	p := noticePage{Link: link, frame: newFrame(data.Language, said)}
	for key, to := range map[string]*string{
		"subject": &p.SubjectSaid, "preheader": &p.PreheaderSaid, "title": &p.Title, "say": &p.Say, "button": &p.Button,
		"valid": &p.Valid, "else": &p.Else,
	} {
		if *to = said[data.Notice+"_"+key]; *to == "" {
			return "", "", "", fmt.Errorf("the words of the mails lack %q", data.Notice+"_"+key)
		}
	}
	p.Sender = clean(data.Sender)
	p.Postal = splitLines(cleanLines(data.PostalAddress))
	if privacy, ok := cleanURL(data.PrivacyURL); ok {
		p.PrivacyURL = privacy
	}
	if p.Subject, err = templates.short(templates.files.subject, p, subjectLength); err != nil {
		return "", "", "", err
	}
	if p.Preheader, err = templates.short(templates.files.preheader, p, preheaderLength); err != nil {
		return "", "", "", err
	}
	if html, err = templates.htmlPart(p); err != nil {
		return "", "", "", err
	}
	text, err = templates.textPart(p)
	return p.Subject, html, text, err
}
