package store

import (
	"fmt"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// BenchmarkSignUpTogether records sign-ups of new addresses from as many networks, so many in a
// transaction.
func BenchmarkSignUpTogether(b *testing.B) {
	for _, size := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, n, key := outbox(b)
			all := newsletter.DefaultSignUpLimits().Of([]newsletter.Newsletter{n})
			made, start := 0, time.Now()
			for b.Loop() {
				calls := make([]*signUpCall, size)
				for i := range calls {
					made++
					r := request(n, key, fmt.Sprintf("reader%d@example.org", made))
					r.Limits = append([]newsletter.Limit{newsletter.ClientLimit(fmt.Sprint(made)), newsletter.NetworkLimit(fmt.Sprint(made))}, all...)
					calls[i] = &signUpCall{ctx: b.Context(), request: r, now: mailNow}
				}
				if err := s.write(b.Context(), func(t *tx) error { return t.signUpAll(calls) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(made)/time.Since(start).Seconds(), "sign-ups/s")
		})
	}
}
