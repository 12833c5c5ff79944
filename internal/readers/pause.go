package readers

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// maxPause is the longest pause with an end: who wants more says when to go on.
const maxPause = 366 * 24 * time.Hour

// Pause stops the mails of one newsletter, or of all if the slug is empty, until midnight at the
// beginning of a date in the reader's time zone (else the newsletter's); without a date until
// Resume. After it comes one edition with the best of what was missed. It returns until when,
// and how many subscriptions are different now.
//
// The error is NotFound if there is nobody or no such subscription, Invalid for a date that is
// past or more than a year ahead.
func (s *Service) Pause(ctx context.Context, emailOrID, newsletterSlug, date string, origin newsletter.Origin) (sub newsletter.Subscriber, until time.Time, changed int, err error) {
	sub, id, zone, err := s.toPause(ctx, emailOrID, newsletterSlug)
	if err != nil {
		return sub, until, 0, err
	}
	note := "paused until they go on"
	if now := s.o.Now(); date != "" {
		day, err := newsletter.ParseDate(date)
		if err != nil {
			return sub, until, 0, newsletter.Invalidf("until", "%q is not a date; write it as 2026-12-24", date)
		}
		if until = newsletter.Resolve(day, 0, 0, zone); !until.After(now) || until.Sub(now) > maxPause {
			return sub, until, 0, newsletter.Invalidf("until", "%s is not a day after today and within a year", date)
		}
		note = "paused until " + day.String()
	}
	return s.setPause(ctx, sub, id, until, note, origin)
}

// Resume ends a pause at once, of one newsletter or of all if the slug is empty.
func (s *Service) Resume(ctx context.Context, emailOrID, newsletterSlug string, origin newsletter.Origin) (sub newsletter.Subscriber, changed int, err error) {
	sub, id, _, err := s.toPause(ctx, emailOrID, newsletterSlug)
	if err != nil {
		return sub, 0, err
	}
	sub, _, changed, err = s.setPause(ctx, sub, id, s.o.Now(), "went on after a pause", origin)
	return sub, changed, err
}

func (s *Service) setPause(ctx context.Context, sub newsletter.Subscriber, newsletterID int64, until time.Time, note string, origin newsletter.Origin) (newsletter.Subscriber, time.Time, int, error) {
	changed, err := s.store.PauseSubscriptions(ctx, sub.ID, newsletterID, until, note, cleanOrigin(origin), s.o.Now())
	if err != nil {
		return sub, until, 0, err
	}
	if sub, err = s.store.Subscriber(ctx, sub.ID); err != nil {
		err = fmt.Errorf("done, but: %w", err)
	}
	return sub, until, changed, err
}

// toPause finds whose subscriptions are meant, and the zone of their dates.
func (s *Service) toPause(ctx context.Context, emailOrID, newsletterSlug string) (sub newsletter.Subscriber, newsletterID int64, zone *time.Location, err error) {
	if sub, err = s.find(ctx, emailOrID); err != nil {
		return sub, 0, nil, err
	}
	name := sub.TimeZone
	for _, u := range sub.Subscriptions {
		if newsletterSlug != "" && u.NewsletterSlug != newsletterSlug || u.State != newsletter.Active && u.State != newsletter.PausedSub {
			continue
		}
		n, _, err := s.Newsletter(ctx, u.NewsletterSlug)
		if err != nil {
			return sub, 0, nil, err
		}
		if newsletterSlug != "" {
			newsletterID = n.ID
		}
		if zone == nil {
			if zone, err = time.LoadLocation(name); name == "" || err != nil {
				zone, err = n.Location()
			}
			if err != nil {
				return sub, 0, nil, err
			}
		}
	}
	switch {
	case zone != nil:
		return sub, newsletterID, zone, nil
	case newsletterSlug != "":
		return sub, 0, nil, newsletter.NotFoundf("%s does not get %s", sub.Email, newsletterSlug)
	}
	return sub, 0, nil, newsletter.NotFoundf("%s gets no newsletter", sub.Email)
}
