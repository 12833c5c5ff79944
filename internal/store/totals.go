package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// otherDomains is the key under which the totals of all other domains are kept; no domain is
// called so.
const otherDomains = "*"

// total is a row of an edition's totals.
type total struct {
	kind, key string
	state     newsletter.State
	n         int
	example   string
}

// KeepTotals keeps what the report counted, for ever. It keeps nothing, and says so, if the
// edition is not closed, if something of it is left to be tried, or if it moved since it was
// counted.
func (s *Store) KeepTotals(ctx context.Context, r newsletter.Report, now time.Time) (kept bool, err error) {
	if !r.Edition.State.Closed() || !r.Tally.Done() || !r.PrunedAt.IsZero() {
		return false, nil
	}
	err = s.write(ctx, func(t *tx) error {
		n, err := t.changed(`UPDATE editions SET totals_at = $1
			WHERE id = $2 AND moves = $3 AND state = $4 AND totals_at IS NULL`, millis(now), r.Edition.ID, r.Edition.Moves, string(r.Edition.State))
		if err != nil || n == 0 {
			return err
		}
		kept = true
		if r.Returned, err = returnedTotal(t, r.Edition.ID); err != nil { // it does not count as a move
			return err
		}
		for _, row := range totalRows(r) {
			if _, err := t.exec(`INSERT INTO edition_totals (edition_id, kind, key, state, n, example) VALUES ($1, $2, $3, $4, $5, $6)`,
				r.Edition.ID, row.kind, row.key, int(row.state), row.n, row.example); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("totals of edition %d: %w", r.Edition.ID, err)
	}
	return kept, nil
}

// dropTotals forgets the edition's totals, because its ledger moves again. It is refused with
// the reason rows_gone if the totals are all that is left of it.
func (t *tx) dropTotals(editionID int64) error {
	n, err := t.changed(`UPDATE editions SET moves = moves + 1, totals_at = NULL WHERE id = $1 AND pruned_at IS NULL`, editionID)
	if err == nil && n == 0 {
		err = newsletter.RowsGone(editionID)
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM edition_totals WHERE edition_id = $1`, editionID)
	return err
}

// Uncounted returns the editions that are closed and whose totals are not kept yet.
func (s *Store) Uncounted(ctx context.Context) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT ` + editionColumns + `
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE e.totals_at IS NULL AND e.state IN ('sent', 'cancelled', 'expired') ORDER BY e.id`)
	return collect(rows, err, scanEditionRow)
}

// totalRows returns the rows that keep what a report counted.
func totalRows(r newsletter.Report) []total {
	var list []total
	add := func(kind, key string, state newsletter.State, n int, example string) {
		if n > 0 {
			list = append(list, total{kind, key, state, n, example})
		}
	}
	each := func(kind, key string, counts map[newsletter.State]int) {
		for _, state := range newsletter.States() {
			add(kind, key, state, counts[state], "")
		}
	}
	each("state", "", r.Tally.Counts)
	for reason, n := range r.Tally.Reasons {
		add("reason", reason, newsletter.Withheld, n, "")
	}
	for _, d := range r.Domains {
		each("domain", d.Domain, d.Counts)
	}
	each("domain", otherDomains, r.Other.Counts)
	for _, reply := range r.Replies {
		add("reply", strings.TrimSpace(strconv.Itoa(reply.Code)+" "+reply.Enhanced), reply.State, reply.Count, reply.Example)
	}
	for _, relay := range r.Relays {
		each("relay", relay.Relay, relay.Counts)
	}
	add("doubt", "ever", newsletter.Unplanned, r.Doubts.Ever, "")
	add("doubt", "again", newsletter.Unplanned, r.Doubts.Again, "")
	if r.Returned != nil {
		add("returned", "bounced", newsletter.Unplanned, r.Returned.Bounced, "")
		add("returned", "complained", newsletter.Unplanned, r.Returned.Complained, "")
	}
	add("size", "row", newsletter.Unplanned, r.RowBytes, "")
	return list
}

// totalsOf returns the edition's report as far as its totals have it.
func totalsOf(q querier, editionID int64) (newsletter.Report, error) {
	r := newsletter.Report{
		Tally: newsletter.Tally{Counts: map[newsletter.State]int{}, Reasons: map[string]int{}},
		Other: newsletter.DomainTotal{Counts: map[newsletter.State]int{}},
	}
	if err := q.row(`SELECT planned FROM editions WHERE id = $1`, editionID).Scan(&r.Tally.Planned); err != nil {
		return r, err
	}
	rows, err := q.query(`SELECT kind, key, state, n, example FROM edition_totals WHERE edition_id = $1 ORDER BY kind, key, state`, editionID)
	list, err := collect(rows, err, func(rows *sql.Rows) (t total, err error) {
		err = rows.Scan(&t.kind, &t.key, &t.state, &t.n, &t.example)
		return t, err
	})
	if err != nil {
		return r, err
	}
	for _, row := range list {
		addTotal(&r, row)
	}
	if r.Returned == nil {
		if r.Returned, err = nothingReturned(q); err != nil {
			return r, err
		}
	}
	slices.SortStableFunc(r.Domains, func(a, b newsletter.DomainTotal) int {
		return cmp.Or(cmp.Compare(b.Planned(), a.Planned()), cmp.Compare(a.Domain, b.Domain))
	})
	sortReplies(r.Replies)
	sortRelays(r.Relays)
	return r, nil
}

// addTotal puts a row of the totals into the report. Rows of one domain, or one relay, come
// one after the other.
func addTotal(r *newsletter.Report, row total) {
	switch row.kind {
	case "state":
		if r.Tally.Counts[row.state] += row.n; row.state == newsletter.InDoubt {
			r.Doubts.Now = row.n
		}
	case "reason":
		r.Tally.Reasons[row.key] = row.n
	case "domain":
		if row.key == otherDomains {
			r.Other.Counts[row.state] = row.n
			return
		}
		if n := len(r.Domains); n == 0 || r.Domains[n-1].Domain != row.key {
			r.Domains = append(r.Domains, newsletter.DomainTotal{Domain: row.key, Counts: map[newsletter.State]int{}})
		}
		r.Domains[len(r.Domains)-1].Counts[row.state] = row.n
	case "reply":
		code, enhanced, _ := strings.Cut(row.key, " ")
		n, _ := strconv.Atoi(code) // this program wrote it
		r.Replies = append(r.Replies, newsletter.ReplyTotal{State: row.state, Code: n, Enhanced: enhanced, Count: row.n, Example: row.example})
	case "relay":
		if n := len(r.Relays); n == 0 || r.Relays[n-1].Relay != row.key {
			r.Relays = append(r.Relays, newsletter.RelayTotal{Relay: row.key, Counts: map[newsletter.State]int{}})
		}
		r.Relays[len(r.Relays)-1].Counts[row.state] = row.n
	case "doubt":
		if row.key == "ever" {
			r.Doubts.Ever, r.Tally.Doubted = row.n, row.n
		} else {
			r.Doubts.Again = row.n
		}
	case "returned":
		if r.Returned == nil {
			r.Returned = &newsletter.ReturnedTotal{}
		}
		if row.key == "bounced" {
			r.Returned.Bounced = row.n
		} else {
			r.Returned.Complained = row.n
		}
	case "size":
		r.RowBytes = row.n
	}
}
