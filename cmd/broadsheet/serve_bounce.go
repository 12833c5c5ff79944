package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"broadsheet/internal/alarm"
	"broadsheet/internal/bounce"
	"broadsheet/internal/bounce/listener"
	"broadsheet/internal/bounce/mailbox"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/schedule"
	"broadsheet/internal/web"
)

// The times of the mailbox for what comes back.
const (
	boxEvery = time.Minute     // between two looks
	boxTime  = 5 * time.Minute // for one look; the next goes on
	// boxFailures is how many looks in a row have to fail before staff are told: one may be chance.
	boxFailures = 3
)

// newBounces returns what takes what comes back, whichever way it comes in.
func (s *services) newBounces() *bounce.Service {
	return bounce.NewService(s.store, bounce.Options{Keys: s.keys, Now: s.app.now, Logger: s.log})
}

// listenForBounces opens the address for what comes back.
func (s *services) listenForBounces(ctx context.Context) (*listener.Server, error) {
	l, err := listener.Listen(ctx, listener.Options{
		Address: s.settings.BounceAt, Domain: s.settings.BounceDomain, Taker: s.newBounces(), Logger: s.log,
	})
	if err != nil {
		why := "is it another program's, or may only root listen there?"
		if errors.Is(err, fs.ErrNotExist) {
			why = "make the folder of the socket, for the user of the service"
		}
		return nil, fmt.Errorf("%sBOUNCE_LISTEN: %w; %s", settingPrefix, err, why)
	}
	return l, nil
}

// takeBounces takes what comes back at the address until ctx ends.
func (s *service) takeBounces(ctx context.Context) error {
	if s.bounces == nil {
		return nil
	}
	s.log.Info("taking what comes back", "address", s.bounces.Addr().String(), "setting", s.settings.BounceAt.String(), "domain", s.settings.BounceDomain)
	return s.bounces.Serve(ctx)
}

// hooks returns the addresses where other systems tell what came back.
func (s *services) hooks() *web.Hooks {
	return &web.Hooks{
		Bounces: s.newBounces(), Calls: s.store, Secret: s.settings.WebhookSecret,
		SESTopics: s.settings.SESTopics, Postmark: s.settings.PostmarkSecret, Client: alarm.NewClient(),
	}
}

// bounceBox is the mailbox for what comes back, and whether it can be read.
type bounceBox struct {
	box mailbox.Mailbox
	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	failures int
	since    time.Time
	err      error
}

// newBounceBox returns the mailbox; nil if there is none.
func (s *services) newBounceBox() *bounceBox {
	if s.settings.BounceIMAP == "" {
		return nil
	}
	return &bounceBox{
		box: mailbox.Mailbox{Address: s.settings.BounceBox, Taker: s.newBounces(), Logger: s.log},
		now: s.app.now, log: s.log,
	}
}

// jobs is the look into the mailbox now and then.
func (b *bounceBox) jobs() []schedule.Job {
	if b == nil {
		return nil
	}
	return []schedule.Job{{Name: "bounce mailbox", Every: boxEvery, Do: b.look}}
}

// look takes what is in the mailbox. What goes wrong is told as an alarm if it lasts.
func (b *bounceBox) look(ctx context.Context) error {
	looking, cancel := context.WithTimeout(ctx, boxTime)
	defer cancel()
	r, err := b.box.Poll(looking)
	if err != nil && ctx.Err() != nil {
		return nil // the service stops; the messages are still there
	}
	if r.Taken > 0 || r.Left > 0 {
		b.log.Info("what came back was taken from the mailbox", "taken", r.Taken, "failed", r.Failed, "left", r.Left)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failures, b.err = 0, nil
		return nil
	}
	if b.failures++; b.failures == 1 {
		b.since = b.now()
		b.log.Warn("the mailbox for what comes back cannot be read; it is tried again every minute", "error", err)
	}
	b.err = err
	return nil
}

// problems returns what is wrong with the mailbox for longer.
func (b *bounceBox) problems() []newsletter.Alarm {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < boxFailures {
		return nil
	}
	return []newsletter.Alarm{b.alarm(b.err, b.since)}
}

// ask logs in to the mailbox, for commands that run while nobody serves.
func (b *bounceBox) ask(ctx context.Context) []newsletter.Alarm {
	if b == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	if err := b.box.Check(ctx); err != nil {
		return []newsletter.Alarm{b.alarm(err, time.Time{})}
	}
	return nil
}

func (b *bounceBox) alarm(err error, since time.Time) newsletter.Alarm {
	return newsletter.Alarm{
		Kind: newsletter.AlarmBounces, Subject: "mailbox", Since: since,
		What: fmt.Sprintf("the mailbox for what comes back (%s) cannot be read: %v", b.box.Address, err),
		Do:   "mend it, or " + settingPrefix + "BOUNCE_IMAP; until then nobody learns which addresses do not work",
	}
}
