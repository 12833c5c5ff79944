package bounce_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"broadsheet/internal/bounce"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// domain is that of the return paths.
const domain = "bounces.example.org"

// returned is a newsroom that has sent an edition to some readers, and the service that takes
// what comes back of it.
type returned struct {
	*newsroomtest.Newsroom
	t       *testing.T
	service *bounce.Service
	edition int64
	log     *bytes.Buffer
}

func newReturned(t *testing.T, readers int) *returned {
	t.Helper()
	r := &returned{Newsroom: newsroomtest.New(t, newsroomtest.Options{Bounces: domain}), t: t, log: &bytes.Buffer{}}
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start)
	r.Readers(r.Newsletter("daily-news", nil), 1, readers)
	e, _ := r.Send("daily-news")
	r.edition = e.ID
	r.service = bounce.NewService(r.Store, bounce.Options{Keys: r.Keys, Now: r.Clock.Now, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
	return r
}

// path returns the return path of the message that a reader got.
func (r *returned) path(to string) string {
	r.t.Helper()
	for _, m := range r.SMTP.Messages() {
		if m.To == to {
			return m.From
		}
	}
	r.t.Fatalf("%s got nothing", to)
	return ""
}

func (r *returned) take(message string, to ...string) bounce.Taken {
	r.t.Helper()
	taken, err := r.service.Take(r.t.Context(), bounce.Incoming{Message: []byte(message), To: to, Channel: "smtp"})
	if err != nil {
		r.t.Fatal(err)
	}
	return taken
}

func (r *returned) suppressed() (emails []string) {
	r.t.Helper()
	for i := 1; i <= 9; i++ {
		email := fmt.Sprintf("r%d@example.org", i)
		sub, err := r.Store.SubscriberByKey(r.t.Context(), email)
		if err != nil {
			continue
		}
		list, err := r.Store.Returns(r.t.Context(), sub.ID, 10)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, back := range list {
			if strings.Contains(back.Effect, "the address is suppressed (") {
				emails = append(emails, email)
			}
		}
	}
	return emails
}

// notice is a report of non-delivery (RFC 3464) about some recipients: an address, a status and
// what the other system said, three for each.
func notice(recipients ...string) string {
	var b strings.Builder
	b.WriteString(`From: Mail Delivery System <mailer-daemon@mx.example.net>
To: undisclosed
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="xyz"

--xyz
Content-Type: text/plain

It could not be delivered.
--xyz
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
`)
	for i := 0; i < len(recipients); i += 3 {
		fmt.Fprintf(&b, "\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: %s\nDiagnostic-Code: smtp; %s\n", recipients[i], recipients[i+1], recipients[i+2])
	}
	b.WriteString("\n--xyz--\n")
	return b.String()
}

const (
	unknown = "550 5.1.1 no such user here"
	full    = "552 5.2.2 the mailbox is full"
)

func TestTake_AHardBounceSuppressesWhomItsReturnPathNames(t *testing.T) {
	t.Parallel()
	r := newReturned(t, 3)
	path := r.path("r2@example.org")
	taken := r.take(notice("r2@example.org", "5.1.1", unknown), path)
	if !taken.Known || taken.Again || taken.Kind != newsletter.ReturnHard || taken.Return.EditionID != r.edition || taken.Effect != "the address is suppressed (hard_bounce)" {
		t.Errorf("taken as %+v", taken)
	}
	if got := fmt.Sprint(r.suppressed()); got != "[r2@example.org]" {
		t.Errorf("suppressed are %s", got)
	}
	if again := r.take(notice("r2@example.org", "5.1.1", unknown), strings.ToUpper(path)); !again.Again || !again.Known {
		t.Errorf("the same again: %+v", again)
	}
	if text := r.log.String(); strings.Contains(text, "r2@example.org") || strings.Contains(text, path) || !strings.Contains(text, "kind=hard") {
		t.Errorf("the log says\n%s", text)
	}
	r.Feed.Publish("A second story", r.Clock.Now())
	if _, tally := r.Send("daily-news"); tally.Counts[newsletter.Accepted] != 2 || tally.Reasons[newsletter.ReasonSuppressed] != 1 {
		t.Errorf("the next edition: %+v", tally)
	}
}

// Nothing but a return path that we made changes anything (S17).
func TestTake_WithoutAValidReturnPathItIsOnlyCounted(t *testing.T) {
	t.Parallel()
	r := newReturned(t, 2)
	path := r.path("r1@example.org")
	other := newReturned(t, 1).path("r1@example.org") // of another key ring
	forged := []byte(path)
	forged[40] ^= 1
	for name, to := range map[string]string{
		"none": "", "a plain address": "news@example.org", "a token that was changed": string(forged), "another installation's": other,
		"cut short": path[:30] + "@" + domain, "a subscriber's number": "b+1@" + domain,
	} {
		taken := r.take(notice("r1@example.org", "5.1.1", unknown), to)
		if taken.Known || taken.Effect != "" || taken.Kind != newsletter.ReturnHard {
			t.Errorf("%s: taken as %+v", name, taken)
		}
	}
	if got := r.suppressed(); len(got) > 0 {
		t.Errorf("suppressed are %s", got)
	}
	counts, err := r.Store.ReturnCounts(t.Context())
	if err != nil || len(counts) != 1 || counts[0] != (newsletter.ReturnCount{Kind: newsletter.ReturnUnknown, Channel: "smtp", Count: 6}) {
		t.Errorf("counted as %v (%v)", counts, err)
	}
}

func TestTake_OfSeveralRecipientsOnlyTheReaderCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message string
		kind    newsletter.ReturnKind
		address string
	}{
		"the reader among others":         {notice("x@example.net", "5.1.1", unknown, "R1@Example.org", "5.2.2", full), newsletter.ReturnSoft, ""},
		"forwarded to one":                {notice("x@example.net", "5.1.1", unknown), newsletter.ReturnHard, "x@example.net"},
		"forwarded to several":            {notice("x@example.net", "5.1.1", unknown, "y@example.net", "5.2.2", full), newsletter.ReturnSoft, "y@example.net"},
		"forwarded to several, all wrong": {notice("x@example.net", "5.1.1", unknown, "y@example.net", "5.1.1", unknown), newsletter.ReturnHard, "x@example.net"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReturned(t, 1)
			taken := r.take(c.message, r.path("r1@example.org"))
			if taken.Kind != c.kind || taken.Return.Address != c.address {
				t.Errorf("taken as %+v", taken)
			}
		})
	}
}

// A complaint comes to another address than the return path: that stands in the message that
// was complained of.
func TestTake_AComplaintIsFoundByTheMessageWithinIt(t *testing.T) {
	t.Parallel()
	r := newReturned(t, 2)
	taken := r.take(`From: feedback@mx.example.net
To: abuse@example.org
Subject: Complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="xyz"

--xyz
Content-Type: text/plain

This is a report of abuse.
--xyz
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Example/1
Version: 1

--xyz
Content-Type: message/rfc822

Return-Path: <` + r.path("r2@example.org") + `>
From: news@example.org
Subject: Harbour opens a second gate

Hello.
--xyz--
`)
	if !taken.Known || taken.Kind != newsletter.ReturnComplaint || !strings.Contains(taken.Effect, "the reader left 1 newsletter; the address is suppressed (complaint)") {
		t.Errorf("taken as %+v", taken)
	}
}

func TestTakeReturn_AWebHookNamesTheReturnPath(t *testing.T) {
	t.Parallel()
	r := newReturned(t, 1)
	back := newsletter.Return{
		Kind: newsletter.ReturnSoft, Status: strings.Repeat("5", 99), Code: 99999, Reason: "mailbox_full",
		Diagnostic: strings.Repeat("line\r\nInjected: yes ", 999), Channel: "webhook",
	}
	taken, err := r.service.TakeReturn(t.Context(), "<"+r.path("r1@example.org")+">", back)
	if err != nil || !taken.Known || taken.Effect != "failed on 1 of 5 days" {
		t.Errorf("taken as %+v (%v)", taken, err)
	}
	if got := taken.Return; len(got.Status) > 16 || got.Code != 0 || len(got.Diagnostic) > newsletter.MaxReply || strings.ContainsAny(got.Diagnostic, "\r\n") {
		t.Errorf("kept is %+v", got)
	}
	if taken, err = r.service.TakeReturn(t.Context(), "news@example.org", back); err != nil || taken.Known {
		t.Errorf("without a return path of ours: %+v (%v)", taken, err)
	}
	back.Kind = "furious"
	if _, err = r.service.TakeReturn(t.Context(), r.path("r1@example.org"), back); err == nil {
		t.Error("a kind that there is not is taken")
	}
}

func TestOwns_OnlyReturnPathsOfOurs(t *testing.T) {
	t.Parallel()
	r := newReturned(t, 1)
	path := r.path("r1@example.org")
	mail := r.Keys.BounceMailAddress(7, domain)
	for address, want := range map[string]bool{path: true, strings.ToUpper(path): true, mail: true, "b+x@" + domain: false, "": false, "<>": false} {
		if got := r.service.Owns(address); got != want {
			t.Errorf("Owns(%q) is %v", address, got)
		}
	}
}

// What cannot be put on record is not acknowledged.
func TestTake_AnErrorOfTheDatabaseIsOne(t *testing.T) {
	t.Parallel()
	r := newReturned(t, 1)
	r.Exec(`DROP TABLE return_counts`)
	_, err := r.service.Take(t.Context(), bounce.Incoming{Message: []byte(notice("r1@example.org", "5.1.1", unknown)), To: []string{r.path("r1@example.org")}, Channel: "smtp"})
	if err == nil {
		t.Errorf("taken without a record (%v)", err)
	}
	if got := r.suppressed(); len(got) > 0 {
		t.Errorf("suppressed are %s", got)
	}
}
