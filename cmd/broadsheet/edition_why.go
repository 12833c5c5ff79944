package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionWhy(a *app) *cobra.Command {
	var now desk.BuildOptions
	var cadence string
	cmd := &cobra.Command{
		Use:   "why ID [ARTICLE | ADDRESS]",
		Short: "Say why an article, or a reader, is in an edition or is not",
		Long: `Says what was decided, and why: about every article that the edition considered, about one
article (its number), or for one reader (their address): what they get, and of each article
of the edition that they do not get, why. What is on record is told as it is; why a reader
did not get an article is decided once more by the same rules, with what is still known.

With --newsletter instead of ID it tells of what would be built now.`,
		Example: `  broadsheet edition why 42
  broadsheet edition why 42 1207
  broadsheet edition why 42 vera@example.org
  broadsheet edition why --newsletter daily-news vera@example.org`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			now.Cadence = newsletter.Cadence(cadence)
			return a.why(cmd.Context(), args, now)
		},
	}
	cmd.Flags().StringVar(&now.Newsletter, "newsletter", "", "what would be built now of this newsletter")
	cmd.Flags().StringVar(&cadence, "cadence", "", "which cadence, where the newsletter has several")
	cmd.Flags().StringVar(&now.Slot, "slot", "", "which slot, where the cadence has several")
	return cmd
}

func (a *app) why(ctx context.Context, args []string, now desk.BuildOptions) error {
	slug := now.Newsletter
	var id int64
	switch {
	case slug == "" && len(args) == 0:
		return usagef("ID is missing: broadsheet edition why ID [ARTICLE | ADDRESS], or --newsletter NEWSLETTER")
	case slug != "" && len(args) > 1:
		return usagef("give an edition or --newsletter, not both")
	case slug == "" && (now.Cadence != "" || now.Slot != ""):
		return usagef("--cadence and --slot go with --newsletter: an edition has its own")
	case slug == "":
		var err error
		if id, err = editionID(args[0]); err != nil {
			return err
		}
		args = args[1:]
	}
	article, address, err := whyWhat(args)
	if err != nil {
		return err
	}
	return a.withPress(ctx, func(sv *services) error {
		var w *desk.Why
		if slug != "" {
			w, err = sv.desk.WhyNow(ctx, now)
		} else {
			w, err = sv.desk.WhyEdition(ctx, id)
		}
		switch {
		case err != nil:
			return err
		case article != 0:
			why, err := sv.desk.OfArticle(ctx, w, article)
			if err != nil {
				return err
			}
			return a.showArticleWhy(w, why)
		case address != "":
			why, err := sv.desk.OfReader(ctx, w, address)
			if err != nil {
				return err
			}
			return a.showReaderWhy(w, why)
		}
		return a.showWhy(w)
	})
}

// whyWhat reads whether it is asked about an article or a reader.
func whyWhat(args []string) (article int64, address string, err error) {
	if len(args) == 0 {
		return 0, "", nil
	}
	if strings.Contains(args[0], "@") {
		return 0, args[0], nil
	}
	if article, err = strconv.ParseInt(args[0], 10, 64); err != nil || article < 1 {
		return 0, "", newsletter.Invalidf("article", "%q is neither the number of an article nor an e-mail address", args[0])
	}
	return article, "", nil
}

type consideredView struct {
	Article  int64  `json:"article"`
	Headline string `json:"headline"`
	Position int    `json:"position"` // 0: the edition does not have it
	Verdict  string `json:"verdict"`
	Readers  int    `json:"readers"`
}

func viewConsidered(c desk.Considered) consideredView {
	return consideredView{c.Article, c.Headline, c.Position, string(c.Verdict), c.Readers}
}

func (a *app) showWhy(w *desk.Why) error {
	if a.json {
		views := []consideredView{}
		for _, c := range w.List {
			views = append(views, viewConsidered(c))
		}
		return a.printJSON(views)
	}
	var rows [][]string
	for _, c := range w.List {
		position, readers := "", ""
		if c.Position > 0 {
			position = fmt.Sprint(c.Position)
			if readers = fmt.Sprint(c.Readers); w.Gone {
				readers = "not kept"
			}
		}
		rows = append(rows, []string{position, fmt.Sprint(c.Article), verdictOrTaken(c.Verdict), readers, cut(c.Headline, 60)})
	}
	if len(rows) == 0 {
		a.say("No article was considered: there are none of the last %d days.", int(newsletter.MaxLookBack/(24*time.Hour)))
		return nil
	}
	a.printTable([]string{"", "ARTICLE", "WHY", "READERS", "HEADLINE"}, rows)
	return nil
}

func verdictOrTaken(v newsletter.Verdict) string {
	if v == newsletter.Taken {
		return "taken"
	}
	return verdictWords(v)
}

// articleVerdict says in words what was decided about an article.
func articleVerdict(w *desk.Why, y desk.ArticleWhy) string {
	switch {
	case !y.Known:
		return "it was not considered: it is of no source of the newsletter, came later, or was seen long before"
	case y.Position > 0:
		return fmt.Sprintf("taken, at position %d", y.Position)
	case w.Edition.ID != 0:
		return "left out: " + verdictWords(y.Verdict)
	}
	return "not taken: " + verdictWords(y.Verdict)
}

func (a *app) showArticleWhy(w *desk.Why, y desk.ArticleWhy) error {
	art := y.Article
	states := map[string]int{}
	for s, n := range y.States {
		states[s.String()] = n
	}
	counts := map[string]int{}
	for v, n := range y.Counts {
		if n > 0 {
			counts[string(v)] = n
		}
	}
	if a.json {
		return a.printJSON(struct {
			consideredView
			Considered bool           `json:"considered"`
			URL        string         `json:"url"`
			FirstSeen  *time.Time     `json:"first_seen"`
			Published  *time.Time     `json:"published"`
			OwedFrom   *time.Time     `json:"owed_from"`
			Hold       string         `json:"hold"`
			Withdrawn  *time.Time     `json:"withdrawn_at"`
			Sources    []string       `json:"sources"`
			Deliveries map[string]int `json:"deliveries"`
			Decided    map[string]int `json:"decided"`
		}{viewConsidered(y.Considered), y.Known, art.URL, utc(art.FirstSeen), utc(art.Published), utc(art.OwedFrom), string(art.Hold),
			utc(art.WithdrawnAt), originNames(y.Origins), states, counts})
	}
	fields := [][2]string{
		{"Article", fmt.Sprintf("%d, %s", art.ID, art.Headline)}, {"Address", art.URL}, {"Verdict", articleVerdict(w, y)},
		{"First seen", local(art.FirstSeen)}, {"Dated", local(art.Published)}, {"Sources", strings.Join(originNames(y.Origins), ", ")},
	}
	if len(y.Origins) > 1 {
		fields = append(fields, [2]string{"Same story", "these give the same address, so it is one article: no reader gets it twice"})
	}
	fields = append(fields, [2]string{"Now", articleNow(art.Article, a.now())})
	for _, v := range orderedKeys(counts) {
		fields = append(fields, [2]string{"For " + counted(counts[v], "reader", "readers"), verdictOrTaken(newsletter.Verdict(v))})
	}
	for _, s := range orderedKeys(states) {
		fields = append(fields, [2]string{"Deliveries", fmt.Sprintf("%d %s", states[s], strings.ReplaceAll(s, "_", " "))})
	}
	if w.Gone {
		fields = append(fields, [2]string{"Deliveries", "the rows are no longer kept"})
	}
	a.printFields(fields)
	return nil
}

func originNames(origins []newsletter.ArticleOrigin) []string {
	names := []string{}
	for _, o := range origins {
		names = append(names, o.Source)
	}
	return names
}

// articleNow says how an article stands now.
func articleNow(art newsletter.Article, now time.Time) string {
	switch {
	case !art.WithdrawnAt.IsZero():
		return "withdrawn " + local(art.WithdrawnAt)
	case art.Hold == newsletter.HeldBackDate:
		return "held: it was dated more than 7 days back when it was first seen; \"article release\" lets it go"
	case art.Hold != "":
		return "held by staff; \"article release\" lets it go"
	case art.Baseline:
		return "known from before its source was added: owed to nobody"
	case art.OwedFrom.After(now):
		return "under embargo until " + local(art.OwedFrom)
	}
	return "owed since " + local(art.OwedFrom)
}

// readerGets says in words what became, or is to become, of what the edition has for a reader.
func readerGets(w *desk.Why, row *newsletter.Delivery) string {
	switch {
	case w.Draft != nil:
		return "would get it"
	case row == nil && w.Edition.State == newsletter.EditionCancelled:
		return "was to get it, and the edition was cancelled"
	case row == nil && editionOver(w.Edition):
		return "was to get it"
	case row == nil:
		return "is to get it"
	}
	switch row.State {
	case newsletter.Accepted:
		if row.Returned == newsletter.Bounced {
			return "was sent it, and it came back"
		}
		return "got it"
	case newsletter.Sending:
		return "is being sent it"
	case newsletter.Refused:
		return "was to get it, and the relay refused it"
	case newsletter.Expired:
		return "was to get it, and its time was over before"
	case newsletter.InDoubt:
		return "may have got it: no answer came"
	case newsletter.Withheld:
		return "was to get it, and it was withheld"
	case newsletter.Waiting, newsletter.Deferred:
	}
	return "is to get it"
}

// editionOver reports whether nothing of the edition is sent any more.
func editionOver(e newsletter.Edition) bool {
	return e.ID != 0 && !e.State.Open() && e.State != newsletter.EditionPaused && e.State != newsletter.EditionDraft
}

// readerVerdict says in words why a reader does not get an article.
func readerVerdict(w *desk.Why, row *newsletter.Delivery, r desk.ReaderArticle) string {
	var had []string
	for _, h := range r.Had {
		if h.State.Holds() {
			had = append(had, fmt.Sprintf("edition %d of %s (%s)", h.EditionID, h.Newsletter, strings.ReplaceAll(h.State.String(), "_", " ")))
		}
	}
	switch {
	case r.Gets:
		return readerGets(w, row)
	case r.Verdict == newsletter.HadAlready && len(had) > 0:
		return "had it, from " + strings.Join(had, " and ")
	case r.Verdict == newsletter.Repeated && len(had) > 0:
		return "has its headline only: had it, from " + strings.Join(had, " and ")
	case r.Verdict == newsletter.MissedPaused:
		return "came before the end of their pause, and was not among the best of what they missed"
	case r.Verdict == newsletter.NotTheirs:
		return "in none of the sections that they chose"
	case r.Verdict == newsletter.NotImmediate:
		return "not one of those that go out at once; by another cadence it is owed to them"
	case r.Verdict == newsletter.BeforeJoining:
		return "from before the edition before they joined"
	case r.Verdict == newsletter.OverCap:
		return "owed, but their copy is full: the next edition has it, if it is not too old by then"
	case r.Verdict == newsletter.BelowMinimum:
		return "owed, but too little else is: the next edition has it"
	case r.Verdict == newsletter.TooOld:
		return "first seen before what can be owed to them"
	case r.Verdict == newsletter.Taken:
		return "owed, by what is known now"
	case r.Verdict == "":
		return "it did not come to that"
	}
	return verdictWords(r.Verdict)
}

func (a *app) showReaderWhy(w *desk.Why, r desk.ReaderWhy) error {
	if a.json {
		return a.printJSON(viewReaderWhy(w, r))
	}
	fields := [][2]string{{"Reader", r.Subscriber.Email}}
	if u := r.Subscription; u != nil {
		sections := "all"
		if len(r.Sections) > 0 {
			sections = strings.Join(r.Sections, ", ")
		}
		fields = append(fields, [2]string{"Now", fmt.Sprintf("%s, %s", u.State, newsletter.SlotName(u.Cadence, u.Slot))}, [2]string{"Sections", sections}, [2]string{"Joined", local(u.JoinedAt)})
		if !u.PausedUntil.IsZero() {
			fields = append(fields, [2]string{"Paused until", local(u.PausedUntil)})
		}
	}
	if row := r.Delivery; row != nil {
		fields = append(fields, [2]string{"Delivery", deliveryLine(*row)})
	} else if w.Gone {
		fields = append(fields, [2]string{"Delivery", "the rows are no longer kept; what follows is by the rules alone"})
	}
	if r.Nothing != "" {
		name := "Gets nothing"
		if editionOver(w.Edition) {
			name = "Got nothing"
		}
		fields = append(fields, [2]string{name, r.Nothing})
	}
	a.printFields(fields)
	var rows [][]string
	for _, article := range r.Articles {
		rows = append(rows, []string{fmt.Sprint(article.Article), readerVerdict(w, r.Delivery, article), cut(article.Headline, 60)})
	}
	if len(rows) > 0 {
		fmt.Fprintln(a.stdout)
		a.printTable([]string{"ARTICLE", "WHY", "HEADLINE"}, rows)
	}
	return nil
}

// deliveryLine says a row of the ledger in words.
func deliveryLine(row newsletter.Delivery) string {
	line := strings.ReplaceAll(row.State.String(), "_", " ")
	if row.Reason != "" {
		line += ": " + reasonWords(row.Reason)
	}
	if row.Code != 0 {
		line += strings.TrimRight(fmt.Sprintf(" %d %s %s", row.Code, row.Enhanced, row.Reply), " ")
	}
	if row.Returned != newsletter.NothingReturned {
		line += ", later " + row.Returned.String()
	}
	if row.VariantID != 0 {
		line += fmt.Sprintf(", variant %d", row.VariantID)
	}
	return line + ", " + local(row.UpdatedAt)
}

type readerWhyView struct {
	Edition  int64               `json:"edition"`
	Email    string              `json:"email"`
	Cadence  string              `json:"cadence"`
	Sections []string            `json:"sections"`
	JoinedAt *time.Time          `json:"joined_at"`
	State    string              `json:"state"` // of the delivery; empty: there is none
	Variant  int64               `json:"variant"`
	Nothing  string              `json:"nothing"` // why they get nothing; empty: they get something
	RowsGone bool                `json:"rows_gone"`
	Articles []readerArticleView `json:"articles"`
}

type readerArticleView struct {
	Article  int64   `json:"article"`
	Headline string  `json:"headline"`
	Gets     bool    `json:"gets"`
	Verdict  string  `json:"verdict"`
	HadFrom  []int64 `json:"had_from"` // editions
}

func viewReaderWhy(w *desk.Why, r desk.ReaderWhy) readerWhyView {
	v := readerWhyView{Edition: w.Edition.ID, Email: r.Subscriber.Email, Sections: list(r.Sections), Nothing: r.Nothing, RowsGone: w.Gone, Articles: []readerArticleView{}}
	if r.Subscription != nil {
		v.Cadence, v.JoinedAt = string(r.Subscription.Cadence), utc(r.Subscription.JoinedAt)
	}
	if r.Delivery != nil {
		v.State, v.Variant = r.Delivery.State.String(), r.Delivery.VariantID
	}
	for _, a := range r.Articles {
		view := readerArticleView{a.Article, a.Headline, a.Gets, string(a.Verdict), []int64{}}
		for _, h := range a.Had {
			if h.State.Holds() && !slices.Contains(view.HadFrom, h.EditionID) {
				view.HadFrom = append(view.HadFrom, h.EditionID)
			}
		}
		v.Articles = append(v.Articles, view)
	}
	return v
}
