package doctor

import (
	"context"
	"fmt"
	"strings"
)

// maxSPF is how many look-ups a receiver makes for one record, RFC 7208 §4.6.4.
const maxSPF = 10

// spfDo is what to do about most that can be wrong with SPF.
const spfDo = "correct the TXT record that begins with v=spf1, as your relay tells you"

// SPF looks at the record of a domain that return paths are of.
func (d DNS) SPF(ctx context.Context, domain string) Finding {
	record, found := d.spfRecord(ctx, domain)
	if found.State != "" {
		return found
	}
	if record == "" {
		return Warn("enter a TXT record as your relay tells you, such as v=spf1 include:relay.example.net -all; if the relay uses a return path of its own, ask it for a record for that",
			"%s has no SPF record: mail from it passes by DKIM alone", domain)
	}
	w := &spfWalk{dns: d, seen: map[string]bool{domain: true}}
	if found := w.walk(ctx, domain, record); found.State != "" {
		return found
	}
	if w.lookups > maxSPF {
		return Fail("leave out what is not used any more: receivers make "+fmt.Sprint(maxSPF)+" look-ups and then give up (RFC 7208 §4.6.4)",
			"the SPF record of %s takes more than %d look-ups, so it counts as broken", domain, maxSPF)
	}
	return w.judge(domain, record)
}

// spfRecord returns the record of a domain, "" if it has none; or a finding, if its state is
// not empty.
func (d DNS) spfRecord(ctx context.Context, domain string) (string, Finding) {
	texts, err := d.txt(ctx, domain)
	if err != nil {
		return "", noAnswer(domain, err)
	}
	var records []string
	for _, t := range texts {
		if first, _, _ := strings.Cut(t, " "); strings.EqualFold(first, "v=spf1") {
			records = append(records, t)
		}
	}
	switch len(records) {
	case 0:
		return "", Finding{}
	case 1:
		return records[0], Finding{}
	}
	return "", Fail("put all into one record", "%s has %d SPF records, so none counts", domain, len(records))
}

// spfWalk goes through a record and those that it includes.
type spfWalk struct {
	dns     DNS
	seen    map[string]bool
	lookups int
	all     string // the qualifier of "all" in the first record, or in what it redirects to
}

// walk counts the look-ups of a record. It stops where receivers would give up. The finding
// has a state if something stands in the way.
func (w *spfWalk) walk(ctx context.Context, domain, record string) Finding {
	redirect := ""
	for _, term := range strings.Fields(record)[1:] {
		name, value := spfTerm(term)
		switch name {
		case "a", "mx", "ptr", "exists":
			w.lookups++
		case "include":
			w.lookups++
			if found := w.follow(ctx, domain, value, false); found.State != "" {
				return found
			}
		case "redirect":
			redirect = value
		case "all":
			w.all = strings.ToLower(term)
			return Finding{} // receivers look no further
		}
	}
	if redirect == "" {
		return Finding{}
	}
	w.lookups++
	return w.follow(ctx, domain, redirect, true)
}

// spfTerm returns the name of a term and what follows it.
func spfTerm(term string) (name, value string) {
	term = strings.ToLower(strings.TrimLeft(term, "+-~?"))
	at := strings.IndexAny(term, ":=/")
	if at < 0 {
		return term, ""
	}
	return term[:at], strings.Trim(term[at:], ":=/")
}

func (w *spfWalk) follow(ctx context.Context, from, domain string, redirect bool) Finding {
	switch {
	case w.lookups > maxSPF, strings.Contains(domain, "%"): // a macro is another name for each mail
		return Finding{}
	case domain == "":
		return Fail(spfDo, "the SPF record of %s includes nothing: a domain is missing", from)
	case w.seen[domain]:
		return Finding{} // what it counts is counted
	}
	w.seen[domain] = true
	record, found := w.dns.spfRecord(ctx, domain)
	switch {
	case found.State != "":
		return found
	case record == "":
		return Fail(spfDo, "the SPF record of %s names %s, which has none, so it counts as broken", from, domain)
	}
	all := w.all
	found = w.walk(ctx, domain, record)
	if !redirect {
		w.all = all // what an included record says of all others does not count
	}
	return found
}

// judge says what becomes of mail from elsewhere.
func (w *spfWalk) judge(domain, record string) Finding {
	switch w.all {
	case "all", "+all":
		return Fail("end it with -all or ~all", "the SPF record of %s has +all: it lets everybody send in its name", domain)
	case "", "?all":
		return Warn("end it with -all or ~all", "the SPF record of %s says nothing about mail from elsewhere: %s", domain, record)
	}
	return Good("%s has %q, %d of %d look-ups", domain, record, w.lookups, maxSPF)
}
