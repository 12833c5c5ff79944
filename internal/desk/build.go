package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// BuildOptions say which edition to build.
type BuildOptions struct {
	Newsletter string             // slug
	Cadence    newsletter.Cadence // empty: the only one that the newsletter has
	Slot       string             // empty: the only one that the cadence has; newsletter.AllSlots: an extra edition for all
	Words      digest.Words
	Extra      bool // leave the day's slot to the schedule
	OnDoubt    newsletter.OnDoubt
	WarmUp     newsletter.WarmUp // zero: no limit
	// Sample builds a copy for nobody in particular where no reader is owed anything, so that
	// a newsletter can be tried before it has readers. It must not be started.
	Sample bool
	// Due is the slot that the schedule builds; zero: staff send by hand.
	Due newsletter.Due
	// At is when planning and sending begin, if staff send it later; zero: at once.
	At     time.Time
	Canary *newsletter.Canary      // nil: the newsletter's
	name   string                  // of the edition's slot, if it is not that of its readers
	last   time.Time               // of an immediate edition: what the one before it looked at
	draft  *newsletter.DraftRecord // what staff decided about it; nil: nothing
	// unbooked leaves out what is booked for the day: its sheet has or gets it.
	unbooked bool
}

// Draft is an edition that could be sent now. Nothing of it is recorded.
type Draft struct {
	Newsletter  newsletter.Newsletter
	Edition     newsletter.Edition // as it would be frozen; without an id
	Snapshot    digest.Snapshot
	Survey      delivery.Survey
	Articles    []DraftArticle // every article that was considered, those taken first, in order
	Sample      digest.Variant // the variant that most readers get
	Message     *mail.Variant  // the sample, composed
	Warnings    []string       // sources that could not be asked, for example
	Canary      newsletter.Canary
	Force       bool // staff want it although a gate fails, see Gates
	manual      bool
	last        time.Time // see BuildOptions
	extra       bool
	canaryAsked bool                    // by staff; otherwise it is the newsletter's
	record      *newsletter.DraftRecord // of a draft that is on record
	// announcement says that it has no articles and goes to every reader of its cadence.
	announcement bool
	corrections  []newsletter.Correction // that some of its readers are told
}

// DraftArticle is an article that was considered, and why it was taken or left.
type DraftArticle struct {
	newsletter.Candidate
	Verdict newsletter.Verdict
	Readers int // who get it
}

// Shown reports whether any reader sees the article, in full or as a headline.
func (a DraftArticle) Shown() bool {
	return a.Verdict == newsletter.Taken || a.Verdict == newsletter.Repeated
}

// Build asks the newsletter's sources and builds what is owed to its readers now. It records
// nothing but the articles that came in.
//
// It refuses with the reason nothing_new if no reader is owed anything, closed if the
// newsletter is closed, and paused if it is paused.
func (d *Desk) Build(ctx context.Context, o BuildOptions) (*Draft, error) {
	n, err := d.Newsletter(ctx, o.Newsletter)
	if err != nil {
		return nil, err
	}
	if err := mayBuild(n); err != nil {
		return nil, err
	}
	if o.Cadence, err = chooseCadence(n, o.Cadence); err != nil {
		return nil, err
	}
	if o.Slot, err = chooseSlot(n, o.Cadence, o.Slot); err != nil {
		return nil, err
	}
	o.Extra = o.Extra || o.Slot == newsletter.AllSlots
	draft := &Draft{Newsletter: n, manual: o.Due.At.IsZero(), extra: o.Extra, last: o.last}
	draft.giveCanary(o.Canary, o.Cadence)
	fetched, err := d.FetchFor(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range fetched {
		if f.Err != nil {
			draft.Warnings = append(draft.Warnings, fmt.Sprintf("the source %s could not be asked: %v", f.Source.Name, f.Err))
		}
	}
	if draft.Edition, err = d.newEdition(n, o); err != nil {
		return nil, err
	}
	if err = d.fill(ctx, draft, o); err == nil {
		err = draft.giveTime()
	}
	return draft, err
}

// giveTime lets an edition with a warm-up take the days that it needs.
func (draft *Draft) giveTime() error {
	e := &draft.Edition
	days := e.WarmUp.Days(draft.Survey.Readers)
	if days == 0 {
		return newsletter.Refusef("warm_up", "at %s the %d messages would take more than two months; begin with more, or let it grow faster", e.WarmUp, draft.Survey.Readers)
	}
	e.ExpiresAt = e.ExpiresAt.Add(time.Duration(days-1) * 24 * time.Hour)
	return nil
}

func chooseCadence(n newsletter.Newsletter, c newsletter.Cadence) (newsletter.Cadence, error) {
	offered := n.Cadences()
	switch {
	case c != "" && !n.Offers(c):
		return "", newsletter.Invalidf("cadence", "%s has no %s edition; it has: %s", n.Slug, c, joinCadences(offered))
	case c != "":
		return c, nil
	case len(offered) != 1:
		return "", newsletter.Invalidf("cadence", "%s has several cadences; say which: %s", n.Slug, joinCadences(offered))
	}
	return offered[0], nil
}

func joinCadences(list []newsletter.Cadence) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = string(c)
	}
	return strings.Join(words, ", ")
}

// newEdition returns the edition's row as it would be frozen now, without its content.
func (d *Desk) newEdition(n newsletter.Newsletter, o BuildOptions) (newsletter.Edition, error) {
	zone, err := n.Location()
	if err != nil {
		return newsletter.Edition{}, err
	}
	now := d.now()
	if o.OnDoubt == "" {
		o.OnDoubt = newsletter.DoubtResend
	}
	e := newsletter.Edition{
		NewsletterID: n.ID, Newsletter: n.Slug, Cadence: o.Cadence, Slot: o.Slot, ForSlot: o.Slot,
		Date: o.Due.Date, DueAt: o.Due.At, AsOf: now, OnDoubt: o.OnDoubt, WarmUp: o.WarmUp, State: newsletter.EditionDraft,
	}
	if o.name != "" {
		e.Slot = o.name
	}
	if o.Due.At.IsZero() {
		e.Date, e.DueAt = newsletter.DateOf(now.In(zone)), now
		for _, s := range n.Schedules {
			if due, ok := s.On(e.Date, zone); ok && s.Cadence == o.Cadence && s.Slot == o.Slot && !o.Extra {
				e.DueAt = due.At
			}
		}
	}
	if !o.At.IsZero() {
		e.Date, e.DueAt, e.SendAt = newsletter.DateOf(o.At.In(zone)), o.At, o.At
	}
	from := now
	if e.DueAt.After(from) {
		from = e.DueAt
	}
	e.ExpiresAt = from.Add(o.Cadence.DeliveryTime())
	return e, nil
}

// fill decides what goes into the draft and for whom, and renders what most readers get.
func (d *Desk) fill(ctx context.Context, draft *Draft, o BuildOptions) error {
	n, e := draft.Newsletter, &draft.Edition
	candidates, err := d.o.Press.Store.Candidates(ctx, n.ID, e.AsOf.Add(-newsletter.MaxLookBack))
	if err != nil {
		return err
	}
	sections, err := d.Sections(ctx, n.Slug)
	if err != nil {
		return err
	}
	newsletter.Arrange(candidates)
	eligible := slices.DeleteFunc(slices.Clone(candidates), func(c newsletter.Candidate) bool {
		return newsletter.Eligible(c, e.AsOf) != newsletter.Taken || e.Cadence == newsletter.Immediate && !n.Immediate.Wants(c)
	})
	if o.draft != nil {
		candidates, eligible = draft.asDrafted(o.draft, candidates, sections)
		draft.announcement = o.draft.Sheet.Announcement
	}
	if err := d.addOpenCorrections(ctx, draft); err != nil {
		return err
	}
	choosing := d.choosingFor(draft, eligible)
	if choosing.Sample, err = d.sampleFor(ctx, draft); err != nil {
		return err
	}
	draft.Survey, err = delivery.Look(ctx, d.o.Press.Store, choosing)
	if err != nil {
		return err
	}
	draft.Articles = judge(candidates, draft.Survey, e.AsOf)
	if o.draft == nil && e.Cadence == newsletter.Immediate {
		draft.markNotImmediate()
	}
	if o.draft != nil {
		draft.markDropped(o.draft)
	}
	if draft.Survey.Readers == 0 && o.Sample {
		draft.sample(n.MaxArticles)
	}
	if len(draft.Survey.Variants) == 0 {
		return nothingNew(draft)
	}
	draft.keepToldCorrections()
	if o.draft == nil {
		draft.lay(sections)
	}
	taken, headlines, owed := draft.chosen()
	related, err := d.relatedFor(ctx, draft, taken, candidates)
	if err != nil {
		return err
	}
	input := digest.Input{
		Related:    related,
		Newsletter: n, Sections: sections, Articles: taken, Headlines: headlines, Owed: owed, Date: e.Date, Cadence: e.Cadence,
		Corrections: correctionBlocks(draft.corrections), BaseURL: d.o.BaseURL, Words: o.Words, Templates: d.o.Press.Templates, Composer: composer, Secret: d.o.Press.Keys.ViewSecret,
	}
	if o.draft != nil {
		addSheet(&input, o.draft.Sheet)
		draft.Warnings = append(draft.Warnings, keepAbout(&input)...)
		if err := d.warnBooked(ctx, draft, o.draft); err != nil {
			return err
		}
	} else if !o.unbooked {
		if err := d.addBooked(ctx, &input, draft); err != nil {
			return err
		}
	}
	if draft.Snapshot, err = digest.New(input); err != nil {
		return err
	}
	draft.Sample, err = digest.Render(draft.Snapshot, draft.Survey.Variants[0].Copy)
	if err != nil {
		return err
	}
	if draft.Message, err = mail.Compose(delivery.DigestMessage(draft.Snapshot, draft.Sample, 0)); err != nil {
		return err
	}
	e.Subject, e.Articles, e.Hash = draft.Sample.Subject, len(taken), draft.Snapshot.Hash()
	return nil
}

// lay puts the articles that are taken, which are the first, in reading order.
func (draft *Draft) lay(sections []newsletter.Section) {
	byID := map[int64]DraftArticle{}
	var taken []newsletter.Candidate
	for _, a := range draft.Articles {
		if a.Verdict == newsletter.Taken {
			byID[a.ID] = a
			taken = append(taken, a.Candidate)
		}
	}
	newsletter.Lay(taken, sections)
	for i, c := range taken {
		draft.Articles[i] = byID[c.ID]
	}
}

// chosen returns the articles that readers get in full, those that they get as headlines only, and
// those that some are owed and nobody gets, each in reading order.
func (draft *Draft) chosen() (taken, headlines, owed []newsletter.Candidate) {
	for _, a := range draft.Articles {
		switch readers := draft.Survey.Verdicts[a.ID]; {
		case a.Verdict == newsletter.Taken:
			taken = append(taken, a.Candidate)
		case a.Verdict == newsletter.Repeated:
			headlines = append(headlines, a.Candidate)
		case readers[newsletter.OverCap]+readers[newsletter.BelowMinimum] > 0:
			owed = append(owed, a.Candidate)
		}
	}
	return taken, headlines, owed
}

// sample takes what somebody would get who had nothing before.
func (draft *Draft) sample(most int) {
	var articles []int64
	for i, a := range draft.Articles {
		if len(articles) < most && a.Verdict != newsletter.NotImmediate && newsletter.Owed(a.Candidate, newsletter.Reader{}, draft.Edition.AsOf) == newsletter.Taken {
			draft.Articles[i].Verdict = newsletter.Taken
			articles = append(articles, a.ID)
		}
	}
	if len(articles) > 0 {
		draft.Survey.Variants = []delivery.SurveyVariant{{Copy: newsletter.Copy{Articles: articles}}}
	}
}

// choosing returns the edition as delivery chooses for it.
func (d *Desk) choosing(n newsletter.Newsletter, e newsletter.Edition, candidates []newsletter.Candidate) delivery.Edition {
	if e.Cadence == newsletter.Immediate { // a story does not wait for others, and brings back none
		n.MinArticles, n.Repeats = 1, newsletter.RepeatNever
	}
	return delivery.Edition{
		ID: e.ID, NewsletterID: n.ID, Cadence: e.Cadence, Slot: e.Audience(), AsOf: e.AsOf,
		MinArticles: n.MinArticles, MaxArticles: n.MaxArticles, Repeats: n.Repeats, Candidates: candidates,
		Real: d.o.Press.Transport.Real(), Key: d.o.Press.Suppression, MaxComposed: d.o.Press.MaxComposed,
	}
}

// choosingFor returns the draft's edition as delivery chooses for it.
func (d *Desk) choosingFor(draft *Draft, candidates []newsletter.Candidate) delivery.Edition {
	e := d.choosing(draft.Newsletter, draft.Edition, candidates)
	e.Announcement, e.Corrections = draft.announcement, draft.corrections
	return e
}

// judge gives every candidate its verdict, those taken first.
func judge(candidates []newsletter.Candidate, s delivery.Survey, asOf time.Time) []DraftArticle {
	list := make([]DraftArticle, len(candidates))
	for i, c := range candidates {
		list[i] = DraftArticle{Candidate: c, Verdict: newsletter.Eligible(c, asOf)}
		if list[i].Verdict != newsletter.Taken {
			continue
		}
		list[i].Verdict = s.Verdict(c.ID)
		list[i].Readers = s.Verdicts[c.ID][newsletter.Taken]
		if list[i].Verdict == "" {
			list[i].Verdict = newsletter.NoReaders
		}
	}
	slices.SortStableFunc(list, func(a, b DraftArticle) int {
		switch x, y := a.Verdict == newsletter.Taken, b.Verdict == newsletter.Taken; {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return list
}

// nothingNew says why there is nothing to send: no readers, no news, or neither.
func nothingNew(draft *Draft) error {
	n, s := draft.Newsletter, draft.Survey
	var message string
	switch {
	case s.Planned() == 0:
		message = fmt.Sprintf("%s has no %s readers yet", n.Slug, draft.Edition.Name())
	case s.Withheld[newsletter.ReasonTooFew] > 0:
		message = fmt.Sprintf("no reader of %s is owed the minimum of %d articles", n.Slug, n.MinArticles)
	default:
		message = fmt.Sprintf("no reader of %s is owed anything%s", n.Slug, whyNothing(draft.Articles))
	}
	return newsletter.Refusef(newsletter.SkippedNothingNew, "%s", message)
}

// whyNothing counts the articles that were considered by why they are not sent.
func whyNothing(articles []DraftArticle) string {
	counts := map[newsletter.Verdict]int{}
	for _, a := range articles {
		counts[a.Verdict]++
	}
	var words []string
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", strings.ReplaceAll(string(v), "_", " "), counts[v]))
	}
	if len(words) == 0 {
		return ": there are no articles"
	}
	return " (articles: " + strings.Join(words, ", ") + ")"
}

// Start freezes the draft, takes its slot, and gives every reader a row in the ledger; that last
// thing is done later if the draft has a time to be sent at. From then on the edition is carried out, by this process or another one, whatever happens.
//
// It looks once more whether anything is owed, under the planning lock, and refuses with the
// reason nothing_new if an edition that was planned meanwhile has it all; an edition of the
// schedule whose slot is taken gets a Conflict with the reason slot_taken. A newsletter that may
// not be mailed to real readers is refused with the reason legal.
func (d *Desk) Start(ctx context.Context, draft *Draft, progress func(rows int)) (newsletter.Edition, error) {
	if err := draft.Newsletter.MayMail(d.o.BaseURL); err != nil {
		return newsletter.Edition{}, err
	}
	if err := draft.checkCanary(); err != nil {
		return newsletter.Edition{}, err
	}
	forced, err := d.passGates(ctx, draft)
	if err != nil {
		return newsletter.Edition{}, err
	}
	lock, err := d.o.Press.Store.LockPlanning(ctx)
	if err != nil {
		return newsletter.Edition{}, fmt.Errorf("wait for other planning: %w", err)
	}
	defer lock.Close() // the process's end closes it too
	var blocks []int64
	var verdicts []newsletter.ArticleVerdict
	for _, a := range draft.Articles {
		verdicts = append(verdicts, newsletter.ArticleVerdict{ArticleID: a.ID, Verdict: a.Verdict})
		if a.Verdict == newsletter.Taken {
			blocks = append(blocks, a.ID)
		}
	}
	taken, headlines, counted := draft.chosen()
	shown := slices.Concat(taken, headlines)
	if err := d.stillGood(ctx, draft, shown); err != nil {
		return newsletter.Edition{}, err
	}
	if err := d.stillRelated(ctx, draft); err != nil {
		return newsletter.Edition{}, err
	}
	if err := d.stillFirst(ctx, draft); err != nil {
		return newsletter.Edition{}, err
	}
	owed, err := delivery.AnyOwed(ctx, d.o.Press.Store, d.choosingFor(draft, slices.Concat(shown, counted)))
	if err != nil {
		return newsletter.Edition{}, err
	}
	if !owed {
		return newsletter.Edition{}, newsletter.Refusef(newsletter.SkippedNothingNew,
			"nothing of this is owed to anybody any more: another edition was planned meanwhile; \"broadsheet edition list\" shows it")
	}
	snapshot, err := draft.Snapshot.Encode()
	if err != nil {
		return newsletter.Edition{}, err
	}
	templates, err := json.Marshal(draft.Snapshot.Templates)
	if err != nil {
		return newsletter.Edition{}, err
	}
	frozen := newsletter.FrozenEdition{
		Edition: draft.Edition, Manual: draft.manual, Extra: draft.extra,
		Snapshot: snapshot, Templates: templates, TemplateHash: draft.Snapshot.TemplatesHash,
		Blocks: blocks, Verdicts: verdicts, Actor: d.o.Actor, From: d.where(""), Canary: draft.Canary, Forced: forced,
	}
	for _, b := range draft.Snapshot.Blocks {
		if id, ok := newsletter.BookingOf(b.ID); ok && b.Kind == digest.KindSponsor {
			frozen.Sponsors = append(frozen.Sponsors, id)
		}
	}
	for _, c := range draft.corrections {
		frozen.Corrections = append(frozen.Corrections, c.ID)
	}
	if draft.record != nil {
		frozen.Revision = draft.record.Revision
	}
	edition, err := d.o.Press.Store.FreezeEdition(ctx, frozen, d.now())
	if err != nil || edition.Waits(d.now()) {
		return edition, err
	}
	return d.plan(ctx, edition.ID, progress)
}

// mayBuild refuses a newsletter that is closed or paused, with that reason.
func mayBuild(n newsletter.Newsletter) error {
	switch n.Status {
	case newsletter.Closed:
		return newsletter.Refusef("closed", "%s is closed: nothing is sent any more", n.Slug)
	case newsletter.Paused:
		return newsletter.Refusef("paused", "%s is paused; \"broadsheet newsletter resume %s\" lets it go on", n.Slug, n.Slug)
	case newsletter.Open:
	}
	return nil
}

// stillGood refuses a draft whose newsletter was closed or paused since it was built, which may
// be long ago: sources are slow, and people think before they answer. It returns a Conflict with
// the reason changed if an article was held or taken back.
func (d *Desk) stillGood(ctx context.Context, draft *Draft, taken []newsletter.Candidate) error {
	n, err := d.Newsletter(ctx, draft.Newsletter.Slug)
	if err != nil {
		return err
	}
	if err := mayBuild(n); err != nil {
		return err
	}
	now, err := d.o.Press.Store.Candidates(ctx, draft.Newsletter.ID, draft.Edition.AsOf.Add(-newsletter.MaxLookBack))
	if err != nil {
		return err
	}
	eligible := map[int64]bool{}
	for _, c := range now {
		eligible[c.ID] = newsletter.Eligible(c, draft.Edition.AsOf) == newsletter.Taken
	}
	for _, c := range taken {
		if !eligible[c.ID] {
			return &newsletter.Error{Kind: newsletter.Conflict, Reason: "changed",
				Message: fmt.Sprintf("article %d, %q, was held or withdrawn meanwhile; build the edition again", c.ID, c.Headline)}
		}
	}
	return nil
}

// plan finishes the planning of a frozen edition, unless somebody ended it meanwhile. The caller
// holds the planning lock.
func (d *Desk) plan(ctx context.Context, id int64, progress func(rows int)) (newsletter.Edition, error) {
	edition, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil || !edition.PlannedAt.IsZero() || !edition.State.Open() && edition.State != newsletter.EditionPaused {
		return edition, err
	}
	snapshot, err := delivery.LoadSnapshot(ctx, d.o.Press.Store, id)
	if err != nil {
		return edition, err
	}
	n, err := d.Newsletter(ctx, edition.Newsletter)
	if err != nil {
		return edition, err
	}
	n.MinArticles, n.MaxArticles, n.Repeats = snapshot.Newsletter.MinArticles, snapshot.Newsletter.MaxArticles, snapshot.Newsletter.Repeats
	candidates, err := d.o.Press.Store.Candidates(ctx, n.ID, edition.AsOf.Add(-newsletter.MaxLookBack))
	if err != nil {
		return edition, err
	}
	choosing := d.choosing(n, edition, frozenCandidates(snapshot, candidates, edition.AsOf))
	choosing.Announcement = len(choosing.Candidates) == 0
	if choosing.Corrections, err = d.o.Press.Store.EditionCorrections(ctx, id); err != nil {
		return edition, err
	}
	if err := delivery.Plan(ctx, d.o.Press.Store, edition, choosing, snapshot, d.now, progress); err != nil {
		return edition, err
	}
	// What was frozen days ahead may all have been given meanwhile: the day's own news is not to be
	// kept back for that.
	if !edition.SendAt.IsZero() && !strings.HasPrefix(edition.Slot, "extra-") {
		if err := d.o.Press.Store.FreeSlot(ctx, edition, d.o.Actor, d.now()); err != nil {
			return edition, err
		}
	}
	// What was withdrawn before it was planned, all readers are spared alike.
	if _, err := d.recast(ctx, id); err != nil {
		return edition, err
	}
	// Who was away for longer than an edition is delivered plans it too late. What it has is for
	// the one that is planned next, which may be before anybody delivers.
	if now := d.now(); !edition.ExpiresAt.After(now) && edition.State.Open() {
		if _, err := d.o.Press.Store.ExpireDeliveries(ctx, id, now); err != nil {
			return edition, err
		}
	}
	return d.o.Press.Store.Edition(ctx, id)
}

// frozenCandidates returns the candidates that the edition was frozen with, in the order of choosing.
func frozenCandidates(s digest.Snapshot, candidates []newsletter.Candidate, asOf time.Time) []newsletter.Candidate {
	byID := make(map[int64]newsletter.Candidate, len(candidates))
	for _, c := range candidates {
		byID[c.ID] = c
	}
	var list []newsletter.Candidate
	for _, b := range s.Blocks {
		form, ok := map[string]newsletter.Form{digest.KindArticle: newsletter.InFull, digest.KindHeadline: newsletter.AsHeadline, digest.KindOwed: newsletter.Counted}[b.Kind]
		if !ok {
			continue
		}
		// Whatever staff did to the article since: all readers of an edition are treated alike.
		c, known := byID[b.Article]
		if c.Sections = b.Sections; !known || c.OwedFrom.IsZero() || c.OwedFrom.After(asOf) {
			c.ID, c.OwedFrom, c.Attached = b.Article, asOf, time.Time{}
		}
		c.Hold, c.Baseline, c.WithdrawnAt, c.Form, c.Rank = "", false, time.Time{}, form, b.Rank
		list = append(list, c)
	}
	slices.SortStableFunc(list, newsletter.ByRank)
	return list
}

// FinishPlanning goes on with editions whose planning was cut off, by a crash for example.
// progress may be nil.
func (d *Desk) FinishPlanning(ctx context.Context, progress func(rows int)) error {
	open, err := d.o.Press.Store.OpenEditions(ctx)
	if err != nil {
		return err
	}
	var failures []error // one edition that cannot be planned does not hold up the others
	for _, e := range open {
		if e.PlannedAt.IsZero() && !e.Waits(d.now()) {
			failures = append(failures, d.finishPlanning(ctx, e.ID, progress))
		}
	}
	return errors.Join(failures...)
}

func (d *Desk) finishPlanning(ctx context.Context, id int64, progress func(rows int)) error {
	lock, err := d.o.Press.Store.LockPlanning(ctx)
	if err != nil {
		return fmt.Errorf("wait for other planning: %w", err)
	}
	defer lock.Close() // the process's end closes it too
	_, err = d.plan(ctx, id, progress)
	return err
}
