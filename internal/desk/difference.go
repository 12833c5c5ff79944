package desk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// SeenStore keeps what staff looked at.
type SeenStore interface {
	SavePreview(ctx context.Context, p newsletter.SeenPreview) error
	LastPreview(ctx context.Context, newsletterID int64, of string, editionID int64) (p newsletter.SeenPreview, ok bool, err error)
}

// Difference is what an edition has otherwise than what staff saw, or sent, before.
type Difference struct {
	From           string // what it is compared with, in words
	OldHash, Hash  string // the same: nothing is different
	OldSubject     string
	Subject        string
	Added, Gone    []DifferentBlock
	Moved, Changed []DifferentBlock
	Other          []string // what else is different, in words
}

// DifferentBlock is a block that is different.
type DifferentBlock struct {
	Kind     string
	Article  int64  // 0: it is none
	ID       string // of a note or sponsor
	Headline string
}

// Differences returns what is different from the last preview that staff looked at, if they did,
// and from the edition before, if there is one.
func (d *Desk) Differences(ctx context.Context, draft *Draft) ([]Difference, error) {
	var list []Difference
	e := draft.Edition
	seen, ok, err := d.o.Press.Store.LastPreview(ctx, draft.Newsletter.ID, e.Name(), e.ID)
	if err != nil {
		return nil, err
	}
	zone, err := draft.Newsletter.Location()
	if err != nil {
		return nil, err
	}
	if ok {
		var old digest.Snapshot
		if err := json.Unmarshal(seen.Snapshot, &old); err != nil {
			return nil, fmt.Errorf("the last preview of %s: %w", draft.Newsletter.Slug, err)
		}
		from := "the last preview, of " + seen.At.In(zone).Format("Mon 2 Jan 15:04")
		list = append(list, compare(from, seen.Hash, seen.Subject, old, draft))
	}
	editions, err := d.o.Press.Store.Editions(ctx, newsletter.EditionFilter{NewsletterID: draft.Newsletter.ID, Limit: 50})
	if err != nil {
		return list, err
	}
	for _, past := range editions {
		if past.Hash == "" { // of one that was lost in a restore, only the slot is known
			continue
		}
		if past.Cadence != e.Cadence || past.Audience() != e.Audience() || past.ID == e.ID || !past.State.Open() && past.State != newsletter.EditionSent && past.State != newsletter.EditionPaused {
			continue
		}
		if past.Hash == "" {
			continue // a restored database knows of it from the journal alone
		}
		old, err := delivery.LoadSnapshot(ctx, d.o.Press.Store, past.ID)
		if err != nil {
			return list, err
		}
		return append(list, compare(fmt.Sprintf("edition %d, of %s", past.ID, past.Date), past.Hash, past.Subject, old, draft)), nil
	}
	return list, nil
}

// NotePreview keeps what staff have looked at, so that the next preview says what is different.
func (d *Desk) NotePreview(ctx context.Context, draft *Draft) error {
	snapshot, err := draft.Snapshot.Encode()
	if err != nil {
		return err
	}
	return d.o.Press.Store.SavePreview(ctx, newsletter.SeenPreview{
		NewsletterID: draft.Newsletter.ID, Of: draft.Edition.Name(), EditionID: draft.Edition.ID, At: d.now(),
		Hash: draft.Snapshot.Hash(), Subject: draft.Sample.Subject, Snapshot: snapshot,
	})
}

func compare(from, oldHash, oldSubject string, old digest.Snapshot, draft *Draft) Difference {
	d := Difference{From: from, OldHash: oldHash, Hash: draft.Snapshot.Hash(), OldSubject: oldSubject, Subject: draft.Sample.Subject}
	d.blocks(old.Blocks, draft.Snapshot.Blocks)
	d.others(old, draft.Snapshot)
	return d
}

func keyOf(b digest.Block) string { return fmt.Sprintf("%s %d %s", b.Kind, b.Article, b.ID) }

func (d *Difference) blocks(old, current []digest.Block) {
	before := map[string]digest.Block{}
	for _, b := range old {
		before[keyOf(b)] = b
	}
	show := func(b digest.Block) DifferentBlock {
		name := cmp.Or(b.Headline, b.Sponsor)
		if name == "" {
			name = firstWords(b.Text)
		}
		return DifferentBlock{Kind: b.Kind, Article: b.Article, ID: b.ID, Headline: name}
	}
	now := map[string]bool{}
	var order []string
	for _, b := range current {
		now[keyOf(b)] = true
		was, ok := before[keyOf(b)]
		if !ok {
			d.Added = append(d.Added, show(b))
			continue
		}
		order = append(order, keyOf(b))
		if !sameJSON(was, b) {
			d.Changed = append(d.Changed, show(b))
		}
	}
	var kept []string
	for _, b := range old {
		if now[keyOf(b)] {
			kept = append(kept, keyOf(b))
		} else {
			d.Gone = append(d.Gone, show(b))
		}
	}
	still := commonOrder(kept, order)
	for _, b := range current {
		if _, ok := before[keyOf(b)]; ok && !slices.Contains(still, keyOf(b)) {
			d.Moved = append(d.Moved, show(b))
		}
	}
}

// firstWords returns the beginning of a text, by which a note without a headline is known.
func firstWords(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	const most = 50
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}

// commonOrder returns the longest list that stands in both lists in this order: what is not in it
// has moved.
func commonOrder(a, b []string) []string {
	longest := make([][][]string, len(a)+1)
	for i := range longest {
		longest[i] = make([][]string, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			switch {
			case a[i] == b[j]:
				longest[i][j] = append([]string{a[i]}, longest[i+1][j+1]...)
			case len(longest[i+1][j]) >= len(longest[i][j+1]):
				longest[i][j] = longest[i+1][j]
			default:
				longest[i][j] = longest[i][j+1]
			}
		}
	}
	return longest[0][0]
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// others names what is different besides the blocks. The date always is.
func (d *Difference) others(old, current digest.Snapshot) {
	for _, c := range []struct {
		words    string
		old, new any
	}{
		{"the intro", old.Intro, current.Intro},
		{"the editors' own subject", old.Subject, current.Subject},
		{"the preheader", old.Preheader, current.Preheader},
		{"settings of the newsletter", old.Newsletter, current.Newsletter},
		{"the sections", old.Sections, current.Sections},
		{"the templates", old.TemplatesHash, current.TemplatesHash},
		{"the address of the service", old.BaseURL, current.BaseURL},
		{"the version of Broadsheet", old.Composer, current.Composer},
	} {
		if !sameJSON(c.old, c.new) {
			d.Other = append(d.Other, c.words)
		}
	}
}
