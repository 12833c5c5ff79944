package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
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
	w := &spfWalk{dns: d, records: map[string]string{domain: record}}
	if found := w.walk(ctx, domain, record); found.State != "" {
		return found
	}
	if w.lookups > maxSPF {
		return Fail("leave out what is not used any more: receivers make "+fmt.Sprint(maxSPF)+" look-ups and then give up (RFC 7208 §4.6.4)",
			"the SPF record of %s takes more than %d look-ups, so it counts as broken", domain, maxSPF)
	}
	if w.after != "" {
		return Warn("take it out, or put it before all", "in the SPF record of %s %q stands after all, where receivers do not look", domain, w.after)
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
	records map[string]string // that were looked up, by domain
	path    []string          // of the domains whose records are being gone through
	lookups int
	all     string // the qualifier of "all" in the first record, or in what it redirects to
	after   string // the first term after it
}

// walk counts the look-ups of a record. It stops where receivers would give up. The finding
// has a state if something stands in the way.
func (w *spfWalk) walk(ctx context.Context, domain, record string) Finding {
	w.path = append(w.path, domain)
	defer func() { w.path = w.path[:len(w.path)-1] }()
	redirect := ""
	terms := strings.Fields(record)[1:]
	for i, term := range terms {
		name, value := spfTerm(term)
		switch name {
		case "ip4", "ip6":
			if !spfNetwork(name, value) {
				return Fail(spfDo, "in the SPF record of %s %q is no address, so all of it counts as broken", domain, term)
			}
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
			if i+1 < len(terms) && w.after == "" && len(w.path) == 1 && !strings.Contains(terms[i+1], "=") {
				w.after = terms[i+1]
			}
			return Finding{} // receivers look no further
		default:
			if !strings.Contains(term, "=") { // a modifier that nobody knows is left alone, RFC 7208 §6
				return Fail(spfDo, "in the SPF record of %s %q is not known, so all of it counts as broken", domain, term)
			}
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
	return term[:at], term[at+1:]
}

// spfNetwork reports whether the value of an ip4 or ip6 is an address, or a network.
func spfNetwork(name, value string) bool {
	address, _, _ := strings.Cut(value, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Is4() != (name == "ip4") {
		return false
	}
	_, err = netip.ParsePrefix(value)
	return err == nil || !strings.Contains(value, "/")
}

func (w *spfWalk) follow(ctx context.Context, from, domain string, redirect bool) Finding {
	switch {
	case w.lookups > maxSPF, strings.Contains(domain, "%"): // a macro is another name for each mail
		return Finding{}
	case domain == "":
		return Fail(spfDo, "the SPF record of %s includes nothing: a domain is missing", from)
	case slices.Contains(w.path, domain):
		return Fail(spfDo, "the SPF record of %s names %s, which leads back to it, so it counts as broken", from, domain)
	}
	record, known := w.records[domain]
	if !known {
		var found Finding
		if record, found = w.dns.spfRecord(ctx, domain); found.State != "" {
			return found
		}
		w.records[domain] = record
	}
	if record == "" {
		return Fail(spfDo, "the SPF record of %s names %s, which has none, so it counts as broken", from, domain)
	}
	all := w.all
	found := w.walk(ctx, domain, record)
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
