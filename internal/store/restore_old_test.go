package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/store"
)

func (l *lost) leave(id int64) {
	l.t.Helper()
	l.must(l.Store.Leave(l.t.Context(), newsletter.Link{SubscriberID: id, NewsletterID: l.news.ID}, newsletter.Origin{Channel: "link"}, l.Clock.Now()))
}

func (l *lost) suppress(id int64, reason newsletter.SuppressionReason) {
	l.t.Helper()
	s := newsletter.Suppression{Hash: l.Barred.Hash(l.readers[id-1]), Reason: reason, CreatedAt: l.Clock.Now()}
	_, err := l.Store.Suppress(l.t.Context(), []newsletter.Suppression{s}, l.Clock.Now())
	l.must(err)
}

func (l *lost) lift(id int64) {
	l.t.Helper()
	_, err := l.Store.LiftSuppression(l.t.Context(), l.Barred.Hash(l.readers[id-1]), "", newsletter.LiftByStaff, "she wrote to us", "test", l.Clock.Now())
	l.must(err)
}

// over restores the backup over the database as it is now.
func (l *lost) over() (*newsroomtest.Newsroom, store.Restored) {
	l.t.Helper()
	path := filepath.Join(l.t.TempDir(), "old.db")
	l.must(l.Store.Backup(l.t.Context(), path, nil))
	done, err := store.Restore(l.t.Context(), path, store.RestoreOptions{File: l.backup, Journal: l.journal, Append: l.journal, Now: l.Clock.Now()})
	l.must(err)
	r := newsroomtest.New(l.t, newsroomtest.Options{Path: path})
	r.Clock.Add(l.Clock.Now().Sub(r.Clock.Now()))
	return r, done
}

// withoutJournal does something while the journal cannot be written.
func (l *lost) withoutJournal(f func()) {
	l.t.Helper()
	away := l.journal + ".away"
	l.must(os.Rename(l.journal, away))
	l.must(os.Mkdir(l.journal, 0o700))
	f()
	l.must(os.Remove(l.journal))
	l.must(os.Rename(away, l.journal))
}

func wantState(t *testing.T, r *newsroomtest.Newsroom, id int64, want newsletter.SubscriptionState) {
	t.Helper()
	s, err := r.Store.Subscriber(t.Context(), id)
	if err != nil || s.Subscriptions[0].State != want {
		t.Errorf("reader %d is %v, want %s (%v)", id, s.Subscriptions, want, err)
	}
}

// What only the database knows that is replaced, since the journal could not be written, is not
// lost, and is in the journal from then on.
func TestRestore_WhatTheJournalCouldNotTakeIsInTheOldDatabase(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.leave(4)
	l.back()
	l.withoutJournal(func() {
		l.leave(1)
		l.suppress(2, newsletter.SuppressedComplaint)
	})
	r, done := l.over()
	if !done.OldKnown || done.Missing != 0 || done.Left != 1 || done.Suppressed != 1 {
		t.Errorf("%+v", done)
	}
	wantState(t, r, 1, newsletter.Left)
	wantState(t, r, 3, newsletter.Active)
	if s, err := r.Store.SuppressionBy(t.Context(), l.Barred.Hash(l.readers[1])); err != nil || s.Reason != newsletter.SuppressedComplaint {
		t.Errorf("%+v, %v", s, err)
	}
	// Another restore of the same backup, elsewhere, has it from the journal.
	r2, done := l.restore(nil)
	if done.Missing != 0 || done.Left != 1 {
		t.Errorf("%+v", done)
	}
	wantState(t, r2, 1, newsletter.Left)
}

// A journal that was cut off at the end of a line looks whole; the old database knows better.
func TestRestore_AJournalThatEndsEarlyIsToldByTheOldDatabase(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.leave(4)
	l.back()
	l.leave(1)
	l.leave(2)
	data, err := os.ReadFile(l.journal)
	l.must(err)
	lines := strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
	l.must(os.WriteFile(l.journal, []byte(strings.Join(lines[:len(lines)-1], "")), 0o600))
	_, done := l.over()
	if done.Missing != 1 || done.Left != 1 {
		t.Errorf("%+v", done)
	}
}

// A backup that was made while the journal could not be written holds entries that it has got
// since. They are not appended again behind newer ones, and an old one lifts nothing newer.
func TestRestore_WhatWaitedInTheBackupIsNotAppendedAgain(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.suppress(3, newsletter.SuppressedComplaint)
	l.withoutJournal(func() {
		l.Clock.Add(1e9)
		l.lift(3)
		l.back()
	})
	l.Clock.Add(1e9)
	l.must(l.Store.FlushJournal(t.Context(), l.Clock.Now()))
	l.suppress(3, newsletter.SuppressedComplaint)
	for range 2 {
		r, done := l.restore(nil)
		if s, err := r.Store.SuppressionBy(t.Context(), l.Barred.Hash(l.readers[2])); err != nil || s.Reason != newsletter.SuppressedComplaint {
			t.Fatalf("%+v, %v after %+v", s, err, done)
		}
	}
	lifted := 0
	_, err := journal.Read(l.journal, false, func(e journal.Entry) error {
		if e.Kind == journal.Lifted {
			lifted++
		}
		return nil
	})
	if err != nil || lifted != 1 {
		t.Errorf("lifted stands there %d times, %v", lifted, err)
	}
}

// An undo whose COMMIT failed was answered with an error: the reader has left.
func TestRestore_AnEntryThatWasNotCommittedTakesNothingBack(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.back()
	l.leave(1)
	id, err := l.Store.JournalID(t.Context())
	l.must(err)
	undone := journal.Entry{Kind: journal.Joined, Database: id, Subscriber: 1, Newsletter: l.news.ID, At: l.Clock.Now().Add(1), Address: strings.Repeat("ab", 32)}
	_, err = journal.Named(l.journal).Append([]journal.Entry{undone}, 0)
	l.must(err)
	r, done := l.over() // nothing came after it, but the old database knows how far it came
	if done.Left != 1 {
		t.Errorf("%+v", done)
	}
	wantState(t, r, 1, newsletter.Left)
	l.leave(2) // now the journal itself says so
	r2, done := l.restore(nil)
	if done.Left != 2 {
		t.Errorf("%+v", done)
	}
	wantState(t, r2, 1, newsletter.Left)
}

// Links of before name a newsletter by its number: another one must not get it.
func TestRestore_NumbersOfNewslettersAndEditionsAreNotGivenTwice(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 2)
	l.back()
	sport := l.Newsletter("sport", nil)
	reader := l.Reader(sport, "r9@example.org", newsletter.Daily, 0)
	l.must(l.Store.Leave(t.Context(), newsletter.Link{SubscriberID: reader, NewsletterID: sport.ID}, newsletter.Origin{Channel: "link"}, l.Clock.Now()))
	l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
	first, _ := l.Send("daily-news")
	r, _ := l.restore(nil)
	if culture := r.Newsletter("culture", nil); culture.ID <= sport.ID {
		t.Errorf("newsletter %d, and sport was %d", culture.ID, sport.ID)
	}
	confirm(t, r)
	l.Feed.Publish("Ferry fares frozen", l.Clock.Now())
	r.Feed.Publish("Ferry fares frozen", r.Clock.Now())
	if second, _ := r.Send("daily-news"); second.ID <= first.ID {
		t.Errorf("edition %d, and there was %d", second.ID, first.ID)
	}
}

// A journal that was moved away, or whose disk is not mounted, is made anew; that it lacks what
// was in it is on record until a backup makes up for it.
func TestJournal_ThatIsGoneIsOnRecordUntilABackup(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.Store.UseJournal(store.NewJournal(l.journal, nil)) // what is told is not an error here
	lostAt := func() bool {
		state, err := l.Store.JournalState(t.Context())
		l.must(err)
		return !state.LostAt.IsZero()
	}
	for name, then := range map[string]func(){
		"the next entry": func() { l.leave(2) },
		"the next look":  func() { l.must(l.Store.FlushJournal(t.Context(), l.Clock.Now())) },
	} {
		l.leave(1)
		l.must(l.Store.FlushJournal(t.Context(), l.Clock.Now()))
		if lostAt() {
			t.Fatalf("%s: it is lost before it is", name)
		}
		l.must(l.Store.UndoLeave(t.Context(), newsletter.Link{SubscriberID: 1, NewsletterID: l.news.ID}, newsletter.Origin{Channel: "link"}, l.Clock.Now()))
		l.must(os.Rename(l.journal, l.journal+".moved"))
		then()
		if !lostAt() {
			t.Errorf("%s: nobody knows", name)
		}
		l.back()
		if lostAt() {
			t.Errorf("%s: a backup was made", name)
		}
	}
}

func TestRestore_RevokedTokensStayRevoked(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 1)
	hash := []byte("0123456789abcdef0123456789abcdef")
	token, err := l.Store.CreateToken(t.Context(), newsletter.Token{Name: "site", Prefix: "bs_1", Scopes: []newsletter.Scope{newsletter.ScopeAll}}, hash, l.Clock.Now())
	l.must(err)
	l.back()
	l.must(l.Store.RevokeToken(t.Context(), token.ID, l.Clock.Now()))
	r, done := l.restore(nil)
	list, err := r.Store.Tokens(t.Context())
	if err != nil || done.Revoked != 1 || len(list) != 1 || list[0].RevokedAt.IsZero() {
		t.Errorf("%+v, %+v, %v", list, done, err)
	}
}

// Without a journal the old database may know all the same who left, and nothing that waited in
// the backup is lost.
func TestRestore_WithoutAJournalTheOldDatabaseIsAsked(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 4)
	l.leave(4)
	l.back()
	l.withoutJournal(func() {
		l.leave(1)
		l.suppress(2, newsletter.SuppressedComplaint)
	})
	path := filepath.Join(t.TempDir(), "old.db")
	l.must(l.Store.Backup(t.Context(), path, nil))
	done, err := store.Restore(t.Context(), path, store.RestoreOptions{File: l.backup, Append: l.journal, Now: l.Clock.Now()})
	l.must(err)
	if !done.OldKnown || done.Left != 1 || done.Suppressed != 1 {
		t.Errorf("%+v", done)
	}
	r := newsroomtest.New(t, newsroomtest.Options{Path: path})
	wantState(t, r, 1, newsletter.Left)
	if s, err := r.Store.SuppressionBy(t.Context(), l.Barred.Hash(l.readers[1])); err != nil || s.Reason != newsletter.SuppressedComplaint {
		t.Errorf("%+v, %v", s, err)
	}
}

// A database that was put in place by hand is behind the journal: what was taken back since does
// not count, and that is said.
func TestRestore_OverAnOlderCopySaysWhatDoesNotCount(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 2)
	l.leave(2)
	l.back()
	older := filepath.Join(t.TempDir(), "old.db")
	l.must(l.Store.Backup(t.Context(), older, nil))
	l.leave(1)
	l.Clock.Add(1e9)
	l.must(l.Store.UndoLeave(t.Context(), newsletter.Link{SubscriberID: 1, NewsletterID: l.news.ID}, newsletter.Origin{Channel: "link"}, l.Clock.Now()))
	done, err := store.Restore(t.Context(), older, store.RestoreOptions{File: l.backup, Journal: l.journal, Append: l.journal, Now: l.Clock.Now()})
	l.must(err)
	if done.Void != 1 || done.Left != 1 {
		t.Errorf("%+v", done)
	}
}

// A backup that began before the journal was lost does not make up for that.
func TestJournal_LostWhileABackupIsMade(t *testing.T) {
	t.Parallel()
	l := newLost(t, newsroomtest.Options{}, 3)
	l.Store.UseJournal(store.NewJournal(l.journal, nil))
	l.leave(3)
	begun := false
	l.must(l.Store.Backup(t.Context(), filepath.Join(t.TempDir(), "backup.db"), func(int, int) {
		if begun {
			return
		}
		begun = true
		l.leave(1)
		l.must(os.Rename(l.journal, l.journal+".gone"))
		l.leave(2)
	}))
	state, err := l.Store.JournalState(t.Context())
	if err != nil || !begun || state.LostAt.IsZero() {
		t.Errorf("begun %v, %+v, %v", begun, state, err)
	}
}
