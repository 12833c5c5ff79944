package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"broadsheet/internal/alarm"
	"broadsheet/internal/desk"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/schedule"
	"broadsheet/internal/store"
)

// The times of watching.
const (
	watchEvery     = 30 * time.Second // between two looks at what is wrong
	beatEvery      = 10 * time.Second // between two looks at whether a slot was handled
	relayEvery     = 5 * time.Minute  // between two looks at relays that nobody uses just now
	relayFailEvery = time.Minute      // the same while one does not take mail
)

// watch finds what is wrong while the service runs, and tells staff.
type watch struct {
	*services
	press  *press
	alarms *alarm.Watch
	beat   *alarm.Heartbeat // nil: nobody expects one
	lock   io.Closer        // nil: another process tells, or nobody has looked yet
	box    *bounceBox       // nil: there is none
	broken []newsletter.Alarm
	asked  time.Time // when the relays were asked
}

func newWatch(s *services, p *press) (*watch, error) {
	w := &watch{services: s, press: p, box: s.newBounceBox()}
	o := alarm.Options{Look: w.look, Store: s.store, Now: s.app.now, Logger: s.log}
	if s.settings.Staff.Email != "" {
		m, err := w.mail()
		if err != nil {
			return nil, err
		}
		o.Mail = m
	}
	if s.settings.AlarmURL != "" {
		o.Hook = &alarm.Hook{URL: s.settings.AlarmURL, Service: s.settings.BaseURL, Version: version, Client: alarm.NewClient()}
	}
	w.alarms = alarm.NewWatch(o)
	if s.settings.HeartbeatURL != "" {
		w.beat = &alarm.Heartbeat{
			URL: s.settings.HeartbeatURL, Version: version, Client: alarm.NewClient(), Marks: s.store, Now: s.app.now, Logger: s.log,
			Handled: func(ctx context.Context) (time.Time, error) { return w.desk.LastHandled(ctx, w.store) },
		}
	}
	return w, nil
}

// mail returns the way to staff by mail: over a connection that nothing else uses.
func (w *watch) mail() (*alarm.Mail, error) {
	relays, err := mail.ParseRelays(w.settings.SMTPURL, mail.Limits{Connections: 1}, mail.Options{
		HelloName: heloName(w.settings.BaseURL), Now: w.app.now, Timeouts: alarm.MailTimeouts(),
	})
	if err != nil {
		return nil, renamed(err, "SMTP_URL")
	}
	signers, err := w.settings.signers(w.app.now)
	if err != nil {
		return nil, err
	}
	list := make([]mail.Transport, 0, len(relays))
	for _, r := range relays {
		list = append(list, r)
	}
	return &alarm.Mail{
		Relays: list, Signers: signers, To: w.settings.Staff.Email, From: w.mailFrom, Service: w.settings.BaseURL, Now: w.app.now,
	}, nil
}

// mailFrom returns who mails to staff are from: an address that the relay is known to take mail from.
func (s *services) mailFrom(ctx context.Context) (newsletter.Address, error) {
	from := newsletter.Address{Name: "Broadsheet", Email: s.settings.Confirm.Email}
	if from.Email != "" {
		return from, nil
	}
	list, err := s.store.Newsletters(ctx)
	if err != nil {
		return from, err
	}
	if from.Email = s.settings.Staff.Email; len(list) > 0 {
		from.Email = list[0].From.Email
	}
	return from, nil
}

// jobs are what is done now and then.
func (w *watch) jobs() []schedule.Job {
	list := []schedule.Job{{Name: "alarms", Every: watchEvery, Do: w.round}}
	if w.beat != nil {
		list = append(list, schedule.Job{Name: "heartbeat", Every: beatEvery, Do: w.heartbeat})
	}
	return append(list, w.box.jobs()...)
}

// mine reports whether this process is the one that tells. The lock is kept until the
// process ends.
func (w *watch) mine() (bool, error) {
	if w.lock != nil {
		return true, nil
	}
	lock, err := w.store.TakeWatch()
	w.lock = lock
	return lock != nil, err
}

// close lets another process tell.
func (w *watch) close() {
	if w.lock != nil {
		_ = w.lock.Close()
	}
}

func (w *watch) round(ctx context.Context) error {
	mine, err := w.mine()
	if err != nil || !mine {
		return err
	}
	return w.alarms.Round(ctx)
}

// heartbeat leaves it to the process that tells of alarms. It waits for a round to find out.
func (w *watch) heartbeat(ctx context.Context) error {
	if !w.alarms.Looked() {
		return nil
	}
	return w.beat.Beat(ctx)
}

// look returns all that is wrong now.
func (w *watch) look(ctx context.Context) ([]newsletter.Alarm, error) {
	status, err := w.desk.QuickStatus(ctx, w.store)
	if err != nil {
		return nil, err
	}
	for _, e := range status.Editions {
		if !e.Unfinished() {
			continue
		}
		idle := !e.State.Open() || !status.Sends // no wonder that nothing is accepted
		if err := w.store.NoteProgress(ctx, e.ID, e.Tally.Counts[newsletter.Accepted], idle, w.app.now()); err != nil {
			w.log.Warn("how an edition gets on could not be put on record", "edition", e.ID, "error", err)
		}
	}
	low, err := w.lowDisks()
	if err != nil {
		return nil, err
	}
	w.lookAtRelays(ctx, status)
	unsafe, err := w.unsafe(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Concat(status.Problems, unsafe, low, w.broken, w.box.problems()), nil
}

// lookAtRelays asks the relays now and then, so that staff know before the next edition is
// due. While a sender has connections nobody asks: one more could be one too many.
func (w *watch) lookAtRelays(ctx context.Context, status desk.Status) {
	every := relayEvery
	for _, e := range status.Editions {
		switch {
		case e.Pulse.Connections > 0 && len(w.press.transport) == 1:
			w.broken = nil
			return
		case e.Pulse.Connections > 0:
			return
		case e.Pulse.Relay != "":
			every = relayFailEvery
		}
	}
	if len(w.broken) > 0 {
		every = relayFailEvery
	}
	if now := w.app.now(); now.Sub(w.asked) >= every || now.Before(w.asked) {
		w.broken, w.asked = w.press.askRelays(ctx), now
	}
}

// askRelays connects to each relay, logs in, and leaves, and returns which do not take mail. All
// are asked at once: one that does not answer takes long.
func (p *press) askRelays(ctx context.Context) []newsletter.Alarm {
	failures := make([]error, len(p.transport))
	var asking sync.WaitGroup
	for i, r := range p.transport {
		asking.Go(func() { failures[i] = askRelay(ctx, r) })
	}
	asking.Wait()
	var list []newsletter.Alarm
	for i, r := range p.transport {
		err := failures[i]
		if err == nil {
			continue
		}
		a := newsletter.Alarm{
			Kind: newsletter.AlarmRelayRefusing, Subject: "relay/" + r.String(),
			What: fmt.Sprintf("the relay %s does not take mail: %s", r, strings.TrimPrefix(err.Error(), "connect to "+r.String()+": ")),
			Do:   "mend it, or set " + settingPrefix + "SMTP_URL to another one and start the service again",
		}
		if len(p.transport) > 1 {
			a.Do = "mend it; mail goes by the others meanwhile, if they take it"
		}
		list = append(list, a)
	}
	return list
}

// askRelay connects to the relay, logs in, and leaves.
func askRelay(ctx context.Context, relay mail.Transport) error {
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	session, err := relay.Connect(ctx)
	if err == nil {
		err = session.Close()
	}
	return err
}

// lowDisks tells of folders with too little room: those of the database and of the journal
// need as much as the copy of the database that an upgrade makes, and the outbox holds a file
// for each message.
func (s *services) lowDisks() ([]newsletter.Alarm, error) {
	size, free, err := s.store.Disk()
	if err != nil {
		return nil, err
	}
	need := max(lowDisk, size)
	var list []newsletter.Alarm
	if free < need {
		list = append(list, lowDiskAlarm("database", "the database", free, need, "make room: without any, nothing can be sent and nobody can sign up"))
	}
	// One on the disk of the database needs no alarm of its own, and where its folder is missing,
	// that is the alarm of the journal.
	if folder := filepath.Dir(s.settings.Journal); s.settings.Journal != "" && !store.SameDisk(folder, filepath.Dir(s.settings.DatabasePath)) {
		if free, err := store.Free(folder); err == nil && free < need {
			list = append(list, lowDiskAlarm("journal", "the journal", free, need, "make room: without any, no new edition begins, and who leaves is on record in the database only"))
		}
	}
	folder, ok := strings.CutPrefix(s.settings.SMTPURL, "outbox:")
	if !ok {
		return list, nil
	}
	if free, err := store.Free(folder); err == nil && free < lowDisk { // it may not be there yet
		list = append(list, newsletter.Alarm{
			Kind: newsletter.AlarmDiskLow, Subject: "outbox",
			What: fmt.Sprintf("only %d MiB are free on the disk of the outbox %s", free/bytesPerMiB, filepath.Base(folder)),
			Do:   "make room, or remove old messages",
		})
	}
	return list, nil
}

func lowDiskAlarm(subject, whose string, free, need int64, do string) newsletter.Alarm {
	return newsletter.Alarm{
		Kind: newsletter.AlarmDiskLow, Subject: subject, Do: do,
		What: fmt.Sprintf("only %d MiB are free on the disk of %s, and it should be %d MiB", free/bytesPerMiB, whose, need/bytesPerMiB),
	}
}
