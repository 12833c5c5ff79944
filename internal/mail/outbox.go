package mail

import (
	"bytes"
	"context"
	"os"
	"time"

	"broadsheet/internal/newsletter"
)

// outbox is a folder of .eml files in place of a relay, for trying things.
type outbox struct {
	dir string
	now func() time.Time
}

func newOutbox(dir string, opts Options) *outbox {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &outbox{dir, opts.Now}
}

// Real reports false: what is written to a folder reaches nobody.
func (b *outbox) Real() bool { return false }

// String names the folder.
func (b *outbox) String() string { return "outbox:" + b.dir }

// Connect makes the folder if it does not exist. Only its owner can read it: the messages
// contain personal links.
func (b *outbox) Connect(ctx context.Context) (Session, error) {
	err := ctx.Err()
	if err == nil {
		err = os.MkdirAll(b.dir, 0o700)
	}
	if err != nil {
		return nil, &ConnectError{Relay: b.String(), Outcome: Outcome{
			State: newsletter.Waiting, Phase: PhaseConnect, Broken: true, Fault: FaultRelay, Err: err,
		}}
	}
	return &outboxSession{box: b}, nil
}

type outboxSession struct {
	box      *outbox
	envelope Envelope
	message  []byte
}

// Send writes the message as a file.
func (s *outboxSession) Send(ctx context.Context, from, to string, message []byte) Outcome {
	if err := ctx.Err(); err != nil {
		return Outcome{State: newsletter.Waiting, Phase: PhaseMail, Err: err}
	}
	return s.store(Envelope{From: from, To: to}, message)
}

// Open notes the envelope.
func (s *outboxSession) Open(e Envelope) (Outcome, bool) {
	s.envelope = e
	return Outcome{}, true
}

// Finish writes the message as a file, its dots as they were.
func (s *outboxSession) Finish(content []byte, _ *Envelope) Outcome {
	s.message = unstuff(s.message[:0], content)
	return s.store(s.envelope, s.message)
}

func (s *outboxSession) store(e Envelope, message []byte) Outcome {
	name, err := StoreMessage(s.box.dir, s.box.now(), e.From, e.To, message)
	switch {
	case newsletter.KindOf(err) == newsletter.Invalid:
		return refuse(PhaseRcpt, "5.1.3", "%w", err)
	case err != nil:
		return Outcome{State: newsletter.Waiting, Phase: PhaseDot, Fault: FaultRelay, Err: err}
	}
	return Outcome{State: newsletter.Accepted, Phase: PhaseDot, Code: 250, Enhanced: "2.0.0", Reply: "stored as " + name}
}

// Close does nothing.
func (s *outboxSession) Close() error { return nil }

// unstuff appends the message to dst whose stuffed content is given (RFC 5321 §4.5.2).
func unstuff(dst, content []byte) []byte {
	for line := range bytes.Lines(content) {
		dst = append(dst, bytes.TrimPrefix(line, []byte("."))...)
	}
	return dst
}
