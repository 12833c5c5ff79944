package desk_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/feed"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/store"
	"broadsheet/templates"
)

// propertyWorld is a newsroom over simulated months, driven by one seed. The database, the
// desk and the engine are the real ones; the sources and the relay are in memory, since ten
// thousand days have to pass.
type propertyWorld struct {
	*mathrand.Rand
	t     *testing.T
	seed  uint64
	model *propertyModel
	clock *newsroomtest.Clock
	store *store.Store
	press *frailStore
	desk  *desk.Desk
	// newDesk returns a desk on a store, as another process has one.
	newDesk func(desk.Store, desk.EditionStore) *desk.Desk
	db      *sql.DB
	barred  newsletter.SuppressionKey
	feeds   []*propertyFeed
	told    bool // something failed already
}

// emptyDatabase returns the path of a database that nothing was written to yet. To make one takes
// longer than a month takes in it.
var emptyDatabase = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "property")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := store.Open(context.Background(), path, store.CreateIfMissing)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // the path is ours
})

func newPropertyWorld(t *testing.T, seed uint64) *propertyWorld {
	t.Helper()
	random := mathrand.New(mathrand.NewPCG(seed, 4))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(700))
	w := &propertyWorld{Rand: random, t: t, seed: seed, clock: &newsroomtest.Clock{}}
	for !w.clock.Now().Equal(begin) { // a Duration holds no more than 292 years
		w.clock.Add(begin.Sub(w.clock.Now()))
	}
	path := filepath.Join(t.TempDir(), "w.db")
	empty, err := emptyDatabase()
	w.must(err)
	w.must(os.WriteFile(path, empty, 0o600))
	w.store, err = store.Open(t.Context(), path, store.ExistingOnly)
	w.must(err)
	t.Cleanup(func() { w.must(w.store.Close()) })
	w.db, err = sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000&_synchronous=OFF")
	w.must(err)
	t.Cleanup(func() { w.must(w.db.Close()) })
	keys, barred, err := w.store.Keys(t.Context(), w.clock.Now(), rand.Reader)
	w.must(err)
	w.barred = barred
	w.model = newPropertyModel(w)
	fsys, err := templates.FS("")
	w.must(err)
	sources, err := templates.Mail(fsys)
	w.must(err)
	logger := slog.New(slog.DiscardHandler)
	relays := mail.Relays{{Transport: &propertyRelay{w: w}, Limits: mail.Limits{Connections: 1}}}
	engine := delivery.NewEngine(delivery.Options{
		Ledger: w.store, Role: w.store, Relays: relays, BaseURL: "https://news.example.org", Keys: keys, Suppression: barred,
		Now: w.clock.Now, Random: func() float64 { return 0 }, Logger: logger, Idle: time.Millisecond,
	})
	w.press = &frailStore{Store: w.store, lives: -1}
	w.newDesk = func(all desk.Store, press desk.EditionStore) *desk.Desk {
		return desk.New(all, propertyFetcher{w}, desk.Options{
			Now: w.clock.Now, Actor: "test", BaseURL: "https://news.example.org", Logger: logger,
			Press: desk.Press{Store: press, Engine: engine, Transport: relays, Templates: digest.Templates(sources), Keys: keys, Suppression: barred},
		})
	}
	w.desk = w.newDesk(w.store, w.press)
	return w
}

func (w *propertyWorld) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatalf("seed %d, %s: %v", w.seed, w.clock.Now().Format(time.DateTime), err)
	}
}

// wrong reports what must not be. The first ones are enough.
func (w *propertyWorld) wrong(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("seed %d, %s: %s", w.seed, w.clock.Now().Format(time.DateTime), fmt.Sprintf(format, args...))
	w.told = true
}

func (w *propertyWorld) exec(statement string, args ...any) {
	w.t.Helper()
	_, err := w.db.ExecContext(w.t.Context(), statement, args...)
	w.must(err)
}

// chance is true so many times in a thousand.
func (w *propertyWorld) chance(thousandths int) bool { return w.IntN(1000) < thousandths }

// pass lets up to so much time pass, a second at least.
func (w *propertyWorld) pass(most time.Duration) {
	w.clock.Add(time.Second * time.Duration(1+w.Int64N(int64(most/time.Second))))
}

// frailStore is the store of a process that is killed while it plans: it does so many more
// writes and no more. What it does last, it may do by half.
type frailStore struct {
	*store.Store
	lives int // -1: it is well
}

var errKilled = errors.New("killed")

func (s *frailStore) die() bool {
	if s.lives > 0 {
		s.lives--
	}
	return s.lives == 0
}

func (s *frailStore) SaveVariants(ctx context.Context, id int64, v []newsletter.NewVariant) ([]int64, error) {
	if s.die() {
		return nil, errKilled
	}
	return s.Store.SaveVariants(ctx, id, v)
}

// SavePlan saves the first half of its rows when it dies, as if planning went by fewer readers
// at once.
func (s *frailStore) SavePlan(ctx context.Context, e newsletter.Edition, rows []newsletter.PlannedDelivery, done bool, now time.Time) error {
	if !s.die() {
		return s.Store.SavePlan(ctx, e, rows, done, now)
	}
	if half := rows[:len(rows)/2]; len(half) > 0 {
		if err := s.Store.SavePlan(ctx, e, half, false, now); err != nil {
			return err
		}
	}
	return errKilled
}

// propertyFeed is a source.
type propertyFeed struct {
	id      int
	items   []newsletter.Item // the newest first
	down    bool
	changed bool
	fetched bool
}

func (f *propertyFeed) url() string { return fmt.Sprintf("https://feed%d.example.org/", f.id) }

type propertyFetcher struct{ w *propertyWorld }

// Fetch gives the source's items and tells the model what is known from now on.
func (p propertyFetcher) Fetch(_ context.Context, req feed.Request) (*feed.Feed, error) {
	for _, f := range p.w.feeds {
		if f.url() != req.URL {
			continue
		}
		if f.down {
			return nil, &feed.Error{Kind: feed.KindMalformed, Detail: "it is down"}
		}
		if f.fetched && !f.changed {
			return &feed.Feed{NotModified: true}, nil
		}
		p.w.model.seen(f.items, !f.fetched, p.w.clock.Now())
		f.fetched, f.changed = true, false
		return &feed.Feed{Title: "Feed", Items: f.items}, nil
	}
	return nil, &feed.Error{Kind: feed.KindMalformed, Detail: "there is no such source"}
}

// propertyRelay is a relay that says what the world's seed says.
type propertyRelay struct{ w *propertyWorld }

func (r *propertyRelay) String() string { return "relay.example.net:25" }
func (r *propertyRelay) Real() bool     { return true }
func (r *propertyRelay) Connect(context.Context) (mail.Session, error) {
	return &propertySession{w: r.w}, nil
}

type propertySession struct {
	w  *propertyWorld
	to string
}

func (s *propertySession) Send(context.Context, string, string, []byte) mail.Outcome {
	panic("digests are not sent like this")
}

func (s *propertySession) Open(e mail.Envelope) (mail.Outcome, bool) {
	s.to = e.To
	return mail.Outcome{}, true
}

func (s *propertySession) Finish(content []byte, _ *mail.Envelope) mail.Outcome {
	w := s.w
	edition, articles, err := readDigest(content)
	if err != nil {
		w.wrong("the message to %s: %v", s.to, err)
	}
	switch n := w.IntN(100); {
	case n < 4:
		return mail.Outcome{State: newsletter.Refused, Phase: mail.PhaseDot, Code: 550, Enhanced: "5.1.1", Reply: "no", Fault: mail.FaultMessage}
	case n < 10:
		return mail.Outcome{State: newsletter.Deferred, Phase: mail.PhaseDot, Code: 451, Enhanced: "4.7.1", Reply: "later", Fault: mail.FaultMessage}
	case n < 14:
		if n < 12 {
			w.model.arrived(edition, s.to, articles)
		}
		return mail.Outcome{State: newsletter.InDoubt, Phase: mail.PhaseDot, Err: io.ErrUnexpectedEOF}
	}
	w.model.arrived(edition, s.to, articles)
	return mail.Outcome{State: newsletter.Accepted, Phase: mail.PhaseDot, Code: 250, Enhanced: "2.0.0", Reply: "ok"}
}

func (s *propertySession) Close() error { return nil }

var (
	editionField = regexp.MustCompile(`(?m)^X-Broadsheet-Edition: (\d+)\r$`)
	storyToken   = regexp.MustCompile(`Story(\d+)x`)
)

// readDigest returns the edition of a message and the stories in its text part.
func readDigest(content []byte) (edition int64, articles []int, err error) {
	m := editionField.FindSubmatch(content)
	_, part, ok := bytes.Cut(content, []byte("Content-Type: text/plain"))
	if m == nil || !ok {
		return 0, nil, errors.New("it is no digest")
	}
	if edition, err = strconv.ParseInt(string(m[1]), 10, 64); err != nil {
		return 0, nil, err
	}
	part, _, _ = bytes.Cut(part, []byte("Content-Type: text/html"))
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(part)))
	if err != nil {
		return edition, nil, err
	}
	seen := map[int]bool{}
	for _, m := range storyToken.FindAllSubmatch(text, -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			return edition, nil, err
		}
		if !seen[n] {
			articles = append(articles, n)
		}
		seen[n] = true
	}
	return edition, articles, nil
}
