package store

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// smallLedger empties the database and makes newsletter 1 with its edition 1, articles 1 and
// 2, variant 1 of both, and subscribers 1, 2 and 3, who are active.
func smallLedger(t testing.TB, s *Store) {
	t.Helper()
	var statements []string
	for _, table := range []string{"deliveries", "edition_totals", "edition_articles", "variant_articles", "variants", "blocks", "editions",
		"articles", "sources", "subscription_events", "subscriptions", "subscribers", "desk_events", "newsletters", "returns", "return_counts", "suppressions", "suppression_events"} {
		statements = append(statements, "DELETE FROM "+table)
	}
	statements = append(statements, `INSERT INTO keys (id, purpose, secret, created_at) VALUES (1, 'suppression', X'0102', 0) ON CONFLICT DO NOTHING`,
		`INSERT INTO newsletters (id, slug, name, from_name, from_email, postal_address, language, zone, min_articles, max_articles, status, created_at, updated_at)
			VALUES (1, 'daily-news', 'Daily News', '', 'news@example.org', 'x', 'en', 'UTC', 1, 12, 'open', 0, 0)`,
		`INSERT INTO sources (id, url, name, kind, created_at, next_fetch_at) VALUES (1, 'https://www.example.org/feed', 'Feed', 'feed', 0, 0)`,
		`INSERT INTO articles (id, source_id, guid, url, headline, summary, author, image_url, image_alt, label, first_seen, owed_from, hash, updated_at)
			VALUES (1, 1, 'a', 'https://www.example.org/a', 'A', '', '', '', '', '', 0, 0, 'x', 0), (2, 1, 'b', 'https://www.example.org/b', 'B', '', '', '', '', '', 0, 0, 'y', 0)`)
	for i := 1; i <= 3; i++ {
		statements = append(statements,
			fmt.Sprintf(`INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES (%d, 'r%d@example.org', 'r%d@example.org', 0, 0)`, i, i, i),
			fmt.Sprintf(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, joined_at, created_at, updated_at) VALUES (1, %d, 'active', 'daily', 0, 0, 0)`, i))
	}
	must(t, s, append(statements, smallEdition(1, "1,2", "sending")...)...)
}

// smallEdition returns what makes an edition with one variant of these articles, whose id is
// the edition's.
func smallEdition(id int64, articles, state string) []string {
	statements := []string{
		fmt.Sprintf(`INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, due_at, as_of, planned_at, created_at, started_at, expires_at)
			VALUES (%d, 1, 'daily', '2026-11-20', 's%d', '%s', 0, 0, 0, 0, 0, %d)`, id, id, state, millis(noon.Add(time.Hour))),
		fmt.Sprintf(`INSERT INTO variants (id, edition_id, articles, subject, preheader, message, hash) VALUES (%d, %d, '%s', 'x', '', X'00', 'x')`, id, id, articles),
	}
	for i, a := range strings.Split(articles, ",") {
		statements = append(statements,
			fmt.Sprintf(`INSERT INTO variant_articles (variant_id, article_id) VALUES (%d, %s)`, id, a),
			fmt.Sprintf(`INSERT INTO blocks (edition_id, position, kind, article_id) VALUES (%d, %d, 'article', %s)`, id, i, a))
	}
	return statements
}

// row puts a delivery into the ledger, past all rules. One that may be in doubt, or was, has
// been sent as often as it may be.
func row(t testing.TB, s *Store, edition, subscriber int64, state newsletter.State) {
	t.Helper()
	doubts := 0
	if state == newsletter.Sending || state == newsletter.Deferred || state == newsletter.InDoubt {
		doubts = newsletter.MaxDoubts
	}
	must(t, s,
		fmt.Sprintf(`INSERT INTO deliveries (edition_id, subscriber_id, variant_id, state, attempts, doubts, not_before, next_try, expires_at, updated_at)
			VALUES (%d, %d, %d, %d, 3, %d, 0, 0, %d, 0)`, edition, subscriber, edition, int(state), doubts, millis(noon.Add(time.Hour))),
		fmt.Sprintf(`UPDATE editions SET planned = planned + 1 WHERE id = %d`, edition))
}

func delivery(t testing.TB, s *Store, edition, subscriber int64) newsletter.Delivery {
	t.Helper()
	var got []newsletter.Delivery
	err := s.EachDelivery(t.Context(), newsletter.DeliveryFilter{EditionID: edition, SubscriberID: subscriber}, func(d newsletter.Delivery) error {
		got = append(got, d)
		return nil
	})
	if err != nil || len(got) != 1 {
		t.Fatalf("%d rows of edition %d and subscriber %d (%v)", len(got), edition, subscriber, err)
	}
	return got[0]
}

// move is a way in which the store moves deliveries, and where it leads each from.
type move struct {
	name  string
	leads map[newsletter.State]newsletter.State // the others stay
	do    func(t *testing.T, s *Store) error
}

var ledgerKey = newsletter.DeliveryKey{EditionID: 1, SubscriberID: 1}

func result(state newsletter.State) func(*testing.T, *Store) error {
	return func(t *testing.T, s *Store) error {
		results, err := s.Steps(t.Context(), []newsletter.Step{{Last: &newsletter.DeliveryResult{
			DeliveryKey: ledgerKey, Outcome: newsletter.Outcome{State: state, Code: 250},
		}}}, newsletter.SuppressionKey{}, noon)
		if err != nil {
			return err
		}
		return results[0].Err
	}
}

func intent(before ...string) func(*testing.T, *Store) error {
	return func(t *testing.T, s *Store) error {
		must(t, s, before...)
		results, err := s.Steps(t.Context(), []newsletter.Step{{Next: &newsletter.Intent{
			DeliveryKey: ledgerKey, VariantID: 1, Email: "r1@example.org", Barred: newsletter.SuppressionHashes{Address: []byte("x")}, ReadAt: noon,
		}}}, newsletter.SuppressionKey{}, noon)
		if err != nil {
			return err
		}
		return results[0].Err
	}
}

// moves are all ways there are.
func moves() []move {
	type leads = map[newsletter.State]newsletter.State
	open := func(to newsletter.State) leads {
		return leads{newsletter.Waiting: to, newsletter.Deferred: to}
	}
	return []move{
		{"intent", open(newsletter.Sending), intent()},
		{"intent, too late", open(newsletter.Expired), undoubted(intent(`UPDATE deliveries SET expires_at = 1`))},
		{"intent, who left", open(newsletter.Withheld), undoubted(intent(`UPDATE subscriptions SET state = 'left'`))},
		{"intent, too late, doubted", open(newsletter.InDoubt), doubted(intent(`UPDATE deliveries SET expires_at = 1`))},
		{"intent, who paused, doubted", open(newsletter.InDoubt), doubted(intent(`UPDATE subscriptions SET state = 'paused'`))},
		{"intent, withdrawn, doubted", open(newsletter.InDoubt), doubted(intent(`UPDATE variants SET replaced_by = id`))},
		{"intent, with a copy that is to be replaced", leads{}, undoubted(intent(`UPDATE variants SET replaced_by = 0`))},
		{"replace", leads{}, undoubted(func(t *testing.T, s *Store) error {
			must(t, s, `INSERT INTO variants (id, edition_id, articles, subject, preheader, message, hash) VALUES (77, 1, '1', '', '', x'', '')`, `UPDATE variants SET replaced_by = 77 WHERE id <> 77`)
			_, err := s.MoveWithdrawn(t.Context(), 1, "test", noon)
			return err
		})},
		{"intent, erased, doubted", open(newsletter.Withheld), doubted(intent(`DELETE FROM subscriptions`, `DELETE FROM subscribers`))},
		{"accepted", leads{newsletter.Sending: newsletter.Accepted}, result(newsletter.Accepted)},
		{"refused", leads{newsletter.Sending: newsletter.Refused}, undoubted(result(newsletter.Refused))},
		{"refused, doubted", leads{newsletter.Sending: newsletter.InDoubt}, doubted(result(newsletter.Refused))},
		{"refused, doubted, and it bounced", leads{newsletter.Waiting: newsletter.Refused, newsletter.Deferred: newsletter.Refused, newsletter.InDoubt: newsletter.Refused, newsletter.Sending: newsletter.Refused},
			doubted(func(t *testing.T, s *Store) error {
				return errors.Join(comesBack(newsletter.ReturnHard, "user_unknown")(t, s), ignoring(result(newsletter.Refused)(t, s)))
			})},
		{"a new sender, after a refusal", leads{newsletter.Sending: newsletter.InDoubt}, doubted(func(t *testing.T, s *Store) error {
			err := ignoring(result(newsletter.Refused)(t, s))
			must(t, s, `UPDATE deliveries SET code = 550 WHERE state = 6`)
			_, took := s.TakeOver(t.Context(), noon)
			return errors.Join(err, took)
		})},
		{"deferred", leads{newsletter.Sending: newsletter.Deferred}, result(newsletter.Deferred)},
		{"in doubt", leads{newsletter.Sending: newsletter.InDoubt}, result(newsletter.InDoubt)},
		{"in doubt, sent again", leads{newsletter.Sending: newsletter.Deferred}, func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE deliveries SET doubts = 0`)
			return result(newsletter.InDoubt)(t, s)
		}},
		{"in doubt, cancelled", leads{newsletter.Sending: newsletter.InDoubt}, func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE deliveries SET doubts = 0`, `UPDATE editions SET state = 'cancelled'`)
			return result(newsletter.InDoubt)(t, s)
		}},
		{"not begun", leads{newsletter.Sending: newsletter.Waiting}, result(newsletter.Waiting)},
		{"result sending", nil, result(newsletter.Sending)},
		{"result expired", nil, result(newsletter.Expired)},
		{"result withheld", nil, result(newsletter.Withheld)},
		{"a new sender", leads{newsletter.Sending: newsletter.InDoubt}, func(t *testing.T, s *Store) error {
			_, err := s.TakeOver(t.Context(), noon)
			return err
		}},
		{"a new sender resends", leads{newsletter.Sending: newsletter.Deferred, newsletter.InDoubt: newsletter.Deferred}, func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE deliveries SET doubts = 0`)
			_, err := s.TakeOver(t.Context(), noon)
			return err
		}},
		{"expire", open(newsletter.Expired), undoubted(func(t *testing.T, s *Store) error {
			_, err := s.ExpireDeliveries(t.Context(), 1, noon.Add(2*time.Hour))
			return err
		})},
		{"expire, doubted", open(newsletter.InDoubt), doubted(func(t *testing.T, s *Store) error {
			_, err := s.ExpireDeliveries(t.Context(), 1, noon.Add(2*time.Hour))
			return err
		})},
		{"cancel, doubted", open(newsletter.InDoubt), doubted(func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE editions SET state = 'cancelled'`)
			_, err := s.WithholdCancelled(t.Context(), 1, noon)
			return err
		})},
		{"withdraw, doubted", open(newsletter.InDoubt), doubted(func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE variants SET replaced_by = id`)
			_, err := s.MoveWithdrawn(t.Context(), 1, "test", noon)
			return err
		})},
		{"a new sender, of a closed edition", leads{newsletter.Sending: newsletter.InDoubt}, func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE deliveries SET doubts = 0`, `UPDATE editions SET state = 'sent'`)
			_, err := s.TakeOver(t.Context(), noon)
			return err
		}},
		{"a new sender, too late", leads{newsletter.Sending: newsletter.InDoubt}, func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE deliveries SET doubts = 0`)
			_, err := s.TakeOver(t.Context(), noon.Add(2*time.Hour))
			return err
		}},
		{"cancel", open(newsletter.Withheld), undoubted(func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE editions SET state = 'cancelled'`)
			_, err := s.WithholdCancelled(t.Context(), 1, noon)
			return err
		})},
		{"withdraw", open(newsletter.Withheld), undoubted(func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE variants SET replaced_by = id`)
			_, err := s.MoveWithdrawn(t.Context(), 1, "test", noon)
			return err
		})},
		{"retry", leads{newsletter.Refused: newsletter.Waiting, newsletter.Expired: newsletter.Waiting}, func(t *testing.T, s *Store) error {
			_, err := s.RetryDeliveries(t.Context(), newsletter.RetryFilter{EditionID: 1}, true, noon, "test", noon)
			return err
		}},
		{"arrived", leads{newsletter.InDoubt: newsletter.Accepted}, resolve(newsletter.Arrived)},
		{"not arrived", leads{newsletter.InDoubt: newsletter.Refused}, resolve(newsletter.NotArrived)},
		{"resend", leads{newsletter.InDoubt: newsletter.Deferred}, resolve(newsletter.Resend)},
		{"bounced", leads{newsletter.InDoubt: newsletter.Refused, newsletter.Deferred: newsletter.Refused}, comesBack(newsletter.ReturnHard, "user_unknown")},
		{"bounced, never handed over", leads{newsletter.InDoubt: newsletter.Refused}, undoubted(comesBack(newsletter.ReturnHard, "user_unknown"))},
		{"failed, waits to be sent again", leads{newsletter.InDoubt: newsletter.Refused, newsletter.Deferred: newsletter.Refused, newsletter.Waiting: newsletter.Refused}, doubted(comesBack(newsletter.ReturnSoft, "mailbox_full"))},
		{"delayed, waits to be sent again", leads{newsletter.InDoubt: newsletter.Accepted, newsletter.Deferred: newsletter.Accepted, newsletter.Waiting: newsletter.Accepted}, doubted(comesBack(newsletter.ReturnSoft, newsletter.ReturnDelayed))},
		{"failed", leads{newsletter.InDoubt: newsletter.Refused, newsletter.Deferred: newsletter.Refused}, comesBack(newsletter.ReturnSoft, "mailbox_full")},
		{"delayed", leads{newsletter.InDoubt: newsletter.Accepted, newsletter.Deferred: newsletter.Accepted}, comesBack(newsletter.ReturnSoft, newsletter.ReturnDelayed)},
		{"complaint", leads{newsletter.InDoubt: newsletter.Accepted, newsletter.Deferred: newsletter.Accepted}, comesBack(newsletter.ReturnComplaint, "feedback")},
		{"auto-reply", leads{newsletter.InDoubt: newsletter.Accepted, newsletter.Deferred: newsletter.Accepted}, comesBack(newsletter.ReturnAutoReply, "vacation")},
		{"auto-reply, never handed over", leads{newsletter.InDoubt: newsletter.Accepted}, func(t *testing.T, s *Store) error {
			must(t, s, `UPDATE deliveries SET doubts = 0`)
			return comesBack(newsletter.ReturnAutoReply, "vacation")(t, s)
		}},
		{"something else", nil, comesBack(newsletter.ReturnOther, "")},
		{"in doubt, but it bounced", leads{newsletter.Sending: newsletter.Refused, newsletter.InDoubt: newsletter.Refused, newsletter.Deferred: newsletter.Refused}, func(t *testing.T, s *Store) error {
			return errors.Join(comesBack(newsletter.ReturnHard, "user_unknown")(t, s), ignoring(result(newsletter.InDoubt)(t, s)))
		}},
		{"a new sender, but it bounced", leads{newsletter.Sending: newsletter.Refused, newsletter.InDoubt: newsletter.Refused, newsletter.Deferred: newsletter.Refused}, func(t *testing.T, s *Store) error {
			if err := comesBack(newsletter.ReturnHard, "user_unknown")(t, s); err != nil {
				return err
			}
			_, err := s.TakeOver(t.Context(), noon)
			return err
		}},
		{"a new sender, but it arrived", leads{newsletter.Sending: newsletter.Accepted, newsletter.InDoubt: newsletter.Accepted, newsletter.Deferred: newsletter.Accepted}, func(t *testing.T, s *Store) error {
			if err := comesBack(newsletter.ReturnAutoReply, "vacation")(t, s); err != nil {
				return err
			}
			_, err := s.TakeOver(t.Context(), noon)
			return err
		}},
	}
}

// doubted does it to a delivery that was in doubt once and is to be sent once more.
func doubted(do func(*testing.T, *Store) error) func(*testing.T, *Store) error {
	return func(t *testing.T, s *Store) error {
		must(t, s, `UPDATE deliveries SET doubts = 1`)
		return do(t, s)
	}
}

// undoubted does it to one that never was.
func undoubted(do func(*testing.T, *Store) error) func(*testing.T, *Store) error {
	return func(t *testing.T, s *Store) error {
		must(t, s, `UPDATE deliveries SET doubts = 0`)
		return do(t, s)
	}
}

// comesBack has it on record that something came back of delivery 1/1.
func comesBack(kind newsletter.ReturnKind, reason string) func(*testing.T, *Store) error {
	return func(t *testing.T, s *Store) error {
		_, err := s.TakeReturn(t.Context(), newsletter.Return{EditionID: 1, SubscriberID: 1, Kind: kind, Reason: reason, Channel: "pipe", At: noon}, newsletter.DefaultSoftLimit())
		return err
	}
}

// ignoring drops the error of who comes too late with a result: its row is not sending.
func ignoring(error) error { return nil }

func resolve(as newsletter.Settlement) func(*testing.T, *Store) error {
	return func(t *testing.T, s *Store) error {
		_, err := s.ResolveDoubts(t.Context(), newsletter.ResolveFilter{EditionID: 1}, as, noon, "test", noon)
		return err
	}
}

// Every way from every state: it leads where the table allows and nowhere else, and the
// ledger balances after it.
func TestLedger_MovesAlongItsTableOnly(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	reached := map[[2]newsletter.State]bool{}
	for _, m := range moves() {
		for _, from := range newsletter.States() {
			smallLedger(t, s)
			row(t, s, 1, 1, from)
			err := m.do(t, s)
			want, moves := m.leads[from]
			if !moves {
				want = from
			}
			got := delivery(t, s, 1, 1).State
			if got != want {
				t.Errorf("%s: from %s to %s, want %s (%v)", m.name, from, got, want, err)
			}
			if moves && err != nil {
				t.Errorf("%s from %s: %v", m.name, from, err)
			}
			if got != from {
				reached[[2]newsletter.State{from, got}] = true
				if !newsletter.CanMove(from, got) && !(newsletter.CanMove(from, newsletter.InDoubt) && newsletter.CanMove(newsletter.InDoubt, got)) {
					t.Errorf("%s goes from %s to %s, which the table forbids", m.name, from, got)
				}
			}
			tallyIs(t, s, 1, map[newsletter.State]int{got: 1})
		}
	}
	for _, from := range newsletter.States() {
		for _, to := range newsletter.States() {
			if newsletter.CanMove(from, to) && !reached[[2]newsletter.State{from, to}] {
				t.Errorf("nothing moves a delivery from %s to %s", from, to)
			}
		}
	}
}

func TestLedger_PlansAsTheTableSays(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	e, err := s.Edition(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	rows := []newsletter.PlannedDelivery{{SubscriberID: 1, VariantID: 1}, {SubscriberID: 2, Reason: newsletter.ReasonNothingNew}}
	if err := s.SavePlan(t.Context(), e, rows, true, noon); err != nil {
		t.Fatal(err)
	}
	for subscriber, want := range map[int64]newsletter.State{1: newsletter.Waiting, 2: newsletter.Withheld} {
		if got := delivery(t, s, 1, subscriber).State; got != want || !newsletter.CanMove(newsletter.Unplanned, got) {
			t.Errorf("subscriber %d is planned as %s", subscriber, got)
		}
	}
	tallyIs(t, s, 1, map[newsletter.State]int{newsletter.Waiting: 1, newsletter.Withheld: 1})
}

var (
	setsState  = regexp.MustCompile(`(?s)^\s*UPDATE deliveries SET (.*?)\bWHERE\b(.*)$`)
	assignment = regexp.MustCompile(`\bstate = (\S+?),?\s`)
	whereState = regexp.MustCompile(`\bstate (?:= (\d)|IN \(([0-9, ]+)\))`)
	readBefore = map[string]bool{"begin": true, "settle": true, "resolve": true} // they ask CanMove, or write what the table has
)

// statesIn reads a list of states such as "1, 5".
func statesIn(text string) (list []newsletter.State) {
	for f := range strings.SplitSeq(text, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(f)); err == nil {
			list = append(list, newsletter.State(n))
		}
	}
	return list
}

// Every statement of the store that sets a delivery's state says from which ones, and the
// table allows each.
func TestStatements_MoveDeliveriesAsTheTableAllows(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	files := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					return true
				}
				parts := setsState.FindStringSubmatch(text)
				if parts == nil {
					return true
				}
				to := assignment.FindStringSubmatch(parts[1] + " ")
				if to == nil {
					return true // another column
				}
				found++
				checkMove(t, files.Position(lit.Pos()).String(), f.Name.Name, to[1], parts[2])
				return true
			})
		}
	}
	if found < 12 {
		t.Errorf("only %d statements found: does the test still see them?", found)
	}
}

// checkMove checks one statement: where it leads, and its WHERE clause.
func checkMove(t *testing.T, position, function, to, where string) {
	t.Helper()
	from := whereState.FindStringSubmatch(where)
	if from == nil {
		t.Errorf("%s: it does not say from which states", position)
		return
	}
	number, err := strconv.Atoi(to)
	if err != nil {
		if !readBefore[function] {
			t.Errorf("%s: where it leads is not in the statement, and %s is not known to ask CanMove", position, function)
		}
		return
	}
	for _, s := range statesIn(from[1] + from[2]) {
		if !newsletter.CanMove(s, newsletter.State(number)) {
			t.Errorf("%s: it goes from %s to %s", position, s, newsletter.State(number))
		}
	}
}
