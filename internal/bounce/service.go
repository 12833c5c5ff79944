package bounce

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Store is what taking a message that came back needs of the database. Each method has
// committed when it returns.
type Store interface {
	// ReturnReader returns the address of the reader whom the message had gone to; empty if
	// the reader's data was erased, or the mail is not kept any more.
	ReturnReader(ctx context.Context, path newsletter.ReturnPath) (email string, err error)
	// TakeReturn has on record what came back, with all that it changes.
	TakeReturn(ctx context.Context, r newsletter.Return, limit newsletter.SoftLimit) (newsletter.ReturnTaken, error)
	// CountUnknown counts a message that has no return path of ours.
	CountUnknown(ctx context.Context, channel string) error
}

// Incoming is a message as a way in hands it over.
type Incoming struct {
	Message []byte
	To      []string // envelope recipients; may be empty
	Channel string   // how it came: "smtp", "pipe", "imap"
}

// Taken says what became of a message that came back.
type Taken struct {
	Kind   newsletter.ReturnKind
	Known  bool              // it has a return path of ours
	Again  bool              // it was on record already, so nothing was changed
	Effect string            // what was changed, in plain words without an address; empty: nothing
	Return newsletter.Return // as it is on record; zero if it is not Known
}

// Options are what a Service works with.
type Options struct {
	Keys   newsletter.KeyRing
	Limit  newsletter.SoftLimit // zero: DefaultSoftLimit
	Now    func() time.Time
	Logger *slog.Logger
}

// Service takes what comes back, whichever way it came in.
type Service struct {
	store Store
	Options
}

// NewService returns a Service that keeps what it takes in the store.
func NewService(store Store, o Options) *Service {
	o.Keys = o.Keys.Prepared()
	if o.Limit == (newsletter.SoftLimit{}) {
		o.Limit = newsletter.DefaultSoftLimit()
	}
	return &Service{store: store, Options: o}
}

// Owns reports whether the address is a return path that we made. A way in can ask before
// it accepts a message.
func (s *Service) Owns(address string) bool {
	_, ok := s.path(address)
	return ok
}

// TakeReturn is Take for a way in that has understood the report itself, such as a web hook.
// The return path is the envelope sender of the message that the report is about; r says what
// happened to it, and by which channel that was learnt; its time is now.
func (s *Service) TakeReturn(ctx context.Context, returnPath string, r newsletter.Return) (Taken, error) {
	path, ok := s.path(returnPath)
	if !ok {
		return s.unknown(ctx, r.Kind, r.Channel)
	}
	return s.take(ctx, path, r)
}

// path returns the message whose return path the address is.
func (s *Service) path(address string) (newsletter.ReturnPath, bool) {
	local := strings.Trim(strings.TrimSpace(address), "<>")
	if at := strings.LastIndexByte(local, '@'); at >= 0 {
		local = local[:at]
	}
	if edition, subscriber, ok := s.Keys.ParseBounceAddress(local); ok {
		return newsletter.ReturnPath{EditionID: edition, SubscriberID: subscriber}, true
	}
	if mail, ok := s.Keys.ParseBounceMailAddress(local); ok {
		return newsletter.ReturnPath{MailID: mail}, true
	}
	return newsletter.ReturnPath{}, false
}

// unknown counts a message without a valid return path; nothing else is done with it (S17).
func (s *Service) unknown(ctx context.Context, kind newsletter.ReturnKind, channel string) (Taken, error) {
	if err := s.store.CountUnknown(ctx, channel); err != nil {
		return Taken{}, err
	}
	s.Logger.Info("a message came back that has no return path of ours; it changes nothing", "channel", channel, "kind", string(kind))
	return Taken{Kind: kind}, nil
}

// take has on record what came back of the message, and logs what it changed.
func (s *Service) take(ctx context.Context, path newsletter.ReturnPath, r newsletter.Return) (Taken, error) {
	r.EditionID, r.SubscriberID, r.MailID = path.EditionID, path.SubscriberID, path.MailID
	r.At = s.Now()
	got, err := s.store.TakeReturn(ctx, bounded(r), s.Limit)
	if err != nil {
		return Taken{}, err
	}
	if !got.Again {
		s.Logger.Info("a message came back", "kind", string(got.Kind), "channel", got.Channel, "reason", got.Reason, "status", got.Status,
			"edition", got.EditionID, "mail", got.MailID, "subscriber", got.SubscriberID, "effect", got.Effect)
	}
	return Taken{Kind: got.Kind, Known: true, Again: got.Again, Effect: got.Effect, Return: got.Return}, nil
}

// The most that is kept of what strangers wrote.
const (
	maxStatus  = 16
	maxAddress = 320
)

// bounded returns what is kept of a report: short texts of one line.
func bounded(r newsletter.Return) newsletter.Return {
	r.Status = line(r.Status, maxStatus)
	if !slices.Contains(Reasons(), r.Reason) {
		r.Reason = "" // it is kept and logged as it is, and could name somebody
	}
	r.Diagnostic, r.Address = line(r.Diagnostic, newsletter.MaxReply), line(r.Address, maxAddress)
	if r.Code < 0 || r.Code > 999 {
		r.Code = 0
	}
	return r
}

// line returns the text in one line of at most so many octets.
func line(s string, most int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s[:min(len(s), 4*most)], "")), " ")
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
