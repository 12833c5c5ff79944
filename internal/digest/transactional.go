package digest

import (
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// ConfirmMail is what the mail that asks to confirm a sign-up says. The address is the only
// thing in it that the person at the form typed (S29).
type ConfirmMail struct {
	Wanted        []Wanted // what was asked for, at least one
	Address       string   // that the form was filled in with
	ConfirmURL    string   // http(s), absolute
	ValidDays     int      // how long the link works; 0: that is not said
	Language      string   // BCP 47
	Sender        string   // who writes: the publisher's or the newsletter's name
	PostalAddress string   // may be empty
	PrivacyURL    string   // may be empty
}

// Wanted is one newsletter that somebody asked for.
type Wanted struct {
	Name    string
	Cadence newsletter.Cadence // may be empty
}

// AlreadyMail is what somebody is told who signs up for what they get already.
type AlreadyMail struct {
	Wanted        []Wanted
	Address       string
	ManageURL     string // http(s), absolute
	Language      string
	Sender        string
	PostalAddress string
	PrivacyURL    string
}

// actionPage is what the templates of a transactional mail are given.
type actionPage struct {
	frame
	Wanted []wantedLine
	Link   string // that the mail is about
	Valid  bool   // say how long the link works
}

// wantedLine is a newsletter that was asked for; Cadence is in words and may be empty.
type wantedLine struct{ Name, Cadence string }

// RenderConfirm renders the mail that asks to confirm a sign-up.
func RenderConfirm(t Templates, data ConfirmMail) (subject, html, text string, err error) {
	return renderAction(t, "confirm", data)
}

// RenderAlready renders the mail that says "you already get this, change it here".
func RenderAlready(t Templates, data AlreadyMail) (subject, html, text string, err error) {
	return renderAction(t, "already", ConfirmMail{
		Wanted: data.Wanted, Address: data.Address, ConfirmURL: data.ManageURL, Language: data.Language,
		Sender: data.Sender, PostalAddress: data.PostalAddress, PrivacyURL: data.PrivacyURL,
	})
}

// renderAction renders a mail that asks for one thing to be done.
func renderAction(t Templates, name string, data ConfirmMail) (subject, html, text string, err error) {
	if len(data.Wanted) == 0 {
		return "", "", "", newsletter.Invalidf("newsletter", "a %s mail needs a newsletter", name)
	}
	link, ok := cleanURL(data.ConfirmURL)
	if !ok {
		return "", "", "", newsletter.Invalidf("link", "the link of a %s mail is not an address of the web", name)
	}
	templates, err := parsedMail(t, filesOf(name))
	if err != nil {
		return "", "", "", err
	}
	fixed, err := words.In(t, "mail template", data.Language)
	if err != nil {
		return "", "", "", err
	}
	var names []string
	p := actionPage{Link: link, Valid: data.ValidDays > 0}
	for _, w := range data.Wanted {
		n := clean(w.Name)
		names = append(names, n)
		p.Wanted = append(p.Wanted, wantedLine{n, fixed["cadence_"+string(w.Cadence)]})
	}
	p.frame = newFrame(data.Language, fixed.With(
		"{newsletters}", strings.Join(names, ", "),
		"{address}", clean(data.Address),
		"{sender}", clean(data.Sender),
		"{days}", strconv.Itoa(data.ValidDays),
	))
	p.Sender = clean(data.Sender)
	p.Postal = splitLines(cleanLines(data.PostalAddress))
	if privacy, ok := cleanURL(data.PrivacyURL); ok {
		p.PrivacyURL = privacy
	}
	return templates.action(p)
}

func (m *mailTemplates) action(p actionPage) (subject, html, text string, err error) {
	if p.Subject, err = m.short(m.files.subject, p, subjectLength); err != nil {
		return "", "", "", err
	}
	if p.Preheader, err = m.short(m.files.preheader, p, preheaderLength); err != nil {
		return "", "", "", err
	}
	if html, err = m.htmlPart(p); err != nil {
		return "", "", "", err
	}
	if text, err = m.textPart(p); err != nil {
		return "", "", "", err
	}
	return p.Subject, html, text, nil
}
