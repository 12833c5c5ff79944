package mail

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Relay is a transport and how much of it may be used.
type Relay struct {
	Transport
	Limits
}

// Relays are relays in the order in which they are used. They are one Transport together.
type Relays []Relay

// Connect opens a session with the first relay that takes one. The error is that of all.
func (rs Relays) Connect(ctx context.Context) (Session, error) {
	var failures []error
	for _, r := range rs {
		s, err := r.Connect(ctx)
		if err == nil {
			return s, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// String names the relays.
func (rs Relays) String() string {
	names := make([]string, len(rs))
	for i, r := range rs {
		names[i] = r.String()
	}
	return strings.Join(names, ", then ")
}

// Real reports whether mail given to them reaches readers.
func (rs Relays) Real() bool { return len(rs) > 0 && rs[0].Real() }

// Limits are how much of a relay may be used at once.
type Limits struct {
	Connections int           // at once, at least 1
	Rate        float64       // messages a second; 0: no limit
	Messages    int           // over one connection; 0: no limit
	Age         time.Duration // of a connection; 0: no limit
}

// relaySettings are the names of what may follow a relay's address: ?tls=required&rate=50.
var relaySettings = []string{"tls", "connections", "rate", "messages", "age", "postmark"}

// IsRelaySetting reports whether a relay's address may have a setting of that name. None of
// them is secret.
func IsRelaySetting(name string) bool { return slices.Contains(relaySettings, name) }

// relayStart is where a relay's address begins in a list of them. A comma alone does not
// divide: it may stand in a password.
var relayStart = regexp.MustCompile(`,\s*(smtps?:|outbox:)`)

// SplitRelays divides a comma-separated list of relays.
func SplitRelays(list string) []string {
	var parts []string
	for {
		at := relayStart.FindStringIndex(list)
		if at == nil {
			return append(parts, strings.TrimSpace(list))
		}
		parts = append(parts, strings.TrimSpace(list[:at[0]]))
		list = list[at[0]+1:]
	}
}

// patience is how long a relay may take to greet us where there is another one.
const patience = 30 * time.Second

// ParseRelays reads a comma-separated list of relays in the order in which they are used:
// the next one when those before it fail. An address may say its own limits:
//
//	smtp://user:password@host:587?connections=5&rate=20&messages=100&age=5m
//
// What it does not say is as in limits. The outbox can only stand alone. The error is an
// Invalid one that says what would be right, without a password.
func ParseRelays(list string, limits Limits, opts Options) (Relays, error) {
	var relays Relays
	addresses := SplitRelays(list)
	if len(addresses) > 1 && opts.Timeouts.Greeting == 0 {
		opts.Timeouts.Greeting = patience // with another one to try, minutes would be lost
	}
	for _, address := range addresses {
		t, err := ParseTransport(address, opts)
		if err != nil {
			return nil, err
		}
		relay := Relay{t, limits}
		if t.Real() {
			if err := relay.read(address); err != nil {
				return nil, err
			}
		}
		relays = append(relays, relay)
	}
	for _, r := range relays {
		if !r.Real() && len(relays) > 1 {
			return nil, newsletter.Invalidf("smtp_url", "the outbox cannot stand beside a relay: mail that ends in a folder reaches nobody")
		}
	}
	return relays, nil
}

// read reads the limits from the relay's address, which ParseTransport has read before.
func (r *Relay) read(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return newsletter.Invalidf("smtp_url", "the address of the relay cannot be read; %s", urlForms)
	}
	for name, values := range u.Query() {
		if !IsRelaySetting(name) || len(values) != 1 {
			return newsletter.Invalidf("smtp_url", "what may follow a relay is %s, each once, as in smtp://host:587?tls=required&rate=50", strings.Join(relaySettings, ", "))
		}
		value := values[0]
		switch name {
		case "connections":
			if r.Connections, err = strconv.Atoi(value); err != nil || r.Connections < 1 || r.Connections > 200 {
				return newsletter.Invalidf("smtp_url", "connections of a relay are 1 to 200, not %q", value)
			}
		case "rate":
			if r.Rate, err = strconv.ParseFloat(value, 64); err != nil || !(r.Rate > 0 && r.Rate <= 1e6) {
				return newsletter.Invalidf("smtp_url", "rate of a relay is a number of messages a second over 0, not %q", value)
			}
		case "messages":
			if r.Messages, err = strconv.Atoi(value); err != nil || r.Messages < 1 {
				return newsletter.Invalidf("smtp_url", "messages of a relay is how many go over one connection, from 1, not %q", value)
			}
		case "age":
			if r.Age, err = time.ParseDuration(value); err != nil || r.Age < time.Second {
				return newsletter.Invalidf("smtp_url", "age of a relay is how long a connection is used, such as 5m, not %q", value)
			}
		}
	}
	return nil
}
