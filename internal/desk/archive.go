package desk

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// ArchiveStore keeps what the archive shows.
type ArchiveStore interface {
	delivery.SnapshotStore
	ArchivedEditions(ctx context.Context, newsletterID, before int64, limit int) ([]newsletter.ArchivedEdition, error)
	ArchivedEdition(ctx context.Context, newsletterID, id int64) (newsletter.ArchivedEdition, error)
	CorrectionsIn(ctx context.Context, editionID int64) ([]newsletter.Correction, error)
	VariantSeen(ctx context.Context, newsletterID int64, key string) (newsletter.SeenVariant, error)
	WithdrawnIn(ctx context.Context, editionID int64) (map[int64]time.Time, error)
}

// Archive shows editions that were sent to anybody who asks. It changes nothing. Reading a
// snapshot and its templates takes milliseconds, and a list has many, so what was rendered last
// is kept.
type Archive struct {
	Store ArchiveStore

	mu   sync.Mutex
	kept map[string]ArchivedEdition // by all that they are a function of
}

// archiveKept is how many editions are kept in memory, each of some ten kilobytes.
const archiveKept = 200

// ArchivedEdition is an edition in the archive.
type ArchivedEdition struct {
	ID      int64
	Day     newsletter.Date
	Sent    time.Time // for the first time
	Updated time.Time // when it was sent, or when a story was last withdrawn or corrected since
	BaseURL string    // of the service when the edition was frozen
	digest.Archived
}

// Headlines returns those of the edition's stories that were not withdrawn.
func (e ArchivedEdition) Headlines() []string {
	var list []string
	for _, b := range e.Blocks {
		if b.Kind == digest.KindArticle {
			list = append(list, b.Headline)
		}
	}
	return list
}

// Editions returns the newsletter's editions that were sent, the newest first, and whether
// there are more. before is the id that the last call ended with, 0 for the newest.
func (a *Archive) Editions(ctx context.Context, newsletterID, before int64, limit int) (list []ArchivedEdition, more bool, err error) {
	editions, err := a.Store.ArchivedEditions(ctx, newsletterID, before, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(editions) > limit; more {
		editions = editions[:limit]
	}
	for _, e := range editions {
		shown, err := a.show(ctx, e)
		if err != nil {
			return nil, false, err
		}
		list = append(list, shown)
	}
	return list, more, nil
}

// Edition returns one edition as it was sent, to everybody. If the newsletter has no such edition, or it
// is not sent, the error is NotFound.
func (a *Archive) Edition(ctx context.Context, newsletterID, id int64) (ArchivedEdition, error) {
	e, err := a.Store.ArchivedEdition(ctx, newsletterID, id)
	if err != nil {
		return ArchivedEdition{}, err
	}
	return a.show(ctx, e)
}

// Copy returns what a group of readers got, by the key in their mails' link to it. Archived says
// that the edition stands in the archive too. If there is none the error is NotFound.
func (a *Archive) Copy(ctx context.Context, newsletterID int64, key string) (e ArchivedEdition, archived bool, err error) {
	v, err := a.Store.VariantSeen(ctx, newsletterID, key)
	if err != nil {
		return e, false, err
	}
	e = ArchivedEdition{ID: v.Edition.ID, Day: v.Edition.Date, Sent: v.Edition.AsOf}
	withdrawn, corrections, err := a.since(ctx, &e)
	if err != nil {
		return e, false, err
	}
	corrections = slices.DeleteFunc(corrections, func(c newsletter.Correction) bool { return !slices.Contains(v.Copy.Articles, c.ArticleID) })
	for _, c := range corrections {
		if !slices.Contains(v.Copy.Corrections, c.ArticleID) {
			v.Copy.Corrections = append(v.Copy.Corrections, c.ArticleID)
		}
	}
	err = a.render(ctx, &e, corrections, func(r *digest.Renderer) (digest.Archived, error) { return r.ArchivedCopy(v.Copy, withdrawn) })
	return e, v.Archived, err
}

// since returns what became of the edition's stories since it was sent, and notes when it last did.
func (a *Archive) since(ctx context.Context, e *ArchivedEdition) (withdrawn map[int64]time.Time, corrections []newsletter.Correction, err error) {
	if withdrawn, err = a.Store.WithdrawnIn(ctx, e.ID); err == nil {
		corrections, err = a.Store.CorrectionsIn(ctx, e.ID)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("archive: %w", err)
	}
	e.Updated = e.Sent
	for _, c := range corrections {
		if c.MadeAt.After(e.Updated) {
			e.Updated = c.MadeAt
		}
	}
	for _, at := range withdrawn {
		if at.After(e.Updated) {
			e.Updated = at
		}
	}
	return withdrawn, corrections, nil
}

func (a *Archive) show(ctx context.Context, e newsletter.ArchivedEdition) (ArchivedEdition, error) {
	shown := ArchivedEdition{ID: e.ID, Day: e.Date, Sent: e.ArchivedAt}
	withdrawn, corrections, err := a.since(ctx, &shown)
	if err != nil {
		return shown, err
	}
	key := fmt.Sprint(e.ID, " ", e.Hash, " ", e.ArchivedAt.UnixMilli(), " ", withdrawn, " ", corrections) // maps are printed in order
	a.mu.Lock()
	kept, ok := a.kept[key]
	a.mu.Unlock()
	if ok {
		return kept, nil
	}
	if err := a.render(ctx, &shown, corrections, func(r *digest.Renderer) (digest.Archived, error) { return r.Archive(withdrawn) }); err != nil {
		return shown, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil || len(a.kept) >= archiveKept {
		a.kept = map[string]ArchivedEdition{}
	}
	a.kept[key] = shown
	return shown, nil
}

// render fills in what the edition was frozen from, with what was corrected since, as the given
// function shows it.
func (a *Archive) render(ctx context.Context, shown *ArchivedEdition, corrections []newsletter.Correction, by func(*digest.Renderer) (digest.Archived, error)) error {
	snapshot, err := delivery.LoadSnapshot(ctx, a.Store, shown.ID)
	if err != nil {
		return err
	}
	shown.BaseURL = snapshot.BaseURL
	if snapshot, err = snapshot.WithCorrections(correctionBlocks(corrections)); err != nil {
		return fmt.Errorf("archive: edition %d: %w", shown.ID, err)
	}
	renderer, err := digest.NewRenderer(snapshot)
	if err == nil {
		shown.Archived, err = by(renderer)
	}
	if err != nil {
		return fmt.Errorf("archive: edition %d: %w", shown.ID, err)
	}
	return nil
}
