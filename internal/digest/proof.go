package digest

import (
	"regexp"
	"strings"

	"broadsheet/internal/newsletter"
)

// ProofMail is what the mail that asks staff to approve an edition says, before the edition itself.
// All of it is plain text.
type ProofMail struct {
	Subject  string // of the edition, as most readers get it
	Until    string // when it has to be approved, in words
	Facts    []ProofFact
	Warnings []ProofWarning
	Shown    string // whose copy follows, in words
	Link     string // of the page where it is decided
	Nothing  string // why there is nothing to show; empty: there is
	Text     string // of the edition
	HTML     string
}

// ProofFact is one thing that staff should know before they decide.
type ProofFact struct{ Name, Value string }

// ProofWarning is what the gates find.
type ProofWarning struct {
	Fails bool // it stops the edition
	Text  string
}

// proofPage is what the templates of the mail are given.
type proofPage struct {
	ProofMail
	Lang string
}

// RenderProof renders the mail that asks staff to approve an edition: a box with what they should
// know, and then the edition as readers get it. It is in English, as all that staff read.
func RenderProof(t Templates, data ProofMail) (subject, html, text string, err error) {
	link, ok := cleanURL(data.Link)
	if !ok {
		return "", "", "", newsletter.Invalidf("link", "the link of a proof is not an address of the web")
	}
	data.Link, data.Subject = link, clean(data.Subject)
	templates, err := parsedMail(t, filesOf("proof"))
	if err != nil {
		return "", "", "", err
	}
	p := proofPage{data, "en"}
	if subject, err = templates.short(templates.files.subject, p, subjectLength); err != nil {
		return "", "", "", err
	}
	if text, err = templates.textPart(p); err != nil {
		return "", "", "", err
	}
	box, err := templates.htmlPart(p)
	if err != nil {
		return "", "", "", err
	}
	return subject, intoBody(data.HTML, box, subject), text, nil
}

var bodyTag = regexp.MustCompile(`(?i)<body(\s[^>]*)?>`)

// intoBody puts a box at the beginning of an HTML mail. Without a mail the box is all of it.
func intoBody(html, box, title string) string {
	at := bodyTag.FindStringIndex(html)
	if at == nil {
		var escaped strings.Builder
		escaper.WriteString(&escaped, title) //nolint:errcheck // a builder never fails
		return "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
			escaped.String() + "</title>\n</head>\n<body>\n" + box + "</body>\n</html>\n"
	}
	return html[:at[1]] + "\n" + box + strings.TrimLeft(html[at[1]:], "\n")
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;")
