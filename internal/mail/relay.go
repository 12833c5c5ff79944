package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"broadsheet/internal/newsletter"
)

// security is how TLS is used with a relay.
type security string

const (
	tlsRequired      security = "required"      // and the certificate verified
	tlsOpportunistic security = "opportunistic" // where offered, not verified: RFC 7435
	tlsNone          security = "none"
)

// relay is an SMTP server that takes our mail.
type relay struct {
	host, port     string
	user, password string
	implicit       bool // TLS from the start
	security       security
	postmark       bool // it replaces the return path, see postmarkField
	roots          *x509.CertPool
	hello          string
	timeouts       Timeouts
}

// Real reports true: what a relay accepts goes to readers.
func (r *relay) Real() bool { return true }

// String returns the relay's address with its user, and how TLS is used.
func (r *relay) String() string {
	scheme, user := "smtp://", ""
	if r.implicit {
		scheme = "smtps://"
	}
	if r.user != "" {
		user = r.user + "@"
	}
	return scheme + user + net.JoinHostPort(r.host, r.port) + " (TLS " + string(r.security) + ")"
}

// Connect dials, begins TLS and authenticates. Whatever fails, the socket is closed.
func (r *relay) Connect(ctx context.Context) (Session, error) {
	s, phase, err := r.connect(ctx)
	if err == nil {
		return s, nil
	}
	answer := reply{err: err}
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		answer = reply{code: said.Code, text: said.Msg}
	}
	o := classify(phase, answer)
	switch {
	case ctx.Err() != nil:
		o = Outcome{State: newsletter.Waiting, Phase: phase, Broken: true, Err: ctx.Err()}
	case (phase == PhaseAuth || phase == PhaseTLS) && answer.code == 0 && !isNetwork(err):
		o.Fault = FaultRelay // the two of us have no way to authenticate, or to trust each other
	}
	return nil, &ConnectError{Relay: r.String(), Outcome: o}
}

// isNetwork reports whether the error is one of the connection, not of what was said.
func isNetwork(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

var (
	errNoSTARTTLS = errors.New("the relay does not offer STARTTLS; TLS is required unless the address says ?tls=none")
	errNoAuth     = errors.New("the relay offers no way to authenticate that we have (SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5)")
)

// connect returns the phase in which an error came.
func (r *relay) connect(ctx context.Context) (s *session, phase Phase, err error) {
	dialer := net.Dialer{Timeout: r.timeouts.Connect}
	tcp, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(r.host, r.port))
	if err != nil {
		return nil, PhaseConnect, err
	}
	// No message is in flight yet, so a cancelled context ends this at once.
	stop := context.AfterFunc(ctx, func() { _ = tcp.Close() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil { // go-mail leaves the socket open when TLS or AUTH fail
			_ = tcp.Close()
		}
	}()
	deadline := func(d time.Duration) { _ = tcp.SetDeadline(time.Now().Add(d)) }
	conn := tcp
	if r.implicit {
		deadline(r.timeouts.Connect)
		secured := tls.Client(tcp, r.tlsConfig())
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, PhaseTLS, err
		}
		conn = secured
	}
	deadline(r.timeouts.Greeting)
	client, err := smtp.NewClient(conn, r.host)
	if err != nil {
		return nil, PhaseConnect, err
	}
	deadline(r.timeouts.Greeting)
	if err := client.Hello(r.helloName(tcp.LocalAddr())); err != nil {
		return nil, PhaseHelo, err
	}
	deadline(r.timeouts.Connect)
	if err := r.secure(client); err != nil {
		return nil, PhaseTLS, err
	}
	deadline(r.timeouts.Command)
	if err := r.authenticate(client); err != nil {
		return nil, PhaseAuth, err
	}
	_ = tcp.SetDeadline(time.Time{})
	s = newSession(tcp, client, r.timeouts)
	s.postmark = r.postmark
	return s, "", nil
}

// tlsConfig verifies the certificate unless TLS is opportunistic: a relay that would be
// given the mail in the clear need not prove who it is.
func (r *relay) tlsConfig() *tls.Config {
	return &tls.Config{
		ServerName:         r.host,
		RootCAs:            r.roots,
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: r.security == tlsOpportunistic, //nolint:gosec // the comment above
	}
}

// helloName is the configured name, else the address literal of our end (RFC 5321 §4.1.3).
func (r *relay) helloName(local net.Addr) string {
	if r.hello != "" {
		return r.hello
	}
	host, _, _ := net.SplitHostPort(local.String())
	host, _, _ = strings.Cut(host, "%")
	if strings.Contains(host, ":") {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}

// secure begins TLS where it is offered or required.
func (r *relay) secure(client *smtp.Client) error {
	if r.implicit || r.security == tlsNone {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		if r.security == tlsRequired {
			return errNoSTARTTLS
		}
		return nil
	}
	return client.StartTLS(r.tlsConfig())
}

// authenticate proves who we are, by the best way that the relay offers.
func (r *relay) authenticate(client *smtp.Client) error {
	if r.user == "" {
		return nil
	}
	_, offer := client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(offer))
	clear := r.security != tlsRequired // the address allows a password without verified TLS
	for _, m := range []struct {
		name string
		auth smtp.Auth
	}{
		{"SCRAM-SHA-256", smtp.ScramSHA256Auth(r.user, r.password)},
		{"SCRAM-SHA-1", smtp.ScramSHA1Auth(r.user, r.password)},
		{"PLAIN", smtp.PlainAuth("", r.user, r.password, r.host, clear)},
		{"LOGIN", smtp.LoginAuth(r.user, r.password, r.host, clear)},
		{"CRAM-MD5", smtp.CRAMMD5Auth(r.user, r.password)},
	} {
		if slices.Contains(offered, m.name) {
			return client.Auth(m.auth)
		}
	}
	return errNoAuth
}

// sizeLimit returns the relay's limit for a message in octets, 0 if it names none
// (RFC 1870).
func sizeLimit(client *smtp.Client) int {
	if offered, limit := client.Extension("SIZE"); offered {
		if n, err := strconv.Atoi(strings.TrimSpace(limit)); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// unfit is the outcome for what this relay would take from nobody's reader: the next relay
// may, or staff have to do something.
func unfit(enhanced, format string, args ...any) Outcome {
	return Outcome{
		State: newsletter.Waiting, Phase: PhaseMail, Enhanced: enhanced, Fault: FaultRelay,
		Err: fmt.Errorf(format, args...),
	}
}

// refuse is the outcome for a message that is not sent at all, because it cannot be.
func refuse(phase Phase, enhanced, format string, args ...any) Outcome {
	return Outcome{
		State: newsletter.Refused, Phase: phase, Enhanced: enhanced, Fault: FaultMessage,
		Err: fmt.Errorf(format, args...),
	}
}
