package readers

import (
	"context"
	"strconv"
	"time"

	"broadsheet/internal/newsletter"
)

// Preferences is what a manage link can do to subscriptions as they are on record.
type Preferences interface {
	// LeaveAll ends all subscriptions of the link's subscriber and returns how many.
	LeaveAll(ctx context.Context, link newsletter.Link, origin newsletter.Origin, now time.Time) (left int, err error)
	// ReaderChanges returns what a reader did at a moment, or last if it is zero, that can be undone.
	ReaderChanges(ctx context.Context, subscriberID int64, at time.Time) ([]newsletter.SubscriptionChange, error)
	// UndoChanges takes that back; the error is Forbidden with reason "too_late" or "suppressed", or
	// Conflict if something else was changed since.
	UndoChanges(ctx context.Context, subscriberID int64, at time.Time, origin newsletter.Origin, now time.Time) error
}

// The ways in which a manage link can end a pause, beside a date.
const (
	PauseWeek  = "week"
	PauseMonth = "month"
	PauseOpen  = "open" // until they come back
)

// Done is what a reader just did, as the page says it.
type Done struct {
	At      time.Time // by which UndoLink names it
	Kind    string    // "changed", "paused", "resumed" or "left"
	Of      []newsletter.Newsletter
	Until   time.Time // of a pause; zero: until they come back
	CanUndo bool
}

// Why says how a subscription came to be.
type Why struct {
	At      time.Time
	Kind    newsletter.EventKind // EventConfirmed, EventAdded or EventImported
	Page    string               // the article page that the form stood on; may be empty
	Words   string               // of consent, as they were shown; may be empty
	Version string
}

// PauseByLink stops the mails of one newsletter of the link's reader, or of all if the slug is empty:
// until a date ("2026-12-24"), for PauseWeek or PauseMonth, or PauseOpen. The errors are those of
// Pause, and NotFound for a token that is not ours.
func (s *Service) PauseByLink(ctx context.Context, token, slug, until string, origin newsletter.Origin) error {
	_, sub, err := s.openManage(ctx, token)
	if err != nil {
		return err
	}
	id := strconv.FormatInt(sub.ID, 10)
	switch until {
	case "":
		return newsletter.Invalidf("until", "Please say until when: a day after today, and within a year.")
	case PauseOpen:
		until = ""
	case PauseWeek, PauseMonth:
		_, _, zone, err := s.toPause(ctx, id, slug)
		if err != nil {
			return err
		}
		today := s.o.Now().In(zone)
		day := today.AddDate(0, 0, 7)
		if until == PauseMonth {
			day = today.AddDate(0, 1, 0)
		}
		until = newsletter.DateOf(day).String()
	}
	_, _, _, err = s.Pause(ctx, id, slug, until, origin)
	return err
}

// ResumeByLink ends a pause at once, of one newsletter or of all if the slug is empty.
func (s *Service) ResumeByLink(ctx context.Context, token, slug string, origin newsletter.Origin) error {
	_, sub, err := s.openManage(ctx, token)
	if err != nil {
		return err
	}
	_, _, err = s.Resume(ctx, strconv.FormatInt(sub.ID, 10), slug, origin)
	return err
}

// LeaveByLink ends the subscription to one newsletter of the link's reader, or all if the slug is
// empty, at once. It is idempotent.
func (s *Service) LeaveByLink(ctx context.Context, token, slug string, origin newsletter.Origin) error {
	link, _, err := s.openManage(ctx, token)
	if err != nil {
		return err
	}
	if slug == "" {
		_, err = s.store.LeaveAll(ctx, link, cleanOrigin(origin), s.o.Now())
		return err
	}
	n, _, err := s.Newsletter(ctx, slug)
	if err != nil {
		return err
	}
	link.NewsletterID = n.ID
	return s.store.Leave(ctx, link, cleanOrigin(origin), s.o.Now())
}

// UndoByLink takes back what the link's reader did at a moment, within newsletter.UndoTime. The error
// is Forbidden with reason "too_late" or "suppressed", or Conflict if something else was changed since.
func (s *Service) UndoByLink(ctx context.Context, token string, at time.Time, origin newsletter.Origin) error {
	link, _, err := s.openManage(ctx, token)
	if err != nil {
		return err
	}
	return s.store.UndoChanges(ctx, link.SubscriberID, at, cleanOrigin(origin), s.o.Now())
}

// DoneAt returns what the link's reader did at a moment, or last if it is zero; its Kind is empty if
// that was nothing.
func (s *Service) DoneAt(ctx context.Context, token string, at time.Time) (Done, error) {
	link, sub, err := s.openManage(ctx, token)
	if err != nil {
		return Done{}, err
	}
	list, err := s.store.ReaderChanges(ctx, link.SubscriberID, at)
	if err != nil || len(list) == 0 {
		return Done{}, err
	}
	all, err := s.newsletters(ctx)
	if err != nil {
		return Done{}, err
	}
	now := s.o.Now()
	d := Done{At: list[0].At, CanUndo: now.Sub(list[0].At) <= newsletter.UndoTime}
	for _, c := range list {
		d.CanUndo = d.CanUndo && c.Last
		if n, ok := byID(all, c.NewsletterID); ok {
			d.Of = append(d.Of, n)
		}
		u, _ := subscriptionTo(sub, c.NewsletterID)
		switch {
		case c.Kind == newsletter.EventLeft:
			d.Kind = "left"
		case u.State == newsletter.PausedSub && u.Cadence == c.WasChoice.Cadence && u.Sections == c.WasChoice.Sections:
			d.Kind, d.Until = "paused", u.PausedUntil
		case u.State == newsletter.Active && c.WasState == newsletter.PausedSub:
			d.Kind = "resumed"
		default:
			d.Kind = "changed"
		}
	}
	return d, nil
}

// why finds in a subscription's history how it came to be.
func why(events []newsletter.Event, newsletterID int64) Why {
	var w Why
	for _, e := range events {
		switch e.Kind {
		case newsletter.EventConfirmed, newsletter.EventAdded, newsletter.EventImported:
			if e.NewsletterID == newsletterID {
				w = Why{e.At, e.Kind, e.Page, e.Words, e.WordsVersion}
			}
		case newsletter.EventRequested, newsletter.EventLeft, newsletter.EventUndone, newsletter.EventRemoved, newsletter.EventChanged:
		}
	}
	return w
}
