package newsletter

import "time"

// FetchMeta is what a fetch brought besides the items.
type FetchMeta struct {
	// Started is when the source was asked. Of two fetches that overlap, the one that asked
	// later has the newer texts, whichever is saved first.
	Started      time.Time
	NotModified  bool   // the source said that nothing changed; there are no items
	ETag         string // for the next conditional GET
	LastModified string
	Broken       int // items that could not be used
}

// Intake says what became of the items of one fetch. Every item is counted once.
type Intake struct {
	New       int // owed from now on
	Updated   int // known, and its text or its embargo changed
	Known     int // known, also from another source
	Baseline  int // new to us but older than the source is ours: never owed
	BackDated int // new, dated long ago: held until staff release it
	Embargoed int // new, owed when its date has come
	Held      int // new, dated so far ahead that it must be a mistake: held
	// TurnedOver says that the source had items before, has items now, and none of them is
	// the same: articles may have come and gone between the two fetches.
	TurnedOver bool
}

// Items is the number of items that were taken in.
func (i Intake) Items() int {
	return i.New + i.Updated + i.Known + i.Baseline + i.BackDated + i.Embargoed + i.Held
}

// Count adds a newly admitted article.
func (i *Intake) Count(a Article, now time.Time) {
	switch {
	case a.Baseline:
		i.Baseline++
	case a.Hold == HeldBackDate:
		i.BackDated++
	case a.Hold != "":
		i.Held++
	case a.OwedFrom.After(now):
		i.Embargoed++
	default:
		i.New++
	}
}

// Redate decides what becomes of a known article when its source gives it another date: an
// embargo moves with it, ends early, or begins; an article that was held for an old date is
// let go if the date was a mistake. What staff decided, and what was known from before, stays.
// A date that is missing changes nothing: an embargo is not lifted by leaving it out.
func Redate(a Article, published, now time.Time) Article {
	if published.IsZero() || published.UnixMilli() == a.Published.UnixMilli() {
		return a
	}
	a.Published = published
	ahead := published.Sub(now)
	switch {
	case !a.WithdrawnAt.IsZero(), a.Baseline, a.Hold == HeldByStaff:
		return a
	case a.Hold == HeldBackDate && a.FirstSeen.Sub(published) > BackDateAge:
		return a
	case ahead > MaxEmbargo:
		a.Hold, a.OwedFrom = HeldByStaff, time.Time{}
	case ahead > FutureSkew:
		a.Hold, a.OwedFrom = "", published
	case a.Hold == HeldBackDate, a.OwedFrom.After(now):
		a.Hold, a.OwedFrom = "", now
	}
	return a
}

// HoldBack keeps the article back until it is released. It is an error if it was withdrawn.
func HoldBack(a Article) (Article, error) {
	if !a.WithdrawnAt.IsZero() {
		return a, Conflictf("article %d was withdrawn; there is nothing to hold", a.ID)
	}
	a.Hold, a.OwedFrom = HeldByStaff, time.Time{}
	return a, nil
}

// LetGo makes a held article, one that was known from before, or one under embargo owed from
// now on. An article that is held and under embargo keeps the embargo; letting it go once
// more lifts that too. It is an error if the article is owed already or was withdrawn.
func LetGo(a Article, now time.Time) (Article, error) {
	embargoed := a.Published.After(now.Add(FutureSkew)) && !a.Published.After(now.Add(MaxEmbargo))
	switch {
	case !a.WithdrawnAt.IsZero():
		return a, Conflictf("article %d was withdrawn and cannot be released", a.ID)
	case a.Hold == "" && !a.Baseline && !a.OwedFrom.IsZero() && !a.OwedFrom.After(now):
		return a, Conflictf("article %d is not held; the next edition can have it", a.ID)
	case a.Hold == HeldByStaff && embargoed:
		a.OwedFrom = a.Published
	default:
		a.OwedFrom = now
	}
	a.Hold, a.Baseline = "", false
	return a, nil
}
