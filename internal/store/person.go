package store

import (
	"context"
	"database/sql"
	"fmt"

	"broadsheet/internal/newsletter"
)

// SignUpsOf returns every request to subscribe that is kept of a person, the oldest first. The
// nonces are left out.
func (s *Store) SignUpsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonSignUp, error) {
	rows, err := s.read(ctx).query(`SELECT id, email, name, time_zone, page, placement, created_at, expires_at, confirmed_at
		FROM signups WHERE subscriber_id = $1 ORDER BY created_at, id`, subscriberID)
	list, err := collect(rows, err, func(rows *sql.Rows) (p newsletter.PersonSignUp, err error) {
		var created, expires int64
		var confirmed sql.NullInt64
		err = rows.Scan(&p.ID, &p.Email, &p.Name, &p.TimeZone, &p.Page, &p.Placement, &created, &expires, &confirmed)
		p.SubscriberID, p.CreatedAt, p.ExpiresAt, p.ConfirmedAt = subscriberID, fromMillis(created), fromMillis(expires), fromNull(confirmed)
		return p, err
	})
	for i := range list {
		if err == nil {
			list[i].Asked, err = askedIn(s.read(ctx), list[i].ID)
		}
		for _, c := range list[i].Asked {
			list[i].Newsletters = append(list[i].Newsletters, c.Newsletter)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sign-ups of subscriber %d: %w", subscriberID, err)
	}
	return list, nil
}

func askedIn(q querier, signupID int64) ([]newsletter.PersonChoice, error) {
	rows, err := q.query(`SELECT n.id, n.slug, c.cadence, c.slot, c.sections FROM signup_newsletters c JOIN newsletters n ON n.id = c.newsletter_id
		WHERE c.signup_id = $1 ORDER BY n.slug`, signupID)
	return collect(rows, err, func(rows *sql.Rows) (c newsletter.PersonChoice, err error) {
		return c, rows.Scan(&c.NewsletterID, &c.Newsletter, &c.Cadence, &c.Slot, &c.Sections)
	})
}

// PersonDetail returns what is kept of a subscriber beside what staff see.
func (s *Store) PersonDetail(ctx context.Context, subscriberID int64) (d newsletter.PersonDetail, err error) {
	var updated int64
	err = s.read(ctx).row(`SELECT language, updated_at FROM subscribers WHERE id = $1`, subscriberID).Scan(&d.Language, &updated)
	if err != nil {
		return d, fmt.Errorf("subscriber %d: %w", subscriberID, err)
	}
	d.UpdatedAt = fromMillis(updated)
	rows, err := s.read(ctx).query(`SELECT n.slug, u.slot, u.updated_at, u.owed_since, u.paused_at FROM subscriptions u JOIN newsletters n ON n.id = u.newsletter_id
		WHERE u.subscriber_id = $1 ORDER BY n.slug`, subscriberID)
	d.Subscriptions, err = collect(rows, err, func(rows *sql.Rows) (u newsletter.PersonSubscription, err error) {
		var owed, paused sql.NullInt64
		err = rows.Scan(&u.Newsletter, &u.Slot, &updated, &owed, &paused)
		u.UpdatedAt, u.OwedSince, u.PausedAt = fromMillis(updated), fromNull(owed), fromNull(paused)
		return u, err
	})
	if err != nil {
		return d, fmt.Errorf("subscriber %d: %w", subscriberID, err)
	}
	return d, nil
}

// Mentions returns the rows that name an address, given case-folded, and that are not the
// subscriber's own; 0 if the address is nobody's. It reads through all words that are kept.
func (s *Store) Mentions(ctx context.Context, emailKey string, subscriberID int64) ([]newsletter.PersonMention, error) {
	list, err := s.mentions(ctx, emailKey, subscriberID)
	if err != nil {
		return nil, fmt.Errorf("what names the address: %w", err)
	}
	return list, nil
}

func (s *Store) mentions(ctx context.Context, emailKey string, id int64) ([]newsletter.PersonMention, error) {
	q := s.read(ctx)
	found, err := findAddresses(q, func(key string) bool { return key == emailKey })
	if err != nil {
		return nil, err
	}
	list := []newsletter.PersonMention{}
	for _, p := range found {
		own := 0
		if query := addressPlaces[p.index].own; query != "" && id != 0 {
			if err := q.row(query, id, p.id).Scan(&own); err != nil {
				return nil, err
			}
		}
		if own == 0 {
			list = append(list, newsletter.PersonMention{Where: addressPlaces[p.index].name, ID: p.id, Text: p.text})
		}
	}
	if id == 0 {
		return list, nil
	}
	rows, err := q.query(`SELECT id, actor, action, detail FROM desk_events WHERE detail = $1 ORDER BY id`, fmt.Sprintf("subscriber %d", id))
	events, err := collect(rows, err, func(rows *sql.Rows) (m newsletter.PersonMention, err error) {
		var actor, action, detail string
		err = rows.Scan(&m.ID, &actor, &action, &detail)
		m.Where, m.Text = "desk event", action+": "+detail+", by "+actor
		return m, err
	})
	return append(list, events...), err
}

// MailsOf returns the transactional mails to a person that are kept, the oldest first.
func (s *Store) MailsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonMail, error) {
	rows, err := s.read(ctx).query(`SELECT id, kind, COALESCE(signup_id, 0), about_id, state, attempts, doubts, created_at, not_before, next_try, expires_at,
			updated_at, code, enhanced, reply
		FROM mails WHERE subscriber_id = $1 ORDER BY created_at, id`, subscriberID)
	list, err := collect(rows, err, func(rows *sql.Rows) (m newsletter.PersonMail, err error) {
		var created, notBefore, next, expires, updated int64
		err = rows.Scan(&m.ID, &m.Kind, &m.SignupID, &m.AboutID, &m.State, &m.Attempts, &m.Doubts, &created, &notBefore, &next, &expires,
			&updated, &m.Code, &m.Enhanced, &m.Reply)
		m.CreatedAt, m.NotBefore, m.UpdatedAt = fromMillis(created), fromMillis(notBefore), fromMillis(updated)
		m.NextTry, m.ExpiresAt = fromMillis(next), fromMillis(expires)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("mails to subscriber %d: %w", subscriberID, err)
	}
	return list, nil
}

// personPage is how many deliveries to a person are read at once.
const personPage = 200

// EachDeliveryTo calls f with every delivery to a person whose row is kept, the oldest edition
// first, until there are no more or f fails. It has one page of them in memory.
func (s *Store) EachDeliveryTo(ctx context.Context, subscriberID int64, f func(newsletter.PersonDelivery) error) error {
	for after := int64(0); ; {
		list, err := s.deliveriesTo(ctx, subscriberID, after)
		if err != nil {
			return fmt.Errorf("deliveries to subscriber %d: %w", subscriberID, err)
		}
		for _, d := range list {
			after = d.EditionID
			if err := f(d); err != nil {
				return err
			}
		}
		if len(list) < personPage {
			return nil
		}
	}
}

func (s *Store) deliveriesTo(ctx context.Context, subscriberID, after int64) ([]newsletter.PersonDelivery, error) {
	rows, err := s.read(ctx).query(`SELECT d.edition_id, COALESCE(d.variant_id, 0), n.slug, e.local_date, COALESCE(v.subject, e.subject), d.state,
			COALESCE(d.reason, ''), d.attempts, d.doubts, d.doubted_at, d.not_before, d.next_try, d.expires_at, d.updated_at,
			COALESCE(d.code, 0), COALESCE(d.enhanced, ''), COALESCE(p.text, ''), COALESCE(l.name, ''), COALESCE(d.returned, 0)
		FROM deliveries d
		JOIN editions e ON e.id = d.edition_id
		JOIN newsletters n ON n.id = e.newsletter_id
		LEFT JOIN variants v ON v.id = d.variant_id
		LEFT JOIN replies p ON p.id = d.reply_id
		LEFT JOIN relays l ON l.id = d.relay_id
		WHERE d.subscriber_id = $1 AND d.edition_id IN (SELECT id FROM editions WHERE id > $2)
		ORDER BY d.edition_id LIMIT $3`, subscriberID, after, personPage)
	var variants []int64
	list, err := collect(rows, err, func(rows *sql.Rows) (d newsletter.PersonDelivery, err error) {
		var variant, notBefore, next, expires, updated int64
		var doubted sql.NullInt64
		err = rows.Scan(&d.EditionID, &variant, &d.Newsletter, &d.Date, &d.Subject, &d.State, &d.Reason, &d.Attempts, &d.Doubts, &doubted,
			&notBefore, &next, &expires, &updated, &d.Code, &d.Enhanced, &d.Reply, &d.Relay, &d.Returned)
		d.NotBefore, d.UpdatedAt, d.DoubtedAt = fromMillis(notBefore), fromMillis(updated), fromNull(doubted)
		d.NextTry, d.ExpiresAt = fromMillis(next), fromMillis(expires)
		variants = append(variants, variant)
		return d, err
	})
	for i := range list {
		if err == nil && variants[i] != 0 {
			list[i].Articles, err = articlesIn(s.read(ctx), list[i].EditionID, variants[i])
		}
	}
	return list, err
}

// articlesIn returns what a variant holds, in the order of the edition.
func articlesIn(q querier, editionID, variantID int64) ([]newsletter.PersonArticle, error) {
	rows, err := q.query(`SELECT a.headline, a.url FROM variant_articles va
		JOIN articles a ON a.id = va.article_id
		LEFT JOIN blocks b ON b.edition_id = $1 AND b.article_id = va.article_id
		WHERE va.variant_id = $2 ORDER BY b.position, a.id`, editionID, variantID)
	return collect(rows, err, func(rows *sql.Rows) (a newsletter.PersonArticle, err error) {
		err = rows.Scan(&a.Headline, &a.URL)
		return a, err
	})
}
