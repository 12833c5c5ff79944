package readers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// foldTries is how often the database's log is tried to be folded after somebody was erased.
const foldTries = 5

// Erased says what erasing a person removed.
type Erased struct {
	newsletter.Erased
	// Mentions is how many rows named an address that no subscriber has.
	Mentions int
	// Traces says that the database may still have traces of what was erased: its log, since
	// others were reading all the time, or words that came in at that moment. The service, and
	// the next erasure, remove them.
	Traces bool
}

// Erase removes a person by address or number, at once and for good; the keyed hash of the
// address stays, so that nobody imports it again (S25). It happens in one transaction: it is
// done or it is not. The error is NotFound if there is nobody.
func (s *Service) Erase(ctx context.Context, emailOrID string, origin newsletter.Origin) (Erased, error) {
	sub, err := s.find(ctx, emailOrID)
	if err != nil {
		return Erased{}, err
	}
	gone, err := s.store.EraseSubscriber(ctx, sub.ID, cleanOrigin(origin).Actor, s.o.Now())
	if err != nil {
		return Erased{}, err
	}
	return Erased{Erased: gone, Traces: !s.removeTraces(ctx)}, nil
}

// EraseAddress removes what is held about an address that no subscriber has: words that name
// it, and notes about it. A suppression stays. It is a Conflict if a subscriber has it.
func (s *Service) EraseAddress(ctx context.Context, address string, origin newsletter.Origin) (Erased, error) {
	_, key, err := mail.ParseAddress(address)
	if err != nil {
		return Erased{}, err
	}
	if sub, err := s.store.SubscriberByKey(ctx, key); newsletter.KindOf(err) != newsletter.NotFound {
		if err == nil {
			err = newsletter.Conflictf("subscriber %d has this address; erase the subscriber", sub.ID)
		}
		return Erased{}, err
	}
	n, err := s.store.EraseAddress(ctx, key, cleanOrigin(origin).Actor, s.o.Now())
	if err != nil {
		return Erased{}, err
	}
	return Erased{Mentions: n, Traces: !s.removeTraces(ctx)}, nil
}

// removeTraces removes what was written meanwhile, and what the log has. Nothing is lost if it
// cannot: the marks are there, and the service goes on.
func (s *Service) removeTraces(ctx context.Context) (done bool) {
	_, err := s.store.ScrubErased(ctx, s.o.Now())
	for try := 0; err == nil && try < foldTries && !done && ctx.Err() == nil; try++ {
		if done, err = s.store.FoldLog(ctx); err != nil {
			break
		}
	}
	return done
}

// Keep says for how many days what is kept about people; 0: for ever.
type Keep struct {
	Clients     int // addresses and programs of readers' machines, in what happened
	Unconfirmed int // sign-ups after their link ended, and who never confirmed anything
	Mails       int // transactional mails, but for those that prove consent
	Left        int // people after they left everything
}

// Forgot counts what Forget removed.
type Forgot struct {
	Clients, SignUps, People, Mails, Left int
}

// Forget removes what is older than it is kept, and what erasing left in the log. It goes on
// where an earlier call was cut off.
func (s *Service) Forget(ctx context.Context, keep Keep) (f Forgot, err error) {
	now := s.o.Now()
	before := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	var failures []error
	if keep.Clients > 0 {
		f.Clients, err = s.store.ForgetClients(ctx, before(keep.Clients))
		failures = append(failures, err)
	}
	if keep.Unconfirmed > 0 {
		f.SignUps, f.People, err = s.store.PruneSignUps(ctx, before(keep.Unconfirmed), now)
		failures = append(failures, err)
	}
	if keep.Mails > 0 {
		f.Mails, err = s.store.PruneMails(ctx, before(keep.Mails))
		failures = append(failures, err)
	}
	if keep.Left > 0 {
		f.Left, err = s.store.EraseLeft(ctx, before(keep.Left), now)
		failures = append(failures, err)
	}
	_, err = s.store.ScrubErased(ctx, now)
	failures = append(failures, err)
	_, err = s.store.FoldLog(ctx)
	if err := errors.Join(append(failures, err)...); err != nil {
		return f, fmt.Errorf("forget: %w", err)
	}
	return f, nil
}
