package newsletter

import (
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// The kinds of blocks that a sheet has.
const (
	SheetArticle = "article"
	SheetNote    = "note"
	SheetSponsor = "sponsor"
)

// Sheet is what staff decided about one edition. Everything else comes from the articles when
// the edition is built.
type Sheet struct {
	Subject   string // empty: each reader's first headline
	Preheader string // empty: from the headlines
	// About are the articles that subject and preheader speak of: who lacks one of them gets the
	// template's. nil: the first article; empty: none, so everybody gets them.
	About []int64
	Intro string // Markdown
	// Announcement says that the edition has no articles, and goes to every reader of its cadence.
	Announcement bool
	Until        time.Time    // what came until then was looked at
	Blocks       []SheetBlock // in the order of the edition; the first article leads
	// Dropped is what staff took out where they approve the edition, and can put back.
	Dropped []DroppedArticle `json:",omitempty"`
}

// DroppedArticle is an article that was taken out of a sheet.
type DroppedArticle struct {
	Block    SheetBlock
	Position int // where it stood
}

// SheetBlock is one block of a sheet.
type SheetBlock struct {
	Kind     string
	Article  int64  // of an article
	ID       string // of a note or sponsor: "n1", "s1"
	Headline string // of an article: its own in this edition; empty: as it is published
	Text     string // of a note or sponsor: Markdown
	Sponsor  string // who paid
	URL      string
	ImageURL string
	ImageAlt string
}

// Articles returns the ids of the sheet's articles in order.
func (s Sheet) Articles() []int64 {
	var ids []int64
	for _, b := range s.Blocks {
		if b.Kind == SheetArticle {
			ids = append(ids, b.Article)
		}
	}
	return ids
}

// Position is where the block at the index stands among the stories: 1 before the first one, 2
// after it, and so on.
func (s Sheet) Position(index int) int {
	position := 1
	for _, b := range s.Blocks[:index] {
		if b.Kind == SheetArticle {
			position++
		}
	}
	return position
}

// Insert puts the block at a position among the stories; past the end it stands at the end.
func (s Sheet) Insert(b SheetBlock, position int) Sheet {
	at := len(s.Blocks)
	for i := range s.Blocks {
		if s.Blocks[i].Kind == SheetArticle && s.Position(i) >= position {
			at = i
			break
		}
	}
	s.Blocks = slices.Insert(slices.Clone(s.Blocks), at, b)
	return s
}

// Drop takes an article out, in a way that PutBack can undo.
func (s Sheet) Drop(article int64) Sheet {
	i := slices.IndexFunc(s.Blocks, func(b SheetBlock) bool { return b.Kind == SheetArticle && b.Article == article })
	if i < 0 {
		return s
	}
	s.Dropped = append(slices.Clip(s.Dropped), DroppedArticle{s.Blocks[i], s.Position(i)})
	s.Blocks = slices.Delete(slices.Clone(s.Blocks), i, i+1)
	return s
}

// PutBack puts a dropped article where it stood; ok is false if it was not dropped.
func (s Sheet) PutBack(article int64) (sheet Sheet, ok bool) {
	i := slices.IndexFunc(s.Dropped, func(d DroppedArticle) bool { return d.Block.Article == article })
	if i < 0 {
		return s, false
	}
	d := s.Dropped[i]
	s.Dropped = slices.Delete(slices.Clone(s.Dropped), i, i+1)
	return s.Insert(d.Block, d.Position), true
}

// FreeID returns an id for one more note ("n") or sponsor ("s").
func (s Sheet) FreeID(letter string) string {
	for n := 1; ; n++ {
		id := fmt.Sprintf("%s%d", letter, n)
		if !slices.ContainsFunc(s.Blocks, func(b SheetBlock) bool { return b.ID == id }) {
			return id
		}
	}
}

// DraftRecord is a draft as it is kept.
type DraftRecord struct {
	EditionID int64
	Sheet     Sheet
	// Items are the texts of articles as they were taken in, so that nothing in the draft moves
	// unless staff take later changes in.
	Items     map[int64]Item
	Revision  int // goes up with each change
	ChangedBy string
	ChangedAt time.Time
}

// With returns the record with the texts of the given candidates, and with no others.
func (r DraftRecord) With(candidates []Candidate) DraftRecord {
	r.Items = maps.Clone(r.Items)
	wanted := r.Sheet.Articles()
	maps.DeleteFunc(r.Items, func(id int64, _ Item) bool { return !slices.Contains(wanted, id) })
	if r.Items == nil {
		r.Items = map[int64]Item{}
	}
	for _, c := range candidates {
		if slices.Contains(wanted, c.ID) {
			r.Items[c.ID] = c.Item
		}
	}
	return r
}

// maxOwnLine is how many characters a subject or preheader of the editors' own can have.
const maxOwnLine = 200

// CheckOwnSubject returns an error that says why the editors' own subject cannot be; nil for none.
func CheckOwnSubject(subject string) error {
	if n := utf8.RuneCountInString(subject); n > maxOwnLine {
		return Invalidf("subject", "a subject has at most %d characters, and this one %d; readers see the first 50 or so", maxOwnLine, n)
	}
	return nil
}

// CheckOwnPreheader is CheckOwnSubject for the preheader.
func CheckOwnPreheader(preheader string) error {
	if n := utf8.RuneCountInString(preheader); n > maxOwnLine {
		return Invalidf("preheader", "a preheader has at most %d characters, and this one %d; readers see the first 100 or so", maxOwnLine, n)
	}
	return nil
}
