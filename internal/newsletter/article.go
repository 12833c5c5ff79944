package newsletter

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Item is an article as a source gives it, cleaned: texts are plain, links are absolute
// http(s) addresses, and everything is bounded.
type Item struct {
	GUID       string // never empty
	URL        string // canonical: absolute, without tracking parameters
	Headline   string
	Summary    string
	Author     string
	Image      Image
	Label      string // "Exclusive", "Opinion" …; removed from headline and summary
	Categories []string
	Published  time.Time // zero if the source does not say, or says something absurd
	Updated    time.Time
}

// Image is a picture of an article.
type Image struct {
	URL string
	Alt string
}

// Hash identifies what a reader sees of the item: if it is the same, nothing changed.
func (i Item) Hash() string {
	h := sha256.New()
	for _, s := range []string{
		i.URL, i.Headline, i.Summary, i.Author, i.Image.URL, i.Image.Alt, i.Label,
		strings.Join(i.Categories, "\x1f"),
	} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Article is one published story as Broadsheet knows it.
type Article struct {
	Item
	ID        int64
	SourceID  int64 // the source that it was first seen in
	FirstSeen time.Time
	// OwedFrom is the time that decides whether the article is new to a reader: when it was
	// first seen, or its embargo ended, or staff released it. Zero: it is owed to nobody.
	OwedFrom time.Time
	// Hold says why the article is kept back, see the Hold constants; empty: it is not.
	Hold        Hold
	Baseline    bool // it was in the source before the source was ours: known, never owed
	WithdrawnAt time.Time
	UpdatedAt   time.Time // when its text last changed here
}

// Hold is a reason why an article is kept back from editions.
type Hold string

// The reasons of a hold.
const (
	HeldByStaff  Hold = "staff"
	HeldBackDate Hold = "back_dated" // dated long before it was first seen
)

// The limits that intake goes by.
const (
	BaselineAge = 48 * time.Hour      // on a source's first fetch, older items are known and never owed
	BackDateAge = 7 * 24 * time.Hour  // an item dated further back than this is held
	LookBack    = 7 * 24 * time.Hour  // how far back an article can be owed
	MaxLookBack = 30 * 24 * time.Hour // … for a reader who got nothing in the meantime
	// FutureSkew is how far ahead a date may be before it is taken as an embargo: clocks differ.
	FutureSkew = 5 * time.Minute
	// MaxEmbargo is how far ahead a date may be before it is taken as a mistake.
	MaxEmbargo = 365 * 24 * time.Hour
)

// Admit decides what becomes of an item that is seen for the first time: known from before,
// held as back-dated, under embargo until its date, or owed from now on.
func Admit(item Item, firstFetch bool, now time.Time) Article {
	a := Article{Item: item, FirstSeen: now, OwedFrom: now, UpdatedAt: now}
	age := now.Sub(item.Published)
	switch {
	case item.Published.IsZero():
		// No date: on a first fetch nothing tells an old item from a new one.
		a.Baseline = firstFetch
	case firstFetch && age > BaselineAge:
		a.Baseline = true
	case age > BackDateAge:
		a.Hold = HeldBackDate
	case age < -MaxEmbargo:
		a.Hold = HeldByStaff
	case age < -FutureSkew:
		a.OwedFrom = item.Published
	}
	if a.Baseline || a.Hold != "" {
		a.OwedFrom = time.Time{}
	}
	return a
}
