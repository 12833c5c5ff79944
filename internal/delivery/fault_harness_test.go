package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// carryOn carries the edition as staff would, again and again: it lets the time pass until
// the next try, and calls mend when the edition is paused. It returns how the first try ended.
func carryOn(ctx context.Context, t *testing.T, r *newsroomtest.Newsroom, id int64, mend func()) (first error) {
	t.Helper()
	for try := range 20 {
		err := r.Desk.Carry(ctx, id, time.Second, nil)
		if try == 0 {
			first = err
		}
		unfinished, waits := errors.AsType[*delivery.UnfinishedError](err)
		switch {
		case err == nil:
			return first
		case waits:
			r.Clock.Add(max(0, unfinished.NextTry.Sub(r.Clock.Now())) + time.Second)
		case errors.As(err, new(*delivery.PausedError)) && mend != nil:
			mend()
		default:
			t.Fatalf("it ends with %v", err)
		}
	}
	t.Fatal("it does not come to an end")
	return nil
}

// agree holds the ledger of the edition and what the servers took against each other, reader
// by reader.
func agree(t *testing.T, r *newsroomtest.Newsroom, id int64, servers ...*smtptest.Server) newsletter.Tally {
	t.Helper()
	took := map[string][][]byte{}
	for _, s := range servers {
		for _, m := range s.Messages() {
			took[m.To] = append(took[m.To], m.Data)
		}
	}
	_, tally := r.Tally(id) // fails if it does not balance
	rows, err := r.Desk.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: id})
	if err != nil || len(rows) != tally.Planned {
		t.Fatalf("%d rows of %d: %v", len(rows), tally.Planned, err)
	}
	for _, d := range rows {
		messages := took[d.Email]
		delete(took, d.Email)
		doubted := !d.DoubtedAt.IsZero()
		switch {
		case d.State == newsletter.Accepted && len(messages) == 0:
			t.Errorf("%s is accepted in the ledger and got nothing", d.Email)
		case d.State != newsletter.Accepted && len(messages) > 0 && !doubted:
			t.Errorf("%s is %s in the ledger and got %d messages", d.Email, d.State, len(messages))
		case len(messages) > 1 && !doubted:
			t.Errorf("%s got %d messages, and no doubt is on record", d.Email, len(messages))
		case len(messages) > 1+d.Doubts:
			t.Errorf("%s got %d messages after %d doubts", d.Email, len(messages), d.Doubts)
		}
		for i := 1; i < len(messages); i++ {
			if a, b := identity(t, messages[0]), identity(t, messages[i]); a != b {
				t.Errorf("%s got %s and %s", d.Email, a, b)
			}
		}
	}
	for to := range took {
		t.Errorf("%s is not in the ledger and got a message", to)
	}
	return tally
}

// identity is what lets a mailbox know a message that comes twice.
func identity(t *testing.T, message []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("Message-ID %q, Date %q", m.Header["Message-Id"], m.Header["Date"])
}

// toldOnce fails unless every line that the operator was told is of one of the kinds, each
// kind at most once, and at least one of them; none, if there are no kinds.
func toldOnce(t *testing.T, told []string, kinds ...string) {
	t.Helper()
	if len(told) == 0 && len(kinds) > 0 {
		t.Errorf("the operator was not told of %q", kinds)
	}
	seen := map[string]int{}
	for _, line := range told {
		kind := ""
		for _, k := range kinds {
			if regexp.MustCompile(k).MatchString(line) {
				kind = k
			}
		}
		if seen[kind]++; kind == "" || seen[kind] > 1 {
			t.Errorf("the operator was told, %d times: %s", seen[kind], line)
		}
	}
}

// leftNothing fails if a connection stays open, or if anything was said against the protocol.
func leftNothing(ctx context.Context, t *testing.T, servers ...*smtptest.Server) {
	t.Helper()
	for _, s := range servers {
		if err := s.WaitIdle(ctx); err != nil {
			open, _ := s.Connections()
			t.Errorf("%d connections stay open: %v", open, err)
		}
		if problems := s.ProtocolErrors(); len(problems) > 0 {
			t.Errorf("against the protocol: %v", problems)
		}
	}
}
