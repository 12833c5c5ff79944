package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

const tokenColumns = `id, name, prefix, scopes, created_at, last_used_at, revoked_at`

func scanToken(row rowScanner) (newsletter.Token, error) {
	var (
		t                 newsletter.Token
		scopes            string
		created           int64
		lastUsed, revoked sql.NullInt64
	)
	if err := row.Scan(&t.ID, &t.Name, &t.Prefix, &scopes, &created, &lastUsed, &revoked); err != nil {
		return newsletter.Token{}, err
	}
	t.CreatedAt, t.LastUsedAt, t.RevokedAt = fromMillis(created), fromNull(lastUsed), fromNull(revoked)
	var err error
	t.Scopes, err = newsletter.ParseScopes(scopes)
	return t, err
}

// CreateToken stores an API token with the SHA-256 of its secret.
func (s *Store) CreateToken(ctx context.Context, token newsletter.Token, hash []byte, now time.Time) (newsletter.Token, error) {
	token.CreatedAt = fromMillis(millis(now))
	err := s.write(ctx, func(t *tx) error {
		var err error
		token.ID, err = t.insert(`INSERT INTO tokens (name, prefix, hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			token.Name, token.Prefix, hash, newsletter.JoinScopes(token.Scopes), millis(now))
		return err
	})
	if err != nil {
		return newsletter.Token{}, fmt.Errorf("create token %q: %w", token.Name, err)
	}
	return token, nil
}

// Tokens returns all API tokens by id, revoked ones too.
func (s *Store) Tokens(ctx context.Context) ([]newsletter.Token, error) {
	rows, err := s.read(ctx).query(`SELECT ` + tokenColumns + ` FROM tokens ORDER BY id`)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Token, error) { return scanToken(rows) })
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return list, nil
}

// TokenByHash returns the token whose secret has this SHA-256, revoked or not, or a NotFound
// error.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (newsletter.Token, error) {
	t, err := scanToken(s.read(ctx).row(`SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return newsletter.Token{}, newsletter.NotFoundf("there is no such token")
	}
	if err != nil {
		return newsletter.Token{}, fmt.Errorf("token: %w", err)
	}
	return t, nil
}

// RevokeToken ends a token; revoking it again changes nothing. The error is NotFound if
// there is none with this id.
func (s *Store) RevokeToken(ctx context.Context, id int64, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.changed(`UPDATE tokens SET revoked_at = COALESCE(revoked_at, $1) WHERE id = $2`, millis(now), id)
		if err != nil {
			return fmt.Errorf("revoke token %d: %w", id, err)
		}
		if n == 0 {
			return newsletter.NotFoundf("there is no token %d; \"broadsheet token list\" shows them", id)
		}
		t.noteRevoked(id, now)
		return nil
	})
}

// TouchToken records that a token was used.
func (s *Store) TouchToken(ctx context.Context, id int64, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)`, millis(now), id)
		if err != nil {
			return fmt.Errorf("token %d: %w", id, err)
		}
		return nil
	})
}
