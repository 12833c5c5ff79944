package web

import (
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// hard is text that breaks pages that are put together carelessly.
const hard = `"><script>alert('x')</script>&amp; مرحبا 日本語 Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft`

// hardNewsletter has hard text in every field that staff fill in.
func hardNewsletter() newsletter.Newsletter {
	n := dailyNews()
	n.Name, n.Description, n.From.Name, n.PostalAddress = hard, hard, hard, hard+"\n"+hard
	n.PrivacyURL = "javascript:alert(1)"
	return n
}

// TestPages_AreWellMade renders every page with typical and with hard data.
func TestPages_AreWellMade(t *testing.T) {
	t.Parallel()
	invalid := &newsletter.Error{Kind: newsletter.Invalid, Fields: []newsletter.Field{{Name: "email", Message: hard}, {Name: "cadence", Message: hard}}}
	due := newsletter.Due{At: time.Date(2027, 1, 4, 7, 0, 0, 0, time.UTC)}
	for name, n := range map[string]newsletter.Newsletter{"typical": dailyNews(), "hard": hardNewsletter()} {
		sections := topics()
		if name == "hard" {
			sections[0].Name = hard
		}
		f := &fake{
			newsletters: []newsletter.Newsletter{n, weekend()}, sections: sections,
			confirmed: readers.Confirmed{Confirmation: readers.Confirmation{Masked: hard}, First: []readers.FirstEdition{{Newsletter: n, Due: due, Zone: "Nowhere/At_All"}}, ManageToken: "x"},
			managed: readers.Managed{Masked: hard, Subscriptions: []readers.ManagedSubscription{
				{Subscription: newsletter.Subscription{State: newsletter.Active, Cadence: "daily", Sections: 3}, Newsletter: n, Sections: sections, Next: due, Zone: "Europe/London"},
				{Subscription: newsletter.Subscription{State: newsletter.PausedSub, Cadence: "immediate"}, Newsletter: weekend(), ByHand: true},
			}},
		}
		s := newFakeSite(t, f, func(o *Options) { o.Mailbox = mails() })
		check := func(what string, a answer) {
			t.Helper()
			t.Run(name+"/"+what, func(t *testing.T) { checkPage(t, a) })
		}
		check("home", s.get("/").want(200))
		check("newsletter", s.get("/n/daily-news").want(200))
		check("check inbox", s.get("/check-inbox?newsletter=daily-news").want(200))
		for _, state := range []string{readers.StateOpen, readers.StateUsed, readers.StateExpired} {
			f.confirmation = readers.Confirmation{
				State: state, Masked: hard, Words: newsletter.Words{Text: hard}, Choices: []readers.Choice{{Newsletter: n, Cadence: "daily", Sections: sections}, {Newsletter: weekend(), Cadence: "weekly"}},
				Subscriptions: []newsletter.Subscription{{State: newsletter.Left, NewsletterName: hard, NewsletterSlug: "daily-news"}, {State: newsletter.Active, NewsletterName: hard, Cadence: "daily"}, {State: newsletter.Pending}, {State: newsletter.PausedSub}},
			}
			check("confirm "+state, s.get("/confirm/x").want(200))
		}
		check("confirmed", s.post("/confirm/x", nil).want(200))
		for _, state := range []newsletter.SubscriptionState{newsletter.Active, newsletter.Left} {
			f.leaving = readers.Leaving{Masked: hard, Newsletter: n, State: state, CanUndo: true, ManageToken: "x"}
			check("unsubscribe "+string(state), s.get("/unsubscribe/x").want(200))
		}
		check("undone", s.post("/unsubscribe/x/undo", nil).want(200))
		check("manage", s.get("/manage/x?saved=daily-news").want(200))
		check("mailbox", s.get("/outbox/").want(200))
		check("mail", s.get("/outbox/b.eml").want(200))
		check("404", s.get("/nothing").want(404))
		f.err = invalid
		form := url.Values{"email": {hard}, "newsletter": {"daily-news"}, "name": {hard}, "time_zone": {hard}, "cadence": {hard}, "section": {hard}, "page": {hard}, "placement": {hard}, "return": {hard}}
		check("newsletter, wrong", s.post("/subscribe", form).want(422))
		form.Add("newsletter", "weekend")
		check("home, wrong", s.post("/subscribe", form).want(422))
		check("manage, wrong", s.post("/manage/x", url.Values{"newsletter": {"daily-news"}}).want(422))
		f.err = newsletter.Conflictf("%s", hard)
		check("409", s.post("/subscribe", form).want(409))
	}
	empty := newFakeSite(t, &fake{})
	checkPage(t, empty.get("/").want(200).has("Nothing to sign up for yet"))
	checkPage(t, empty.get("/manage/x").want(200).has("Nothing comes to this address any more"))
}

// checkPage checks what every page must have (and S34: nothing that runs or comes from elsewhere).
func checkPage(t *testing.T, a answer) {
	t.Helper()
	a.t = t
	if !strings.HasPrefix(a.body, "<!doctype html>") {
		t.Error("no doctype")
	}
	for _, selector := range []string{"html[lang]", "title", "h1", "main[id=main]", "header", "meta[name=viewport]", "a[href=#main]", "link[rel=stylesheet]"} {
		a.one(selector)
	}
	if textOf(a.one("title")) == "" || textOf(a.one("h1")) == "" {
		t.Error("the title or the heading is empty")
	}
	doc := a.page()
	ids := map[string]bool{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, at := range n.Attr {
			if strings.HasPrefix(at.Key, "on") || at.Key == "style" {
				t.Errorf("<%s %s>: the policy forbids it", n.Data, at.Key)
			}
			if (at.Key == "href" || at.Key == "action" || at.Key == "src") && (at.Val == "" || strings.HasPrefix(at.Val, "javascript:")) {
				t.Errorf("<%s %s=%q>", n.Data, at.Key, at.Val)
			}
		}
		if id := value(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
		if n.Data == "script" || n.Data == "style" {
			t.Errorf("there is a <%s>", n.Data)
		}
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, name := range []string{"for", "aria-labelledby", "aria-describedby"} {
			for id := range strings.FieldsSeq(value(n, name)) {
				if !ids[id] {
					t.Errorf("<%s %s=%q> points at nothing", n.Data, name, id)
				}
			}
		}
		if n.Data == "input" && value(n, "type") != "hidden" && !labelled(doc, n) {
			t.Errorf("<input name=%s> has no label", value(n, "name"))
		}
	}
	if n := len(find(doc, "[autofocus]")); n > 1 {
		t.Errorf("%d elements want the focus", n)
	}
	for _, form := range find(doc, "form") {
		if value(form, "method") != "post" || len(find(form, "button")) != 1 {
			t.Errorf("the form to %s posts by %s with %d buttons", value(form, "action"), value(form, "method"), len(find(form, "button")))
		}
	}
}

// labelled reports whether an input is in a label or one points at it.
func labelled(doc, input *html.Node) bool {
	for p := input.Parent; p != nil; p = p.Parent {
		if p.Data == "label" {
			return true
		}
	}
	id := value(input, "id")
	return id != "" && len(find(doc, "label[for="+id+"]")) == 1
}

func TestPages_ATemplateThatIsWrongFailsAtTheStart(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"web/home.html": "{{define", "web/error.html": `{{define "main"}}{{nothing}}{{end}}`} {
		wrong := fstest.MapFS{}
		err := fs.WalkDir(embedded(t), "web", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := fs.ReadFile(embedded(t), path)
			wrong[path] = &fstest.MapFile{Data: data}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		wrong[name].Data = []byte(text)
		o := Options{Readers: &fake{}, BaseURL: testBase, Templates: wrong, Now: now, Logger: quiet(), Health: healthyDatabase}
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(name, "web/")) {
			t.Errorf("%s: %v", name, err)
		}
		delete(wrong, name)
		if _, err := New(o); err == nil {
			t.Errorf("%s is missing and nobody says so", name)
		}
	}
}

func TestWords_OfRules(t *testing.T) {
	t.Parallel()
	l := spoken(t)
	for _, tt := range []struct{ rule, tag, want string }{
		{"mon-sun 07:00", "en", "every day at 07:00"},
		{"mon-fri 07:00", "en", "Monday to Friday at 07:00"},
		{"sat,sun 09:00", "en", "Saturdays and Sundays at 09:00"},
		{"fri 16:30", "en", "Fridays at 16:30"},
		{"mon-wed,fri-sun 05:05", "en", "Monday to Wednesday and Friday to Sunday at 05:05"},
		{"tue,thu-sat,sun 23:59 ", "en", "Tuesdays and Thursday to Sunday at 23:59"},
		{"mon,wed,fri 06:30", "en", "Mondays, Wednesdays and Fridays at 06:30"},
		{"mon-fri 07:00", "de", "Montag bis Freitag um 07:00 Uhr"},
		{"mon,wed 07:00", "de", "montags und mittwochs um 07:00 Uhr"},
		{"mon-fri 07:00", "fr", "du lundi au vendredi à 07:00"},
		{"fri 07:00", "fr", "le vendredi à 07:00"},
		{"mon-fri 07:00", "es", "de lunes a viernes a las 07:00"},
		{"sat,sun 07:00", "es", "los sábados y los domingos a las 07:00"},
		{"mon-fri 07:00", "cy", "o ddydd Llun i ddydd Gwener am 07:00"},
	} {
		if got, err := l.texts[tt.tag].rule(mustRule(tt.rule)); got != tt.want || err != nil {
			t.Errorf("%s in %s: %q, want %q (%v)", tt.rule, tt.tag, got, tt.want, err)
		}
	}
}

func spoken(t *testing.T) *languages {
	t.Helper()
	l, err := loadLanguages(embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWords_OfDueTimes(t *testing.T) {
	t.Parallel()
	l := spoken(t)
	for _, tt := range []struct {
		at, zone, tag, want string
	}{
		{"2026-11-22T18:00:00Z", "Europe/London", "en", "today at 18:00 London time"},
		{"2026-11-23T07:00:00Z", "Europe/London", "en", "tomorrow, Monday 23 November, at 07:00 London time"},
		{"2026-11-27T16:30:00Z", "America/New_York", "en", "on Friday 27 November at 11:30 New York time"},
		{"2026-11-22T15:30:00Z", "Asia/Tokyo", "en", "today at 00:30 Tokyo time"},
		{"2027-01-04T07:00:00Z", "UTC", "en", "on Monday 4 January 2027 at 07:00 UTC"},
		{"2027-01-04T07:00:00Z", "Nowhere/At_All", "en", "on Monday 4 January 2027 at 07:00 UTC"},
		{"2026-11-23T06:00:00Z", "Europe/Berlin", "de", "morgen, Montag, 23. November, um 07:00 Uhr Ortszeit Berlin"},
		{"2027-01-04T06:00:00Z", "Europe/Vienna", "de-AT", "am Montag, 4. Jänner 2027, um 07:00 Uhr Ortszeit Vienna"},
		{"2026-12-01T06:00:00Z", "Europe/Paris", "fr", "le mardi 1er décembre à 07:00, heure de Paris"},
		{"2026-12-01T06:00:00Z", "Europe/Madrid", "es", "el martes 1 de diciembre a las 07:00, hora de Madrid"},
		{"2026-12-01T07:00:00Z", "Europe/London", "cy", "dydd Mawrth 1 Rhagfyr am 07:00, amser London"},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.texts[tt.tag].Due(at, tt.zone, now()); got != tt.want || err != nil {
			t.Errorf("%s in %s: %q, want %q (%v)", tt.at, tt.zone, got, tt.want, err)
		}
	}
}

func FuzzClip(f *testing.F) {
	f.Add("Mozilla/5.0\r\nX: y", 10)
	f.Add("\xff\xfe日本", 4)
	f.Fuzz(func(t *testing.T, s string, size int) {
		if size < 0 || size > 10000 {
			return
		}
		if got := clip(s, size); len(got) > size || strings.ContainsAny(got, "\r\n\x00") {
			t.Errorf("clip(%q, %d) = %q", s, size, got)
		}
	})
}
