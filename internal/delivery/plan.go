package delivery

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"

	"golang.org/x/sync/errgroup"
)

// PlanWriter is what planning writes.
type PlanWriter interface {
	PlanStore
	PlannedTo(ctx context.Context, editionID int64) (int64, error)
	ComposedVariants(ctx context.Context, editionID int64) (int, error)
	SaveVariants(ctx context.Context, editionID int64, variants []newsletter.NewVariant) ([]int64, error)
	SavePlan(ctx context.Context, e newsletter.Edition, rows []newsletter.PlannedDelivery, done bool, now time.Time) error
}

// Plan gives every subscriber of the edition's cadence a row in the ledger: waiting with a
// variant, or withheld with a reason. It goes on where an earlier call was cut off. The
// caller holds the planning lock. progress, which may be nil, is told how many rows are made.
func Plan(ctx context.Context, store PlanWriter, e newsletter.Edition, choosing Edition, snapshot digest.Snapshot, now func() time.Time, progress func(rows int)) error {
	p := &planner{store: store, edition: e, now: now, variants: map[string]int64{}}
	p.composer = composer{editionID: e.ID, snapshot: snapshot, most: cmp.Or(choosing.MaxComposed, MaxComposed)}
	if err := p.plan(ctx, choosing, progress); err != nil {
		return fmt.Errorf("plan edition %d: %w", e.ID, err)
	}
	return nil
}

type planner struct {
	composer
	store    PlanWriter
	edition  newsletter.Edition
	now      func() time.Time
	variants map[string]int64 // by the keys of their copies
}

// composer composes the variants of an edition that are to be stored.
type composer struct {
	editionID int64
	snapshot  digest.Snapshot
	renderer  *digest.Renderer
	composed  int // how many are stored with their messages
	most      int // so many are
}

// MaxComposed is how many variants of an edition are stored as messages, unless its Edition says
// otherwise. What comes after them is rare, and is composed when it is handed over.
const MaxComposed = 1000

func (p *planner) plan(ctx context.Context, choosing Edition, progress func(rows int)) error {
	c, err := newChooser(ctx, p.store, choosing)
	if err != nil {
		return err
	}
	if p.renderer, err = digest.NewRenderer(p.snapshot); err != nil {
		return err
	}
	after, err := p.store.PlannedTo(ctx, p.edition.ID)
	if err != nil {
		return err
	}
	if p.composed, err = p.store.ComposedVariants(ctx, p.edition.ID); err != nil {
		return err
	}
	if err := p.rows(ctx, c, after, progress); err != nil {
		return err
	}
	return p.store.SavePlan(ctx, p.edition, nil, true, p.now())
}

// rows makes the rows of all readers after one. To read readers, to decide, to compose and to write
// go on side by side, each a few thousand readers ahead of the next.
func (p *planner) rows(ctx context.Context, c *chooser, after int64, progress func(rows int)) error {
	g, ctx := errgroup.WithContext(ctx)
	chosen := make(chan []choice, chunksAhead)
	composed := make(chan []newsletter.PlannedDelivery, chunksAhead)
	g.Go(func() error {
		defer close(chosen)
		return c.each(ctx, after, func(choices []choice) error { return handOver(ctx, chosen, slices.Clone(choices)) })
	})
	g.Go(func() error {
		defer close(composed)
		for choices := range chosen {
			if err := p.compose(ctx, choices); err != nil {
				return err
			}
			if err := handOver(ctx, composed, rowsOf(choices)); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error { return p.save(ctx, composed, progress) })
	return g.Wait()
}

// chunksAhead is how many chunks wait at most where one part of planning hands over to the next.
const chunksAhead = 2

func handOver[T any](ctx context.Context, to chan<- T, chunk T) error {
	select {
	case to <- chunk:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func rowsOf(choices []choice) []newsletter.PlannedDelivery {
	rows := make([]newsletter.PlannedDelivery, len(choices))
	for i, choice := range choices {
		rows[i] = newsletter.PlannedDelivery{SubscriberID: choice.subscriber, VariantID: choice.variant, Reason: choice.reason}
	}
	return rows
}

// save writes the rows that are handed over, until there are no more or writing fails.
func (p *planner) save(ctx context.Context, chunks <-chan []newsletter.PlannedDelivery, progress func(rows int)) error {
	rows := 0
	for chunk := range chunks {
		if err := p.store.SavePlan(ctx, p.edition, chunk, false, p.now()); err != nil {
			return err
		}
		if rows += len(chunk); progress != nil {
			progress(rows)
		}
	}
	return nil
}

// compose records the variants of the choices that are not recorded yet.
func (p *planner) compose(ctx context.Context, choices []choice) error {
	var missing []newsletter.Copy // few at a time: readers who chose differently have variants of their own
	var wanting []*outcome
	asked := map[string]bool{}
	for _, choice := range choices {
		if choice.reason != "" || choice.variant != 0 || choice.asked {
			continue
		}
		choice.asked = true
		wanting = append(wanting, choice.outcome)
		key := choice.copy.Key()
		if _, ok := p.variants[key]; ok || asked[key] {
			continue
		}
		asked[key] = true
		if missing = append(missing, choice.copy); len(missing) == variantsAtOnce {
			if err := p.saveVariants(ctx, missing); err != nil {
				return err
			}
			missing = missing[:0]
		}
	}
	if err := p.saveVariants(ctx, missing); err != nil {
		return err
	}
	for _, d := range wanting {
		d.variant = p.variants[d.copy.Key()]
	}
	return nil
}

// variantsAtOnce is how many variants are in memory, and in one transaction.
const variantsAtOnce = 64

func (p *planner) saveVariants(ctx context.Context, copies []newsletter.Copy) error {
	if len(copies) == 0 {
		return nil
	}
	composed, err := p.newVariants(copies)
	if err != nil {
		return err
	}
	ids, err := p.store.SaveVariants(ctx, p.edition.ID, composed)
	if err != nil {
		return err
	}
	for i, v := range composed {
		p.variants[v.Key()] = ids[i]
	}
	return nil
}

// newVariants composes the variants of these copies, on all cores; what comes after the first so
// many of an edition is rare, and left for later.
func (p *composer) newVariants(copies []newsletter.Copy) ([]newsletter.NewVariant, error) {
	list := make([]newsletter.NewVariant, len(copies))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range copies {
		now := p.composed < p.most
		if now {
			p.composed++
		}
		g.Go(func() (err error) {
			list[i], err = p.newVariant(c, now)
			return err
		})
	}
	err := g.Wait()
	return list, err
}

// newVariant makes the variant of a copy, composed now or later.
func (p *composer) newVariant(c newsletter.Copy, now bool) (newsletter.NewVariant, error) {
	if !now {
		subject, preheader, err := p.renderer.Words(c)
		return newsletter.NewVariant{Copy: c, Subject: subject, Preheader: preheader, ViewKey: p.snapshot.ViewKey(c)}, err
	}
	rendered, composed, err := Compose(p.renderer, p.snapshot, c, p.editionID)
	if err != nil {
		return newsletter.NewVariant{}, err
	}
	message, err := composed.MarshalBinary()
	if err != nil {
		return newsletter.NewVariant{}, err
	}
	return newsletter.NewVariant{
		Copy: c, Subject: rendered.Subject, Preheader: rendered.Preheader,
		ViewKey: p.snapshot.ViewKey(c), Message: message, Hash: composed.Hash(),
	}, nil
}

// Compose returns the variant of these readers, a function of the snapshot and the copy: the same
// bytes whenever it is composed.
func Compose(r *digest.Renderer, s digest.Snapshot, c newsletter.Copy, editionID int64) (digest.Variant, *mail.Variant, error) {
	rendered, err := r.Render(c)
	if err != nil {
		return rendered, nil, err
	}
	composed, err := mail.Compose(DigestMessage(s, rendered, editionID))
	return rendered, composed, err
}

// DigestMessage returns a rendered variant as the message that all its readers share. An
// edition id of 0 is an edition that is not frozen: a preview or a test.
func DigestMessage(s digest.Snapshot, v digest.Variant, editionID int64) mail.Message {
	n := s.Newsletter
	domain := n.From.Address().Domain()
	return mail.Message{
		From:     n.From.Address(),
		ReplyTo:  n.ReplyTo.Address(),
		Subject:  v.Subject,
		Text:     v.Text,
		HTML:     v.HTML,
		Language: n.Language,
		List:     &mail.List{Name: n.Name, ID: n.Slug + "." + domain},
		// Nothing in it is per recipient, so that complaints can be counted by edition (S8).
		FeedbackID: fmt.Sprintf("%d:%s:digest:broadsheet", editionID, n.Slug),
		Headers:    []mail.Header{{Name: "X-Broadsheet-Edition", Value: fmt.Sprint(editionID)}},
	}
}
