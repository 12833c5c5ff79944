package desk_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// propertyModel follows each article to each reader by what the world did: what the sources
// gave, what readers chose, what came of every row. It knows the rule from docs/design.md, not
// from newsletter.Owed, and what arrived from the relay, not from the ledger.
type propertyModel struct {
	w        *propertyWorld
	articles []*propertyArticle
	ids      map[int64]*propertyArticle // as the database numbers them
	letters  []*propertyLetter
	readers  []*propertyReader
	editions map[int64]*propertyEdition
	order    []*propertyEdition
	count    propertyCount
	slots    map[string]int64 // the edition that the schedule made of each slot
	lastSlot int64            // editions up to this one are in it, or are made by hand
	plans    int              // rows that were planned, or retried
}

// propertyCount is what the worlds went through, for the report.
type propertyCount struct {
	days, editions, rows, messages, twice, owed, again, recopied, cuts, kills int
	lost                                                                      map[string]int
}

type propertyArticle struct {
	number    int
	id        int64 // 0: not seen yet
	feed      int
	sections  newsletter.Mask
	published time.Time
	exclusive bool
	from      time.Time // since when it is owed; zero: it is not
	held      bool
	withdrawn bool
	byStaff   bool
	disturbed bool // staff held, released or withdrew it
}

// propertyLetter is a newsletter.
type propertyLetter struct {
	newsletter.Newsletter
	feeds  map[int]time.Time // when each was attached
	paused bool
}

func (n *propertyLetter) isImmediate() bool {
	return slices.ContainsFunc(n.Schedules, func(s newsletter.Schedule) bool { return s.Cadence == newsletter.Immediate })
}

// atOnce reports whether the article is for immediate readers of the newsletter.
func (n *propertyLetter) atOnce(a *propertyArticle) bool {
	labels, sections := len(n.Immediate.Labels) > 0, n.Immediate.Sections
	return !labels && sections == 0 || labels && a.exclusive || sections&a.sections != 0
}

type propertyReader struct {
	id         int64
	email      string
	suppressed bool
	subs       map[int64]*propertySub
	got        map[int][]*propertyRow // by article: the rows that gave it, or were to
}

type propertySub struct {
	state  newsletter.SubscriptionState
	until  time.Time
	paused time.Time // when the first of the pauses began that lie together
	rhythm propertyRhythm
	mask   newsletter.Mask
	joined time.Time
	kept   time.Time // since when more than that is owed, for who chose another cadence or slot
	leftAt time.Time
	// calm is since when nothing was changed by reader or staff: who is calm must get everything.
	calm  time.Time
	link  int64 // the edition whose link was followed to leave
	left  map[int]string
	calms map[int]bool
}

type propertyEdition struct {
	id       int64
	letter   *propertyLetter
	rhythm   propertyRhythm
	asOf     time.Time
	blocks   []int // numbers of articles, in order
	news     bool  // somebody was to get an article, in full or as a headline
	rows     map[int64]*propertyRow
	verdicts map[int64]string
	done     bool // planning is finished
	open     bool // it has rows that are to be tried
	ended    bool // nobody plans it any more
	late     bool // planning was cut off
	first    map[int64]bool
}

type propertyRow struct {
	edition  *propertyEdition
	planned  int // when it was, or was retried: the first one, the second …
	reader   *propertyReader
	articles []int
	again    []int // as headlines
	more     int
	state    newsletter.State
	reason   string
	doubts   int
	doubted  bool
	arrived  int
}

// holds is newsletter.State.Holds in the words of docs/design.md.
func (r *propertyRow) holds() bool {
	switch r.state.String() {
	case "waiting", "sending", "deferred", "in_doubt", "accepted":
		return true
	}
	return false
}

// shown are the articles that the row's mail names.
func (r *propertyRow) shown() []int { return append(slices.Clip(r.articles), r.again...) }

// isLike reports whether two editions are of the same newsletter and for the same readers.
func (e *propertyEdition) isLike(o *propertyEdition) bool {
	return e.letter == o.letter && e.rhythm.meets(o.rhythm)
}

// isBefore reports whether the edition can be the one before another, or before a reader joined: who
// joined is owed the first digest whole, also after an edition that nobody got.
func (e *propertyEdition) isBefore() bool {
	if !e.news || !e.done && !e.ended {
		return e.news
	}
	for _, row := range e.rows {
		if row.holds() {
			return true
		}
	}
	return false
}

func (e *propertyEdition) refused() bool {
	for _, row := range e.rows {
		if row.state == newsletter.Refused {
			return true
		}
	}
	return false
}

// minimum is how many articles a copy must have. A story that goes out at once waits for no others …
func (e *propertyEdition) minimum() int {
	if e.rhythm.cadence == "immediate" {
		return 1
	}
	return e.letter.MinArticles
}

// repeats is what is told of again. … and it brings back none.
func (e *propertyEdition) repeats() newsletter.Repeats {
	if e.rhythm.cadence == "immediate" {
		return newsletter.RepeatNever
	}
	return e.letter.Repeats
}

func (s *propertySub) owedSince() time.Time {
	if !s.kept.IsZero() {
		return s.kept
	}
	return s.joined
}

// keep notes that who chooses another cadence or slot is owed still what they were owed since the
// last edition before they joined.
func (m *propertyModel) keep(n *propertyLetter, sub *propertySub) {
	var last time.Time
	for _, e := range m.order {
		if e.letter == n && e.isBefore() && e.rhythm.meets(sub.rhythm) && e.asOf.Before(sub.owedSince()) && e.asOf.After(last) {
			last = e.asOf
		}
	}
	switch {
	case !last.IsZero():
		sub.kept = last.Add(time.Millisecond)
	case sub.kept.IsZero(): // else it is kept already, however often they change
		sub.kept = sub.joined.Add(-7 * 24 * time.Hour)
	}
}

func newPropertyModel(w *propertyWorld) *propertyModel {
	return &propertyModel{w: w, ids: map[int64]*propertyArticle{}, editions: map[int64]*propertyEdition{}, slots: map[string]int64{}, count: propertyCount{lost: map[string]int{}}}
}

// seen notes what a source gave for the first time, and since when it is owed.
func (m *propertyModel) seen(items []newsletter.Item, first bool, now time.Time) {
	for _, item := range items {
		var number int
		if _, err := fmt.Sscanf(item.GUID, "story-%d", &number); err != nil {
			m.w.must(err)
		}
		a := m.articles[number]
		if a.id != 0 {
			continue
		}
		a.id = -1 // the database has not told the number yet
		age := now.Sub(item.Published)
		switch {
		case first && (item.Published.IsZero() || age > 48*time.Hour):
		case item.Published.IsZero():
			a.from = now
		case age > 7*24*time.Hour:
			a.held = true
		case age < -5*time.Minute:
			a.from = item.Published
		default:
			a.from = now
		}
	}
}

// arrived notes that a message reached a reader.
func (m *propertyModel) arrived(edition int64, to string, articles []int) {
	e := m.editions[edition]
	if e == nil {
		m.w.wrong("%s gets a message of edition %d, which nobody knows", to, edition)
		return
	}
	for _, r := range m.readers {
		if r.email != to {
			continue
		}
		row := e.rows[r.id]
		if row == nil {
			m.w.wrong("%s gets edition %d without a row", to, edition)
			return
		}
		if row.arrived++; row.arrived > 1 {
			m.count.twice++
		}
		m.count.messages++
		// A mail has them by sections.
		if !slices.Equal(slices.Sorted(slices.Values(articles)), slices.Sorted(slices.Values(row.shown()))) {
			m.w.wrong("edition %d for %s has %v, the row gives %v and %v again", edition, to, articles, row.articles, row.again)
		}
		sub := r.subs[e.letter.ID]
		if sub.state == newsletter.Left || sub.isPaused(m.w.clock.Now()) || r.suppressed {
			m.w.wrong("%s gets edition %d, and is %s, suppressed %v", to, edition, sub.state, r.suppressed)
		}
		for _, number := range articles {
			if m.articles[number].withdrawn {
				m.w.wrong("%s gets article %d, which is withdrawn", to, number)
			}
			if slices.Contains(row.again, number) {
				continue
			}
			for _, other := range r.got[number] {
				if other != row && other.arrived > 0 && !repeats(row, other) {
					m.w.wrong("%s gets article %d twice: by edition %d and by %d", to, number, other.edition.id, edition)
				}
			}
		}
		return
	}
	m.w.wrong("a stranger gets a message: %s", to)
}

// repeats reports whether the one of two rows that was planned or retried later may give again what the other
// one did. It can arrive first; and an edition whose planning was cut off can be planned after the
// next one.
func repeats(a, b *propertyRow) bool {
	if b.planned > a.planned {
		a, b = b, a
	}
	return a.edition.repeats() == newsletter.RepeatAlways && !a.edition.isLike(b.edition)
}

// hadOtherwise reports whether another row has an article of this one for the reader, and this one
// may not give it again.
func (m *propertyModel) hadOtherwise(row *propertyRow) bool {
	for _, number := range row.articles {
		for _, other := range row.reader.got[number] {
			if other != row && other.holds() && !repeats(row, other) {
				return true
			}
		}
	}
	return false
}

func (s *propertySub) isPaused(now time.Time) bool {
	return s.state == newsletter.PausedSub && (s.until.IsZero() || s.until.After(now))
}

func (s *propertySub) subscribed() bool {
	return s != nil && (s.state == newsletter.Active || s.state == newsletter.PausedSub)
}

// learn brings the model up to date with what was planned and what came of it. New rows are held
// against what their readers must get.
func (m *propertyModel) learn() {
	w := m.w
	m.learnArticles()
	from := int64(1)
	if len(m.order) > 0 {
		from = m.order[len(m.order)-1].id + 1
	}
	for _, e := range m.order {
		if !e.done {
			from = min(from, e.id)
		}
	}
	rows, err := w.db.QueryContext(w.t.Context(), `SELECT e.id, e.newsletter_id, e.cadence, e.for_slot, e.as_of, e.planned_at IS NOT NULL, e.state NOT IN ('frozen', 'sending', 'paused')
		FROM editions e WHERE e.state <> 'skipped' AND e.id >= $1 ORDER BY e.id`, from)
	w.must(err)
	defer rows.Close()
	var list []*propertyEdition
	for rows.Next() {
		var id, letter, asOf int64
		var rhythm propertyRhythm
		var done, ended bool
		w.must(rows.Scan(&id, &letter, &rhythm.cadence, &rhythm.slot, &asOf, &done, &ended))
		e := m.editions[id]
		if e == nil {
			e = &propertyEdition{id: id, rhythm: rhythm, asOf: time.UnixMilli(asOf).UTC(), rows: map[int64]*propertyRow{}, verdicts: map[int64]string{}, letter: m.letters[letter-1]}
			m.count.editions++
		}
		e.ended = ended
		if !e.done {
			e.done = done
			list = append(list, e)
		}
	}
	w.must(rows.Err())
	m.learnStates()
	for _, e := range list {
		m.learnEdition(e)
	}
}

// checkSlots holds what the schedule made against its slots: each once, for its own readers.
func (m *propertyModel) checkSlots() {
	w := m.w
	rows, err := w.db.QueryContext(w.t.Context(), `SELECT id, newsletter_id, cadence, slot, for_slot, due_at FROM editions WHERE id > $1 ORDER BY id`, m.lastSlot)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var letter, due int64
		var cadence, slot, readers string
		w.must(rows.Scan(&m.lastSlot, &letter, &cadence, &slot, &readers, &due))
		if cadence == "immediate" {
			slot = "main"
		}
		key := fmt.Sprint(letter, cadence, readers, due)
		if other := m.slots[key]; other != 0 || slot != readers {
			w.wrong("edition %d of newsletter %d has the %s slot %s, is for readers of %s, and the slot has edition %d", m.lastSlot, letter, cadence, slot, readers, other)
		}
		m.slots[key] = m.lastSlot
	}
	w.must(rows.Err())
}

func (m *propertyModel) learnArticles() {
	w := m.w
	for _, a := range m.articles {
		if a.id != -1 {
			continue
		}
		w.must(w.db.QueryRowContext(w.t.Context(), `SELECT id FROM articles WHERE guid = $1`, fmt.Sprint("story-", a.number)).Scan(&a.id))
		m.ids[a.id] = a
	}
}

// learnStates reads what became of the rows that are known.
func (m *propertyModel) learnStates() {
	w := m.w
	if len(m.order) == 0 {
		return
	}
	oldest := m.order[max(0, len(m.order)-8)].id
	for _, e := range m.order {
		if e.open || !e.done {
			oldest = min(oldest, e.id)
			break
		}
	}
	open := map[*propertyEdition]bool{}
	var had []*propertyRow // otherwise, as it is said
	rows, err := w.db.QueryContext(w.t.Context(), `SELECT d.edition_id, d.subscriber_id, d.state, COALESCE(d.reason, ''), d.doubts, d.doubted_at IS NOT NULL, COALESCE(v.articles, '')
		FROM deliveries d LEFT JOIN variants v ON v.id = d.variant_id WHERE d.edition_id >= $1`, oldest)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var edition, reader int64
		var state newsletter.State
		var reason string
		var doubts int
		var doubted bool
		var articles string
		w.must(rows.Scan(&edition, &reader, &state, &reason, &doubts, &doubted, &articles))
		e := m.editions[edition]
		if e == nil || e.rows[reader] == nil {
			continue // new: it is looked at by learnEdition
		}
		row := e.rows[reader]
		switch state {
		case newsletter.Waiting, newsletter.Deferred, newsletter.Sending:
			open[e] = true
		}
		if ended := row.state == newsletter.Refused || row.state == newsletter.Expired; ended && state != row.state {
			m.plans++
			row.planned = m.plans
			if reason == newsletter.ReasonHadOtherwise {
				had = append(had, row)
			}
		}
		row.state, row.reason, row.doubts, row.doubted = state, reason, doubts, doubted
		m.learnCopy(row, articles)
		switch {
		case state == newsletter.Accepted && row.arrived == 0:
			w.wrong("%s is accepted in edition %d and got nothing", row.reader.email, edition)
		case row.arrived > 0 && !row.holds():
			w.wrong("%s got edition %d, and its row is %s", row.reader.email, edition, state)
		case row.arrived > 1 && !doubted:
			w.wrong("%s got edition %d %d times, and no doubt is on record", row.reader.email, edition, row.arrived)
		}
	}
	w.must(rows.Err())
	for _, row := range had {
		if !m.hadOtherwise(row) {
			w.wrong("edition %d is not sent to %s once more, as if another one held %v", row.edition.id, row.reader.email, row.articles)
		}
	}
	for _, e := range m.order {
		if e.id >= oldest {
			e.open = open[e]
		}
	}
}

// learnCopy looks at what a row that is known has by now: what waits has lost what was withdrawn,
// and that alone.
func (m *propertyModel) learnCopy(row *propertyRow, key string) {
	given, again := m.copied(key)
	waits := row.state == newsletter.Waiting || row.state == newsletter.Deferred
	withdrawn := func(number int) bool { return m.articles[number].withdrawn }
	if waits && row.edition.done && slices.ContainsFunc(slices.Concat(given, again), withdrawn) {
		m.w.wrong("%s is still to get edition %d with %v and %v again, some of it withdrawn", row.reader.email, row.edition.id, given, again)
	}
	if slices.Equal(given, row.articles) && slices.Equal(again, row.again) {
		return
	}
	left := func(list []int) []int { return slices.DeleteFunc(slices.Clone(list), withdrawn) }
	if !slices.Equal(given, left(row.articles)) || !slices.Equal(again, left(row.again)) {
		m.w.wrong("the copy of edition %d for %s is %v and %v again, and was %v and %v", row.edition.id, row.reader.email, given, again, row.articles, row.again)
	}
	for _, number := range row.articles {
		if withdrawn(number) {
			row.reader.got[number] = slices.DeleteFunc(row.reader.got[number], func(r *propertyRow) bool { return r == row })
		}
	}
	row.articles, row.again = given, again
	m.count.recopied++
}

// copied returns what the copy of a key has.
func (m *propertyModel) copied(key string) (articles, again []int) {
	c, err := newsletter.ParseCopy(key)
	m.w.must(err)
	for _, id := range c.Articles {
		articles = append(articles, m.ids[id].number)
	}
	for _, id := range c.Headlines {
		again = append(again, m.ids[id].number)
	}
	return articles, again
}

// learnEdition takes an edition's new rows in, each held against what its reader must get.
func (m *propertyModel) learnEdition(e *propertyEdition) {
	w := m.w
	if m.editions[e.id] == nil {
		m.editions[e.id] = e
		m.order = append(m.order, e)
		m.learnContent(e)
		e.first = map[int64]bool{}
		for _, r := range m.readers {
			if sub := r.subs[e.letter.ID]; sub.subscribed() && sub.rhythm.meets(e.rhythm) {
				e.first[r.id] = true
			}
		}
	}
	rows, err := w.db.QueryContext(w.t.Context(), `SELECT d.subscriber_id, d.state, COALESCE(d.reason, ''), COALESCE(v.articles, '')
		FROM deliveries d LEFT JOIN variants v ON v.id = d.variant_id WHERE d.edition_id = $1 ORDER BY d.subscriber_id`, e.id)
	w.must(err)
	defer rows.Close()
	var fresh []*propertyRow
	for rows.Next() {
		var reader int64
		row := &propertyRow{edition: e}
		var articles string
		w.must(rows.Scan(&reader, &row.state, &row.reason, &articles))
		if e.rows[reader] != nil {
			continue
		}
		row.reader = m.reader(reader)
		row.articles, row.again = m.copied(articles)
		copied, err := newsletter.ParseCopy(articles)
		w.must(err)
		row.more = copied.More
		fresh = append(fresh, row)
	}
	w.must(rows.Err())
	for _, row := range fresh {
		m.checkRow(row)
		m.plans++
		row.planned = m.plans
		e.rows[row.reader.id] = row
		for _, number := range row.articles {
			row.reader.got[number] = append(row.reader.got[number], row)
		}
		m.count.rows++
	}
	if !e.done {
		e.late = true
		return
	}
	for _, r := range m.readers {
		sub := r.subs[e.letter.ID]
		if e.first[r.id] && sub.subscribed() && sub.rhythm.meets(e.rhythm) && e.rows[r.id] == nil {
			w.wrong("edition %d has no row for %s", e.id, r.email)
		}
	}
}

// learnContent reads what an edition has, and why not what it does not have.
func (m *propertyModel) learnContent(e *propertyEdition) {
	w := m.w
	rows, err := w.db.QueryContext(w.t.Context(), `SELECT a.article_id, a.verdict, b.position IS NOT NULL FROM edition_articles a
		LEFT JOIN blocks b ON b.edition_id = a.edition_id AND b.article_id = a.article_id WHERE a.edition_id = $1 ORDER BY b.position`, e.id)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var id int64
		var verdict string
		var block bool
		w.must(rows.Scan(&id, &verdict, &block))
		e.verdicts[id] = verdict
		e.news = e.news || verdict == "taken" || verdict == "repeat"
		if block {
			e.blocks = append(e.blocks, m.ids[id].number)
		}
	}
	w.must(rows.Err())
}

func (m *propertyModel) reader(id int64) *propertyReader {
	for _, r := range m.readers {
		if r.id == id {
			return r
		}
	}
	m.w.t.Fatalf("seed %d: there is no reader %d", m.w.seed, id)
	return nil
}

// checkRow holds a new row against what its reader must get.
func (m *propertyModel) checkRow(row *propertyRow) {
	w, e, r := m.w, row.edition, row.reader
	sub := r.subs[e.letter.ID]
	switch {
	case !sub.subscribed() || !sub.rhythm.meets(e.rhythm):
		w.wrong("edition %d has a row for %s, who is no %s reader of it", e.id, r.email, e.rhythm)
		return
	case r.suppressed:
		m.want(row, nil, "suppressed")
		return
	case sub.isPaused(e.asOf):
		m.want(row, nil, "paused")
		for _, a := range m.articles {
			if m.due(a, row) == "" {
				sub.left[a.number] = "paused"
			}
		}
		return
	}
	var owed, again []*propertyArticle
	for _, a := range m.articles {
		switch why := m.due(a, row); why {
		case "repeat":
			again = append(again, a)
		case "":
			if e.late && (a.disturbed || !slices.Contains(e.blocks, a.number)) {
				sub.left[a.number] = "not in an edition whose planning was cut off"
				continue
			}
			owed = append(owed, a)
		case "too old":
			m.lapse(a, row, sub)
		case "not chosen", "missed in a pause", "not immediate":
			sub.left[a.number] = why
		}
	}
	slices.SortFunc(owed, newsFirst)
	taken := owed[:min(len(owed), e.letter.MaxArticles)]
	rest := owed[len(taken):]
	reason, left := "", "over the cap"
	switch n := len(owed) + len(again); {
	case n == 0, len(owed) == 0 && n < e.minimum():
		reason, again = "nothing_new", nil
	case n < e.minimum():
		reason, left, taken, rest, again = "too_few", "too few", nil, owed, nil
	}
	if e.repeats() == newsletter.RepeatAlways { // new stories take places before repeats
		slices.SortFunc(again, newsFirst)
		taken = slices.Concat(taken, again[:min(len(again), e.letter.MaxArticles-len(taken))])
		slices.SortFunc(taken, newsFirst)
		again = nil
	}
	slices.SortFunc(again, func(a, b *propertyArticle) int { return int(b.id - a.id) })
	m.wantAgain(row, again[:min(len(again), newsletter.MaxHeadlines)], min(len(rest), newsletter.MaxMore), reason)
	for _, a := range rest {
		sub.left[a.number] = left
		if e.verdicts[a.id] == "" {
			w.wrong("edition %d says nothing of article %d, which %s is owed and does not get", e.id, a.number, r.email)
		}
	}
	m.want(row, taken, reason)
}

// lapse notes that an article that the reader did not get is not owed any more. There must have
// been a reason why they did not get it while it was.
func (m *propertyModel) lapse(a *propertyArticle, row *propertyRow, sub *propertySub) {
	if sub.calms[a.number] {
		return
	}
	sub.calms[a.number] = true
	why := sub.left[a.number]
	for _, gave := range row.reader.got[a.number] {
		if why != "" {
			break
		}
		why = "its delivery was " + gave.state.String() + " " + gave.reason
	}
	switch {
	case why != "":
	case sub.calm.After(a.from.Add(-time.Hour)):
		why = "the reader changed something"
	case a.disturbed:
		why = "staff held it"
	case !m.editionSince(a.from, row.edition):
		why = "no edition for thirty days"
	default:
		m.w.wrong("article %d, owed since %s, is lost for %s of newsletter %d without a reason", a.number, a.from.Format(time.DateTime), row.reader.email, row.edition.letter.ID)
		m.w.t.Log(m.story(row.reader, row.edition.letter, 40))
	}
	sub.left[a.number] = why
	m.count.lost[row.edition.rhythm.String()+": "+why]++
}

// editionSince reports whether the newsletter had an edition of the slot between a time and an
// edition: slots are missed or skipped, which is on record, or the newsletter was paused.
func (m *propertyModel) editionSince(from time.Time, e *propertyEdition) bool {
	return slices.ContainsFunc(m.order, func(o *propertyEdition) bool {
		return o != e && o.letter == e.letter && o.rhythm.meets(e.rhythm) && o.asOf.After(from)
	})
}

// wantAgain holds what the row has beside new articles against what it must have.
func (m *propertyModel) wantAgain(row *propertyRow, again []*propertyArticle, more int, reason string) {
	if row.edition.late {
		return
	}
	var numbers []int
	for _, a := range again {
		numbers = append(numbers, a.number)
	}
	if reason != "" {
		more = 0
	}
	if !slices.Equal(slices.Sorted(slices.Values(numbers)), slices.Sorted(slices.Values(row.again))) || more != row.more {
		m.w.wrong("edition %d (%v of newsletter %d) tells %s again of %v and of %d more, want %v and %d", row.edition.id, row.edition.rhythm, row.edition.letter.ID,
			row.reader.email, row.again, row.more, numbers, more)
		m.w.t.Log(m.story(row.reader, row.edition.letter, 40))
	}
	m.count.again += len(row.again)
}

func (m *propertyModel) want(row *propertyRow, articles []*propertyArticle, reason string) {
	var numbers []int
	for _, a := range articles {
		numbers = append(numbers, a.number)
	}
	m.count.owed += len(numbers)
	got := row.reason
	if row.state == newsletter.Withheld && len(row.shown()) > 0 {
		got = "" // it was given, and withheld since
	}
	if row.edition.late { // staff have changed something: nothing more must come, nothing twice
		return
	}
	if got != reason || !slices.Equal(row.articles, numbers) {
		var words []string
		for _, a := range m.articles {
			if slices.Contains(numbers, a.number) != slices.Contains(row.articles, a.number) {
				words = append(words, fmt.Sprintf("%d: %q, since %s, %s", a.number, m.due(a, row), a.from.Format(time.DateTime), row.edition.verdicts[a.id]))
			}
		}
		sub := row.reader.subs[row.edition.letter.ID]
		m.w.wrong("edition %d (%s of newsletter %d) gives %s %v %q, want %v %q\n%s; joined %s, sections %b", row.edition.id, row.edition.rhythm, row.edition.letter.ID,
			row.reader.email, row.articles, got, numbers, reason, strings.Join(words, "\n"), sub.joined.Format(time.DateTime), sub.mask)
		m.w.t.Log(m.story(row.reader, row.edition.letter, 40))
	}
}

// newsFirst is the order of an edition.
func newsFirst(a, b *propertyArticle) int {
	if a.exclusive != b.exclusive {
		if a.exclusive {
			return -1
		}
		return 1
	}
	x, y := a.published, b.published
	if x.IsZero() {
		x = a.from
	}
	if y.IsZero() {
		y = b.from
	}
	if c := y.Compare(x); c != 0 {
		return c
	}
	return int(b.id - a.id)
}

// due says why an article is not owed to the row's reader when the row is made; "" if it is.
func (m *propertyModel) due(a *propertyArticle, row *propertyRow) string {
	e, r := row.edition, row.reader
	sub, now := r.subs[e.letter.ID], e.asOf
	attached, ours := e.letter.feeds[a.feed]
	const day = 24 * time.Hour
	switch {
	case !ours || a.id == 0 || a.from.IsZero() || a.from.After(now):
		return "unknown"
	case a.held || a.withdrawn:
		return "held"
	case a.from.Before(attached.Add(-2 * day)):
		return "before"
	case sub.mask != 0 && sub.mask&a.sections == 0:
		return "not chosen"
	case e.rhythm.cadence == "immediate" && !e.letter.atOnce(a):
		return "not immediate"
	}
	var got, before time.Time
	for _, other := range m.order {
		if other == e || other.letter != e.letter {
			continue
		}
		if mine := other.rows[r.id]; mine != nil && len(mine.articles) > 0 && mine.holds() && now.Sub(other.asOf) <= 30*day && other.asOf.After(got) {
			got = other.asOf
		}
		if other.isLike(e) && other.isBefore() && other.asOf.Before(sub.owedSince()) && other.asOf.After(before) {
			before = other.asOf
		}
	}
	// Thirty days back, or seven before the days since the last edition that they got.
	reach := 7 * day
	since := now
	switch age := now.Sub(a.from); {
	case !a.from.After(before):
		return "before they joined"
	case !got.IsZero():
		for since.After(got) {
			since = since.Add(-day)
			reach += day
		}
		if age > min(reach, 30*day) {
			return "too old"
		}
	default:
		if since = before; since.IsZero() {
			since = sub.owedSince()
		}
		if age > 30*day || age > 7*day && a.from.Before(since) {
			return "too old"
		}
	}
	if why := m.had(a, row); why != "" {
		return why
	}
	// One edition after a pause has the best of what was missed, and none the rest.
	if resumed := sub.until; !resumed.IsZero() && !resumed.After(now) && now.Sub(resumed) < 30*day && !got.Before(resumed) && a.from.Before(resumed) && a.from.After(sub.paused) {
		return "missed in a pause"
	}
	return ""
}

// had says whether the row's reader had the article, and whether it is to be told of again.
func (m *propertyModel) had(a *propertyArticle, row *propertyRow) string {
	e, had, like := row.edition, false, false
	for _, gave := range row.reader.got[a.number] {
		if gave.holds() {
			had, like = true, like || gave.edition.isLike(e)
		}
	}
	if !had {
		return ""
	}
	if like || e.repeats() == newsletter.RepeatNever || e.asOf.Sub(a.from) >= 7*24*time.Hour {
		return "had"
	}
	for _, other := range m.order {
		if other != e && other.isLike(e) && other.isBefore() && !a.from.After(other.asOf) {
			return "had"
		}
	}
	return "repeat"
}

// story tells what became of a reader's rows, for a failure.
func (m *propertyModel) story(r *propertyReader, n *propertyLetter, last int) string {
	var lines []string
	for _, e := range m.order[max(0, len(m.order)-last):] {
		row := e.rows[r.id]
		if row == nil {
			lines = append(lines, fmt.Sprintf("edition %d (%d, %s) %s: no row", e.id, e.letter.ID, e.rhythm, e.asOf.Format(time.DateTime)))
			continue
		}
		var state int
		m.w.must(m.w.db.QueryRowContext(m.w.t.Context(), `SELECT state FROM deliveries WHERE edition_id = $1 AND subscriber_id = $2`, e.id, r.id).Scan(&state))
		lines = append(lines, fmt.Sprintf("edition %d (%d, %s) %s: %v %s %s, in the ledger %s", e.id, e.letter.ID, e.rhythm, e.asOf.Format(time.DateTime),
			row.articles, row.state, row.reason, newsletter.State(state)))
	}
	return strings.Join(lines, "\n")
}
