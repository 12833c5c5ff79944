package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Sender is a domain that mail is from, and what its mail can pass DMARC by.
type Sender struct {
	Domain string   // of the From field
	Return string   // the domain of the return path; empty: that of From
	Keys   []string // the domains that sign; empty: the relay signs, nobody here knows as whom
}

// maxLabels bounds how far above a domain its policy is looked for, RFC 9989 §4.10.
const maxLabels = 8

// DMARC looks at the policy of a sender's domain, and whether what the mail passes by is of
// that domain.
func (d DNS) DMARC(ctx context.Context, s Sender) []Finding {
	at, tags, found := d.policy(ctx, s.Domain)
	if found.State != "" {
		return []Finding{found}
	}
	if at == "" {
		return []Finding{Warn("enter the TXT record _dmarc."+s.Domain+": v=DMARC1; p=none; rua=mailto:YOUR ADDRESS. Large providers want one of who mails in bulk",
			"%s has no DMARC record", s.Domain)}
	}
	list := []Finding{policyFinding(s.Domain, at, tags)}
	return append(list, s.aligned(at, tags)...)
}

// policy returns where the policy of a domain stands, and its tags: at the domain, else at
// the nearest above it.
func (d DNS) policy(ctx context.Context, domain string) (at string, tags map[string]string, found Finding) {
	labels := strings.Split(domain, ".")
	labels = labels[max(0, len(labels)-maxLabels):]
	for ; len(labels) >= 2; labels = labels[1:] {
		name := strings.Join(labels, ".")
		if len(labels) == maxLabels {
			name = domain
		}
		texts, err := d.txt(ctx, "_dmarc."+name)
		if err != nil {
			return "", nil, noAnswer("_dmarc."+name, err)
		}
		var records []map[string]string
		for _, t := range texts {
			if tags := parseTags(t); tags["v"] == "DMARC1" {
				records = append(records, tags)
			}
		}
		switch {
		case len(records) > 1:
			return "", nil, Fail("keep one", "_dmarc.%s has %d DMARC records, so none counts", name, len(records))
		case len(records) == 1:
			return name, records[0], Finding{}
		}
	}
	return "", nil, Finding{}
}

func parseTags(text string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		if ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return tags
}

func policyFinding(domain, at string, tags map[string]string) Finding {
	tag := "p"
	if at != domain && tags["sp"] != "" { // what it says of the domains below it
		tag = "sp"
	}
	policy := strings.ToLower(tags[tag])
	switch {
	case !slices.Contains([]string{"none", "quarantine", "reject"}, policy):
		return Fail("set p=none, p=quarantine or p=reject", "the DMARC record of %s has the policy %q, which is none", at, tags[tag])
	case policy == "none" && tags["rua"] == "":
		return Warn("add rua=mailto:YOUR ADDRESS, and once the reports show nothing but your own mail, p=quarantine",
			"the DMARC record of %s asks for nothing: p=none, and no reports", at)
	}
	return Good("_dmarc.%s has %s=%s", at, tag, policy)
}

// aligned tells what does not count for DMARC. at is where the policy stands: it is taken for
// the organisational domain.
func (s Sender) aligned(at string, tags map[string]string) []Finding {
	var list []Finding
	if r := s.Return; r != "" && !s.fits(r, at, tags["aspf"]) {
		list = append(list, Warn("take a BOUNCE_DOMAIN that is below the sender's domain, or rely on DKIM",
			"return paths are of %s: SPF does not count for the DMARC of %s", r, s.Domain))
	}
	if len(s.Keys) == 0 {
		return list
	}
	if !slices.ContainsFunc(s.Keys, func(k string) bool { return s.fits(k, at, tags["adkim"]) }) {
		list = append(list, Fail(fmt.Sprintf("make a key for %s: broadsheet dkim generate --domain %s --selector NAME", s.Domain, s.Domain),
			"mail of %s is signed by no key that counts for its DMARC", s.Domain))
	}
	return list
}

// fits reports whether a domain counts as the sender's own, RFC 9989 §4.4.
func (s Sender) fits(domain, organisation, mode string) bool {
	if strings.EqualFold(mode, "s") {
		return domain == s.Domain
	}
	return domain == s.Domain || within(domain, s.Domain) || within(s.Domain, domain) || within(domain, organisation) || domain == organisation
}

// within reports whether a domain is below another.
func within(domain, above string) bool { return strings.HasSuffix(domain, "."+above) }
