package delivery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
)

// outbox has one mail to send and keeps how its attempts ended.
type outbox struct {
	mu       sync.Mutex
	outcomes []newsletter.State
	failures int // how many results cannot be recorded at first
}

func (o *outbox) RecoverMails(context.Context, time.Time) (int, error) { return 0, nil }
func (o *outbox) ExpireMails(context.Context, time.Time) (int, error)  { return 0, nil }

func (o *outbox) DueMails(context.Context, time.Time, int) ([]newsletter.Mail, error) {
	if states := o.states(); len(states) > 0 && states[len(states)-1] == newsletter.Accepted {
		return nil, nil
	}
	return []newsletter.Mail{{ID: 1}}, nil
}

func (o *outbox) BeginMail(_ context.Context, id int64, _ time.Time) (newsletter.Mail, error) {
	return newsletter.Mail{ID: id}, nil
}

func (o *outbox) Compose(context.Context, newsletter.Mail) (from, to string, message []byte, err error) {
	return "confirm@example.org", "a@example.org", []byte("Subject: x\r\n\r\nx\r\n"), nil
}

func (o *outbox) FinishMail(_ context.Context, _ int64, outcome newsletter.Outcome, _, _ time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures > 0 {
		o.failures--
		return errors.New("the disk is full")
	}
	o.outcomes = append(o.outcomes, outcome.State)
	return nil
}

func (o *outbox) states() []newsletter.State {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]newsletter.State(nil), o.outcomes...)
}

// carryMail runs a service with these relays until the outbox's mail is accepted.
func carryMail(t *testing.T, box *outbox, relays string) {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	keys, suppression, err := s.Keys(t.Context(), newsroomtest.Start, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	list, err := mail.ParseRelays(relays, mail.Limits{Connections: 1}, mail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := delivery.NewEngine(delivery.Options{
		Ledger: s, Role: s, Outbox: box, Relays: list, BaseURL: "https://news.example.org",
		Keys: keys, Suppression: suppression, Now: func() time.Time { return newsroomtest.Start },
		Random: func() float64 { return 0 }, Idle: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = e.Serve(ctx) })
	newsroomtest.Until(t.Context(), t, "the mail is accepted", func() bool {
		states := box.states()
		return len(states) > 0 && states[len(states)-1] == newsletter.Accepted
	})
	stop()
	running.Wait()
}

// The outbox counts doubts and decides to try again: it must be told of them.
func TestMails_TellTheOutboxWhatIsInDoubt(t *testing.T) {
	t.Parallel()
	server := relay(t, smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, Times: 1, Action: smtptest.HangUp, Count: true},
	}})
	box := &outbox{}
	carryMail(t, box, server.URL())
	if got := box.states(); got[0] != newsletter.InDoubt {
		t.Errorf("the attempts ended as %v", got)
	}
}

// A relay that takes connections and no mail from the sender of confirmations is passed over.
func TestMails_TakeAnotherRelayThanTheOneThatRefusesTheirSender(t *testing.T) {
	t.Parallel()
	first := relay(t, smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtMail, Reply: "550 5.7.1 not from you"}}})
	second := relay(t, smtptest.Options{})
	box := &outbox{}
	carryMail(t, box, first.URL()+","+second.URL())
	if n := len(second.Messages()); n != 1 {
		t.Errorf("the second relay got %d messages", n)
	}
	if _, total := first.Connections(); total != 1 {
		t.Errorf("the first relay was asked %d times", total)
	}
}

// A result that cannot be recorded at once is tried again: the mail is not sent twice.
func TestMails_RecordAResultAgain(t *testing.T) {
	t.Parallel()
	server := relay(t, smtptest.Options{})
	box := &outbox{failures: 2}
	carryMail(t, box, server.URL())
	if n := len(server.Messages()); n != 1 {
		t.Errorf("the relay got %d messages", n)
	}
}
