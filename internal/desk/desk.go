// Package desk is what staff and the schedule can do: newsletters and their sections and
// sources, articles, editions, sending. The command line, the API, the pages and the
// schedule all call the same methods, so there is one way to do each thing; each method
// that changes something leaves a line in the record of what was done and by whom.
package desk

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

// Store is what the desk needs of the database.
type Store interface {
	NewsletterStore
	ImmediateStore
	SkipStore
	SectionStore
	SourceStore
	IntakeStore
	ArticleStore
}

// NewsletterStore keeps newsletters.
type NewsletterStore interface {
	Newsletters(ctx context.Context) ([]newsletter.Newsletter, error)
	Newsletter(ctx context.Context, slug string) (newsletter.Newsletter, error)
	CreateNewsletter(ctx context.Context, n newsletter.Newsletter, actor string, now time.Time) (newsletter.Newsletter, error)
	ChangeNewsletter(ctx context.Context, slug, action, actor string, now time.Time, change func(*newsletter.Newsletter) (detail string, err error)) (newsletter.Newsletter, error)
	ReaderCounts(ctx context.Context, newsletterID int64) (map[newsletter.SubscriptionState]int, error)
	SlotReaders(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string) (int, error)
	LeaveSlot(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot, actor string, now time.Time) (int, error)
}

// SkipStore keeps slots that pass without an edition.
type SkipStore interface {
	SlotTaken(ctx context.Context, key newsletter.SlotKey) (bool, error)
	TakenSlots(ctx context.Context, from newsletter.SlotKey) (map[newsletter.Date]bool, error)
	SlotsOf(ctx context.Context, newsletterID int64, date newsletter.Date) ([]newsletter.Edition, error)
	HoldSlot(ctx context.Context, key newsletter.SlotKey, why string, now time.Time) error
	HeldSlot(ctx context.Context, key newsletter.SlotKey) (why string, err error)
	SkipSlot(ctx context.Context, key newsletter.SlotKey, dueAt time.Time, reason, actor string, now time.Time) (skipped bool, err error)
	UnskipDate(ctx context.Context, key newsletter.SlotKey, actor string, now time.Time) (int, error)
}

// SectionStore keeps sections.
type SectionStore interface {
	Sections(ctx context.Context, newsletterID int64) ([]newsletter.Section, error)
	AddSection(ctx context.Context, s newsletter.Section, actor string, now time.Time) (newsletter.Section, error)
	ChangeSection(ctx context.Context, newsletterID int64, slug, actor string, now time.Time, change func(*newsletter.Section) error) (newsletter.Section, error)
	RemoveSection(ctx context.Context, newsletterID int64, slug, actor string, now time.Time) error
	Categories(ctx context.Context, newsletterID int64, since time.Time) ([]newsletter.UnmappedCategory, error)
}

// SourceStore keeps sources.
type SourceStore interface {
	Sources(ctx context.Context, newsletterID int64) ([]newsletter.Source, error)
	Source(ctx context.Context, id int64) (newsletter.Source, error)
	SourceByURL(ctx context.Context, url string) (newsletter.Source, error)
	AttachSource(ctx context.Context, src newsletter.Source, newsletterID int64, actor string, now time.Time) (id int64, attached bool, err error)
	DetachSource(ctx context.Context, sourceID, newsletterID int64, actor string, now time.Time) error
}

// IntakeStore takes in what sources give.
type IntakeStore interface {
	DueSources(ctx context.Context, now time.Time) ([]newsletter.Source, error)
	SaveFetch(ctx context.Context, sourceID int64, items []newsletter.Item, meta newsletter.FetchMeta, now time.Time) (newsletter.Intake, error)
	FailFetch(ctx context.Context, sourceID int64, why string, started time.Time, retryAfter time.Duration, now time.Time) error
	RecordDeskEvent(ctx context.Context, action string, newsletterID int64, detail, actor string, now time.Time) error
}

// ArticleStore keeps articles.
type ArticleStore interface {
	Articles(ctx context.Context, f newsletter.ArticleFilter) ([]newsletter.Article, error)
	Article(ctx context.Context, id int64) (newsletter.ArticleDetail, error)
	ChangeArticle(ctx context.Context, id int64, action, actor string, now time.Time, change func(newsletter.Article) (newsletter.Article, error)) (newsletter.Article, error)
}

// Fetcher gets feeds; *feed.Client is one.
type Fetcher interface {
	Fetch(ctx context.Context, req feed.Request) (*feed.Feed, error)
}

// Options are the settings of a Desk.
type Options struct {
	Now     func() time.Time // nil: time.Now
	Actor   string           // who acts, for the record: "cli:ada", "schedule"
	From    string           // from where they act, for the record; empty: not known
	BaseURL string           // of the service, without a slash at the end
	// ConfirmFrom is the address that confirmation mail is from, which no newsletter can have
	// (S7). Empty: one is chosen that none has.
	ConfirmFrom string
	SignUps     newsletter.SignUpLimits // zero: those of newsletter.DefaultSignUpLimits
	Logger      *slog.Logger            // nil: nothing is logged
	Press       Press                   // what building and sending editions needs; zero: this desk does neither
}

// Desk is the newsroom's desk. It is safe for concurrent use.
type Desk struct {
	store   Store
	fetcher Fetcher
	o       Options

	mu      sync.Mutex
	retry   map[newsletter.SlotKey]time.Time // slots that could not be built, and when to try again
	tallies map[int64]counted                // of editions that QuickStatus counted lately
}

// New returns a Desk on the store that fetches feeds by the fetcher.
func New(store Store, fetcher Fetcher, o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SignUps == (newsletter.SignUpLimits{}) {
		o.SignUps = newsletter.DefaultSignUpLimits()
	}
	if o.Actor == "" {
		o.Actor = "unknown"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{store: store, fetcher: fetcher, o: o, retry: map[newsletter.SlotKey]time.Time{}, tallies: map[int64]counted{}}
}

// now returns the time to the millisecond, as the database keeps it.
func (d *Desk) now() time.Time { return d.o.Now().UTC().Truncate(time.Millisecond) }
