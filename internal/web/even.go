package web

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Answers that must not tell by their time what is known of an address are given at whole steps
// after the request came (S27): a stranger is a few pages more to write than a reader, and without
// this one can measure it. While very many are asked, nobody waits: then a request is recorded
// together with those of others, which hides it as well, and whoever makes so many of them by
// themselves is soon past their limits (S28).
const (
	evenStep   = 5 * time.Millisecond
	evenUpTo   = 200 // requests in a second
	evenPeriod = time.Second
)

// even returns the middleware; every route has a counter of its own. It waits just before the first
// octet is written, when all that can take longer has been done.
func (a *app) even() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		var lately rate
		return func(c echo.Context) error {
			start := time.Now() // for the duration alone
			if lately.add(start) <= evenUpTo {
				c.Response().Before(func() {
					a.sleep(c.Request().Context(), a.step-time.Since(start)%a.step)
				})
			}
			return next(c)
		}
	}
}

// sleep waits until the time is over, or nobody waits for the answer any more.
func sleep(ctx context.Context, d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

// rate counts what comes in a period.
type rate struct {
	period atomic.Int64
	count  atomic.Int64 // in it
	before atomic.Int64 // in the one before it
}

// add counts one more, and returns how many came in this period and the one before. Two that begin a
// period at the same instant may count one too few.
func (r *rate) add(now time.Time) int64 {
	period := now.UnixNano() / int64(evenPeriod)
	if was := r.period.Load(); was != period && r.period.CompareAndSwap(was, period) {
		count := r.count.Swap(0)
		if was != period-1 {
			count = 0
		}
		r.before.Store(count)
	}
	return r.count.Add(1) + r.before.Load()
}
