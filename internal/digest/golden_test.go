package digest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"broadsheet/internal/newsletter"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was; look at it, then run the test with -update", file)
	}
}

func TestRender_Golden(t *testing.T) {
	arabic := func(n *newsletter.Newsletter, c []newsletter.Candidate, _ *Words) {
		n.Name, n.Language = "الأخبار اليومية", "ar"
		for i := range c {
			c[i].Headline = "البنك المركزي يعلن عن قواعد جديدة للمدفوعات الفورية"
			c[i].Summary = "تدخل القواعد حيز التنفيذ في يناير."
		}
		c[1].Headline = "An English headline among Arabic ones"
	}
	for name, s := range map[string]Snapshot{
		"one": sampleSnapshot(t, 1),
		"twelve": sampleSnapshot(t, 12, func(_ *newsletter.Newsletter, _ []newsletter.Candidate, w *Words) {
			w.Intro = "Good morning. The quiet week before the budget turns out not to be one.\nWrite to us if you know more."
		}),
		"arabic": sampleSnapshot(t, 3, arabic),
		"plain": sampleSnapshot(t, 3, func(n *newsletter.Newsletter, c []newsletter.Candidate, w *Words) {
			n.PrivacyURL, n.LegalFooter, n.LinkParams, n.Language = "", "", "", "en-US"
			w.Subject = "The editors’ own subject"
			for i := range c {
				c[i].Image, c[i].Label, c[i].Author, c[i].Sections = newsletter.Image{}, "", "", 0
			}
		}),
	} {
		v := mustRender(t, s)
		golden(t, name+".html", v.HTML)
		golden(t, name+".txt", "Subject: "+v.Subject+"\nPreheader: "+v.Preheader+"\n\n"+v.Text)
	}
}

func sampleConfirm() ConfirmMail {
	return ConfirmMail{
		Wanted:     []Wanted{{"The Payments Ledger", newsletter.Daily}, {"Quay Weekend", newsletter.Weekly}},
		Address:    "ruth.adeyemi@example.org",
		ConfirmURL: "https://letters.example.org/confirm/v1.AbCdEfGhIjKlMnOpQrStUvWxYz",
		ValidDays:  7, Language: "en", Sender: "Quay Press",
		PostalAddress: "14 Ropewalk Yard, Bristol", PrivacyURL: "https://news.example.org/privacy",
	}
}

func sampleAlready() AlreadyMail {
	return AlreadyMail{
		Wanted:    []Wanted{{"The Payments Ledger", newsletter.Daily}},
		Address:   "ruth.adeyemi@example.org",
		ManageURL: "https://letters.example.org/manage/v1.AbCdEfGhIjKlMnOpQrStUvWxYz",
		Language:  "en", Sender: "Quay Press",
	}
}

func TestTransactional_Golden(t *testing.T) {
	subject, html, text, err := RenderConfirm(mailSources(t), sampleConfirm())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "confirm.html", html)
	golden(t, "confirm.txt", "Subject: "+subject+"\n\n"+text)
	if subject, html, text, err = RenderAlready(mailSources(t), sampleAlready()); err != nil {
		t.Fatal(err)
	}
	golden(t, "already.html", html)
	golden(t, "already.txt", "Subject: "+subject+"\n\n"+text)
	for _, s := range MailSamples("en", "https://letters.example.org") {
		if s.about == nil {
			continue
		}
		v, err := s.Render(mailSources(t))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, s.Name+".html", v.HTML)
		golden(t, s.Name+".txt", "Subject: "+v.Subject+"\n\n"+v.Text)
	}
}
