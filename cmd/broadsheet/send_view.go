package main

import (
	"context"
	"fmt"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// showDraft shows what would be sent, to whom, and why; with text, also what it says.
func (a *app) showDraft(d *desk.Draft, p *press, sv *services, text bool) {
	e := d.Edition
	fmt.Fprintf(a.stdout, "\n%s, %s edition of %s\n\n", plain(d.Newsletter.Name), e.Cadence, e.Date)
	a.printFields([][2]string{
		{"Subject", d.Sample.Subject},
		{"Preview", d.Sample.Preheader},
		{"From", d.Newsletter.From.String()},
		{"For", readersLine(d)},
		{"Size", fmt.Sprintf("%d kB, the HTML part %d kB", (d.Message.Size()+999)/1000, (d.Message.HTMLSize()+999)/1000)},
		{"Relay", p.transport.String()},
		{"Database", sv.store.Path()},
	})
	if e.WarmUp.PerDay > 0 {
		a.printFields([][2]string{{"Warm-up", fmt.Sprintf("%s: it takes %s; broadsheet serve, or the same command, goes on with it each day (UTC)",
			e.WarmUp, counted(e.WarmUp.Days(d.Survey.Readers), "day", "days"))}})
	}
	fmt.Fprintln(a.stdout)
	var rows [][]string
	for i, article := range d.Articles {
		switch article.Verdict { //nolint:exhaustive // the others are left out
		case newsletter.Taken:
			rows = append(rows, []string{fmt.Sprint(i + 1), cut(labelled(article), 72), counted(article.Readers, "reader", "readers")})
		case newsletter.Repeated:
			again := counted(d.Survey.Verdicts[article.ID][newsletter.Repeated], "reader", "readers")
			rows = append(rows, []string{fmt.Sprint(i + 1), cut(labelled(article), 72), again + ", as a headline"})
		}
	}
	a.printTable([]string{"", "ARTICLE", "FOR"}, rows)
	a.showLeft(d)
	if text {
		fmt.Fprintf(a.stdout, "\n%s\n%s\n", strings.Repeat("─", 72), plain(shownText(d.Sample.Text)))
	}
}

// leftShown is how many articles that are left out are listed; the rest is counted.
const leftShown = 20

func (a *app) showLeft(d *desk.Draft) {
	var rows [][]string
	left := 0
	for _, article := range d.Articles {
		if article.Shown() {
			continue
		}
		if left++; left <= leftShown {
			rows = append(rows, []string{verdictWords(article.Verdict), fmt.Sprint(article.ID), cut(labelled(article), 60)})
		}
	}
	if left > 0 {
		fmt.Fprintln(a.stdout)
		a.printTable([]string{"LEFT OUT BECAUSE", "ARTICLE", "HEADLINE"}, rows)
	}
	if left > leftShown {
		fmt.Fprintf(a.stdout, "… and %d more (--json lists all)\n", left-leftShown)
	}
}

// shownText says in words where each reader's own links go.
func shownText(text string) string {
	return strings.NewReplacer(
		newsletter.PlaceManage, "(the reader's own link to choose)",
		newsletter.PlaceUnsubscribe, "(the reader's own link to unsubscribe)",
	).Replace(text)
}

func labelled(a desk.DraftArticle) string {
	if a.Label == "" {
		return a.Headline
	}
	return a.Label + ": " + a.Headline
}

func readersLine(d *desk.Draft) string {
	line := counted(d.Survey.Readers, "reader", "readers")
	if n := len(d.Survey.Variants); n > 1 {
		line += fmt.Sprintf(" in %d variants", n)
	}
	for _, reason := range orderedKeys(d.Survey.Withheld) {
		line += fmt.Sprintf("; %d not: %s", d.Survey.Withheld[reason], reasonWords(reason))
	}
	return line
}

// verdictWords says why an article was left out.
func verdictWords(v newsletter.Verdict) string {
	words := map[newsletter.Verdict]string{
		newsletter.OverCap: "the edition is full", newsletter.NotTheirs: "no reader chose its section",
		newsletter.TooOld: "too old", newsletter.BeforeJoining: "from before they joined",
		newsletter.HadAlready: "they had it", newsletter.IsBaseline: "from before the source was added",
		newsletter.IsBackDated: "held: dated back", newsletter.IsHeld: "held",
		newsletter.IsEmbargoed: "embargo", newsletter.IsWithdrawn: "withdrawn",
		newsletter.BelowMinimum: "too few articles", newsletter.Repeated: "had already, told of again",
		newsletter.MissedPaused: "from a pause, and not among the best of it", newsletter.NoReaders: "no readers", newsletter.Dropped: "not in the sheet",
		newsletter.IsRelated:      "a link, as a related story",
		newsletter.BeforeAttached: "from before the source was added", newsletter.NotImmediate: "not one of those that go out at once",
	}
	if w, ok := words[v]; ok {
		return w
	}
	return string(v)
}

// reasonWords says why a delivery is withheld.
func reasonWords(reason string) string {
	words := map[string]string{
		newsletter.ReasonNothingNew: "nothing new to them", newsletter.ReasonTooFew: "too few articles",
		newsletter.ReasonPaused: "paused", newsletter.ReasonLeft: "left", newsletter.ReasonSuppressed: "must not be mailed",
		newsletter.ReasonCancelled: "cancelled", newsletter.ReasonWithdrawn: "withdrawn", newsletter.ReasonHadOtherwise: "had it otherwise",
	}
	if w, ok := words[reason]; ok {
		return w
	}
	return reason
}

type draftView struct {
	Newsletter string             `json:"newsletter"`
	Cadence    string             `json:"cadence"`
	Date       string             `json:"date"`
	Subject    string             `json:"subject"`
	Preheader  string             `json:"preheader"`
	Hash       string             `json:"hash"`
	Readers    int                `json:"readers"`
	Variants   int                `json:"variants"`
	Withheld   map[string]int     `json:"withheld"`
	HTMLBytes  int                `json:"html_bytes"`
	Bytes      int                `json:"bytes"`
	Articles   []draftArticleView `json:"articles"`
	Text       string             `json:"text"`
	Warnings   []string           `json:"warnings"`
}

type draftArticleView struct {
	Article  int64  `json:"article"`
	Headline string `json:"headline"`
	Label    string `json:"label"`
	URL      string `json:"url"`
	Verdict  string `json:"verdict"`
	Readers  int    `json:"readers"`
}

func viewDraft(d *desk.Draft) draftView {
	v := draftView{
		Newsletter: d.Newsletter.Slug, Cadence: string(d.Edition.Cadence), Date: d.Edition.Date.String(),
		Subject: d.Sample.Subject, Preheader: d.Sample.Preheader, Hash: d.Edition.Hash,
		Readers: d.Survey.Readers, Variants: len(d.Survey.Variants), Withheld: d.Survey.Withheld,
		HTMLBytes: d.Message.HTMLSize(), Bytes: d.Message.Size(), Text: shownText(d.Sample.Text), Warnings: list(d.Warnings),
		Articles: viewArticles(d),
	}
	return v
}

func viewArticles(d *desk.Draft) []draftArticleView {
	views := []draftArticleView{}
	for _, a := range d.Articles {
		views = append(views, draftArticleView{a.ID, a.Headline, a.Label, a.URL, string(a.Verdict), a.Readers})
	}
	return views
}

// ledgerView is an edition's ledger as JSON. Waiting counts deferred and sending as well.
type ledgerView struct {
	Edition    int64  `json:"edition"`
	Newsletter string `json:"newsletter"`
	Cadence    string `json:"cadence"`
	State      string `json:"state"`
	Hash       string `json:"hash"`
	Articles   int    `json:"articles"`
	Planned    int    `json:"planned"`
	Accepted   int    `json:"accepted"`
	Refused    int    `json:"refused"`
	Expired    int    `json:"expired"`
	InDoubt    int    `json:"in_doubt"`
	Withheld   int    `json:"withheld"`
	Waiting    int    `json:"waiting"`
}

func viewLedger(e newsletter.Edition, t newsletter.Tally) ledgerView {
	return ledgerView{
		Edition: e.ID, Newsletter: e.Newsletter, Cadence: string(e.Cadence), State: string(e.State), Hash: e.Hash,
		Articles: e.Articles, Planned: t.Planned, Accepted: t.Counts[newsletter.Accepted], Refused: t.Counts[newsletter.Refused],
		Expired: t.Counts[newsletter.Expired], InDoubt: t.Counts[newsletter.InDoubt],
		Withheld: t.Counts[newsletter.Withheld], Waiting: t.WaitingCount(),
	}
}

// printLedger prints what became of every message of an edition.
func (a *app) printLedger(ctx context.Context, sv *services, id int64) error {
	e, tally, err := sv.desk.Edition(ctx, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(viewLedger(e, tally))
	}
	if !a.quiet {
		fmt.Fprintf(a.stdout, "\nEdition %d of %s, %s of %s: %s\n", e.ID, e.Newsletter, e.Cadence, e.Date, e.State)
	}
	a.printTally(tally, sv.press.transport.Real())
	if !a.quiet {
		a.sayWhatIsLeft(id, tally)
	}
	return nil
}

// sayWhatIsLeft says what can be done about messages that were refused, or in doubt.
func (a *app) sayWhatIsLeft(id int64, t newsletter.Tally) {
	if n := t.Counts[newsletter.Refused]; n > 0 {
		a.say("\n%s refused: \"broadsheet edition deliveries %d --state refused\" says why, \"broadsheet edition retry %d\" tries those again whose address is not suppressed.",
			counted(n, "message was", "messages were"), id, id)
	}
	if n := t.Counts[newsletter.InDoubt]; n > 0 {
		a.say("\n%s in doubt and not sent again by itself: \"broadsheet edition deliveries %d --state in_doubt\" lists them, \"broadsheet edition resolve %d --as …\" settles them.",
			counted(n, "message is", "messages are"), id, id)
	}
	if n := t.Doubted - t.Counts[newsletter.InDoubt]; n > 0 {
		a.say("\n%s in doubt at some time, and may have come twice if sent again: broadsheet edition deliveries %d --doubted",
			counted(n, "message was", "messages were"), id)
	}
}

// printTally prints the identity of the ledger: planned is the sum of what stands below it.
func (a *app) printTally(t newsletter.Tally, real bool) { a.printIdentity(t, real, nil) }

// printIdentity is printTally with lines of their own under those that are accepted.
func (a *app) printIdentity(t newsletter.Tally, real bool, returned []string) {
	took := "by the relay"
	if !real {
		took = "into the outbox folder: readers got nothing"
	}
	var withheld []string
	for _, reason := range orderedKeys(t.Reasons) {
		withheld = append(withheld, fmt.Sprintf("%s %d", reasonWords(reason), t.Reasons[reason]))
	}
	note := func(words string, n int) string {
		if n == 0 {
			return ""
		}
		return words
	}
	width := len(fmt.Sprint(t.Planned))
	for _, row := range []struct {
		name string
		n    int
		note string
	}{
		{"planned", t.Planned, ""},
		{"accepted", t.Counts[newsletter.Accepted], took},
		{"refused", t.Counts[newsletter.Refused], note("for good", t.Counts[newsletter.Refused])},
		{"expired", t.Counts[newsletter.Expired], note("not delivered in time", t.Counts[newsletter.Expired])},
		{"in doubt", t.Counts[newsletter.InDoubt], note("nobody can know whether they arrived", t.Counts[newsletter.InDoubt])},
		{"withheld", t.Counts[newsletter.Withheld], strings.Join(withheld, ", ")},
		{"waiting", t.WaitingCount(), note("not sent yet", t.WaitingCount())},
	} {
		line := fmt.Sprintf("  %-9s %*d  %s", row.name, width, row.n, row.note)
		fmt.Fprintln(a.stdout, strings.TrimRight(line, " "))
		if row.name == "accepted" {
			for _, r := range returned {
				fmt.Fprintln(a.stdout, "    "+r)
			}
		}
	}
}

// note says on a terminal what is being done.
func (a *app) note(text string) {
	if !a.json && !a.quiet && isTerminal(a.stderr) {
		fmt.Fprintln(a.stderr, text)
	}
}
