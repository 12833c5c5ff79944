package digest

import (
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/templates"
)

// mailSources returns the embedded templates.
func mailSources(t testing.TB) Templates {
	t.Helper()
	fsys, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := templates.Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func sampleNewsletter() newsletter.Newsletter {
	return newsletter.Newsletter{
		ID: 1, Slug: "payments-daily", Name: "The Payments Ledger",
		From:          newsletter.Address{Name: "The Payments Ledger", Email: "ledger@news.example.org"},
		PostalAddress: "Quay Press Ltd\n14 Ropewalk Yard, Bristol BS1 6XX, United Kingdom",
		Language:      "en", Zone: "Europe/London",
		PrivacyURL:  "https://news.example.org/privacy",
		LegalFooter: "Registered in England and Wales, no. 01234567. Nothing in this newsletter is investment advice.",
		LinkParams:  "utm_source=newsletter&utm_medium=email",
		MinArticles: 1, MaxArticles: 12,
	}
}

func sampleSections() []newsletter.Section {
	return []newsletter.Section{
		{ID: 1, Bit: 0, Slug: "ai-data", Name: "AI & Data"},
		{ID: 2, Bit: 1, Slug: "regulation", Name: "Regulation"},
		{ID: 3, Bit: 5, Slug: "people", Name: "People"},
	}
}

// stories are invented.
var stories = []struct {
	headline, summary, author, label, image, alt string
	sections                                     newsletter.Mask
}{
	{"Harbour Bank to move its card processing to a shared platform by spring", "The lender will retire three of its own systems and join six mutuals on a platform that they own together. Its chief technology officer says the switch frees £40m a year, and names the two suppliers that lose the work.", "Ana Novak", "Exclusive", "harbour.png", "Cranes over the harbour at dawn", 0},
	{"Regulator gives lenders nine months to explain how their models decide", "Firms that turn down a customer by machine must be able to say why in plain words. Smaller lenders call the date impossible; consumer groups had asked for three months.", "Tomás Ó Briain", "", "court.png", "The regulator’s office in the evening", 2},
	{"“We tested it on ourselves first”: inside Kestrel’s fraud desk", "A team of nine catches more mule accounts than the industry’s shared database. Its head explains which signals she trusts, and the one that she threw away.", "Ruth Adeyemi", "Interview", "desk.png", "", 1},
	{"Open ledgers, closed doors: who may read the new payments register?", "A public register of instant-payment outages begins in January. Twelve banks want it delayed.", "Jonas Weiß", "", "", "", 2},
	{"Data brokers merge as the price of clean addresses doubles", "Northline and Postfach agree on an all-share deal that makes them the largest seller of verified addresses in Europe.", "", "", "data.png", "Rows of filing drawers", 1},
	{"Mira Castellanos leaves Union Clearing after eleven years", "She steered the clearing house through two migrations. Her deputy takes over for now.", "Staff reporter", "", "", "", 32},
	{"Instant payments pass cheques for the first time", "Eleven per cent of all transfers settled within ten seconds in October.", "Ana Novak", "", "chart.png", "", 0},
	{"Stop calling everything a wallet", "The word hides who holds the money, and who pays when it is gone.", "Leïla Haddad", "Opinion", "", "", 0},
	{"Small lenders share one model, and one bill", "Forty credit unions train a credit model together without pooling a single customer record.", "Ruth Adeyemi", "", "", "", 1},
	{"Terminal maker Okta Point recalls 12,000 devices", "A battery fault was found by a baker in Leeds.", "", "", "terminal.png", "A card terminal on a counter", 0},
	{"Capital rules: what changes on 1 January", "Our table of the eight thresholds, and whom each one hits.", "Tomás Ó Briain", "", "", "", 2},
	{"New chair for the Payments Forum", "Former supervisor Edda Lindqvist starts in February.", "", "", "", "", 32},
}

// sampleCandidates returns n articles; from the thirteenth on the stories come again.
func sampleCandidates(n int) []newsletter.Candidate {
	list := make([]newsletter.Candidate, n)
	for i := range list {
		s := stories[i%len(stories)]
		c := newsletter.Candidate{Sections: s.sections}
		c.ID = int64(i + 1)
		c.Item = newsletter.Item{
			GUID: "guid", URL: "https://quay.example.org/2026/11/20/" + string(rune('a'+i%26)) + "-story",
			Headline: s.headline, Summary: s.summary, Author: s.author, Label: s.label,
			Published: time.Date(2026, 11, 20, 6, 60-i, 0, 0, time.UTC),
		}
		if s.image != "" {
			c.Image = newsletter.Image{URL: "https://quay.example.org/img/" + s.image, Alt: s.alt}
		}
		list[i] = c
	}
	return list
}

var sampleDate = newsletter.Date{Year: 2026, Month: time.November, Day: 20}

// sampleSnapshot takes the snapshot of an edition with n articles. A change is a func of the
// newsletter, the articles and the words, or of the whole input.
func sampleSnapshot(t testing.TB, n int, change ...any) Snapshot {
	t.Helper()
	in := sampleInput(t, sampleNewsletter(), sampleCandidates(n), Words{})
	in.Newsletter.MaxArticles = newsletter.LimitArticles
	for _, f := range change {
		switch f := f.(type) {
		case func(*newsletter.Newsletter, []newsletter.Candidate, *Words):
			f(&in.Newsletter, in.Articles, &in.Words)
		case func(*Input):
			f(&in)
		default:
			t.Fatalf("%T is no change", f)
		}
	}
	newsletter.Rank(in.Articles)
	newsletter.Lay(in.Articles, in.Sections)
	s, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sampleInput(t testing.TB, n newsletter.Newsletter, articles []newsletter.Candidate, words Words) Input {
	return Input{
		Newsletter: n, Sections: sampleSections(), Articles: articles, Date: sampleDate, Cadence: newsletter.Daily,
		BaseURL: "https://letters.example.org/", Words: words, Templates: mailSources(t), Composer: "broadsheet test",
	}
}

func mustRender(t testing.TB, s Snapshot) Variant {
	t.Helper()
	v, err := Render(s, newsletter.Copy{Articles: allOf(s)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func allOf(s Snapshot) []int64 { return s.Articles() }
