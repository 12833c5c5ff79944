package mail

import (
	"context"
	"crypto/x509"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Transport is where messages go.
type Transport interface {
	// Connect opens a session. It ends early when ctx is cancelled. The error is a
	// *ConnectError.
	Connect(ctx context.Context) (Session, error)
	// String names the transport for people; it contains no password.
	String() string
	// Real reports whether mail given to it reaches readers; false for the outbox.
	Real() bool
}

// Envelope is who a message is from and to, and how long it is.
type Envelope struct {
	From string // may be empty: the null reverse-path
	To   string
	Size int // octets, as far as it is known: RFC 1870; 0: not known
}

func (e Envelope) needsSMTPUTF8() bool { return NeedsSMTPUTF8(e.To) || NeedsSMTPUTF8(e.From) }

// Session hands over messages one after the other. It is not safe for concurrent use. A
// message in flight is finished within the deadlines of its phases, whatever happens to a
// context.
//
// Send does all of it. Who has to do something before the final dot goes Open and Finish
// instead, and stops where ok is false: the Outcome then says what became of the message.
// After Open the only way back is Close, which leaves the message undelivered.
type Session interface {
	// Send hands over one message to one recipient. ctx is looked at before the first command
	// only. The message is 7-bit unless an address needs SMTPUTF8; one with line ends other
	// than CRLF is Refused unsent.
	Send(ctx context.Context, from, to string, message []byte) Outcome
	// Open names sender and recipient. ok: the relay waits for the content.
	Open(e Envelope) (o Outcome, ok bool)
	// Finish sends the content, as AppendContent or Stuff made it, and the final dot, and
	// returns what became of the message. It may write behind the content, within its
	// capacity. next may be nil; if it is not, it is who the following message is from and to,
	// and Open must be called with it next: where the relay offers PIPELINING, it goes out
	// with the dot.
	Finish(content []byte, next *Envelope) Outcome
	// Close takes leave and closes the connection. It may be called twice.
	Close() error
}

// Timeouts are the longest times to wait in each phase; zero means the default, which is
// the minimum of RFC 5321 §4.5.3.2 where that has one.
type Timeouts struct {
	Connect  time.Duration // dialling, and the handshake of TLS: 30 s
	Greeting time.Duration // greeting and EHLO: as Command; 30 s if there is another relay to try
	Command  time.Duration // AUTH, MAIL, RCPT: 5 min
	Data     time.Duration // the reply to DATA: 2 min
	Block    time.Duration // sending the content: 3 min
	Dot      time.Duration // the reply to the final dot: 10 min
	Quit     time.Duration // RSET and QUIT: 10 s
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&t.Connect, 30*time.Second)
	set(&t.Command, 5*time.Minute)
	set(&t.Greeting, t.Command)
	set(&t.Data, 2*time.Minute)
	set(&t.Block, 3*time.Minute)
	set(&t.Dot, 10*time.Minute)
	set(&t.Quit, 10*time.Second)
	return t
}

// Options are what ParseTransport cannot read from the URL.
type Options struct {
	RootCAs   *x509.CertPool // nil: the system's
	HelloName string         // for EHLO; empty: the address literal of our end
	Timeouts  Timeouts
	Now       func() time.Time // nil: time.Now; names the outbox's files
}

// ConnectError says why no session could be opened.
type ConnectError struct {
	Relay   string
	Outcome Outcome // State is Waiting, Broken is true
}

// Error names the relay, the phase, and what was answered.
func (e *ConnectError) Error() string {
	what := strings.TrimPrefix(e.Outcome.String(), e.Outcome.State.String()+" at "+string(e.Outcome.Phase))
	return "connect to " + e.Relay + ": " + string(e.Outcome.Phase) + ":" + what
}

// Unwrap returns the cause, if no reply came.
func (e *ConnectError) Unwrap() error { return e.Outcome.Err }

const urlForms = "write it as smtp://user:password@host:587, smtps://user:password@host:465 or outbox:folder"

// ParseTransport reads the address of a transport: outbox:DIR,
// smtp://user:password@host:587 (STARTTLS) or smtps://… (TLS from the start). The port is
// 587 or 465 if it is left out. TLS is required and verified unless the host is loopback
// (S2); ?tls=required, opportunistic (used where offered, not verified) or none says
// otherwise. Settings of a Relay are read by ParseRelays and ignored here. The error is an
// Invalid one that says what would be right, without the password.
func ParseTransport(rawURL string, opts Options) (Transport, error) {
	wrong := func(format string, args ...any) (Transport, error) {
		return nil, newsletter.Invalidf("smtp_url", format, args...)
	}
	scheme, rest, ok := strings.Cut(strings.TrimSpace(rawURL), ":")
	switch {
	case !ok:
		return wrong("the address of the relay is missing or has no scheme; %s", urlForms)
	case scheme == "outbox":
		dir := strings.TrimPrefix(rest, "//")
		if dir == "" {
			return wrong("the folder of the outbox is missing; write it as outbox:outbox")
		}
		return newOutbox(dir, opts), nil
	case scheme != "smtp" && scheme != "smtps":
		return wrong("a relay is reached by smtp, smtps or outbox; %s", urlForms)
	}
	u, err := url.Parse(strings.TrimSpace(rawURL))
	if err != nil { // the error quotes the address, and with it the password
		return wrong("the address of the relay cannot be read; in a user or password write @ as %%40, : as %%3A, / as %%2F, %% as %%25; %s", urlForms)
	}
	r := &relay{
		host: strings.ToLower(u.Hostname()), port: u.Port(), implicit: scheme == "smtps",
		roots: opts.RootCAs, hello: opts.HelloName, timeouts: opts.Timeouts.withDefaults(),
	}
	if r.port == "" {
		r.port = map[bool]string{false: "587", true: "465"}[r.implicit]
	}
	switch n, err := strconv.Atoi(r.port); {
	case r.host == "" || u.Opaque != "":
		return wrong("the relay's host is missing; %s", urlForms)
	case err != nil || n < 1 || n > 65535:
		return wrong("%q is not a port; use 587 (smtp), 465 (smtps) or 25", r.port)
	case u.Path != "" && u.Path != "/" || u.Fragment != "":
		return wrong("nothing can follow the relay's port but ?tls=…; in a password write / as %%2F and # as %%23; %s", urlForms)
	}
	if u.User != nil {
		r.user = u.User.Username()
		r.password, _ = u.User.Password()
		if r.user == "" || r.password == "" {
			return wrong("the relay needs both user and password, or neither; %s", urlForms)
		}
	}
	if err := r.setSecurity(u.Query()); err != nil {
		return nil, err
	}
	if r.postmark, err = isPostmark(r.host, u.Query()); err != nil {
		return nil, err
	}
	return r, nil
}

// setSecurity reads ?tls=…, and decides on TLS where it says nothing.
func (r *relay) setSecurity(query url.Values) error {
	r.security = tlsRequired
	if isLoopback(r.host) && !r.implicit {
		r.security = tlsOpportunistic
	}
	if !query.Has("tls") {
		return nil
	}
	switch s := security(query.Get("tls")); {
	case s == tlsRequired, s == tlsOpportunistic, s == tlsNone && !r.implicit:
		r.security = s
	case s == tlsNone:
		return newsletter.Invalidf("smtp_url", "smtps is TLS from the start; without TLS write smtp://host:25?tls=none")
	default:
		return newsletter.Invalidf("smtp_url", "tls is required, opportunistic or none, not %q", s)
	}
	return nil
}

// isLoopback reports whether the host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
