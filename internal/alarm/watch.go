package alarm

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"broadsheet/internal/newsletter"
)

// Store keeps which alarms there are, and who was told of them.
type Store interface {
	// UnsettledAlarms returns the alarms that are not over, and those of whose end somebody
	// is still to be told.
	UnsettledAlarms(ctx context.Context) ([]newsletter.RaisedAlarm, error)
	// SaveAlarm puts the alarm on record as it is and returns its id.
	SaveAlarm(ctx context.Context, r newsletter.RaisedAlarm) (int64, error)
}

// Channel is a way to staff.
type Channel interface {
	// Name is what the channel is called in the log.
	Name() string
	// Tell tells the news in their order and returns how many of them were told. It ends
	// within minutes, whatever the other end does.
	Tell(ctx context.Context, news []newsletter.RaisedAlarm) (told int, err error)
}

// Options are what a Watch works with.
type Options struct {
	Look   func(context.Context) ([]newsletter.Alarm, error) // what is wrong now
	Store  Store
	Mail   Channel // nil: no mail is sent
	Hook   Channel // nil: nobody is called
	Now    func() time.Time
	Logger *slog.Logger
}

// The rounds after which something is believed: a passing moment tells nobody anything.
const (
	roundsToRaise = 2 // in a row in which it is wrong
	roundsToClear = 2 // in a row in which it is not
)

// maxNews is how many alarms are told at once; the others wait for the next round.
const maxNews = 50

// retryStep is how much longer a channel that fails is left alone each time, up to ten steps.
const retryStep = 30 * time.Second

// Watch looks at what is wrong, round by round.
type Watch struct {
	o    Options
	mail *line
	hook *line

	mu      sync.Mutex // guards what follows against Open; rounds come one after the other
	loaded  bool
	sighted map[newsletter.AlarmKey]int // rounds in a row, of what is not raised yet
	open    map[newsletter.AlarmKey]*entry
	ended   []*entry // over, and somebody is still to be told
}

// entry is an alarm that was raised.
type entry struct {
	newsletter.RaisedAlarm
	missing int  // rounds in a row in which it was not wrong
	unsaved bool // what is on record is older
}

// line is a channel and how it does.
type line struct {
	channel  Channel
	failures int
	next     time.Time // not to be tried before
	// at returns where the entry notes that the channel was told, of the alarm or its end.
	at func(*entry) *time.Time
}

// NewWatch returns a Watch that has not looked yet.
func NewWatch(o Options) *Watch {
	w := &Watch{o: o, sighted: map[newsletter.AlarmKey]int{}, open: map[newsletter.AlarmKey]*entry{}}
	if o.Mail != nil {
		w.mail = &line{channel: o.Mail, at: func(e *entry) *time.Time {
			if e.Over() {
				return &e.ClearMailedAt
			}
			return &e.MailedAt
		}}
	}
	if o.Hook != nil {
		w.hook = &line{channel: o.Hook, at: func(e *entry) *time.Time {
			if e.Over() {
				return &e.ClearCalledAt
			}
			return &e.CalledAt
		}}
	}
	return w
}

// Open returns the alarms that are raised and not over.
func (w *Watch) Open() []newsletter.RaisedAlarm {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]newsletter.RaisedAlarm, 0, len(w.open))
	for _, e := range w.open {
		list = append(list, e.RaisedAlarm)
	}
	return list
}

// Looked reports whether there was a round.
func (w *Watch) Looked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loaded
}

// Round looks once, and tells what there is to tell. What cannot be told, or put on record,
// is tried again in a later round. Rounds must not overlap.
//
// That nobody can look, because the database does not answer, is an alarm itself, once there
// was a first round; what was wrong before then stays as it is.
func (w *Watch) Round(ctx context.Context) error {
	if err := w.load(ctx); err != nil {
		return err
	}
	wrong, err := w.o.Look(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		wrong = []newsletter.Alarm{{
			Kind: newsletter.AlarmDatabase, Subject: "database", What: "nobody can look what is wrong: " + err.Error(),
			Do: "look at the disk of the database and at the log",
		}}
	}
	w.mu.Lock()
	w.raise(wrong)
	w.clear(wrong, err == nil)
	w.mu.Unlock()
	keep := context.WithoutCancel(ctx) // what was told is put on record, also when the service ends
	w.save(keep)                       // first, so that an end in the middle forgets nothing
	w.tell(ctx)
	w.save(keep)
	return nil
}

// load reads what was raised before this process began.
func (w *Watch) load(ctx context.Context) error {
	if w.Looked() {
		return nil
	}
	list, err := w.o.Store.UnsettledAlarms(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loaded = true
	for _, r := range list {
		e := &entry{RaisedAlarm: r}
		if !r.Over() {
			w.open[r.Key()] = e
			continue
		}
		// A channel that was taken out of the settings need not be told any more.
		e.Settled = w.settled(e)
		e.unsaved = e.Settled
		w.ended = append(w.ended, e)
	}
	return nil
}

// raise notes what is wrong. The caller holds the lock.
func (w *Watch) raise(wrong []newsletter.Alarm) {
	now := w.o.Now().Truncate(time.Millisecond) // as it is put on record
	before := w.sighted
	w.sighted = map[newsletter.AlarmKey]int{}
	for _, a := range wrong {
		if e, ok := w.open[a.Key()]; ok {
			e.missing = 0
			a.Since = since(a.Since, e.Since)
			e.Text = text(a)
			continue
		}
		rounds := before[a.Key()] + 1
		if rounds < roundsToRaise {
			w.sighted[a.Key()] = rounds
			continue
		}
		a.Since = since(a.Since, now)
		e := &entry{unsaved: true, RaisedAlarm: newsletter.RaisedAlarm{
			Kind: a.Kind, Subject: a.Subject, Text: text(a), Since: a.Since, RaisedAt: now,
		}}
		w.open[a.Key()] = e
		w.o.Logger.Error("alarm", "kind", string(e.Kind), "subject", e.Subject, "text", e.Text)
	}
}

// text is what is told of the alarm.
func text(a newsletter.Alarm) string {
	a.What = cut(plain(a.What), maxWhat)
	return plain(a.Text())
}

func since(known, otherwise time.Time) time.Time {
	if known.IsZero() {
		return otherwise
	}
	return known
}

// clear notes what is not wrong any more; looked says that all that is wrong was found. The
// caller holds the lock.
func (w *Watch) clear(wrong []newsletter.Alarm, looked bool) {
	still := map[newsletter.AlarmKey]bool{}
	for _, a := range wrong {
		still[a.Key()] = true
	}
	for key, e := range w.open {
		if still[key] || !looked {
			continue
		}
		if e.missing++; e.missing < roundsToClear {
			continue
		}
		e.ClearedAt, e.unsaved = w.o.Now(), true
		e.Settled = w.settled(e)
		delete(w.open, key)
		w.ended = append(w.ended, e)
		w.o.Logger.Info("alarm over", "kind", string(e.Kind), "subject", e.Subject, "text", e.Text)
	}
}

// settled reports whether the alarm is over and nobody is left to be told.
func (w *Watch) settled(e *entry) bool {
	return e.Over() && (w.mail == nil || !e.ClearMailedAt.IsZero()) && (w.hook == nil || !e.ClearCalledAt.IsZero())
}

// save puts on record what is not.
func (w *Watch) save(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.entries() {
		if !e.unsaved {
			continue
		}
		id, err := w.o.Store.SaveAlarm(ctx, e.RaisedAlarm)
		if err != nil {
			w.o.Logger.Warn("an alarm could not be put on record; if the service ends now, it is told again", "kind", string(e.Kind), "error", err)
			continue
		}
		e.ID, e.unsaved = id, false
	}
	kept := w.ended[:0]
	for _, e := range w.ended {
		if !e.Settled || e.unsaved {
			kept = append(kept, e)
		}
	}
	w.ended = kept
}

// entries returns the alarms that are not settled, in the order in which they were raised.
func (w *Watch) entries() []*entry {
	list := append([]*entry{}, w.ended...)
	for _, e := range w.open {
		list = append(list, e)
	}
	sortEntries(list)
	return list
}

// tell tells each channel what it does not know yet, both at once.
func (w *Watch) tell(ctx context.Context) {
	var channels sync.WaitGroup
	for _, l := range []*line{w.mail, w.hook} {
		if l != nil {
			channels.Go(func() { w.tellBy(ctx, l) })
		}
	}
	channels.Wait()
}

func (w *Watch) tellBy(ctx context.Context, l *line) {
	now := w.o.Now()
	if now.Before(l.next) {
		return
	}
	w.mu.Lock()
	var entries []*entry
	var news []newsletter.RaisedAlarm
	for _, e := range w.entries() {
		if l.at(e).IsZero() && len(news) < maxNews {
			entries = append(entries, e)
			news = append(news, e.RaisedAlarm)
		}
	}
	w.mu.Unlock()
	if len(news) == 0 {
		return
	}
	told, err := l.channel.Tell(ctx, news)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries[:told] {
		*l.at(e) = now
		e.unsaved = true
		e.Settled = w.settled(e)
	}
	if err == nil {
		l.failures, l.next = 0, time.Time{}
		return
	}
	l.failures = min(l.failures+1, 10)
	l.next = now.Add(time.Duration(l.failures) * retryStep)
	if !errors.Is(err, context.Canceled) {
		w.o.Logger.Warn("staff could not be told of an alarm; it is tried again", "channel", l.channel.Name(), "alarms", len(news)-told, "error", err)
	}
}
