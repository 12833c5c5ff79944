package store

import (
	"context"
	"fmt"
	"time"
)

// ArticlesGiven returns the articles, first seen or owed since then, that any edition was frozen
// with in full, in order of their ids.
func (s *Store) ArticlesGiven(ctx context.Context, since time.Time) ([]int64, error) {
	rows, err := s.read(ctx).query(`SELECT a.id FROM articles a WHERE (a.first_seen >= $1 OR a.owed_from >= $1)
		AND EXISTS (SELECT 1 FROM blocks b WHERE b.article_id = a.id) ORDER BY a.id`, millis(since))
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("articles that editions gave: %w", err)
	}
	return ids, nil
}
