package store

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Counts are kept in windows of five minutes, and a limit looks at all windows that touch
// the last hour, so no hour holds more than the limit, wherever it begins.
const (
	rateWindow = 5 * time.Minute
	rateSpan   = time.Hour
)

// allBucket counts the sign-ups of everybody.
const allBucket = "sign-ups"

// count adds one to a bucket and returns the count of the last hour, and when its oldest
// window began.
func (t *tx) count(bucket string, now time.Time) (n int, oldest time.Time, err error) {
	if err := t.countOne(bucket, now); err != nil {
		return 0, time.Time{}, err
	}
	var first int64
	err = t.row(`SELECT SUM(count), MIN(window_at) FROM rate_counters WHERE bucket = $1 AND window_at > $2`,
		bucket, millis(now.Add(-rateSpan-rateWindow))).Scan(&n, &first)
	return n, fromMillis(first), err
}

func (t *tx) countOne(bucket string, now time.Time) error {
	_, err := t.exec(`
		INSERT INTO rate_counters (bucket, window_at, count) VALUES ($1, $2, 1)
		ON CONFLICT (bucket, window_at) DO UPDATE SET count = rate_counters.count + 1`,
		bucket, millis(now.Truncate(rateWindow)))
	return err
}

// limitClient counts a sign-up of a client, or returns a RateLimited error (S28). An error
// takes its own count back with the transaction: waiting long enough always helps.
func (t *tx) limitClient(client string, now time.Time) error {
	n, oldest, err := t.count(client, now)
	if err != nil || n <= newsletter.SignUpsPerHour {
		return err
	}
	wait := oldest.Add(rateSpan + rateWindow).Sub(now)
	return &newsletter.Error{
		Kind:       newsletter.RateLimited,
		Reason:     "too_many_sign_ups",
		Message:    fmt.Sprintf("There were too many sign-ups from your network. Please try again in %d minutes.", int(wait/time.Minute)+1),
		RetryAfter: int(wait/time.Second) + 1,
	}
}

// SignUpRate returns how many sign-ups were made in the last hour, by everybody: a number
// to raise an alarm by (S28).
func (s *Store) SignUpRate(ctx context.Context, now time.Time) (int, error) {
	var n int
	err := s.read(ctx).row(`SELECT COALESCE(SUM(count), 0) FROM rate_counters WHERE bucket = $1 AND window_at > $2`,
		allBucket, millis(now.Add(-rateSpan))).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("sign-up rate: %w", err)
	}
	return n, nil
}

// DeleteCounters deletes the counts of windows that no limit looks at any more.
func (s *Store) DeleteCounters(ctx context.Context, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM rate_counters WHERE window_at < $1`, millis(now.Add(-2*rateSpan)))
		if err != nil {
			return fmt.Errorf("delete counters: %w", err)
		}
		return nil
	})
}
