package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
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

// bucketsOf returns the buckets of the limits, each once.
func bucketsOf(limits []newsletter.Limit) []string {
	var buckets []string
	seen := map[string]bool{}
	note := func(b string) {
		if !seen[b] {
			seen[b] = true
			buckets = append(buckets, b)
		}
	}
	for _, l := range limits {
		note(l.Bucket)
		if l.General {
			note(l.FullBucket())
		}
	}
	return buckets
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
		if l.General {
			continue
		}
		d, ok := l.Delay(b.n + 1)
		if !ok {
			return 0, tooMany(b.oldest.Add(rateSpan + rateWindow).Sub(r.now))
		}
		delay = max(delay, d)
	}
	own := delay
	for _, l := range limits {
		r.add(l.Bucket)
		if l.General && own == 0 {
			d, _ := l.Delay(r.add(l.FullBucket()))
			delay = max(delay, d)
		}
	}
	return delay, nil
}

// add counts one more in a bucket and returns its count.
func (r *rates) add(bucket string) int {
	b := r.buckets[bucket]
	if b.added == 0 {
		r.order = append(r.order, bucket)
	}
	b.n++
	b.added++
	return b.n
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

const (
	busiest = 3 // how many networks SignUpRates names
	// mostTraced is from how many sign-ups on it names none: a network is refused long before, so they
	// come from everywhere, and to go through all of them would take seconds.
	mostTraced = 200_000
)

// SignUpRates returns how many sign-ups there were in the last hour, by everybody, for each
// newsletter, and from the busiest networks: numbers to raise an alarm by (S28).
func (s *Store) SignUpRates(ctx context.Context, now time.Time) (newsletter.SignUpRates, error) {
	var r newsletter.SignUpRates
	q, since := s.read(ctx), millis(now.Add(-rateSpan))
	err := q.row(`SELECT COALESCE(SUM(count), 0) FROM rate_counters WHERE bucket = $1 AND window_at > $2`,
		newsletter.AllSignUps, since).Scan(&r.All)
	if err == nil {
		r.Newsletters, err = countsOf(q, newsletter.NewsletterSignUps, since, 0, math.MaxInt32)
	}
	if err == nil && r.All > newsletter.NetworkSignUps && r.All <= mostTraced {
		r.Networks, err = countsOf(q, newsletter.NetworkBuckets, since, newsletter.NetworkSignUps, busiest)
	}
	var until sql.NullInt64
	if err == nil {
		err = q.row(`SELECT COUNT(*), MAX(next_try) FROM mails WHERE state IN (1, 5) AND next_try > $1`, millis(now)).Scan(&r.PutOff, &until)
	}
	if err != nil {
		return r, fmt.Errorf("sign-up rates: %w", err)
	}
	r.Until = fromNull(until)
	return r, nil
}

// countsOf returns the buckets with a prefix that count more than so many, the greatest first.
func countsOf(q querier, prefix string, since int64, over, limit int) ([]newsletter.BucketCount, error) {
	rows, err := q.query(`
		SELECT bucket, SUM(count) AS n FROM rate_counters WHERE bucket > $1 AND bucket < $2 AND window_at > $3
		AND bucket NOT LIKE '%/full' GROUP BY bucket HAVING SUM(count) > $4 ORDER BY n DESC, bucket LIMIT $5`, prefix, prefix+lastRune, since, over, limit)
	return collect(rows, err, func(rows *sql.Rows) (b newsletter.BucketCount, err error) {
		err = rows.Scan(&b.Name, &b.Count)
		b.Name = strings.TrimPrefix(b.Name, prefix)
		return b, err
	})
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
