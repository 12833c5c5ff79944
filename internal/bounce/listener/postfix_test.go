package listener_test

import (
	"context"
	"log/slog"
	"net/smtp"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"broadsheet/internal/bounce"
	"broadsheet/internal/bounce/peertest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// The whole way round: a digest to somebody whose mailbox is gone goes out through a Postfix,
// which takes it, finds out, and reports to the return path; the report suppresses the address.
// As docs/bounces.md sets it up, Postfix takes nothing that we would refuse: it would have to
// send a report to a sender who is forged.
func TestPostfix_RefusesWhatIsNoReturnPath(t *testing.T) {
	t.Parallel()
	postfix := peertest.StartPostfix(t, peertest.PostfixOptions{Domain: "readers.example", Transport: map[string]string{domain: "lmtp:inet:127.0.0.1:1"}})
	at, err := url.Parse(postfix.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.Dial(at.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Mail("victim@example.net"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("junk@" + domain); err == nil || !strings.HasPrefix(err.Error(), "550") {
		t.Errorf("junk: %v", err)
	}
	if err := c.Rcpt("b+abc234@" + domain); err != nil {
		t.Errorf("a return path: %v", err)
	}
}

func TestPostfix_DigestToNobody_ComesBackAndSuppresses(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"lmtp", "smtp"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			service := &late{}
			at := start(t, way+"://127.0.0.1:0", service)
			transport := way + ":inet:" + at.String()
			if way == "smtp" {
				host, port, _ := strings.Cut(at.String(), ":")
				transport = "smtp:[" + host + "]:" + port
			}
			postfix := peertest.StartPostfix(t, peertest.PostfixOptions{
				Domain: "readers.example", Mailboxes: []string{"ada"}, Transport: map[string]string{domain: transport},
			})
			room := newsroomtest.New(t, newsroomtest.Options{Transport: postfix.URL, Bounces: domain})
			service.Store(bounce.NewService(room.Store, bounce.Options{Keys: room.Keys, Now: room.Clock.Now, Logger: slog.New(room.Log)}))
			n := room.Newsletter("daily-news", nil)
			room.Reader(n, "ada@readers.example", newsletter.Daily, 0)
			room.Reader(n, "gone@readers.example", newsletter.Daily, 0)
			room.Feed.Publish("Harbour opens a second gate", room.Clock.Now())
			if _, tally := room.Send("daily-news"); tally.Counts[newsletter.Accepted] != 2 {
				t.Fatalf("the relay took %v", tally.Counts)
			}
			newsroomtest.Until(t.Context(), t, "the reader whose mailbox is gone is suppressed", func() bool {
				return suppressed(t, room, "gone@readers.example") == newsletter.SuppressedHardBounce
			})
			if reason := suppressed(t, room, "ada@readers.example"); reason != "" {
				t.Errorf("the other reader is suppressed: %s", reason)
			}
		})
	}
}

// late is the service, which is there only once there is a newsroom: that is told where the
// Postfix is, which is told where the listener is.
type late struct{ atomic.Pointer[bounce.Service] }

func (l *late) Owns(address string) bool {
	s := l.Load()
	return s != nil && s.Owns(address)
}

func (l *late) Take(ctx context.Context, in bounce.Incoming) (bounce.Taken, error) {
	return l.Load().Take(ctx, in)
}

// suppressed returns why an address is suppressed; empty: it is not.
func suppressed(t *testing.T, room *newsroomtest.Newsroom, email string) newsletter.SuppressionReason {
	t.Helper()
	s, err := room.Store.SuppressionBy(t.Context(), room.Barred.Hash(email))
	if newsletter.KindOf(err) == newsletter.NotFound {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.Reason
}
