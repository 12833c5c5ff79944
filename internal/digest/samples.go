package digest

import (
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Sample is an edition of our invention that is hard to lay out, and a copy of it.
type Sample struct {
	Name     string
	Snapshot Snapshot
	Copy     newsletter.Copy
}

// sampleStories are told again and again. The second and every fourth after it has no picture.
var sampleStories = [...]struct{ headline, summary, author, label string }{
	{"Harbour board votes to open the second gate before winter", "The vote was nine to two. Pilots had warned for years that one gate is not enough in a storm, and the insurers agreed in the end. Work begins on Monday.", "Ana Novak", "Exclusive"},
	{"The night bus that nobody wanted carries four thousand people a week", "A trial of six months is made permanent.", "Tomás Ó Briain", ""},
	{"School meals: what the new contract says, and what it leaves out", "We read all 212 pages. The price is fixed for three years; the quality is not.", "Ruth Adeyemi", ""},
	{"“I kept the ledger in a biscuit tin”", "Forty years of a harbour café, told by the woman who ran it.", "Leïla Haddad", "Interview"},
	{"Rents rise fastest where the tram ends", "Eleven per cent in a year, twice as much as in the old town.", "", ""},
	{"Council tax letters went to the wrong 300 houses", "New ones are in the post; nobody has to pay twice.", "Staff reporter", ""},
	{"A swimming pool in a church, and other plans for empty naves", "Five parishes show what they have in mind.", "Jonas Weiß", ""},
	{"Stop planting cherry trees", "They look well for nine days. What else could stand there?", "Edda Lindqvist", "Opinion"},
}

const longWord = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzesentwurfsbegründung"

// samplePictures are small pictures that need no network: grey, with a horizon.
const samplePicture = "https://pictures.example.org/%d.png"

func sampleArticles(n int) []newsletter.Candidate {
	list := make([]newsletter.Candidate, n)
	for i := range list {
		s := sampleStories[i%len(sampleStories)]
		c := newsletter.Candidate{Sections: newsletter.Mask(1 << (i % 3))}
		c.ID = int64(i + 1)
		c.Item = newsletter.Item{
			GUID: fmt.Sprint(i), URL: fmt.Sprintf("https://www.example.org/stories/%d", i+1),
			Headline: s.headline, Summary: s.summary, Author: s.author, Label: s.label,
			Published: time.Date(2026, 11, 20, 5, 0, 0, 0, time.UTC),
		}
		if i%4 != 1 {
			c.Image = newsletter.Image{URL: fmt.Sprintf(samplePicture, i+1), Alt: "Cranes over the harbour"}
		}
		if i%4 == 2 {
			c.Image.Alt = ""
		}
		list[i] = c
	}
	return list
}

// sampleOf is the edition that the samples change: n articles in three sections.
func sampleOf(t Templates, design newsletter.Design, language, baseURL string, n int) Input {
	sections := []newsletter.Section{{ID: 1, Bit: 0, Slug: "harbour", Name: "Harbour"}, {ID: 2, Bit: 1, Slug: "town", Name: "Town & Council"}}
	articles := sampleArticles(n)
	newsletter.Rank(articles)
	newsletter.Lay(articles, sections)
	return Input{
		Newsletter: newsletter.Newsletter{
			ID: 1, Slug: "sample", Name: "The Harbour Times", From: newsletter.Address{Name: "The Harbour Times", Email: "news@example.org"},
			PostalAddress: "Quay Press Ltd\n14 Ropewalk Yard, Bristol", Language: language, Zone: "UTC",
			PrivacyURL: "https://www.example.org/privacy", LegalFooter: "Registered in England and Wales, no. 01234567.",
			LinkParams: "utm_source=newsletter", MinArticles: 1, MaxArticles: newsletter.LimitArticles,
			Design: design, SiteURL: "https://www.example.org/",
		},
		Sections: sections, Articles: articles, Date: newsletter.Date{Year: 2026, Month: time.November, Day: 20}, Cadence: newsletter.Daily,
		BaseURL: baseURL, Templates: t, Composer: "sample", Secret: func(string) string { return "sample" },
	}
}

// withEverything adds every other kind of block.
func withEverything(in *Input) {
	in.Words.Intro = "Good morning. It is the *quiet* week, and it is **not** quiet: see [our calendar](https://www.example.org/calendar).\n\n" +
		"* The board votes again on Tuesday.\n* The gate opens on Friday."
	in.Headlines = sampleArticles(2)
	for i := range in.Headlines {
		in.Headlines[i].ID += 1000
		in.Headlines[i].Headline = []string{"The ferry that sails without a crew", "Who owns the lighthouse?"}[i]
	}
	in.Notes = []Block{{ID: "n1", Position: 4, Headline: "Come and see us", Text: "Our newsroom is open on Saturday.\n\nThere is cake.", URL: "https://www.example.org/open-day"}}
	in.Sponsors = []Block{
		{ID: "s1", Position: 3, Sponsor: "Leaf & Sons", Headline: "Tea for people who read", Text: "Three kinds, one tin. *Free delivery* until Sunday.", URL: "https://tea.example.org/", ImageURL: "https://pictures.example.org/tea.png", ImageAlt: "A tin of tea"},
		{ID: "s2", Position: 99, Sponsor: "Ropewalk Bank", Text: "An account in nine minutes.", URL: "https://bank.example.org/account"},
	}
	related := relatedSamples(3)
	in.Related = map[int64][]newsletter.Candidate{in.Articles[0].ID: related[:2], in.Articles[len(in.Articles)-1].ID: related[2:]}
	in.Corrections = []Block{{Article: 2000, Headline: "The bridge is closed for repairs", URL: "https://www.example.org/stories/2000", Text: "We wrote that the bridge stays closed until Monday. It is **Tuesday**."}}
}

// relatedSamples are stories that nobody was given.
func relatedSamples(n int) []newsletter.Candidate {
	list := sampleArticles(n)
	for i := range list {
		list[i].ID += 3000
		list[i].Headline = []string{"How the harbour got its first gate", "The board has met in secret since May", "What a ferry costs"}[i]
		list[i].URL += "/before"
	}
	return list
}

// samples are the shapes of editions that a template has to carry.
var samples = []struct {
	name     string
	articles int
	change   func(*Input, *newsletter.Copy)
}{
	{"everything", 12, func(in *Input, c *newsletter.Copy) {
		withEverything(in)
		c.Headlines, c.Corrections, c.More = []int64{1001, 1002}, []int64{2000}, 3
	}},
	{"one", 1, func(*Input, *newsletter.Copy) {}},
	{"announcement", 0, func(in *Input, _ *newsletter.Copy) {
		in.Words.Subject = "We move house"
		in.Notes = []Block{{ID: "n1", Position: 1, Headline: "We move house", Text: "From Monday on we are at *14 Ropewalk Yard*.\n\n1. The post comes there.\n2. So does the cat."}}
	}},
	{"no-story", 1, func(in *Input, c *newsletter.Copy) { // of a reader who is owed none of the edition's
		in.Notes = []Block{{ID: "n1", Position: 1, Text: "Thank you for reading us."}}
		c.Articles = []int64{}
	}},
	{"bare", 12, func(in *Input, c *newsletter.Copy) {
		in.Sections, in.Newsletter.PrivacyURL, in.Newsletter.LegalFooter, in.Newsletter.SiteURL = nil, "", "", ""
		for i := range in.Articles {
			a := &in.Articles[i]
			a.Image, a.Author, a.Label, a.Summary = newsletter.Image{}, "", "", ""
		}
		c.More = 1
	}},
	{"long-words", 3, func(in *Input, _ *newsletter.Copy) {
		in.Newsletter.Name = longWord
		in.Sections[0].Name, in.Newsletter.LogoURL = longWord, ""
		for i := range in.Articles {
			a := &in.Articles[i]
			a.Headline, a.Summary, a.Author, a.Label = longWord+" "+longWord, longWord+longWord, longWord, longWord
		}
		in.Related = map[int64][]newsletter.Candidate{in.Articles[1].ID: relatedSamples(1)}
		in.Related[in.Articles[1].ID][0].Headline = longWord
		in.Sponsors = []Block{{ID: "s1", Position: 2, Sponsor: longWord, Headline: longWord, Text: longWord, URL: "https://" + strings.Repeat("x", 60) + ".example.org/" + longWord}}
	}},
	{"logo", 4, func(in *Input, _ *newsletter.Copy) {
		in.Newsletter.LogoURL, in.Newsletter.Typeface, in.Newsletter.BrandColour = "https://pictures.example.org/logo.png", newsletter.Sans, "#0b5a9c"
	}},
	{"right-to-left", 4, func(in *Input, c *newsletter.Copy) {
		withEverything(in)
		c.Headlines, c.Corrections, c.More = []int64{1001}, []int64{2000}, 3
		in.Newsletter.Language, in.Newsletter.Name = "ar", "أخبار الميناء"
		for i := range in.Articles {
			in.Articles[i].Headline, in.Articles[i].Summary = "المجلس يفتح البوابة الثانية قبل الشتاء", "صوّت تسعة أعضاء لصالح القرار وعارضه اثنان."
		}
		in.Articles[1].Headline = "An English headline among Arabic ones"
	}},
	{"fifty", 50, func(*Input, *newsletter.Copy) {}},
	{"too-large", 50, func(in *Input, c *newsletter.Copy) {
		withEverything(in)
		c.Headlines = []int64{1001, 1002}
		for i := range in.Articles {
			in.Articles[i].Summary = strings.Repeat("Übergrößenträger ", 50)
		}
	}},
}

// Samples returns the samples in a design and a language (BCP 47). Those that take long to
// render are given in English only: what fits does not depend on the fixed words.
func Samples(t Templates, design newsletter.Design, language, baseURL string) ([]Sample, error) {
	var list []Sample
	for _, shape := range samples {
		if shape.articles > heavy && language != "en" {
			continue
		}
		in := sampleOf(t, design, language, baseURL, shape.articles)
		var c newsletter.Copy
		shape.change(&in, &c)
		s, err := New(in)
		if err != nil {
			return nil, fmt.Errorf("the sample %s: %w", shape.name, err)
		}
		if c.Articles == nil {
			c.Articles = s.Articles()
		}
		list = append(list, Sample{shape.name, s, c})
	}
	return list, nil
}

// heavy is the number of articles beyond which a sample takes long to render.
const heavy = 12

// MailSample is a transactional mail of our invention.
type MailSample struct {
	Name  string
	data  ConfirmMail
	proof *ProofMail  // of a mail to staff
	about *NoticeMail // of a notice
}

// files returns the templates of the mail.
func (m MailSample) files() mailFiles {
	if m.about != nil {
		return filesOf("notice")
	}
	return filesOf(m.Name)
}

// MailSamples returns each transactional mail in a language.
func MailSamples(language, baseURL string) []MailSample {
	data := ConfirmMail{
		Wanted:  []Wanted{{"The Harbour Times", newsletter.Daily}, {"Quay Weekend", newsletter.Weekly}, {"Alarm", newsletter.Immediate}},
		Address: "vera@example.org", ConfirmURL: baseURL + "/confirm/sample", ValidDays: 7, Language: language,
		Sender: "Quay Press", PostalAddress: "14 Ropewalk Yard, Bristol", PrivacyURL: "https://www.example.org/privacy",
	}
	list := []MailSample{{Name: "confirm", data: data}, {Name: "already", data: data}, {Name: "proof", data: data, proof: proofSample(baseURL)}}
	for _, notice := range []string{NoticeLink, NoticeAddress, NoticeTaken, NoticeMoved} {
		list = append(list, MailSample{Name: notice, data: data, about: noticeSample(notice, language, baseURL)})
	}
	return list
}

func noticeSample(notice, language, baseURL string) *NoticeMail {
	valid := map[string]time.Duration{
		NoticeLink: newsletter.FreshTime, NoticeAddress: newsletter.AddressValid, NoticeMoved: newsletter.MovedUndoTime,
	}[notice]
	return &NoticeMail{
		Notice: notice, Address: "vera@example.org", Other: "v…@example.net", Link: baseURL + "/manage/sample", Valid: valid, Language: language,
		Sender: "Quay Press", PostalAddress: "14 Ropewalk Yard, Bristol", PrivacyURL: "https://www.example.org/privacy",
	}
}

// proofSample is a mail to staff without the edition that it is about.
func proofSample(baseURL string) *ProofMail {
	return &ProofMail{
		Subject: "Harbour opens a second gate", Until: "Fri 20 Nov 07:00 GMT", Shown: "640 of the 812 who get it, more than any other copy",
		Facts: []ProofFact{
			{"Edition", "42 of The Harbour Times, daily, 2026-11-20"}, {"Sent", "Fri 20 Nov 07:00 GMT, if somebody approves it"},
			{"Goes to", "812 of 830 readers of the daily edition; 12 nothing new, 6 paused"},
		},
		Warnings: []ProofWarning{
			{true, "readers cannot reach http://intranet/: it is an address inside your own network; mend the address"},
			{false, `the picture of “Ferry fares frozen” has no description; describe it where it comes from`},
		},
		Link: baseURL + "/staff/approve/sample",
	}
}

// renderProof renders a mail to staff about the first sample of an edition.
func (m MailSample) renderProof(t Templates) (Variant, error) {
	list, err := Samples(t, newsletter.Designs()[0], m.data.Language, "https://news.example.org")
	if err != nil {
		return Variant{}, err
	}
	shown, err := Render(list[0].Snapshot, list[0].Copy)
	if err != nil {
		return Variant{}, err
	}
	data := *m.proof
	links := strings.NewReplacer(newsletter.PlaceUnsubscribe, "https://news.example.org/unsubscribe/sample", newsletter.PlaceManage, "https://news.example.org/manage/sample")
	data.HTML, data.Text = links.Replace(shown.HTML), links.Replace(shown.Text)
	subject, html, text, err := RenderProof(t, data)
	return Variant{Subject: subject, HTML: html, Text: text}, err
}

// Render renders the mail.
func (m MailSample) Render(t Templates) (Variant, error) {
	if m.proof != nil {
		return m.renderProof(t)
	}
	if m.about != nil {
		subject, html, text, err := RenderNotice(t, *m.about)
		return Variant{Subject: subject, HTML: html, Text: text}, err
	}
	subject, html, text, err := renderAction(t, m.Name, m.data)
	return Variant{Subject: subject, HTML: html, Text: text}, err
}
