package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
)

// lost is a newsroom that keeps a journal, and of which a backup was made.
type lost struct {
	*newsroomtest.Newsroom
	t               *testing.T
	news            newsletter.Newsletter
	readers         []string
	journal, backup string
}

func newLost(t *testing.T, o newsroomtest.Options, readers int) *lost {
	t.Helper()
	l := &lost{Newsroom: newsroomtest.New(t, o), t: t, journal: filepath.Join(t.TempDir(), "journal")}
	l.Store.UseJournal(store.NewJournal(l.journal, func(m string) { t.Error(m) }))
	l.news = l.Newsletter("daily-news", nil)
	l.readers = l.Readers(l.news, 1, readers)
	return l
}

func (l *lost) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// back makes a backup now.
func (l *lost) back() {
	l.t.Helper()
	l.backup = filepath.Join(l.t.TempDir(), "backup.db")
	l.must(l.Store.Backup(l.t.Context(), l.backup, nil))
}

// restore puts the backup into another place, so that the database that was lost can be held
// against it, and returns a newsroom on it, with the same feed and the same time.
func (l *lost) restore(change func(*store.RestoreOptions)) (*newsroomtest.Newsroom, store.Restored) {
	l.t.Helper()
	path := filepath.Join(l.t.TempDir(), "broadsheet.db")
	o := store.RestoreOptions{File: l.backup, Journal: l.journal, Append: l.journal, Now: l.Clock.Now()}
	if change != nil {
		change(&o)
	}
	done, err := store.Restore(l.t.Context(), path, o)
	l.must(err)
	r := newsroomtest.New(l.t, newsroomtest.Options{Path: path})
	r.Clock.Add(l.Clock.Now().Sub(r.Clock.Now()))
	return r, done
}

// send builds what is owed and carries it out, and returns who got what, by address.
func send(t *testing.T, r *newsroomtest.Newsroom) map[string]string {
	t.Helper()
	seen := len(r.SMTP.Messages())
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news", Extra: true})
	if newsletter.ReasonOf(err) == newsletter.SkippedNothingNew {
		return map[string]string{}
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Desk.Start(t.Context(), draft, nil)
	if err == nil {
		err = r.Desk.Carry(t.Context(), e.ID, time.Minute, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range r.SMTP.Messages()[seen:] {
		got[m.To] += string(m.Data)
	}
	return got
}

func confirm(t *testing.T, r *newsroomtest.Newsroom) {
	t.Helper()
	if err := r.Store.ConfirmRestore(t.Context(), "test", r.Clock.Now()); err != nil {
		t.Fatal(err)
	}
}

// An edition that the backup has as just begun went on after it. Nobody gets it again, neither
// those who had it nor, since nobody can know, those who had not.
func TestRestore_AnEditionThatWasBeingSentIsNotSentAgain(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{
		Faults: []smtptest.Fault{{At: smtptest.AtDot, Skip: 3, Times: 1, Action: smtptest.Stall}},
	}}, 10)
	l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
	draft, err := l.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news"})
	l.must(err)
	e, err := l.Desk.Start(t.Context(), draft, nil)
	l.must(err)
	carried := make(chan error)
	go func() { carried <- l.Desk.Carry(context.WithoutCancel(t.Context()), e.ID, time.Minute, nil) }()
	l.must(l.SMTP.WaitStalled(t.Context(), 1))
	l.back()
	l.SMTP.Release()
	l.must(<-carried)
	if n := len(l.SMTP.Messages()); n != 10 {
		t.Fatalf("%d were sent", n)
	}
	r, done := l.restore(nil)
	if done.Closed != 1 || done.InDoubt != 7 {
		t.Errorf("%+v", done)
	}
	if role, err := r.Store.TakeSender("test", r.Clock.Now()); role != nil || err != nil {
		t.Errorf("the role can be taken before the restore is confirmed (%v)", err)
	}
	draftless := newsletter.FrozenEdition{Edition: newsletter.Edition{NewsletterID: 1, Cadence: newsletter.Daily, Slot: "x"}}
	if _, err := r.Store.FreezeEdition(t.Context(), draftless, r.Clock.Now()); newsletter.ReasonOf(err) != "restored" {
		t.Errorf("freezing before the restore is confirmed: %v", err)
	}
	confirm(t, r)
	r.Feed = l.Feed
	if got := send(t, r); len(got) != 0 {
		t.Errorf("sent to %d again", len(got))
	}
	now, tally, err := r.Desk.Edition(t.Context(), e.ID)
	if err != nil || now.State != newsletter.EditionSent || tally.Counts[newsletter.InDoubt] != 7 || tally.Counts[newsletter.Accepted] != 3 {
		t.Errorf("%+v, %+v, %v", now, tally, err)
	}
	// What came since is sent, and only that.
	l.Feed.Publish("Tunnel open again", r.Clock.Now())
	got := send(t, r)
	if len(got) != 10 {
		t.Errorf("what is new was sent to %d", len(got))
	}
	for to, message := range got {
		if strings.Contains(message, "Harbour") || !strings.Contains(message, "Tunnel") {
			t.Errorf("%s got what they had:\n%s", to, message)
		}
	}
}

// An edition that was frozen before the backup and begun after it is closed; one that was not
// begun goes on.
func TestRestore_FrozenEditions(t *testing.T) {
	t.Parallel()
	for name, begun := range map[string]bool{"begun after the backup": true, "never begun": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLost(t, newsroomtest.Options{}, 4)
			l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
			draft, err := l.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news"})
			l.must(err)
			e, err := l.Desk.Start(t.Context(), draft, nil)
			l.must(err)
			l.back()
			if begun {
				l.must(l.Desk.Carry(t.Context(), e.ID, time.Minute, nil))
			}
			r, done := l.restore(nil)
			if begun != (done.Closed == 1) || begun != (done.GoOn == 0) {
				t.Errorf("%+v", done)
			}
			confirm(t, r)
			l.must(r.Desk.Carry(t.Context(), e.ID, time.Minute, nil))
			if n := len(r.SMTP.Messages()); begun != (n == 0) || !begun && n != 4 {
				t.Errorf("%d are sent after the restore", n)
			}
		})
	}
}

// The schedule's slots are not built before the restore is confirmed, and one that was sent
// after the backup is not built again.
func TestRestore_SlotsStayTaken(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 2)
	l.back()
	l.Clock.Add(time.Hour + time.Second) // 07:00 in London
	l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
	l.must(l.Desk.RunSlots(t.Context(), newsletter.GraceTime))
	list, err := l.Store.OpenEditions(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%d editions, %v", len(list), err)
	}
	l.must(l.Desk.Carry(t.Context(), list[0].ID, time.Minute, nil))
	r, done := l.restore(nil)
	if done.Editions != 1 || done.Articles != 1 || done.Entries != 3 {
		t.Errorf("%+v", done)
	}
	confirm(t, r)
	l.must(r.Desk.RunSlots(t.Context(), newsletter.GraceTime))
	e, err := r.Store.Edition(t.Context(), list[0].ID)
	if err != nil || e.State != newsletter.EditionSent || e.Slot != newsletter.MainSlot || e.Date != list[0].Date || e.Planned != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if open, err := r.Store.OpenEditions(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%d editions are built anew, %v", len(open), err)
	}
	if got := send(t, r); len(got) != 0 {
		t.Errorf("sent again: %v", got)
	}
	status, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || status.Late != 0 {
		t.Errorf("%+v, %v", status.Problems, err)
	}
}

// What readers and staff did last counts, whatever came before; and what the journal does not
// say stays as the backup has it.
func TestRestore_PeopleAreAsTheyWereLast(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 6)
	leave := func(id int64) {
		l.must(l.Store.Leave(t.Context(), newsletter.Link{SubscriberID: id, NewsletterID: l.news.ID}, newsletter.Origin{Channel: "link"}, l.Clock.Now()))
	}
	undo := func(id int64) {
		l.must(l.Store.UndoLeave(t.Context(), newsletter.Link{SubscriberID: id, NewsletterID: l.news.ID}, newsletter.Origin{Channel: "link"}, l.Clock.Now()))
	}
	leave(6)
	l.back()
	leave(1)
	leave(2)
	undo(2)
	leave(3)
	undo(3)
	leave(3)
	undo(6)
	gone := l.Reader(l.news, "gone@example.org", newsletter.Daily, 0)
	leave(gone)
	l.Reader(l.news, "stays@example.org", newsletter.Daily, 0)
	r, done := l.restore(nil)
	if done.Left != 2 || done.LeftUnknown != 1 || done.CameBack != 1 || done.Missing != 0 || done.Entries != 8 {
		t.Errorf("%+v", done)
	}
	for id, want := range map[int64]newsletter.SubscriptionState{
		1: newsletter.Left, 2: newsletter.Active, 3: newsletter.Left, 4: newsletter.Active, 6: newsletter.Left,
	} {
		s, err := r.Store.Subscriber(t.Context(), id)
		if err != nil || s.Subscriptions[0].State != want {
			t.Errorf("reader %d is %v, want %s (%v)", id, s.Subscriptions, want, err)
		}
	}
	// A list that is imported again does not bring back who left, known to the backup or not.
	chunk := newsletter.ImportChunk{NewsletterID: l.news.ID}
	for _, email := range []string{"r1@example.org", "gone@example.org", "stays@example.org"} {
		chunk.Rows = append(chunk.Rows, newsletter.ImportRow{Email: email, EmailKey: email, Suppression: r.Barred.Hashes(email), Cadence: newsletter.Daily})
	}
	verdicts, err := r.Store.ImportChunk(t.Context(), chunk, r.Clock.Now())
	want := []newsletter.ImportVerdict{newsletter.ImportLeft, newsletter.ImportSuppressed, newsletter.ImportAdded}
	if err != nil || !slices.Equal(verdicts, want) {
		t.Errorf("imported: %v, %v", verdicts, err)
	}
	// Links that are out there name readers by their numbers: nobody gets one a second time.
	s, err := r.Store.SubscriberByKey(t.Context(), "stays@example.org")
	if err != nil || s.ID <= gone+1 {
		t.Errorf("subscriber %d, %v", s.ID, err)
	}
	if raw, err := os.ReadFile(l.journal); err != nil || bytes.Contains(raw, []byte("@example.org")) {
		t.Errorf("an address is in the journal (%v)", err)
	}
}

// What was refused before the backup, and tried again after it, may have gone out then.
func TestRestore_AnEditionThatWasTriedAgain(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{SMTP: smtptest.Options{
		Faults: []smtptest.Fault{{At: smtptest.AtRcpt, To: "r2@example.org", Times: 1, Reply: "550 5.2.1 not now"}},
	}}, 3)
	l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
	if got := send(t, l.Newsroom); len(got) != 2 {
		t.Fatalf("sent to %d", len(got))
	}
	l.back()
	_, err := l.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: 1})
	l.must(err)
	l.must(l.Desk.Carry(t.Context(), 1, time.Minute, nil))
	if n := len(l.SMTP.Messages()); n != 3 {
		t.Fatalf("%d were sent", n)
	}
	r, done := l.restore(nil)
	if done.Closed != 1 || done.InDoubt != 1 {
		t.Errorf("%+v", done)
	}
	confirm(t, r)
	if got := send(t, r); len(got) != 0 {
		t.Errorf("sent again: %v", got)
	}
}

// An article that was taken back after the backup is not sent, be it in the backup or not.
func TestRestore_WithdrawnArticles(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 2)
	l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
	_, err := l.Desk.FetchFor(t.Context(), l.news.ID)
	l.must(err)
	l.back()
	l.Feed.Publish("Tunnel open again", l.Clock.Now())
	_, err = l.Desk.FetchFor(t.Context(), l.news.ID)
	l.must(err)
	for id := int64(1); id <= 2; id++ {
		_, err := l.Store.WithdrawArticle(t.Context(), id, 0, "test", l.Clock.Now())
		l.must(err)
	}
	r, done := l.restore(nil)
	if done.Withdrawn != 2 {
		t.Errorf("%+v", done)
	}
	confirm(t, r)
	if got := send(t, r); len(got) != 0 {
		t.Errorf("sent: %v", got)
	}
}

// A confirmation that waits in the backup may have been sent since.
func TestRestore_MailsThatWaitedAreNotSent(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 1)
	signUp := func(s *store.Store, email string) {
		l.must(s.SignUp(t.Context(), newsletter.SignUpRequest{
			Email: email, EmailKey: email, Suppression: l.Barred.Hashes(email), Nonce: make([]byte, 16), Limits: []newsletter.Limit{newsletter.ClientLimit("192.0.2.7")},
			Choices: []newsletter.SignUpChoice{{NewsletterID: l.news.ID, Cadence: newsletter.Daily}},
		}, l.Clock.Now()))
	}
	signUp(l.Store, "eva@example.org")
	l.must(l.Store.FlushJournal(t.Context(), l.Clock.Now())) // as a service does: nothing is in it yet
	l.back()
	r, done := l.restore(nil)
	if done.Mails != 1 {
		t.Errorf("%+v", done)
	}
	signUp(r.Store, "ada@example.org")
	due, err := r.Store.DueMails(t.Context(), r.Clock.Now(), 10)
	if err != nil || len(due) != 1 || due[0].Email != "ada@example.org" || due[0].ID < 1_000_000 {
		t.Errorf("%+v, %v", due, err)
	}
}

// Who was erased after the backup is erased in it too, and is not in the restored file.
func TestRestore_ErasedPeople(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 3)
	l.back()
	_, err := l.Store.EraseSubscriber(t.Context(), 2, "test", l.Clock.Now())
	l.must(err)
	late := l.Reader(l.news, "late@example.org", newsletter.Daily, 0)
	_, err = l.Store.EraseSubscriber(t.Context(), late, "test", l.Clock.Now())
	l.must(err)
	r, done := l.restore(nil)
	if done.Erased != 1 {
		t.Errorf("%+v", done)
	}
	if _, err := r.Store.Subscriber(t.Context(), 2); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("error %v", err)
	}
	for _, email := range []string{"r2@example.org", "late@example.org"} {
		_, err := r.Store.AddSubscriptions(t.Context(), newsletter.Addition{
			Email: email, EmailKey: email, Suppression: r.Barred.Hashes(email),
			Choices: []newsletter.SignUpChoice{{NewsletterID: 1, Cadence: newsletter.Daily}},
		}, r.Clock.Now())
		if newsletter.ReasonOf(err) != "suppressed" {
			t.Errorf("%s: %v", email, err)
		}
	}
	raw, err := os.ReadFile(r.Store.Path())
	if err != nil || bytes.Contains(raw, []byte("r2@example.org")) || !bytes.Contains(raw, []byte("r1@example.org")) {
		t.Errorf("the address is in the file (%v)", err)
	}
}

// A second restore of the same backup, after more has happened, has all of it.
func TestRestore_Twice(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.back()
	l.must(l.Store.Leave(t.Context(), newsletter.Link{SubscriberID: 1, NewsletterID: 1}, newsletter.Origin{}, l.Clock.Now()))
	r, _ := l.restore(nil)
	r.Store.UseJournal(store.NewJournal(l.journal, nil))
	l.must(r.Store.Leave(t.Context(), newsletter.Link{SubscriberID: 2, NewsletterID: 1}, newsletter.Origin{}, l.Clock.Now()))
	again, done := l.restore(nil)
	if done.Left != 2 || done.Missing != 0 || done.Entries != 3 {
		t.Errorf("%+v", done)
	}
	for id := int64(1); id <= 4; id++ {
		if s, err := again.Store.Subscriber(t.Context(), id); err != nil || (s.Subscriptions[0].State == newsletter.Left) != (id <= 2) {
			t.Errorf("reader %d: %v, %v", id, s.Subscriptions, err)
		}
	}
}

// Whatever is wrong, the database stays as it was.
func TestRestore_Refuses(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 2)
	l.must(l.Store.Leave(t.Context(), newsletter.Link{SubscriberID: 1, NewsletterID: 1}, newsletter.Origin{}, l.Clock.Now()))
	l.back()
	other := newLost(t, newsroomtest.Options{}, 1)
	other.must(other.Store.Leave(t.Context(), newsletter.Link{SubscriberID: 1, NewsletterID: 1}, newsletter.Origin{}, l.Clock.Now()))
	short := filepath.Join(t.TempDir(), "short")
	l.must(os.WriteFile(short, nil, 0o600))
	path := filepath.Join(t.TempDir(), "broadsheet.db")
	present, err := store.Open(t.Context(), path, store.CreateIfMissing)
	l.must(err)
	good := store.RestoreOptions{File: l.backup, Journal: l.journal, Now: l.Clock.Now()}
	if _, err := store.Restore(t.Context(), path, good); newsletter.KindOf(err) != newsletter.Conflict || !strings.Contains(err.Error(), "has "+path+" open") {
		t.Errorf("while it is open: %v", err)
	}
	l.must(present.Close())
	before, err := os.ReadFile(path)
	l.must(err)
	for words, change := range map[string]func(*store.RestoreOptions){
		"of another database": func(o *store.RestoreOptions) { o.Journal = other.journal },
		"is it an old copy":   func(o *store.RestoreOptions) { o.Journal = short },
		"is the database in use and no backup": func(o *store.RestoreOptions) {
			o.File = filepath.Join(t.TempDir(), "in-use.db")
			l.must(errors.Join(os.WriteFile(o.File, before, 0o600), os.WriteFile(o.File+"-wal", []byte("x"), 0o600)))
		},
	} {
		o := good
		change(&o)
		_, err := store.Restore(t.Context(), path, o)
		if words = strings.Replace(words, "is the database", "it is a database", 1); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the database changed (%v)", err)
	}
	files, err := filepath.Glob(path + ".restoring*")
	if err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// A journal that was begun anew lacks what came before; that is said, and what is open in the
// backup counts as sent.
func TestRestore_AJournalWithAGap(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 3)
	l.Store.UseJournal(store.NewJournal(l.journal, nil)) // it tells that the file is gone
	l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
	draft, err := l.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news"})
	l.must(err)
	_, err = l.Desk.Start(t.Context(), draft, nil)
	l.must(err)
	l.back()
	leave := func(id int64) {
		l.must(l.Store.Leave(t.Context(), newsletter.Link{SubscriberID: id, NewsletterID: 1}, newsletter.Origin{}, l.Clock.Now()))
	}
	leave(1)
	l.must(os.Rename(l.journal, l.journal+".lost"))
	leave(2)
	_, done := l.restore(nil)
	if done.Missing != 1 || done.Left != 1 || done.Closed != 1 || done.InDoubt != 3 {
		t.Errorf("%+v", done)
	}
	if _, err := journal.Read(l.journal, false, func(e journal.Entry) error { return nil }); err != nil {
		t.Error(err)
	}
}
