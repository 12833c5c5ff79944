package mailbox_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"broadsheet/internal/bounce"
	"broadsheet/internal/bounce/mailbox"
	"broadsheet/internal/bounce/peertest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const domain = "bounces.example.org"

// taker notes what it is handed.
type taker struct {
	taken []bounce.Incoming
	known func(message string) bool
	fail  error
}

func (k *taker) Take(_ context.Context, in bounce.Incoming) (bounce.Taken, error) {
	if k.fail != nil {
		return bounce.Taken{}, k.fail
	}
	k.taken = append(k.taken, in)
	return bounce.Taken{Known: k.known == nil || k.known(string(in.Message))}, nil
}

// newMailbox returns the mailbox of a Dovecot, over TLS from the first octet.
func newMailbox(t *testing.T, d peertest.Dovecot, k mailbox.Taker) *mailbox.Mailbox {
	t.Helper()
	a, err := mailbox.ParseAddress("imaps://" + url.UserPassword(d.User, d.Password).String() + "@" + d.IMAPS + "/INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return &mailbox.Mailbox{Address: a, Taker: k, TLS: &tls.Config{RootCAs: d.Roots}, Logger: slog.New(newsroomtest.NewLog(t))}
}

// client is somebody who looks into the mailbox beside us.
type client struct {
	*imapclient.Client
	t *testing.T
}

func look(t *testing.T, d peertest.Dovecot) client {
	t.Helper()
	c, err := imapclient.DialTLS(d.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: d.Roots, ServerName: "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(d.User, d.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	return client{c, t}
}

func (c client) put(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		cmd := c.Append("INBOX", int64(len(m)), nil)
		if _, err := cmd.Write([]byte(m)); err != nil {
			c.t.Fatal(err)
		}
		if err := cmd.Close(); err != nil {
			c.t.Fatal(err)
		}
		if _, err := cmd.Wait(); err != nil {
			c.t.Fatal(err)
		}
	}
}

// count returns how many messages are in a folder, and how many of them are unread.
func (c client) count(folder string) (all, unread uint32) {
	c.t.Helper()
	s, err := c.Status(folder, &imap.StatusOptions{NumMessages: true, NumUnseen: true}).Wait()
	if err != nil {
		c.t.Fatal(err)
	}
	return *s.NumMessages, *s.NumUnseen
}

// A report that a Postfix makes and a Dovecot files under a subaddress suppresses the reader.
func TestDovecot_DigestToNobody_IsFoundInTheMailbox(t *testing.T) {
	t.Parallel()
	d := peertest.StartDovecot(t)
	postfix := peertest.StartPostfix(t, peertest.PostfixOptions{
		Domain: "readers.example", Mailboxes: []string{"ada"}, Transport: map[string]string{domain: d.LMTP},
	})
	room := newsroomtest.New(t, newsroomtest.Options{Transport: postfix.URL, Bounces: domain})
	service := bounce.NewService(room.Store, bounce.Options{Keys: room.Keys, Now: room.Clock.Now, Logger: slog.New(room.Log)})
	n := room.Newsletter("daily-news", nil)
	room.Reader(n, "ada@readers.example", newsletter.Daily, 0)
	room.Reader(n, "gone@readers.example", newsletter.Daily, 0)
	room.Feed.Publish("Harbour opens a second gate", room.Clock.Now())
	room.Send("daily-news")
	m := newMailbox(t, d, service)
	newsroomtest.Until(t.Context(), t, "the report is taken", func() bool {
		r, err := m.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r.Taken > 0
	})
	for email, want := range map[string]newsletter.SuppressionReason{"gone@readers.example": newsletter.SuppressedHardBounce, "ada@readers.example": ""} {
		s, err := room.Store.SuppressionBy(t.Context(), room.Barred.Hash(email))
		if err != nil && newsletter.KindOf(err) != newsletter.NotFound || s.Reason != want {
			t.Errorf("%s is suppressed: %q, %v", email, s.Reason, err)
		}
	}
	if all, unread := look(t, d).count("Broadsheet/Read"); all != 1 || unread != 0 {
		t.Errorf("%d messages are kept, %d unread", all, unread)
	}
}

func TestDovecot_EachMessageOnceAndNoneLost(t *testing.T) {
	t.Parallel()
	d := peertest.StartDovecot(t)
	c := look(t, d)
	const many = 120 // more than a page
	for i := range many {
		c.put(fmt.Sprintf("Subject: report %d\r\n\r\nours\r\n", i))
	}
	c.put("Subject: hello\r\n\r\nfrom a reader\r\n", "Subject: large\r\n\r\nours\r\n"+strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\r\n", 11<<20/65))
	k := &taker{fail: errors.New("disk full"), known: func(m string) bool { return strings.Contains(m, "ours") }}
	m := newMailbox(t, d, k)

	r, err := m.Poll(t.Context())
	if err == nil || r.Taken != 0 || r.Failed != 3 {
		t.Fatalf("while nothing can be put on record: %+v, %v", r, err)
	}
	if all, _ := c.count("INBOX"); all != many+2 {
		t.Fatalf("%d messages are left", all)
	}
	k.fail = nil
	if r, err = m.Poll(t.Context()); err != nil || r.Taken != many+2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if all, unread := c.count("Broadsheet/Read"); all != many+2 || unread != 1 {
		t.Errorf("%d messages are kept, %d unread", all, unread)
	}
	seen := map[string]int{}
	for _, in := range k.taken {
		subject, _, _ := strings.Cut(string(in.Message), "\r\n")
		seen[subject]++
		if len(in.Message) > 10<<20 {
			t.Errorf("a message of %d octets is handed over", len(in.Message))
		}
	}
	if len(seen) != many+2 || len(k.taken) != many+2 {
		t.Errorf("%d messages are handed over, %d times", len(seen), len(k.taken))
	}
	if r, err = m.Poll(t.Context()); err != nil || r != (mailbox.Result{}) {
		t.Errorf("the next look: %+v, %v", r, err)
	}
}

// One message that the server cannot hand over does not hold up the others for ever.
func TestDovecot_AMessageThatCannotBeReadComesLast(t *testing.T) {
	t.Parallel()
	d := peertest.StartDovecot(t)
	c := look(t, d)
	c.put("Subject: broken\r\n\r\nbroken\r\n", "Subject: one\r\n\r\none\r\n", "Subject: two\r\n\r\ntwo\r\n")
	damage(t, d.Folder, "broken")
	k := &taker{}
	m := newMailbox(t, d, k)
	var err error
	for range 2 { // the first look finds it, perhaps at the price of the connection
		_, err = m.Poll(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "message 1 ") {
		t.Errorf("which message it is, it does not say: %v", err)
	}
	if len(k.taken) != 2 {
		t.Errorf("%d messages were taken, not 2", len(k.taken))
	}
	c.put("Subject: three\r\n\r\nthree\r\n")
	if _, err := m.Poll(t.Context()); err == nil || len(k.taken) != 3 {
		t.Errorf("%d messages were taken, not 3: %v", len(k.taken), err)
	}
}

// damage makes the message with the word one that can be seen and not read.
func damage(t *testing.T, folder, word string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "*,S=*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // of the test's own server
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), word) {
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no message with %q is in %s: %v", word, folder, files)
}

// Where messages cannot be moved they are marked, and stay.
func TestDovecot_WithoutMoveMessagesAreMarked(t *testing.T) {
	t.Parallel()
	d := peertest.StartDovecot(t, "imap_capability = IMAP4rev1 LITERAL+ SASL-IR ENABLE IDLE UIDPLUS")
	c := look(t, d)
	c.put("Subject: report\r\n\r\nours\r\n", "Subject: hello\r\n\r\nfrom a reader\r\n")
	k := &taker{known: func(m string) bool { return strings.Contains(m, "ours") }}
	m := newMailbox(t, d, k)
	for range 2 {
		if _, err := m.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.taken) != 2 {
		t.Errorf("two messages were taken %d times", len(k.taken))
	}
	if all, unread := c.count("INBOX"); all != 2 || unread != 1 {
		t.Errorf("%d messages are there, %d unread", all, unread)
	}
}

// Somebody looks through the folder of what was taken: nothing is moved onto itself for ever.
func TestDovecot_FolderOfWhatWasTaken(t *testing.T) {
	t.Parallel()
	d := peertest.StartDovecot(t)
	k := &taker{}
	m := newMailbox(t, d, k)
	look(t, d).put("Subject: report\r\n\r\nours\r\n")
	for _, folder := range []string{"INBOX", "Broadsheet/Read", "Broadsheet/Read"} {
		m.Address.Folder = folder
		if _, err := m.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.taken) != 2 {
		t.Errorf("it was taken %d times", len(k.taken))
	}
}

func TestDovecot_WhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	d := peertest.StartDovecot(t)
	if err := newMailbox(t, d, &taker{}).Check(t.Context()); err != nil {
		t.Errorf("as it should be: %v", err)
	}
	starttls := newMailbox(t, d, &taker{})
	starttls.Address.Implicit, starttls.Address.Plain = false, false
	_, starttls.Address.Port, _ = net.SplitHostPort(d.IMAP)
	if err := starttls.Check(t.Context()); err != nil {
		t.Errorf("by STARTTLS: %v", err)
	}
	for want, change := range map[string]func(*mailbox.Mailbox){
		"log in as b: Authentication failed": func(m *mailbox.Mailbox) { m.Address.Password = "s3cret-and-wrong" },
		"open the folder Elsewhere":          func(m *mailbox.Mailbox) { m.Address.Folder = "Elsewhere" },
		"certificate":                        func(m *mailbox.Mailbox) { m.TLS = nil },
		"connect to":                         func(m *mailbox.Mailbox) { m.Address.Port = "1" },
	} {
		m := newMailbox(t, d, &taker{})
		change(m)
		err := m.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("it says %v, without %q", err, want)
		}
	}
	plain := newMailbox(t, d, &taker{})
	plain.Address.Implicit, plain.Address.Plain, plain.Address.Port = false, false, starttls.Address.Port
	plain.TLS = &tls.Config{}
	if err := plain.Check(t.Context()); err == nil {
		t.Error("a certificate that nobody vouches for is good enough for STARTTLS")
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]mailbox.Address{
		"imaps://b:p%40ss@mail.example.org":                   {Host: "mail.example.org", Port: "993", User: "b", Password: "p@ss", Folder: "INBOX", Implicit: true},
		"imaps://b%40example.org:p@mail.example.org:1/A/Back": {Host: "mail.example.org", Port: "1", User: "b@example.org", Password: "p", Folder: "A/Back", Implicit: true},
		"imap://b:p@mail.example.org/x":                       {Host: "mail.example.org", Port: "143", User: "b", Password: "p", Folder: "x"},
		"imap://b:p@127.0.0.1":                                {Host: "127.0.0.1", Port: "143", User: "b", Password: "p", Folder: "INBOX", Plain: true},
	} {
		if got, err := mailbox.ParseAddress(raw); err != nil || got != want {
			t.Errorf("%s is %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "imaps://mail.example.org", "imaps://b@mail.example.org", "pop3://b:p@mail.example.org", "imaps://b:p@/x", "imaps://b:p%0d@mail.example.org"} {
		if got, err := mailbox.ParseAddress(raw); err == nil {
			t.Errorf("%q is read as %v", raw, got)
		}
	}
}
