package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// Resolver asks the DNS. *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupAddr(ctx context.Context, address string) ([]string, error)
}

// NameServer returns a resolver that asks one name server, host:port, and nobody else.
func NameServer(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
}

// lookupTime is how long one look-up may take.
const lookupTime = 3 * time.Second

// DNS makes the checks that ask the DNS. No look-up takes more than three seconds.
type DNS struct{ Resolver Resolver }

// lookup makes one look-up. What is not there is an empty list and no error.
func lookup[T any](ctx context.Context, ask func(context.Context, string) ([]T, error), name string) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	list, err := ask(ctx, name)
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return nil, nil
	}
	return list, err
}

// absolute returns a name that no search domain is added to.
func absolute(name string) string { return strings.TrimSuffix(name, ".") + "." }

func (d DNS) txt(ctx context.Context, name string) ([]string, error) {
	return lookup(ctx, d.Resolver.LookupTXT, absolute(name))
}

// TXT returns the TXT records of a name, the strings of each put together. It is for checks
// that are made elsewhere.
func (d DNS) TXT(ctx context.Context, name string) ([]string, error) { return d.txt(ctx, name) }

func (d DNS) addresses(ctx context.Context, host string) ([]string, error) {
	if net.ParseIP(host) != nil {
		return []string{host}, nil
	}
	return lookup(ctx, d.Resolver.LookupHost, absolute(host))
}

// noAnswer is the finding that the DNS said nothing about a name.
func noAnswer(name string, err error) Finding {
	why := err.Error()
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		why = e.Err
		if e.IsTimeout {
			why = "it takes too long"
		}
	}
	return CannotTell("try again later; if it stays so, look at the name server of this machine, or ask another one: --dns HOST:53",
		"the DNS does not answer about %s: %s", name, why)
}

// MX looks whether the hosts that take the domain's mail can be found. Bounces go there.
func (d DNS) MX(ctx context.Context, domain string) Finding {
	const do = "let an MX record of the domain name the host that takes bounces (docs/bounces.md)"
	list, err := lookup(ctx, d.Resolver.LookupMX, absolute(domain))
	if err != nil && len(list) == 0 {
		return noAnswer(domain, err)
	}
	if len(list) == 0 {
		found, err := d.addresses(ctx, domain)
		switch {
		case err != nil:
			return noAnswer(domain, err)
		case len(found) > 0:
			return Warn(do, "%s has no MX record; mail goes to its address, %s", domain, found[0])
		}
		return Fail(do, "%s has neither an MX record nor an address: no bounce can come back", domain)
	}
	if len(list) == 1 && (list[0].Host == "." || list[0].Host == "") {
		return Fail(do, "the MX record of %s says that it takes no mail (RFC 7505): no bounce can come back", domain)
	}
	var good []string
	for _, mx := range list {
		host := strings.TrimSuffix(mx.Host, ".")
		found, err := d.addresses(ctx, host)
		switch {
		case err != nil:
			return noAnswer(host, err)
		case len(found) == 0:
			return Fail("give that host an address, or name another one in the MX record", "the MX record of %s names %s, which has no address", domain, host)
		}
		good = append(good, host)
	}
	return Good("mail for %s goes to %s", domain, strings.Join(good, ", "))
}

// maxReverse is how many addresses of a host are looked at.
const maxReverse = 4

// Reverse looks whether the addresses of a host have names that lead back to them: large
// providers turn away mail from those that have none. sends says whether this machine is
// known to deliver to them by itself.
func (d DNS) Reverse(ctx context.Context, host string, sends bool) []Finding {
	addresses, err := d.addresses(ctx, host)
	if err != nil {
		return []Finding{noAnswer(host, err)}
	}
	if len(addresses) == 0 {
		return []Finding{Fail("enter the host into the DNS, or correct BASE_URL", "%s has no address in the DNS", host)}
	}
	var list []Finding
	for _, a := range addresses[:min(len(addresses), maxReverse)] {
		list = append(list, d.reverseOf(ctx, host, a, sends))
	}
	return list
}

func (d DNS) reverseOf(ctx context.Context, host, address string, sends bool) Finding {
	names, err := lookup(ctx, d.Resolver.LookupAddr, address)
	if err != nil {
		return noAnswer("the name of "+address, err)
	}
	for _, name := range names {
		back, err := d.addresses(ctx, strings.TrimSuffix(name, "."))
		if err != nil {
			return noAnswer(name, err)
		}
		for _, b := range back {
			if net.ParseIP(b).Equal(net.ParseIP(address)) {
				return Good("%s (%s) is called %s, which leads back to it", address, host, strings.TrimSuffix(name, "."))
			}
		}
	}
	what := "has no name"
	if len(names) > 0 {
		what = "is called " + strings.TrimSuffix(names[0], ".") + ", which does not lead back to it"
	}
	if !sends {
		return CannotTell("if mail leaves by this address, have whoever gives it to you set its reverse name; behind a proxy, or with a relay elsewhere, it does not matter",
			"%s (%s) %s", address, host, what)
	}
	return Warn("have whoever gives you the address set its reverse name: mail from addresses without one is turned away", "%s (%s) %s", address, host, what)
}
