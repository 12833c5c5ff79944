package newsletter

import (
	"testing"
	"time"
)

func TestAnswer_DecidesWhichMailAndWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	ago := func(hours ...float64) (sent []time.Time) {
		for _, h := range hours {
			sent = append(sent, now.Add(-time.Duration(h*float64(time.Hour))))
		}
		return sent
	}
	for _, c := range []struct {
		name string
		a    Answer
		kind MailKind // empty: no mail
		in   time.Duration
	}{
		{"first", Answer{}, MailConfirm, 0},
		{"has everything", Answer{Already: true, Covered: true}, MailAlready, 0},
		{"an hour ago", Answer{Sent: ago(1)}, MailConfirm, 0},
		{"half an hour ago, the same", Answer{Sent: ago(0.5), Covered: true}, "", 0},
		{"half an hour ago, something else", Answer{Sent: ago(0.5)}, MailConfirm, 30 * time.Minute},
		{"half an hour ago, has everything", Answer{Sent: ago(0.5), Already: true, Covered: true}, "", 0},
		{"one is still to come", Answer{Sent: ago(-0.5, 0.5)}, "", 0},
		{"three today", Answer{Sent: ago(2, 3, 4)}, "", 0},
		{"three today, the first 23.5 hours ago", Answer{Sent: ago(2, 3, 23.5)}, MailConfirm, 30 * time.Minute},
		{"three, the first a day ago", Answer{Sent: ago(2, 3, 24)}, MailConfirm, 0},
		{"two today", Answer{Sent: ago(2, 3)}, MailConfirm, 0},
		{"bounced", Answer{Suppressed: SuppressedHardBounce}, MailConfirm, 0},
		{"bounced, has everything", Answer{Suppressed: SuppressedHardBounce, Already: true}, MailConfirm, 0},
		{"bounced, asked 29 days ago", Answer{Suppressed: SuppressedHardBounce, Sent: ago(29 * 24)}, "", 0},
		{"bounced, asked 30 days ago", Answer{Suppressed: SuppressedHardBounce, Sent: ago(30 * 24)}, MailConfirm, 0},
		{"complained", Answer{Suppressed: SuppressedComplaint}, "", 0},
		{"a reason of a later version", Answer{Suppressed: "court_order"}, "", 0},
	} {
		c.a.Now = now
		kind, at, ok := c.a.Mail()
		if ok != (c.kind != "") || ok && (kind != c.kind || at.Sub(now) != c.in) {
			t.Errorf("%s: %s in %v, %v; want %q in %v", c.name, kind, at.Sub(now), ok, c.kind, c.in)
		}
	}
}

func TestSignUp_SupersededOnlyByLeavingAllOfIt(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	su := SignUp{CreatedAt: made, Choices: []SignUpChoice{{NewsletterID: 1}, {NewsletterID: 2}}}
	left := func(id int64, at time.Time) Subscription {
		return Subscription{NewsletterID: id, State: Left, LeftAt: at}
	}
	for _, c := range []struct {
		name string
		subs []Subscription
		want bool
	}{
		{"nothing there", nil, false},
		{"one left", []Subscription{left(1, made), {NewsletterID: 2, State: Pending}}, false},
		{"both left", []Subscription{left(1, made), left(2, made.Add(1))}, true},
		{"both left, one before", []Subscription{left(1, made.Add(-1)), left(2, made)}, false},
	} {
		if got := su.Superseded(c.subs); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestParseScopes_ReadsWhatJoinScopesWrites(t *testing.T) {
	t.Parallel()
	scopes, err := ParseScopes(" subscribers:read,all, subscribers:read")
	if err != nil || JoinScopes(scopes) != "subscribers:read,all" {
		t.Errorf("%v, %v", scopes, err)
	}
	for _, bad := range []string{"", "subscribers", "all,", "ALL"} {
		if _, err := ParseScopes(bad); KindOf(err) != Invalid {
			t.Errorf("ParseScopes(%q): %v", bad, err)
		}
	}
}
