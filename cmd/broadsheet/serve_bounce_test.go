package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/bounce/mailbox"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"

	"github.com/emersion/go-smtp"
)

const returnedReport = `From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: %[1]s
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=one

--one
Content-Type: text/plain

<%[2]s>: 550 5.1.1 no such user (in reply to RCPT TO command)

--one
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; %[2]s
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--one--
`

// The service takes what comes back while it runs, and commands see what it changed.
func TestServe_TakesWhatComesBack(t *testing.T) {
	t.Parallel()
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "BOUNCE_DOMAIN=bounces.example.org", "BOUNCE_LISTEN=lmtp://127.0.0.1:0", anyPort)
	p.listOf(2)
	p.run("send", "daily-news", "--yes")
	var path string
	for _, m := range relay.Messages() {
		if m.To == "r0@example.org" {
			path = m.From
		}
	}
	service, printed, _ := p.serve()
	var at string
	newsroomtest.Until(t.Context(), t, "it listens for what comes back", func() bool {
		at, _, _ = strings.Cut(printed.after(`msg="taking what comes back" address=`), " ")
		return at != "" || service.ProcessState != nil
	})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	report := strings.ReplaceAll(fmt.Sprintf(returnedReport, path, "r0@example.org"), "\n", "\r\n")
	if err := c.SendMail("", []string{path}, strings.NewReader(report)); err != nil {
		t.Fatal(err)
	}
	var list []struct{ Email, Reason string }
	if err := json.Unmarshal([]byte(p.run("suppression", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Email != "r0@example.org" || list[0].Reason != "hard_bounce" {
		t.Errorf("suppressed are %+v", list)
	}
}

func TestBounceBox_TellsWhenItFailsForLonger(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	b := &bounceBox{
		box: mailbox.Mailbox{Address: mailbox.Address{Host: "127.0.0.1", Port: "1", User: "b", Password: "s3cret", Folder: "INBOX", Plain: true}},
		now: func() time.Time { return now }, log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	for i := range 4 {
		told := b.problems()
		if (len(told) > 0) != (i >= boxFailures) {
			t.Errorf("after %d failures: %v", i, told)
		}
		if len(told) > 0 && (!told[0].Since.Equal(now) || strings.Contains(told[0].Text(), "s3cret")) {
			t.Errorf("it tells %q", told[0].Text())
		}
		if err := b.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("it is logged %d times:\n%s", n, &log)
	}
	if told := b.ask(t.Context()); len(told) != 1 {
		t.Errorf("asked by hand: %v", told)
	}
	var none *bounceBox
	if len(none.problems())+len(none.ask(t.Context()))+len(none.jobs()) > 0 {
		t.Error("no mailbox has problems")
	}
}
