package store

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// personColumns are the columns about a person, and whether the record that they are handed has
// them. Who adds a column says here, and in SignUpsOf, MailsOf, deliveriesTo and so on, what
// becomes of it.
var personColumns = map[string]struct{ shown, leftOut string }{
	"subscribers":        {"id email name time_zone language created_at updated_at", "email_key domain"}, // the same, folded
	"subscriptions":      {"newsletter_id state cadence slot sections joined_at left_at paused_until created_at updated_at owed_since paused_at", "subscriber_id"},
	"signups":            {"id email name time_zone page placement created_at expires_at confirmed_at", "subscriber_id nonce"}, // the nonce is a secret
	"signup_newsletters": {"newsletter_id cadence slot sections", "signup_id"},
	"subscription_events": {"id newsletter_id kind at channel page placement ip user_agent actor note words_id edition_id",
		"subscriber_id was"}, // the notes and the history say what was before
	"mails": {"id kind signup_id about_id state attempts doubts not_before next_try expires_at code enhanced reply created_at updated_at", "subscriber_id"},
	"deliveries": {"edition_id variant_id state reason attempts doubts doubted_at not_before next_try expires_at code enhanced reply_id relay_id updated_at returned",
		"subscriber_id"},
	"returns":            {"id edition_id mail_id kind status code reason diagnostic address channel effect at", "subscriber_id"},
	"suppressions":       {"id hash domain reason note actor created_at", ""},
	"suppression_events": {"id kind reason path note actor at", "hash"},
}

func TestRecord_KnowsEveryColumn(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	for table, known := range personColumns {
		rows, err := s.read(t.Context()).query(`SELECT name FROM pragma_table_xinfo('` + table + `')`)
		columns, err := collect(rows, err, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
		if err != nil || len(columns) == 0 {
			t.Fatal(table, err)
		}
		all := strings.Fields(known.shown + " " + known.leftOut)
		for _, c := range columns {
			if !slices.Contains(all, c) {
				t.Errorf("%s.%s is held about a person: does \"subscriber export\" show it?", table, c)
			}
		}
		if len(columns) != len(all) {
			t.Errorf("%s has the columns %v, not %v", table, columns, all)
		}
	}
}

func TestRecord_HasWhatOthersWrote(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	must(t, s, `INSERT INTO desk_events (at, actor, action, detail) VALUES (0, 'cli:ada', 'looked', 'subscriber 3'), (0, 'cli:ada', 'looked', 'subscriber 33')`,
		`UPDATE deliveries SET doubts = 2, doubted_at = 7, relay_id = 0 WHERE edition_id = 1 AND subscriber_id = 3`)
	list, err := s.Mentions(t.Context(), "vera.needle@example.org", 3)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, m := range list {
		got[m.Where]++
		if m.Text == "" || strings.Contains(m.Text, "33") {
			t.Errorf("%+v", m)
		}
	}
	// Of two returns one is their own, and so are an event, the mail and the reply.
	want := map[string]int{"desk event": 3, "approval": 2, "draft": 1, "alarm": 1, "edition": 2, "event": 1, "return": 1, "suppression event": 1}
	for where, n := range want {
		if got[where] != n {
			t.Errorf("%d of %s, want %d", got[where], where, n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("mentioned in %v, want %v", got, want)
	}
	err = s.EachDeliveryTo(t.Context(), 3, func(d newsletter.PersonDelivery) error {
		if d.EditionID == 1 && (d.Doubts != 2 || d.DoubtedAt.IsZero() || d.Relay != "outbox" || d.ExpiresAt.IsZero()) {
			t.Errorf("the delivery is %+v", d)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEraseAddress_OfNobody(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := returnedLedger(t, s)
	hash := key.Hash("gone.needle@example.org")
	inTx(t, s, func(t *tx) error {
		return t.suppress(hash, newsletter.SuppressedLeft, "wrote to us about a divorce", "cli", noon)
	})
	must(t, s, `INSERT INTO alarms (kind, subject, text, since, raised_at) VALUES ('x', 'x', 'refused: Gone.Needle@example.org', 0, 0)`)
	if n, err := s.EraseAddress(t.Context(), "gone.needle@example.org", "cli", noon); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if got := suppressedFor(t, s, key, "gone.needle@example.org"); got != newsletter.SuppressedLeft {
		t.Errorf("it is suppressed for %q", got)
	}
	done, err := s.FoldLog(t.Context())
	if !done || err != nil || inFiles(t, s, "needle") || inFiles(t, s, "divorce") {
		t.Errorf("there are traces: %v, %v", done, err)
	}
}
