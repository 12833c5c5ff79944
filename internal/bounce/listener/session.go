package listener

import (
	"context"
	"errors"
	"io"
	"strings"

	"broadsheet/internal/bounce"

	"github.com/emersion/go-smtp"
)

// session is one connection's dialogue.
type session struct {
	server *Server
	ctx    context.Context // go-smtp's methods take none; it is Serve's
	to     []string
	took   map[string]error // what became of the message for each recipient
}

// What is answered. The words are for the postmaster of the other system.
var (
	errRelay   = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "this host takes reports for its own return paths and relays nothing"}
	errUnknown = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "there is no such return path here"}
	errFull    = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "too much is coming in at once; try again later"}
	errLine    = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "a line of it is longer than a megabyte"}
	errRecord  = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "it could not be put on record; try again later"}
)

// Mail takes any sender: reports have none, automatic answers have one.
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes return paths of ours only.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	at := strings.LastIndexByte(to, '@')
	if at < 0 || !strings.EqualFold(strings.TrimSuffix(to[at+1:], "."), s.server.Domain) {
		return errRelay
	}
	if !s.server.Taker.Owns(to) {
		return errUnknown
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes a message by SMTP: all of its recipients or none. One that is sent again because
// of that changes nothing twice.
func (s *session) Data(r io.Reader) error {
	message, done, err := s.read(r)
	if err != nil {
		return err
	}
	defer done()
	for _, to := range s.to {
		if err := s.takeFor(message, to); err != nil {
			return err
		}
	}
	return nil
}

// LMTPData takes a message by LMTP, and answers for each recipient.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	message, done, err := s.read(r)
	if err != nil {
		return err
	}
	defer done()
	for _, to := range s.to {
		status.SetStatus(to, s.takeFor(message, to))
	}
	return nil
}

// takeFor takes the message for one recipient, once: to read it takes long, and a stranger can
// give the same path a hundred times.
func (s *session) takeFor(message []byte, to string) error {
	key := strings.ToLower(strings.TrimSuffix(to, "."))
	if _, ok := s.took[key]; !ok {
		s.took[key] = s.take(message, to)
	}
	return s.took[key]
}

// Reset forgets the recipients.
func (s *session) Reset() { s.to = nil }

// Logout has nothing to free.
func (s *session) Logout() error { return nil }

// read returns the message. done has to be called when it is not needed any more.
func (s *session) read(r io.Reader) (message []byte, done func(), err error) {
	s.took = map[string]error{}
	held := &holder{from: r, server: s.server}
	message, err = io.ReadAll(held)
	if err == nil {
		return message, held.free, nil
	}
	held.free()
	switch _, ok := errors.AsType[*smtp.SMTPError](err); {
	case errors.Is(err, smtp.ErrTooLongLine):
		err = errLine
	case !ok:
		err = errRecord // the connection broke off, so nobody reads this
	}
	return nil, nil, err
}

// take has the message on record for one recipient before it returns nil.
func (s *session) take(message []byte, to string) error {
	s.server.busy.RLock()
	defer s.server.busy.RUnlock()
	if s.server.stopped {
		return errRecord
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), takeTime)
	defer cancel()
	if _, err := s.server.Taker.Take(ctx, bounce.Incoming{Message: message, To: []string{to}, Channel: Channel}); err != nil {
		s.server.Logger.Error("a message that came back could not be put on record; its sender is asked to try again", "error", err)
		return errRecord
	}
	return nil
}

// holder counts what is held in memory, over all connections.
type holder struct {
	from   io.Reader
	server *Server
	n      int64
}

// Read reads on, unless too much is held already.
func (h *holder) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	h.n += int64(n)
	if h.server.memory.Add(-int64(n)) < 0 {
		return n, errFull
	}
	return n, err
}

func (h *holder) free() { h.server.memory.Add(h.n) }
