package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

const bookingColumns = `b.id, b.newsletter_id, n.slug, b.cadence, b.local_date, b.position, b.sponsor, b.copy, b.url, b.image_url, b.image_alt,
	b.cancelled_at, b.changed_by, b.changed_at`

func scanBooking(row rowScanner) (b newsletter.Booking, err error) {
	var date string
	var cancelled sql.NullInt64
	var changed int64
	if err := row.Scan(&b.ID, &b.NewsletterID, &b.Newsletter, &b.Cadence, &date, &b.Position, &b.Sponsor, &b.Text, &b.URL, &b.ImageURL, &b.ImageAlt,
		&cancelled, &b.ChangedBy, &changed); err != nil {
		return b, err
	}
	b.CancelledAt, b.ChangedAt = fromNull(cancelled), fromMillis(changed)
	b.Date, err = newsletter.ParseDate(date)
	return b, err
}

// Bookings returns the bookings of the newsletter (0: of all) from one date to another, both
// included, by date and position; those that were cancelled are not among them.
func (s *Store) Bookings(ctx context.Context, newsletterID int64, from, to newsletter.Date) ([]newsletter.Booking, error) {
	return bookings(s.read(ctx), newsletterID, from, to)
}

func bookings(q querier, newsletterID int64, from, to newsletter.Date) ([]newsletter.Booking, error) {
	rows, err := q.query(`SELECT `+bookingColumns+` FROM sponsor_bookings b JOIN newsletters n ON n.id = b.newsletter_id
		WHERE (CAST($1 AS INTEGER) = 0 OR b.newsletter_id = $1) AND b.local_date BETWEEN $2 AND $3 AND b.cancelled_at IS NULL
		ORDER BY b.local_date, b.newsletter_id, b.position, b.id`, newsletterID, from.String(), to.String())
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Booking, error) { return scanBooking(rows) })
	if err == nil && len(list) > 0 {
		err = addRuns(q, list, newsletterID, from, to)
	}
	if err != nil {
		return nil, fmt.Errorf("bookings of sponsors: %w", err)
	}
	return list, nil
}

// addRuns adds to the bookings the editions that have them.
func addRuns(q querier, list []newsletter.Booking, newsletterID int64, from, to newsletter.Date) error {
	rows, err := q.query(`SELECT r.booking_id, r.edition_id FROM sponsor_bookings b
		JOIN sponsor_runs r ON r.booking_id = b.id JOIN editions e ON e.id = r.edition_id
		WHERE (CAST($1 AS INTEGER) = 0 OR b.newsletter_id = $1) AND b.local_date BETWEEN $2 AND $3
			AND e.state NOT IN ('cancelled', 'expired') ORDER BY r.booking_id, r.edition_id`, newsletterID, from.String(), to.String())
	runs, err := collect(rows, err, func(rows *sql.Rows) (r [2]int64, err error) {
		err = rows.Scan(&r[0], &r[1])
		return r, err
	})
	for i := range list {
		for _, r := range runs {
			if r[0] == list[i].ID {
				list[i].Editions = append(list[i].Editions, r[1])
			}
		}
	}
	return err
}

// BookSponsor records a booking and returns its id. If another one has its place it is a Conflict
// with the reason clash, unless force is given.
func (s *Store) BookSponsor(ctx context.Context, b newsletter.Booking, force bool, actor string, now time.Time) (int64, error) {
	err := s.write(ctx, func(t *tx) error {
		there, err := bookings(t, b.NewsletterID, b.Date, b.Date)
		if err != nil {
			return err
		}
		for _, o := range there {
			if b.Clashes(o) && !force {
				return &newsletter.Error{Kind: newsletter.Conflict, Reason: "clash",
					Message: fmt.Sprintf("%s has position %d of %s already (booking %d); take another position, or --force puts both there", o.Sponsor, o.Position, o.Date, o.ID)}
			}
		}
		b.ID, err = t.insert(`INSERT INTO sponsor_bookings (newsletter_id, cadence, local_date, position, sponsor, copy, url, image_url, image_alt, changed_by, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
			b.NewsletterID, string(b.Cadence), b.Date.String(), b.Position, b.Sponsor, b.Text, b.URL, b.ImageURL, b.ImageAlt, actor, millis(now))
		if err != nil {
			return fmt.Errorf("book a sponsor: %w", err)
		}
		return t.deskEvent(now, actor, "sponsor booked", b.NewsletterID, 0, bookingDetail(b))
	})
	return b.ID, err
}

func bookingDetail(b newsletter.Booking) string {
	return fmt.Sprintf("booking %d: %s on %s at position %d", b.ID, b.Sponsor, b.Date, b.Position)
}

// ChangeBooking changes a booking that stands; action is what was done, for the record. It is
// NotFound if there is none.
func (s *Store) ChangeBooking(ctx context.Context, id int64, action, actor string, now time.Time, change func(*newsletter.Booking)) (newsletter.Booking, error) {
	var b newsletter.Booking
	err := s.write(ctx, func(t *tx) (err error) {
		b, err = scanBooking(t.row(`SELECT `+bookingColumns+` FROM sponsor_bookings b JOIN newsletters n ON n.id = b.newsletter_id
			WHERE b.id = $1 AND b.cancelled_at IS NULL`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return newsletter.NotFoundf("there is no booking %d, or it was cancelled; \"broadsheet sponsor list\" shows those there are", id)
		}
		if err != nil {
			return fmt.Errorf("booking %d: %w", id, err)
		}
		change(&b)
		if _, err := t.exec(`UPDATE sponsor_bookings SET copy = $1, url = $2, image_url = $3, image_alt = $4, cancelled_at = $5, changed_by = $6, changed_at = $7 WHERE id = $8`,
			b.Text, b.URL, b.ImageURL, b.ImageAlt, nullMillis(b.CancelledAt), actor, millis(now), id); err != nil {
			return fmt.Errorf("booking %d: %w", id, err)
		}
		return t.deskEvent(now, actor, action, b.NewsletterID, 0, bookingDetail(b))
	})
	return b, err
}

// EditionLog returns what was done to an edition, the newest last.
func (s *Store) EditionLog(ctx context.Context, id int64) ([]newsletter.LogEntry, error) {
	rows, err := s.read(ctx).query(`SELECT at, actor, action, detail FROM desk_events WHERE edition_id = $1 ORDER BY id`, id)
	list, err := collect(rows, err, func(rows *sql.Rows) (e newsletter.LogEntry, err error) {
		var at int64
		err = rows.Scan(&at, &e.Actor, &e.Action, &e.Detail)
		e.At = fromMillis(at)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("log of edition %d: %w", id, err)
	}
	return list, nil
}
