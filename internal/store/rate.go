package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Counts are kept in windows of five minutes, and a limit looks at all windows that touch
// the last hour, so no hour holds more than the limit, wherever it begins.
const (
	rateWindow = 5 * time.Minute
	rateSpan   = time.Hour
	// So many counts are looked at in one transaction.
	pruneCounters = 10_000
)

// rates are the counts of some buckets in the last hour, as a transaction changes them.
type rates struct {
	now     time.Time
	buckets map[string]*rate
	order   []string // of those that were counted now
}

type rate struct {
	n      int
	oldest time.Time // when the first window that counts began
	added  int       // by this transaction
}

// readRates reads the counts of the buckets.
func (t *tx) readRates(buckets []string, now time.Time) (*rates, error) {
	r := &rates{now: now, buckets: make(map[string]*rate, len(buckets))}
	args := []any{millis(now.Add(-rateSpan - rateWindow))}
	err := inParts(buckets, func(part []string) error {
		args, list := appendList(args[:1], part, func(b string) any { return b })
		rows, err := t.query(`SELECT bucket, SUM(count), MIN(window_at) FROM rate_counters WHERE window_at > $1 AND bucket IN `+list+` GROUP BY bucket`, args...)
		_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var (
				bucket string
				c      rate
				oldest int64
			)
			err := rows.Scan(&bucket, &c.n, &oldest)
			c.oldest = fromMillis(oldest)
			r.buckets[bucket] = &c
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, b := range buckets {
		if r.buckets[b] == nil {
			r.buckets[b] = &rate{oldest: now.Truncate(rateWindow)}
		}
	}
	return r, nil
}

// count counts one more towards the limits and returns for how long its mail is put off. Past the
// bound of one of them the error is RateLimited, and nothing is counted: waiting long enough always
// helps.
func (r *rates) count(limits []newsletter.Limit) (delay time.Duration, err error) {
	for _, l := range limits {
		b := r.buckets[l.Bucket]
		d, ok := l.Delay(b.n + 1)
		if !ok {
			return 0, tooMany(b.oldest.Add(rateSpan + rateWindow).Sub(r.now))
		}
		delay = max(delay, d)
	}
	for _, l := range limits {
		b := r.buckets[l.Bucket]
		if b.n++; b.added == 0 {
			r.order = append(r.order, l.Bucket)
		}
		b.added++
	}
	return delay, nil
}

func tooMany(wait time.Duration) error {
	return &newsletter.Error{
		Kind:       newsletter.RateLimited,
		Reason:     "too_many_sign_ups",
		Message:    fmt.Sprintf("There were too many sign-ups from your network. Please try again in %d minutes.", int(wait/time.Minute)+1),
		RetryAfter: int(wait/time.Second) + 1,
	}
}

// saveRates adds what was counted.
func (t *tx) saveRates(r *rates) error {
	window, rows := millis(r.now.Truncate(rateWindow)), make([][]any, 0, len(r.order))
	for _, b := range r.order {
		rows = append(rows, []any{b, window, r.buckets[b].added})
	}
	return t.insertRows(`INSERT INTO rate_counters (bucket, window_at, count) VALUES `, rows,
		` ON CONFLICT (bucket, window_at) DO UPDATE SET count = rate_counters.count + excluded.count`)
}

// SignUpRate returns how many sign-ups were made in the last hour, by everybody: a number
// to raise an alarm by (S28).
func (s *Store) SignUpRate(ctx context.Context, now time.Time) (int, error) {
	return s.RateOf(ctx, newsletter.AllSignUps, now)
}

// RateOf returns what a bucket counts in the last hour.
func (s *Store) RateOf(ctx context.Context, bucket string, now time.Time) (int, error) {
	var n int
	err := s.read(ctx).row(`SELECT COALESCE(SUM(count), 0) FROM rate_counters WHERE bucket = $1 AND window_at > $2`,
		bucket, millis(now.Add(-rateSpan))).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("rate of %s: %w", bucket, err)
	}
	return n, nil
}

// DeleteCounters deletes the counts of windows that no limit looks at any more.
func (s *Store) DeleteCounters(ctx context.Context, now time.Time) error {
	for from, more := "", true; more; {
		err := s.write(ctx, func(t *tx) error {
			to := lastRune
			err := t.row(`SELECT bucket FROM rate_counters WHERE bucket > $1 ORDER BY bucket LIMIT 1 OFFSET $2`, from, pruneCounters).Scan(&to)
			if more = err == nil; err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			_, err = t.exec(`DELETE FROM rate_counters WHERE bucket > $1 AND bucket <= $2 AND window_at < $3`, from, to, millis(now.Add(-2*rateSpan)))
			from = to
			return err
		})
		if err != nil {
			return fmt.Errorf("delete counters: %w", err)
		}
	}
	return nil
}
