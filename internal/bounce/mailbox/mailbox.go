// Package mailbox takes what comes back from a mailbox, by IMAP (RFC 3501, RFC 9051): for
// whoever cannot pass a domain's mail on to the service. Each message is marked as taken only
// after what it says is on record, so a crash between the two means that it is taken again,
// which changes nothing; none is deleted.
package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"broadsheet/internal/bounce"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Channel is how what came in here is recorded.
const Channel = "imap"

// The limits of one look into the mailbox.
const (
	maxSize = 10 << 20 // octets of a message; of a larger one the beginning is read
	maxPoll = 5000     // messages; the next look goes on
	page    = 50       // messages that are marked at once
	// maxFailed is how many messages may fail to be put on record before the look ends: then
	// it is not the message's fault.
	maxFailed = 3
)

// Taker is what messages are handed to; *bounce.Service is one.
type Taker interface {
	// Take has the message on record before it returns.
	Take(ctx context.Context, in bounce.Incoming) (bounce.Taken, error)
}

// Mailbox is a folder that is looked into now and then.
type Mailbox struct {
	Address Address
	Taker   Taker
	TLS     *tls.Config // nil: the system's roots
	Logger  *slog.Logger

	// unread are messages that the server could not hand over. They come last in a look, so
	// that they do not hold up the others. It is good for one UIDVALIDITY.
	unread   map[imap.UID]bool
	validity uint32
}

// Result is what came of a look.
type Result struct {
	Taken  int // messages that are on record, or are not about anything of ours, and are marked
	Failed int // that could not be put on record; they are tried again
	Left   int // that wait for the next look
}

// Check logs in and looks whether the folder can be used. It changes no message.
func (m *Mailbox) Check(ctx context.Context) error {
	s, err := m.open(ctx)
	if err != nil {
		return err
	}
	return s.close()
}

// Poll takes the messages that are in the folder. An error means that some are still there. One
// look at a time.
func (m *Mailbox) Poll(ctx context.Context) (Result, error) {
	s, err := m.open(ctx)
	if err != nil {
		return Result{}, err
	}
	result, err := m.poll(ctx, s)
	return result, errors.Join(err, s.close())
}

func (m *Mailbox) poll(ctx context.Context, s *session) (Result, error) {
	var r Result
	uids, err := s.waiting()
	if err != nil || len(uids) == 0 {
		return r, err
	}
	if err := s.prepare(); err != nil {
		return r, err
	}
	if v := s.folder.UIDValidity; m.unread == nil || m.validity != v {
		m.unread, m.validity = map[imap.UID]bool{}, v
	}
	if len(uids) > maxPoll {
		uids, r.Left = uids[:maxPoll], len(uids)-maxPoll
	}
	var failed error
	for _, chunk := range m.chunks(uids) {
		ours, others, err := m.takeAll(ctx, s, chunk, &r)
		if marking := s.mark(ours, others); marking != nil {
			return r, errors.Join(failed, err, fmt.Errorf("mark messages that are on record: %w", marking))
		}
		r.Taken += len(ours) + len(others)
		if failed = errors.Join(failed, err); r.Failed >= maxFailed || !s.alive() {
			break
		}
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
	return r, failed
}

// takeAll takes messages one by one, and returns those that are about mail of ours, and the
// others. What fails stays where it is.
func (m *Mailbox) takeAll(ctx context.Context, s *session, uids []imap.UID, r *Result) (ours, others []imap.UID, failed error) {
	for _, uid := range uids {
		message, whole, err := s.fetch(uid)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			m.unread[uid] = true
			failed = errors.Join(failed, fmt.Errorf("the server cannot hand over message %d (its UID in %s): %w; look at it with a mail program, or move it away", uint32(uid), s.name, err))
			if r.Failed++; r.Failed >= maxFailed || !s.alive() {
				return ours, others, failed
			}
			continue
		}
		if !whole {
			m.Logger.Info("a message in the bounce mailbox is larger than 10 MiB; its beginning is read", "uid", uint32(uid))
		}
		taken, err := m.Taker.Take(ctx, bounce.Incoming{Message: message, Channel: Channel})
		switch {
		case err != nil:
			failed = errors.Join(failed, fmt.Errorf("put a message on record: %w", err))
			if r.Failed++; r.Failed >= maxFailed {
				return ours, others, failed
			}
		case taken.Known:
			ours = append(ours, uid)
		default:
			others = append(others, uid)
		}
	}
	return ours, others, failed
}

// chunks returns what is taken and then marked together. The messages that could not be read
// before come last, each by itself: a server may end the connection at one.
func (m *Mailbox) chunks(uids []imap.UID) [][]imap.UID {
	known := func(uid imap.UID) bool { return m.unread[uid] }
	chunks := slices.Collect(slices.Chunk(slices.DeleteFunc(slices.Clone(uids), known), page))
	for _, uid := range uids {
		if known(uid) {
			chunks = append(chunks, []imap.UID{uid})
		}
	}
	return chunks
}

// errGone says that a message is not there any more.
var errGone = errors.New("the message is gone")

// fetch returns a message, or the beginning of one that is too large.
func (s *session) fetch(uid imap.UID) (message []byte, whole bool, err error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: maxSize + 1}}
	cmd := s.client.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	found := false
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		for item := data.Next(); item != nil; item = data.Next() {
			body, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil || found {
				continue
			}
			found = true
			if message, err = io.ReadAll(io.LimitReader(body.Literal, maxSize+1)); err != nil {
				return nil, false, errors.Join(err, cmd.Close())
			}
		}
	}
	if err := cmd.Close(); err != nil {
		return nil, false, plain(err)
	}
	if !found {
		return nil, false, errGone
	}
	if len(message) > maxSize {
		return message[:maxSize], false, nil
	}
	return message, true, nil
}
