package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"broadsheet/internal/newsletter"
)

// Balance counts the edition's deliveries by state, also those whose rows were removed. It is
// an *newsletter.ImbalanceError if they do not add up to those that were planned.
func (s *Store) Balance(ctx context.Context, editionID int64) (newsletter.Tally, error) {
	var tally newsletter.Tally
	err := s.readTogether(ctx, func(q querier) error {
		var countedAt sql.NullInt64
		err := q.row(`SELECT totals_at FROM editions WHERE id = $1`, editionID).Scan(&countedAt)
		switch {
		case err != nil:
			return err
		case countedAt.Valid:
			var totals newsletter.Report
			totals, err = totalsOf(q, editionID)
			tally = totals.Tally
		default:
			tally, err = tallyOf(q, editionID)
		}
		if err == nil {
			err = tally.Check()
		}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return tally, noEdition(editionID)
	}
	if err != nil {
		return tally, fmt.Errorf("edition %d: %w", editionID, err)
	}
	return tally, nil
}

// Report returns what became of the edition, all of one moment. Where its totals are kept
// it is made of them; otherwise it is counted row by row, which takes seconds for a million.
// It is an *newsletter.ImbalanceError if the ledger does not balance.
func (s *Store) Report(ctx context.Context, editionID int64) (newsletter.Report, error) {
	var r newsletter.Report
	err := s.readTogether(ctx, func(q querier) error {
		edition, err := scanEdition(q.row(`SELECT `+editionColumns+`
			FROM editions e JOIN newsletters n ON n.id = e.newsletter_id WHERE e.id = $1`, editionID))
		if err != nil {
			return err
		}
		var countedAt sql.NullInt64
		if err := q.row(`SELECT totals_at FROM editions WHERE id = $1`, editionID).Scan(&countedAt); err != nil {
			return err
		}
		if countedAt.Valid {
			r, err = totalsOf(q, editionID)
		} else {
			r, err = countEdition(q, editionID)
		}
		if err != nil {
			return err
		}
		r.Edition, r.CountedAt, r.PrunedAt, r.Rows = edition, fromNull(countedAt), edition.PrunedAt, r.Tally.Planned
		if !r.PrunedAt.IsZero() {
			if err := q.row(`SELECT COUNT(*) FROM deliveries WHERE edition_id = $1`, editionID).Scan(&r.Rows); err != nil {
				return err
			}
		}
		return r.Tally.Check()
	})
	if errors.Is(err, sql.ErrNoRows) {
		return r, noEdition(editionID)
	}
	if err != nil {
		return r, fmt.Errorf("report of edition %d: %w", editionID, err)
	}
	return r, nil
}

// countEdition counts the edition's rows.
func countEdition(q querier, editionID int64) (newsletter.Report, error) {
	planned, groups, err := ledgerGroups(q, editionID)
	if err != nil {
		return newsletter.Report{}, err
	}
	r := newsletter.Report{Tally: newsletter.Tally{Planned: planned, Counts: map[newsletter.State]int{}, Reasons: map[string]int{}}}
	replies := map[newsletter.ReplyTotal]*newsletter.ReplyTotal{}
	examples := map[*newsletter.ReplyTotal]int64{}
	relays := map[int64]map[newsletter.State]int{}
	for _, g := range groups {
		r.Tally.Counts[g.state] += g.n
		if g.state == newsletter.Withheld {
			r.Tally.Reasons[g.reason] += g.n
		}
		r.Tally.Doubted += g.doubted
		r.Doubts.Again += g.again
		if g.answered {
			key := newsletter.ReplyTotal{State: g.state, Code: g.code, Enhanced: g.enhanced}
			if replies[key] == nil {
				replies[key] = &newsletter.ReplyTotal{State: g.state, Code: g.code, Enhanced: g.enhanced}
			}
			replies[key].Count += g.n
			examples[replies[key]] = max(examples[replies[key]], g.reply)
		}
		if g.relay != 0 && !g.settled {
			if relays[g.relay] == nil {
				relays[g.relay] = map[newsletter.State]int{}
			}
			relays[g.relay][g.state] += g.n
		}
	}
	r.Doubts.Ever, r.Doubts.Now = r.Tally.Doubted, r.Tally.Counts[newsletter.InDoubt]
	if r.Returned, err = returnedTotal(q, editionID); err != nil {
		return r, err
	}
	if r.Replies, err = withExamples(q, replies, examples); err != nil {
		return r, err
	}
	if r.Relays, err = withNames(q, relays); err != nil {
		return r, err
	}
	if r.Domains, err = domainTotals(q, editionID); err != nil {
		return r, err
	}
	r.Other = rest(r.Tally, r.Domains)
	r.RowBytes, err = rowBytes(q, editionID)
	return r, err
}

// ledgerGroup is deliveries that are alike.
type ledgerGroup struct {
	state             newsletter.State
	reason            string
	answered          bool // there is a code, or at least words
	settled           bool // by staff, who alone leave words without a code
	code              int
	enhanced          string
	relay             int64
	reply             int64 // one of their replies
	n, doubted, again int
}

// ledgerGroups counts all rows in one statement.
func ledgerGroups(q querier, editionID int64) (planned int, groups []ledgerGroup, err error) {
	rows, err := q.query(`SELECT e.planned, COALESCE(d.state, 0), COALESCE(d.reason, ''), d.code, COALESCE(d.enhanced, ''), COALESCE(d.relay_id, 0),
			COALESCE(MAX(d.reply_id), 0), COUNT(d.state), SUM(CASE WHEN d.doubted_at IS NULL THEN 0 ELSE 1 END),
			SUM(CASE WHEN d.doubts > 0 THEN 1 ELSE 0 END)
		FROM editions e LEFT JOIN deliveries d ON d.edition_id = e.id
		WHERE e.id = $1 GROUP BY e.planned, d.state, d.reason, d.code, d.enhanced, d.relay_id`, editionID)
	groups, err = collect(rows, err, func(rows *sql.Rows) (g ledgerGroup, err error) {
		var code sql.NullInt64
		err = rows.Scan(&planned, &g.state, &g.reason, &code, &g.enhanced, &g.relay, &g.reply, &g.n, &g.doubted, &g.again)
		g.code, g.answered, g.settled = int(code.Int64), code.Valid || g.reply != 0, !code.Valid && g.reply != 0
		return g, err
	})
	return planned, slices.DeleteFunc(groups, func(g ledgerGroup) bool { return g.n == 0 }), err
}

// withExamples returns the replies in order, each with the words of one of them.
func withExamples(q querier, replies map[newsletter.ReplyTotal]*newsletter.ReplyTotal, examples map[*newsletter.ReplyTotal]int64) ([]newsletter.ReplyTotal, error) {
	var list []newsletter.ReplyTotal
	for _, r := range replies {
		if id := examples[r]; id != 0 {
			if err := q.row(`SELECT text FROM replies WHERE id = $1`, id).Scan(&r.Example); err != nil {
				return nil, fmt.Errorf("reply %d: %w", id, err)
			}
		}
		list = append(list, *r)
	}
	sortReplies(list)
	return list, nil
}

func sortReplies(list []newsletter.ReplyTotal) {
	slices.SortFunc(list, func(a, b newsletter.ReplyTotal) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Enhanced, b.Enhanced), cmp.Compare(a.State, b.State))
	})
}

func withNames(q querier, relays map[int64]map[newsletter.State]int) ([]newsletter.RelayTotal, error) {
	var list []newsletter.RelayTotal
	for id, counts := range relays {
		r := newsletter.RelayTotal{Counts: counts}
		if err := q.row(`SELECT name FROM relays WHERE id = $1`, id).Scan(&r.Relay); err != nil {
			return nil, fmt.Errorf("relay %d: %w", id, err)
		}
		list = append(list, r)
	}
	sortRelays(list)
	return list, nil
}

func sortRelays(list []newsletter.RelayTotal) {
	slices.SortFunc(list, func(a, b newsletter.RelayTotal) int {
		return cmp.Or(cmp.Compare(b.Asked(), a.Asked()), cmp.Compare(a.Relay, b.Relay))
	})
}

// domainTotals counts by the domains with the most deliveries. Readers who were erased have
// the empty one.
func domainTotals(q querier, editionID int64) ([]newsletter.DomainTotal, error) {
	rows, err := q.query(`SELECT COALESCE(s.domain, ''), SUM(CASE WHEN d.state = 1 THEN 1 ELSE 0 END), SUM(CASE WHEN d.state = 2 THEN 1 ELSE 0 END),
			SUM(CASE WHEN d.state = 3 THEN 1 ELSE 0 END), SUM(CASE WHEN d.state = 4 THEN 1 ELSE 0 END), SUM(CASE WHEN d.state = 5 THEN 1 ELSE 0 END),
			SUM(CASE WHEN d.state = 6 THEN 1 ELSE 0 END), SUM(CASE WHEN d.state = 7 THEN 1 ELSE 0 END), SUM(CASE WHEN d.state = 8 THEN 1 ELSE 0 END)
		FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id
		WHERE d.edition_id = $1 GROUP BY s.domain ORDER BY COUNT(*) DESC, s.domain LIMIT $2`, editionID, newsletter.ReportDomains)
	return collect(rows, err, func(rows *sql.Rows) (d newsletter.DomainTotal, err error) {
		var n [8]int
		err = rows.Scan(&d.Domain, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7])
		d.Counts = map[newsletter.State]int{}
		for i, count := range n {
			if count > 0 {
				d.Counts[newsletter.State(i+1)] = count
			}
		}
		return d, err
	})
}

// rest is what of the tally is in none of the domains.
func rest(tally newsletter.Tally, domains []newsletter.DomainTotal) newsletter.DomainTotal {
	other := newsletter.DomainTotal{Counts: maps.Clone(tally.Counts)}
	for _, d := range domains {
		for state, n := range d.Counts {
			if other.Counts[state] -= n; other.Counts[state] == 0 {
				delete(other.Counts, state)
			}
		}
	}
	return other
}
