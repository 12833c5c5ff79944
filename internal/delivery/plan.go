package delivery

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// PlanWriter is what planning writes.
type PlanWriter interface {
	PlanStore
	PlannedTo(ctx context.Context, editionID int64) (int64, error)
	SaveVariant(ctx context.Context, editionID int64, v newsletter.NewVariant) (int64, error)
	SavePlan(ctx context.Context, e newsletter.Edition, rows []newsletter.PlannedDelivery, done bool, now time.Time) error
}

// Plan gives every subscriber of the edition's cadence a row in the ledger: waiting with a
// variant, or withheld with a reason. It goes on where an earlier call was cut off. The
// caller holds the planning lock. progress, which may be nil, is told how many rows are made.
func Plan(ctx context.Context, store PlanWriter, e newsletter.Edition, choosing Edition, snapshot digest.Snapshot, now func() time.Time, progress func(rows int)) error {
	c, err := newChooser(ctx, store, choosing)
	if err != nil {
		return fmt.Errorf("plan edition %d: %w", e.ID, err)
	}
	p := &planner{store: store, edition: e, snapshot: snapshot, variants: map[string]int64{}}
	if p.renderer, err = digest.NewRenderer(snapshot); err != nil {
		return fmt.Errorf("plan edition %d: %w", e.ID, err)
	}
	after, err := store.PlannedTo(ctx, e.ID)
	if err != nil {
		return fmt.Errorf("plan edition %d: %w", e.ID, err)
	}
	rows := 0
	err = c.each(ctx, after, func(choices []choice) error {
		planned := make([]newsletter.PlannedDelivery, len(choices))
		for i, choice := range choices {
			planned[i] = newsletter.PlannedDelivery{SubscriberID: choice.subscriber, Reason: choice.reason}
			if choice.reason == "" {
				if planned[i].VariantID, err = p.variant(ctx, choice.articles); err != nil {
					return err
				}
			}
		}
		if err := store.SavePlan(ctx, e, planned, false, now()); err != nil {
			return err
		}
		if rows += len(planned); progress != nil {
			progress(rows)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("plan edition %d: %w", e.ID, err)
	}
	return store.SavePlan(ctx, e, nil, true, now())
}

type planner struct {
	store    PlanWriter
	edition  newsletter.Edition
	snapshot digest.Snapshot
	renderer *digest.Renderer
	variants map[string]int64
}

// variant returns the id of the variant with these articles, composing it if it is new.
func (p *planner) variant(ctx context.Context, articles []int64) (int64, error) {
	key := articlesKey(articles)
	if id, ok := p.variants[key]; ok {
		return id, nil
	}
	rendered, err := p.renderer.Render(articles)
	if err != nil {
		return 0, err
	}
	composed, err := mail.Compose(DigestMessage(p.snapshot, rendered, p.edition.ID))
	if err != nil {
		return 0, err
	}
	message, err := composed.MarshalBinary()
	if err != nil {
		return 0, err
	}
	id, err := p.store.SaveVariant(ctx, p.edition.ID, newsletter.NewVariant{
		Articles: articles, Subject: rendered.Subject, Preheader: rendered.Preheader,
		Message: message, Hash: composed.Hash(),
	})
	p.variants[key] = id
	return id, err
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
