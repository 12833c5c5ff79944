package store

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// WithdrawArticle takes an article back: no edition takes it any more. If it is withdrawn
// already the error is a Conflict. What is on its way with it is withheld by
// WithholdWithdrawn.
func (s *Store) WithdrawArticle(ctx context.Context, id int64, actor string, now time.Time) (newsletter.Article, error) {
	var a newsletter.Article
	err := s.write(ctx, func(t *tx) (err error) {
		if a, err = article(t, id); err != nil {
			return err
		}
		if !a.WithdrawnAt.IsZero() {
			return newsletter.Conflictf("article %d was withdrawn on %s already", id, a.WithdrawnAt.Format(time.DateOnly))
		}
		a.WithdrawnAt = now
		if _, err := t.exec(`UPDATE articles SET withdrawn_at = $1 WHERE id = $2`, millis(now), id); err != nil {
			return err
		}
		t.noteWithdrawn(a, now)
		return t.deskEvent(now, actor, "article withdrawn", 0, 0, fmt.Sprintf("article %d", id))
	})
	if err != nil {
		return a, fmt.Errorf("withdraw article %d: %w", id, err)
	}
	return a, nil
}

// EditionsWith returns the editions that have the article and are not closed.
func (s *Store) EditionsWith(ctx context.Context, articleID int64) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+`
		FROM blocks b JOIN editions e ON e.id = b.edition_id JOIN newsletters n ON n.id = e.newsletter_id
		WHERE b.article_id = $1 AND e.state IN ('frozen', 'sending', 'paused') ORDER BY e.id`, articleID)
	return collect(rows, err, scanEditionRow)
}

// ReadersWith returns how many messages with the article were accepted, or may have arrived.
func (s *Store) ReadersWith(ctx context.Context, articleID int64) (n int, err error) {
	err = s.read(ctx).row(`SELECT COUNT(*) FROM blocks b JOIN deliveries d ON d.edition_id = b.edition_id
		WHERE b.article_id = $1 AND d.state IN (2, 3, 6)
		AND EXISTS (SELECT 1 FROM variant_articles va WHERE va.variant_id = d.variant_id AND va.article_id = b.article_id)`, articleID).Scan(&n)
	return n, err
}

// WithholdWithdrawn withholds what of an edition is still to be tried and has an article that
// was withdrawn, and returns how many deliveries that were. What may have arrived, and was to
// be sent once more, is in doubt again and not counted.
func (s *Store) WithholdWithdrawn(ctx context.Context, editionID int64, now time.Time) (int, error) {
	var withdrawn int
	err := s.read(ctx).row(`SELECT COUNT(*) FROM blocks b JOIN articles a ON a.id = b.article_id
		WHERE b.edition_id = $1 AND a.withdrawn_at IS NOT NULL`, editionID).Scan(&withdrawn)
	total := 0
	if err == nil && withdrawn > 0 {
		pick := rowPick{editionID: editionID, states: [2]newsletter.State{newsletter.Waiting, newsletter.Deferred}}
		err = s.each(ctx, pick, func(t *tx, first, last int64) error {
			n, err := t.withholdWithdrawn(editionID, first, last, now)
			total += n
			return err
		})
	}
	if err != nil {
		return total, fmt.Errorf("withhold withdrawn articles of edition %d: %w", editionID, err)
	}
	return total, nil
}

func (t *tx) withholdWithdrawn(editionID, first, last int64, now time.Time) (int, error) {
	_, err := t.exec(`UPDATE deliveries SET state = 6, updated_at = $1
		WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state IN (1, 5) AND doubts > 0
		AND EXISTS (SELECT 1 FROM variant_articles va JOIN articles a ON a.id = va.article_id
			WHERE va.variant_id = deliveries.variant_id AND a.withdrawn_at IS NOT NULL)`,
		millis(now), editionID, first, last)
	if err != nil {
		return 0, err
	}
	return t.changed(`UPDATE deliveries SET state = 8, reason = $1, updated_at = $2
		WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state IN (1, 5)
		AND EXISTS (SELECT 1 FROM variant_articles va JOIN articles a ON a.id = va.article_id
			WHERE va.variant_id = deliveries.variant_id AND a.withdrawn_at IS NOT NULL)`,
		newsletter.ReasonWithdrawn, millis(now), editionID, first, last)
}
