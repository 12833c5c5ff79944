package readers_test

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// bombers is how many sign-ups an attacker makes; BOMBERS sets it.
func bombers(t *testing.T) int {
	t.Helper()
	raw := os.Getenv("BOMBERS")
	if raw == "" {
		return 100_000
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 2000 {
		t.Fatalf("BOMBERS is %q, want a number of at least 2000", raw)
	}
	return n
}

// attack signs up n times from many sides at once and returns how many were taken.
func (w *world) attack(n int, email, ip func(i int) string) int {
	w.t.Helper()
	var next, taken atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				_, err := w.SignUp(w.t.Context(), readers.SignUp{Email: email(i), Newsletters: []string{"weekly"}, Origin: from(ip(i))})
				switch newsletter.KindOf(err) {
				case newsletter.RateLimited:
				case newsletter.Internal:
					if err != nil {
						w.t.Error(err)
						return
					}
					taken.Add(1)
				default:
					w.t.Error(err)
				}
			}
		})
	}
	all.Wait()
	return int(taken.Load())
}

// TestBombing_OneVictim: whoever asks, and from however many places, one address gets at most what it
// may in an hour and in a day (S28).
func TestBombing_OneVictim(t *testing.T) {
	t.Parallel()
	n := bombers(t) / 10
	w := newWorld(t)
	for hour := range 24 { // as many each hour as make so many in a day
		taken := w.attack(n/24+1, func(int) string { return "victim@example.org" }, func(i int) string {
			i += hour * n
			return fmt.Sprintf("10.%d.%d.%d", i>>16&0xff, i>>8&0xff, i&0xff)
		})
		if taken != n/24+1 {
			t.Fatalf("%d of %d taken: an attacker keeps the victim's own sign-up out", taken, n/24+1)
		}
		if due, err := w.store.DueMails(t.Context(), w.clock(), 100); err != nil || len(due) > 1 {
			t.Fatalf("%d mails at once, %v", len(due), err)
		}
		w.deliver()
		w.wait(time.Hour)
	}
	if mails := w.count(`SELECT COUNT(*) FROM mails`); mails < 1 || mails > newsletter.MailsPerDay {
		t.Errorf("%d mails in a day", mails)
	}
}

// TestBombing_OneNetwork: sign-ups for strangers from one network are slowed down and then refused,
// staff can see it and from where, and a reader elsewhere gets the mail at once (S28).
func TestBombing_OneNetwork(t *testing.T) {
	t.Parallel()
	n := bombers(t)
	w := newWorld(t)
	taken := w.attack(n, func(i int) string { return fmt.Sprintf("stranger%d@example.org", i) }, func(i int) string {
		return fmt.Sprintf("192.0.2.%d", i%256) // each far below what one client may
	})
	if want := min(n, newsletter.NetworkMostSignUps); taken != want {
		t.Errorf("%d taken, want %d", taken, want)
	}
	late := w.clock().Add(time.Duration(taken-newsletter.NetworkSignUps) * time.Second)
	if now := w.count(`SELECT COUNT(*) FROM mails WHERE not_before <= $1`, w.clock().UnixMilli()); now > newsletter.NetworkSignUps {
		t.Errorf("%d mails go out at once", now)
	}
	if last := w.count(`SELECT MAX(not_before) FROM mails`); last < int(late.UnixMilli()) {
		t.Errorf("the last mail goes out at %v, want it spread until %v", time.UnixMilli(int64(last)), late)
	}
	rates, err := w.store.SignUpRates(t.Context(), w.clock())
	if err != nil || rates.All != taken || len(rates.Networks) != 1 || rates.Networks[0] != (newsletter.BucketCount{Name: "192.0.2.0/24", Count: taken}) {
		t.Errorf("staff see %+v, %v", rates, err)
	}
	if n == 100_000 && rates.All <= newsletter.DefaultSignUpLimits().All {
		t.Error("that is no reason for an alarm")
	}
	if _, err := w.SignUp(t.Context(), readers.SignUp{Email: "reader@example.org", Newsletters: []string{"daily-news"}, Origin: from("198.51.100.7")}); err != nil {
		t.Fatal(err)
	}
	at := w.count(`SELECT m.not_before FROM mails m JOIN subscribers s ON s.id = m.subscriber_id WHERE s.email = 'reader@example.org'`)
	if want := int(w.clock().UnixMilli()); at != want {
		t.Errorf("the mail of a reader elsewhere goes out %v later", time.Duration(at-want)*time.Millisecond)
	}
}
