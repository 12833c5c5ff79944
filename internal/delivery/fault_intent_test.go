package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// meddling is a ledger before whose steps something happens, once, while the content of one
// subscriber's message is on its way.
type meddling struct {
	delivery.Ledger
	subscriber int64
	happened   atomic.Bool
	happens    func() error
}

func (m *meddling) Steps(ctx context.Context, steps []newsletter.Step, key newsletter.SuppressionKey, now time.Time) ([]newsletter.StepResult, error) {
	is := func(s newsletter.Step) bool { return s.Next != nil && s.Next.SubscriberID == m.subscriber }
	if slices.ContainsFunc(steps, is) && m.happened.CompareAndSwap(false, true) {
		if err := m.happens(); err != nil {
			return nil, err
		}
	}
	return m.Ledger.Steps(ctx, steps, key, now)
}

// Whatever forbids a message while its content is already on its way to the relay: no final
// dot is sent, the connection is closed, and nobody gets it.
func TestFaults_WithoutAnIntentThereIsNoFinalDot(t *testing.T) {
	t.Parallel()
	const third = 3
	for _, test := range []struct {
		name    string
		happens func(context.Context, *newsroomtest.Newsroom, newsletter.Edition) error
		ends    string // how the send ends; empty: well
		after   string // the ledger then
		again   func(context.Context, *newsroomtest.Newsroom, newsletter.Edition) error
		finally string // the ledger at last
		gets    int    // messages to the reader in the end
	}{
		{
			name: "the reader leaves", after: "planned 6 accepted 5 refused 0 expired 0 in_doubt 0 withheld 1 waiting 0",
			happens: func(ctx context.Context, r *newsroomtest.Newsroom, e newsletter.Edition) error {
				link := newsletter.Link{SubscriberID: third, NewsletterID: e.NewsletterID, EditionID: e.ID}
				return r.Store.Leave(ctx, link, newsletter.Origin{Channel: "one_click"}, r.Clock.Now())
			},
		},
		{
			name: "the address is suppressed", after: "planned 6 accepted 5 refused 0 expired 0 in_doubt 0 withheld 1 waiting 0",
			happens: func(_ context.Context, r *newsroomtest.Newsroom, _ newsletter.Edition) error {
				r.Exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, 'complaint', 0)`, r.Barred.Hash("r3@example.org"))
				return nil
			},
		},
		{
			name: "staff pause the edition", after: "planned 6 accepted 2 refused 0 expired 0 in_doubt 0 withheld 0 waiting 4", ends: "is paused: wrong picture",
			happens: func(ctx context.Context, r *newsroomtest.Newsroom, e newsletter.Edition) error {
				return r.Desk.Pause(ctx, e.ID, "wrong picture")
			},
			again: func(ctx context.Context, r *newsroomtest.Newsroom, e newsletter.Edition) error {
				return r.Desk.Resume(ctx, e.ID)
			},
			finally: "planned 6 accepted 6 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0",
		},
		{
			name: "staff cancel the edition", after: "planned 6 accepted 2 refused 0 expired 0 in_doubt 0 withheld 4 waiting 0",
			happens: func(ctx context.Context, r *newsroomtest.Newsroom, e newsletter.Edition) error {
				_, err := r.Desk.Cancel(ctx, e.ID, "wrong day")
				return err
			},
		},
		{
			name: "all articles are withdrawn", after: "planned 6 accepted 2 refused 0 expired 0 in_doubt 0 withheld 4 waiting 0",
			happens: func(ctx context.Context, r *newsroomtest.Newsroom, _ newsletter.Edition) error {
				for article := int64(1); article <= 2; article++ {
					if _, err := r.Desk.Withdraw(ctx, article, 0); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "an article is withdrawn", after: "planned 6 accepted 6 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0", gets: 1,
			happens: func(ctx context.Context, r *newsroomtest.Newsroom, _ newsletter.Edition) error {
				_, err := r.Desk.Withdraw(ctx, 1, 0)
				return err
			},
		},
		{
			name: "and that is cut off", after: "planned 6 accepted 6 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0", gets: 1,
			happens: func(ctx context.Context, r *newsroomtest.Newsroom, _ newsletter.Edition) error {
				_, err := r.Store.WithdrawArticle(ctx, 1, 0, "test", r.Clock.Now())
				return err
			},
		},
		{
			name: "the database fails", after: "planned 6 accepted 2 refused 0 expired 0 in_doubt 0 withheld 0 waiting 4", ends: "database is locked",
			happens: func(context.Context, *newsroomtest.Newsroom, newsletter.Edition) error { return errLocked },
			again:   func(context.Context, *newsroomtest.Newsroom, newsletter.Edition) error { return nil },
			finally: "planned 6 accepted 6 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0",
		},
	} {
		for _, pipelined := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, pipelined %v", test.name, pipelined), func(t *testing.T) {
				t.Parallel()
				r, _, _ := newsroom(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{Pipelining: pipelined, Faults: []smtptest.Fault{
					{At: smtptest.AtData, To: "r3@example.org", Times: 1, Action: smtptest.Stall},
				}}}, 6)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				e := r.Begin("daily-news")
				m := &meddling{Ledger: r.Store, subscriber: third}
				m.happens = func() error {
					if err := r.SMTP.WaitStalled(ctx, 1); err != nil { // the envelope is on its way
						return err
					}
					defer r.SMTP.Release()
					return test.happens(ctx, r, e)
				}
				engine := r.NewEngine()
				engine.Ledger = m
				err := engine.Carry(ctx, e.ID, time.Second, nil)
				if (err == nil) != (test.ends == "") || err != nil && !strings.Contains(err.Error(), test.ends) {
					t.Errorf("it ends with %v, want %q", err, test.ends)
				}
				want(t, agree(t, r, e.ID, r.SMTP), test.after)
				if n := r.Received()["r3@example.org"]; n != test.gets || !m.happened.Load() {
					t.Errorf("the reader got %d messages", n)
				}
				if test.gets == 0 {
					leftNothing(ctx, t, r.SMTP)
				}
				if test.again == nil {
					return
				}
				if err := errors.Join(test.again(ctx, r, e), r.Desk.Carry(ctx, e.ID, time.Second, nil)); err != nil {
					t.Fatal(err)
				}
				tally := agree(t, r, e.ID, r.SMTP)
				want(t, tally, test.finally)
				if tally.Doubted != 0 {
					t.Errorf("%d in doubt: what was never sent cannot be", tally.Doubted)
				}
			})
		}
	}
}

// Who leaves while the edition is being sent, before it is their turn, gets nothing.
func TestFaults_LeavingInTheMiddleOfASend(t *testing.T) {
	t.Parallel()
	r, n, _ := newsroom(t, newsroomtest.Options{Connections: 2, SMTP: smtptest.Options{Pipelining: true, Faults: []smtptest.Fault{
		{At: smtptest.AtDot, Skip: 10, Times: 2, Action: smtptest.Stall, Count: true},
	}}}, 60)
	e := r.Begin("daily-news")
	ended := make(chan error, 1)
	go func() { ended <- r.Desk.Carry(t.Context(), e.ID, time.Second, nil) }()
	if err := r.SMTP.WaitStalled(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for id := int64(41); id <= 50; id++ {
		if err := r.Store.Leave(t.Context(), newsletter.Link{SubscriberID: id, NewsletterID: n.ID, EditionID: e.ID}, newsletter.Origin{Channel: "one_click"}, r.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	r.SMTP.Release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	want(t, agree(t, r, e.ID, r.SMTP), "planned 60 accepted 50 refused 0 expired 0 in_doubt 0 withheld 10 waiting 0")
	for id := 41; id <= 50; id++ {
		if n := r.Received()[fmt.Sprintf("r%d@example.org", id)]; n != 0 {
			t.Errorf("r%d left and got %d messages", id, n)
		}
	}
	leftNothing(t.Context(), t, r.SMTP)
}

// The clock jumps by hours, forward and back, while messages are on their way.
func TestFaults_TheClockJumps(t *testing.T) {
	t.Parallel()
	for _, jumps := range [][]time.Duration{{5 * time.Hour, -9 * time.Hour}, {-7 * time.Hour, 11 * time.Hour}} {
		t.Run(fmt.Sprint(jumps), func(t *testing.T) {
			t.Parallel()
			r, _, _ := newsroom(t, newsroomtest.Options{Connections: 3, SMTP: smtptest.Options{Pipelining: true}}, 60)
			stalls := []smtptest.Fault{
				{At: smtptest.AtDot, Skip: 10, Times: 1, Action: smtptest.Stall, Count: true},
				{At: smtptest.AtDot, Skip: 20, Times: 1, Action: smtptest.Stall, Count: true},
			}
			r.SMTP.SetFaults(append(stalls, once(smtptest.Fault{At: smtptest.AtRcpt, Reply: "451 4.7.1 later"}, 1, 9)...)...)
			e := r.Begin("daily-news")
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			jumped := make(chan error, 1)
			go func() {
				for i, by := range jumps {
					// The stall before this one may not have ended yet.
					err := r.SMTP.WaitFor(ctx, 8*i+8)
					if err = errors.Join(err, r.SMTP.WaitStalled(ctx, 1)); err != nil {
						jumped <- err
						return
					}
					r.Clock.Add(by)
					r.SMTP.Release()
				}
				jumped <- nil
			}()
			_ = carryOn(ctx, t, r, e.ID, nil)
			if err := <-jumped; err != nil {
				t.Fatal(err)
			}
			tally := agree(t, r, e.ID, r.SMTP)
			want(t, tally, "planned 60 accepted 60 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
			if tally.Doubted != 0 {
				t.Errorf("%d in doubt", tally.Doubted)
			}
			if !slices.ContainsFunc(r.Log.Told(), func(line string) bool {
				return strings.HasPrefix(line, "the clock was set while messages are being sent")
			}) {
				t.Errorf("the operator was told %q", r.Log.Told())
			}
			leftNothing(ctx, t, r.SMTP)
		})
	}
}

// A command that is given while a service sends watches it, and goes on when the service
// ends in the middle.
func TestFaults_AServiceEndsWhileACommandWatches(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{Connections: 2, SMTP: smtptest.Options{Pipelining: true, Faults: []smtptest.Fault{
		{At: smtptest.AtDot, Skip: 12, Times: 2, Action: smtptest.Stall, Count: true},
	}}}, 40)
	announced, err := r.Store.AnnounceService(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := r.Begin("daily-news")
	stop := serve(t, r.NewEngine())
	if err := r.SMTP.WaitStalled(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	watches := make(chan struct{})
	ended := make(chan error, 1)
	var once atomic.Bool
	go func() {
		ended <- r.Desk.Carry(t.Context(), e.ID, time.Hour, func(_ newsletter.Pulse, watching bool) {
			if watching && once.CompareAndSwap(false, true) {
				close(watches)
			}
		})
	}()
	<-watches
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	r.SMTP.Release()
	<-stopped
	if err := announced.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	each(t, r, readers, 1)
	agree(t, r, e.ID, r.SMTP)
	leftNothing(t.Context(), t, r.SMTP)
}

// A service tells once why an edition is paused, however many connections met it.
func TestFaults_AServiceTellsOnceWhyItPaused(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{Connections: 5, SMTP: smtptest.Options{User: "u", Password: "p", Faults: []smtptest.Fault{
		{At: smtptest.AtAuth, Reply: "535 5.7.8 wrong user or password"},
	}}}, 30)
	e := r.Begin("daily-news")
	stop := serve(t, r.NewEngine())
	newsroomtest.Until(t.Context(), t, "the edition is paused", func() bool {
		edition, _ := r.Tally(e.ID)
		return edition.State == newsletter.EditionPaused
	})
	stop()
	toldOnce(t, r.Log.Told(), `^edition paused edition=1 reason=connect to smtp://u@.*auth: 535 5.7.8 wrong user or password$`)
	want(t, agree(t, r, e.ID, r.SMTP), "planned 30 accepted 0 refused 0 expired 0 in_doubt 0 withheld 0 waiting 30")
	leftNothing(t.Context(), t, r.SMTP)
}
