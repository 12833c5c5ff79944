package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"broadsheet/internal/newsletter"
)

// The purposes of keys, as stored.
const (
	keyLinks       = "links"
	keySuppression = "suppression"
	keySize        = 32
)

// Keys returns the key ring for links, oldest key first, and the permanent key for
// suppressions. On first use it makes them from random; two processes that start together
// get the same.
func (s *Store) Keys(ctx context.Context, now time.Time, random io.Reader) (newsletter.KeyRing, newsletter.SuppressionKey, error) {
	ring, suppressions, err := keys(s.read(ctx))
	if err == nil && (len(ring) == 0 || suppressions == nil) {
		err = s.write(ctx, func(t *tx) error {
			ring, suppressions, err = t.makeKeys(now, random)
			return err
		})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %w", err)
	}
	return ring, suppressions, nil
}

// makeKeys adds what is missing. It looks again, as another process may have been first.
func (t *tx) makeKeys(now time.Time, random io.Reader) (newsletter.KeyRing, newsletter.SuppressionKey, error) {
	ring, suppressions, err := keys(t)
	if err != nil {
		return nil, nil, err
	}
	if len(ring) == 0 {
		if err := t.makeKey(keyLinks, now, random); err != nil {
			return nil, nil, err
		}
	}
	if suppressions == nil {
		if err := t.makeKey(keySuppression, now, random); err != nil {
			return nil, nil, err
		}
	}
	return keys(t)
}

func (t *tx) makeKey(purpose string, now time.Time, random io.Reader) error {
	secret := make([]byte, keySize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO keys (purpose, secret, created_at) VALUES ($1, $2, $3)`, purpose, secret, millis(now))
	return err
}

func keys(q querier) (newsletter.KeyRing, newsletter.SuppressionKey, error) {
	type row struct {
		id      int64
		purpose string
		secret  []byte
	}
	rows, err := q.query(`SELECT id, purpose, secret FROM keys ORDER BY id`)
	list, err := collect(rows, err, func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.id, &r.purpose, &r.secret)
	})
	if err != nil {
		return nil, nil, err
	}
	var (
		ring         newsletter.KeyRing
		suppressions newsletter.SuppressionKey
	)
	for _, k := range list {
		switch {
		case k.purpose == keyLinks && k.id <= math.MaxUint8:
			ring = append(ring, newsletter.Key{ID: uint8(k.id), Secret: k.secret})
		case k.purpose == keySuppression && suppressions == nil:
			suppressions = k.secret
		}
	}
	return ring, suppressions, nil
}

// suppressionHash returns the keyed hash of a case-folded address.
func suppressionHash(q querier, emailKey string) ([]byte, error) {
	key, err := suppressionKey(q)
	if err != nil {
		return nil, err
	}
	return key.Hash(emailKey), nil
}

// suppressionKey returns the key that Keys returns too.
func suppressionKey(q querier) (newsletter.SuppressionKey, error) {
	var secret newsletter.SuppressionKey
	err := q.row(`SELECT secret FROM keys WHERE purpose = $1 ORDER BY id LIMIT 1`, keySuppression).Scan((*[]byte)(&secret))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errors.New("the database has no key for suppressions yet")
	}
	if err != nil {
		return nil, err
	}
	return secret, nil
}
