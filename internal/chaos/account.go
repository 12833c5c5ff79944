package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ledger is the identity as the program prints it.
type ledger struct {
	Planned, Accepted, Refused, Expired, Withheld, Waiting int
	InDoubt                                                int `json:"in_doubt"`
}

// account is ledger and relay held against each other.
type account struct {
	ledger
	took     int // messages for readers
	lost     int // accepted in the ledger, and nothing came
	strange  int // it came, and the ledger knows nothing of it
	twice    int // messages that somebody got once too often
	unlisted int // of them those whose reader is not listed by --doubted
	changed  int // readers whose messages had different Message-IDs
	doubted  int // readers who are listed by --doubted
}

// row is a delivery as `edition deliveries --json` prints it.
type row struct {
	Email     string
	State     string
	Reason    string
	SentAgain int        `json:"sent_again"`
	DoubtedAt *time.Time `json:"doubted_at"`
}

// rows returns deliveries of the edition.
func (p *program) rows(ctx context.Context, flags ...string) ([]row, error) {
	out, err := p.output(ctx, append([]string{"edition", "deliveries", "1", "--json"}, flags...)...)
	if err != nil {
		return nil, err
	}
	var rows []row
	if err := json.Unmarshal(out, &rows); err != nil {
		return nil, fmt.Errorf("the ledger: %w", err)
	}
	return rows, nil
}

// settle holds the edition's ledger and the sink against each other.
func (p *program) settle(ctx context.Context, r *result) error {
	out, err := p.output(ctx, "send", "--edition", "1", "--yes", "--json")
	if err != nil {
		return err
	}
	a := &r.account
	if err := json.Unmarshal(out, &a.ledger); err != nil {
		return fmt.Errorf("the ledger: %w", err)
	}
	rows, err := p.rows(ctx)
	if err != nil {
		return err
	}
	doubted, err := p.rows(ctx, "--doubted")
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, d := range doubted {
		listed[d.Email] = true
	}
	got, err := p.site.sink.recipients(ctx)
	if err != nil {
		return err
	}
	a.doubted = len(doubted)
	for _, d := range rows {
		t := got[d.Email]
		delete(got, d.Email)
		a.took += t.count
		switch {
		case d.State == "accepted" && t.count == 0:
			a.lost++
		case d.State != "accepted" && t.count > 0 && !listed[d.Email]:
			a.strange++
		}
		if t.count > 1 {
			a.twice += t.count - 1
			if !listed[d.Email] || t.count > 1+d.SentAgain {
				a.unlisted += t.count - 1
			}
			if !t.same {
				a.changed++
			}
		}
	}
	for email := range got {
		if strings.HasPrefix(email, "r") { // the others are who signed up meanwhile
			a.strange++
		}
	}
	r.judge(p.site.readers, len(rows))
	return nil
}

// judge says what must never be.
func (r *result) judge(readers, rows int) {
	a := r.account
	if sum := a.Accepted + a.Refused + a.Expired + a.InDoubt + a.Withheld + a.Waiting; sum != a.Planned || rows != a.Planned {
		r.wrong("the ledger does not balance: planned %d, the sum is %d, there are %d rows", a.Planned, sum, rows)
	}
	if a.Planned != readers {
		r.wrong("%d of %d readers were planned", a.Planned, readers)
	}
	for _, check := range []struct {
		n    int
		what string
	}{
		{a.lost, "lost"}, {a.strange, "got it and the ledger does not know"}, {a.unlisted, "twice and not on record"},
		{a.changed, "twice with another Message-ID"}, {a.Waiting, "still waiting"}, {a.Expired, "expired"},
	} {
		if check.n > 0 {
			r.wrong("%d %s", check.n, check.what)
		}
	}
}
