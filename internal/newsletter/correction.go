package newsletter

import "time"

// MaxCorrections is how many corrections are told at a time: those of the last MaxLookBack.
const MaxCorrections = 25

// Correction is what staff say about an article that was sent and has changed since.
type Correction struct {
	ID        int64
	ArticleID int64
	Headline  string // of the article, as it is now
	URL       string // the same
	Note      string // Markdown; empty: the change needs none
	// ChangedAt is since when the article has its present text: editions that were frozen
	// before have the original.
	ChangedAt time.Time
	MadeBy    string
	MadeAt    time.Time
}

// Change is an article that was sent and whose headline or summary has changed since.
type Change struct {
	Article  Article   // as it is now
	Sent     Item      // as the first edition with it had it
	Editions []int64   // that were frozen with an earlier text, the oldest first
	FirstAt  time.Time // when the first of them was frozen
	Readers  int       // messages with it that were accepted, or may have arrived
}

// TextChanged reports whether readers see another headline or summary.
func TextChanged(before, after Item) bool {
	return before.Headline != after.Headline || before.Summary != after.Summary
}

// ChangeFilter selects changed articles, the newest first.
type ChangeFilter struct {
	Newsletter string // slug; empty: any
	After      int64  // article id to go on after; 0: from the newest
	Limit      int
}

// CorrectionOf returns what is recorded about an article that editions were frozen with at those
// times, the oldest first; no note says that its change needs none.
func CorrectionOf(a Article, freezes []time.Time, note string, now time.Time) (Correction, error) {
	c := Correction{Note: note, ChangedAt: now}
	switch {
	case !a.WithdrawnAt.IsZero():
		return c, Conflictf("article %d was withdrawn on %s: the archive says so, and nobody gets it any more", a.ID, a.WithdrawnAt.Format(time.DateOnly))
	case len(freezes) == 0:
		return c, Conflictf("no edition with article %d was made, so there is nothing to correct; the next one has its present text", a.ID)
	case freezes[0].Before(a.UpdatedAt):
		c.ChangedAt = a.UpdatedAt
	case note == "":
		return c, Conflictf("article %d did not change since it was sent", a.ID)
	}
	return c, nil
}
