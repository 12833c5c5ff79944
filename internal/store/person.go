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
			list[i].Newsletters, err = slugsOf(s.read(ctx), list[i].ID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sign-ups of subscriber %d: %w", subscriberID, err)
	}
	return list, nil
}

// MailsOf returns the transactional mails to a person that are kept, the oldest first.
func (s *Store) MailsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonMail, error) {
	rows, err := s.read(ctx).query(`SELECT id, kind, COALESCE(signup_id, 0), state, attempts, created_at, not_before, updated_at, code, reply
		FROM mails WHERE subscriber_id = $1 ORDER BY created_at, id`, subscriberID)
	list, err := collect(rows, err, func(rows *sql.Rows) (m newsletter.PersonMail, err error) {
		var created, notBefore, updated int64
		err = rows.Scan(&m.ID, &m.Kind, &m.SignupID, &m.State, &m.Attempts, &created, &notBefore, &updated, &m.Code, &m.Reply)
		m.CreatedAt, m.NotBefore, m.UpdatedAt = fromMillis(created), fromMillis(notBefore), fromMillis(updated)
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
			COALESCE(d.reason, ''), d.attempts, d.not_before, d.updated_at, COALESCE(d.code, 0), COALESCE(d.enhanced, ''),
			COALESCE(p.text, ''), COALESCE(d.returned, 0)
		FROM deliveries d
		JOIN editions e ON e.id = d.edition_id
		JOIN newsletters n ON n.id = e.newsletter_id
		LEFT JOIN variants v ON v.id = d.variant_id
		LEFT JOIN replies p ON p.id = d.reply_id
		WHERE d.subscriber_id = $1 AND d.edition_id IN (SELECT id FROM editions WHERE id > $2)
		ORDER BY d.edition_id LIMIT $3`, subscriberID, after, personPage)
	var variants []int64
	list, err := collect(rows, err, func(rows *sql.Rows) (d newsletter.PersonDelivery, err error) {
		var variant, notBefore, updated int64
		err = rows.Scan(&d.EditionID, &variant, &d.Newsletter, &d.Date, &d.Subject, &d.State, &d.Reason, &d.Attempts,
			&notBefore, &updated, &d.Code, &d.Enhanced, &d.Reply, &d.Returned)
		d.NotBefore, d.UpdatedAt = fromMillis(notBefore), fromMillis(updated)
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
