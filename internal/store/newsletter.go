package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

const newsletterColumns = `id, slug, name, description, from_name, from_email, reply_to_name, reply_to_email,
	postal_address, language, zone, privacy_url, legal_footer, link_params, min_articles, max_articles,
	status, created_at, site_url, design, brand_colour, logo_url, typeface, repeats, related, origins, welcome`

func scanNewsletter(row rowScanner) (newsletter.Newsletter, error) {
	var n newsletter.Newsletter
	var created int64
	var origins string
	err := row.Scan(&n.ID, &n.Slug, &n.Name, &n.Description, &n.From.Name, &n.From.Email, &n.ReplyTo.Name, &n.ReplyTo.Email,
		&n.PostalAddress, &n.Language, &n.Zone, &n.PrivacyURL, &n.LegalFooter, &n.LinkParams, &n.MinArticles, &n.MaxArticles,
		&n.Status, &created, &n.SiteURL, &n.Design, &n.BrandColour, &n.LogoURL, &n.Typeface, &n.Repeats, &n.Related, &origins, &n.Welcome)
	n.Origins = strings.Fields(origins)
	n.CreatedAt = fromMillis(created)
	return n, err
}

// repeatsColumn returns the way to repeat as it is stored.
func repeatsColumn(r newsletter.Repeats) string {
	return string(cmp.Or(r, newsletter.RepeatNever))
}

// newsletters returns all newsletters with their schedules, in order of their slugs.
func newsletters(q querier) ([]newsletter.Newsletter, error) {
	rows, err := q.query(`SELECT ` + newsletterColumns + ` FROM newsletters ORDER BY slug`)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Newsletter, error) { return scanNewsletter(rows) })
	if err != nil {
		return nil, err
	}
	for i, n := range list {
		if list[i], err = withSchedules(q, n, nil); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Newsletter returns the newsletter of that slug with its schedules, or a NotFound error.
func (s *Store) Newsletter(ctx context.Context, slug string) (newsletter.Newsletter, error) {
	return newsletterBySlug(s.read(ctx), slug)
}

func newsletterBySlug(q querier, slug string) (newsletter.Newsletter, error) {
	n, err := scanNewsletter(q.row(`SELECT `+newsletterColumns+` FROM newsletters WHERE slug = $1`, slug))
	if errors.Is(err, sql.ErrNoRows) {
		return n, newsletter.NotFoundf("there is no newsletter %q; \"broadsheet newsletter list\" shows those there are", slug)
	}
	return withSchedules(q, n, err)
}

// NewsletterByID returns the newsletter of that id with its schedules, or a NotFound error.
func (s *Store) NewsletterByID(ctx context.Context, id int64) (newsletter.Newsletter, error) {
	q := s.read(ctx)
	n, err := scanNewsletter(q.row(`SELECT `+newsletterColumns+` FROM newsletters WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return n, newsletter.NotFoundf("there is no newsletter %d", id)
	}
	return withSchedules(q, n, err)
}

func withSchedules(q querier, n newsletter.Newsletter, err error) (newsletter.Newsletter, error) {
	if err == nil {
		n.Schedules, err = schedules(q, n.ID)
	}
	if err == nil {
		n.Approval, err = approvalRule(q, n.ID)
	}
	if err == nil {
		n.Immediate, err = immediateRule(q, n.ID)
	}
	if err == nil {
		n.Canary, err = canaryRule(q, n.ID)
	}
	if err == nil {
		n.Archive, err = archiveRule(q, n.ID)
	}
	if err != nil {
		return n, fmt.Errorf("newsletter %s: %w", n.Slug, err)
	}
	return n, nil
}

// CreateNewsletter adds a newsletter with its schedules and returns it with its id. If the
// slug is taken the error is a Conflict.
func (s *Store) CreateNewsletter(ctx context.Context, n newsletter.Newsletter, actor string, now time.Time) (newsletter.Newsletter, error) {
	err := s.write(ctx, func(t *tx) (err error) {
		n.ID, err = t.insert(`INSERT INTO newsletters (id, slug, name, description, from_name, from_email, reply_to_name,
				reply_to_email, postal_address, language, zone, privacy_url, legal_footer, link_params,
				min_articles, max_articles, status, created_at, updated_at, site_url, design, brand_colour, logo_url, typeface, repeats, related, origins, welcome)
			VALUES (`+nextNewsletter+`, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26) RETURNING id`,
			n.Slug, n.Name, n.Description, n.From.Name, n.From.Email, n.ReplyTo.Name,
			n.ReplyTo.Email, n.PostalAddress, n.Language, n.Zone, n.PrivacyURL, n.LegalFooter, n.LinkParams,
			n.MinArticles, n.MaxArticles, string(n.Status), millis(now), n.SiteURL, string(newsletter.OrDesign(n.Design)),
			n.BrandColour, n.LogoURL, string(newsletter.OrTypeface(n.Typeface)), repeatsColumn(n.Repeats), n.Related, strings.Join(n.Origins, " "), flag(n.Welcome))
		if err != nil {
			return err
		}
		if err := t.saveSchedules(n.ID, n.Schedules); err != nil {
			return err
		}
		if err := errors.Join(t.saveApprovalRule(n.ID, n.Approval), t.saveCanaryRule(n.ID, n.Canary), t.saveArchiveRule(n.ID, n.Archive)); err != nil {
			return err
		}
		if err := t.saveImmediateRule(n.ID, n.Immediate); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "newsletter created", n.ID, 0, n.Slug)
	})
	if isUnique(err) {
		return n, newsletter.Conflictf("there is a newsletter %q already; choose another slug, or change it with \"broadsheet newsletter edit %s\"", n.Slug, n.Slug)
	}
	if err != nil {
		return n, fmt.Errorf("create newsletter %s: %w", n.Slug, err)
	}
	return s.NewsletterByID(ctx, n.ID)
}

// ChangeNewsletter lets change alter the newsletter as it is now, and saves the result with
// what change says about it; nobody else can change it meanwhile. If change returns an
// error, or no detail, nothing is saved. A cadence that readers have cannot be dropped: that
// is a Conflict.
func (s *Store) ChangeNewsletter(ctx context.Context, slug, action, actor string, now time.Time, change func(*newsletter.Newsletter) (detail string, err error)) (newsletter.Newsletter, error) {
	var n newsletter.Newsletter
	err := s.write(ctx, func(t *tx) (err error) {
		if n, err = newsletterBySlug(t, slug); err != nil {
			return err
		}
		before := n.Cadences()
		detail, err := change(&n)
		if err != nil || detail == "" {
			return err
		}
		for _, c := range before {
			if err := t.checkDrop(n, c); err != nil {
				return err
			}
		}
		if err := t.updateNewsletter(n, now); err != nil {
			return err
		}
		return t.deskEvent(now, actor, action, n.ID, 0, detail)
	})
	if err != nil {
		return n, fmt.Errorf("change newsletter %s: %w", slug, err)
	}
	return n, nil
}

func (t *tx) updateNewsletter(n newsletter.Newsletter, now time.Time) error {
	_, err := t.exec(`UPDATE newsletters SET name = $1, description = $2, from_name = $3, from_email = $4,
			reply_to_name = $5, reply_to_email = $6, postal_address = $7, language = $8, zone = $9,
			privacy_url = $10, legal_footer = $11, link_params = $12, min_articles = $13, max_articles = $14,
			status = $15, updated_at = $16, site_url = $17, design = $18, brand_colour = $19, logo_url = $20, typeface = $21,
			repeats = $22, related = $23, origins = $24, welcome = $25 WHERE id = $26`,
		n.Name, n.Description, n.From.Name, n.From.Email,
		n.ReplyTo.Name, n.ReplyTo.Email, n.PostalAddress, n.Language, n.Zone,
		n.PrivacyURL, n.LegalFooter, n.LinkParams, n.MinArticles, n.MaxArticles,
		string(n.Status), millis(now), n.SiteURL, string(newsletter.OrDesign(n.Design)), n.BrandColour, n.LogoURL,
		string(newsletter.OrTypeface(n.Typeface)), repeatsColumn(n.Repeats), n.Related, strings.Join(n.Origins, " "), flag(n.Welcome), n.ID)
	if err != nil {
		return err
	}
	if err := errors.Join(t.saveApprovalRule(n.ID, n.Approval), t.saveCanaryRule(n.ID, n.Canary), t.saveArchiveRule(n.ID, n.Archive)); err != nil {
		return err
	}
	if err := t.saveImmediateRule(n.ID, n.Immediate); err != nil {
		return err
	}
	return t.saveSchedules(n.ID, n.Schedules)
}

// checkDrop returns a Conflict if the newsletter does not offer the cadence any more and
// somebody has it, or is about to confirm it.
func (t *tx) checkDrop(n newsletter.Newsletter, c newsletter.Cadence) error {
	if n.Offers(c) {
		return nil
	}
	var readers int
	err := t.row(`SELECT COUNT(*) FROM subscriptions WHERE newsletter_id = $1 AND cadence = $2 AND state <> 'left'`,
		n.ID, string(c)).Scan(&readers)
	if err != nil {
		return err
	}
	if readers > 0 {
		return newsletter.Conflictf("%d %s the %s edition, so it cannot be dropped; %s",
			readers, plural(readers, "reader gets", "readers get"), c, insteadOfDropping(c))
	}
	return nil
}

func insteadOfDropping(c newsletter.Cadence) string {
	if c == newsletter.Immediate {
		return "they have to choose another one first"
	}
	return fmt.Sprintf(`give it an empty rule with --%s "" and it is only sent by hand`, c)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// ReaderCounts returns how many subscriptions of the newsletter are in each state.
func (s *Store) ReaderCounts(ctx context.Context, newsletterID int64) (map[newsletter.SubscriptionState]int, error) {
	rows, err := s.read(ctx).query(`SELECT state, COUNT(*) FROM subscriptions WHERE newsletter_id = $1 GROUP BY state`, newsletterID)
	type count struct {
		state newsletter.SubscriptionState
		n     int
	}
	list, err := collect(rows, err, func(rows *sql.Rows) (c count, err error) {
		err = rows.Scan(&c.state, &c.n)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("readers of newsletter %d: %w", newsletterID, err)
	}
	counts := make(map[newsletter.SubscriptionState]int, len(list))
	for _, c := range list {
		counts[c.state] = c.n
	}
	return counts, nil
}

// RecordDeskEvent appends to the record of what staff and the schedule did, for what changes
// nothing else here. newsletterID may be 0.
func (s *Store) RecordDeskEvent(ctx context.Context, action string, newsletterID int64, detail, actor string, now time.Time) error {
	return s.write(ctx, func(t *tx) error { return t.deskEvent(now, actor, action, newsletterID, 0, detail) })
}
