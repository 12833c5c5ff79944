package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

// restoring is one run of the restore command.
type restoring struct {
	*app
	journal    string
	noJournal  bool
	skipBroken bool
	confirm    bool
	yes        bool
}

func newRestoreCommand(a *app) *cobra.Command {
	r := &restoring{app: a}
	cmd := &cobra.Command{
		Use:     "restore FILE | restore --confirm",
		Short:   "Put a backup in place of the database, on the safe side",
		GroupID: groupOperation,
		Long: `Puts a backup in place of the database, brings it to this version, and replays the journal
(BROADSHEET_JOURNAL): who left since the backup has left, who must not be mailed is not, who
was erased is erased, and editions that went out have gone out. The database that was there
stays beside it. It refuses while any other broadsheet program has the database open.

What is not known counts as done: of an edition that was being sent, whatever waits in the
backup is in doubt, and the articles of an edition that the backup does not know count as had
by everybody. So nobody gets anything twice; somebody may miss something.

Until "restore --confirm" nothing is sent, neither digests nor confirmations. Readers can sign
up, choose and leave meanwhile. --confirm shows what would be sent next, and asks.

A journal whose last line was cut off is read without that line. If another line is damaged
it is named, and --skip-broken goes on without it.`,
		Example: `  broadsheet restore /backups/broadsheet-20261122T023000Z.db
  broadsheet restore --confirm
  broadsheet restore old.db --journal /mnt/other/journal --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case r.confirm && len(args) > 0:
				return usagef("--confirm is for the database as it is; it takes no FILE")
			case r.confirm:
				return a.withPress(cmd.Context(), func(s *services) error { return r.letGo(cmd.Context(), s) })
			case len(args) == 0:
				return usagef("FILE is missing: broadsheet restore FILE")
			case r.journal != "" && r.noJournal:
				return usagef("give --journal or --no-journal, not both")
			}
			return r.restore(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.journal, "journal", "", "the journal to replay, if it is not that of the settings")
	f.BoolVar(&r.noJournal, "no-journal", false, "there is no journal: who left since the backup, and what was sent, is not known")
	f.BoolVar(&r.skipBroken, "skip-broken", false, "go on without lines of the journal that are damaged")
	f.BoolVar(&r.confirm, "confirm", false, "show what would be sent next, ask, and let a restored database send")
	f.BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (r *restoring) restore(ctx context.Context, file string) error {
	settings, err := r.settings()
	if err != nil {
		return err
	}
	o := store.RestoreOptions{File: file, Journal: settings.Journal, Append: settings.Journal, SkipBroken: r.skipBroken, Now: r.now()}
	switch {
	case r.noJournal:
		o.Journal = ""
	case r.journal != "":
		o.Journal = r.journal
	case o.Journal == "":
		return newsletter.Refusef("no_journal",
			"%sJOURNAL is not set, so it is not known who left since the backup, and what was sent. Name the journal with --journal; if there is none, --no-journal goes on without it", settingPrefix)
	}
	ok, err := r.ask(ctx, r.yes, fmt.Sprintf("Put %s in place of %s?", file, settings.DatabasePath), "put the backup in place of the database")
	if err != nil || !ok {
		return err
	}
	done, err := store.Restore(ctx, settings.DatabasePath, o)
	if err != nil {
		return err
	}
	if r.json {
		return r.printJSON(viewRestored(settings.DatabasePath, file, o.Journal, done))
	}
	r.show(settings.DatabasePath, file, o.Journal, done)
	return nil
}

// show says what was restored, and what to do next.
func (r *restoring) show(database, file, journal string, d store.Restored) {
	r.say("Restored %s from %s (version %d, now %d).", database, file, d.From, d.To)
	if d.Aside != "" {
		r.say("The database as it was before: %s", d.Aside)
	}
	if journal == "" {
		r.warn("there was no journal to replay: whoever left since the backup is on the list again, and what was sent since may be sent again")
	} else {
		r.say("Replayed %s of the journal %s, up to number %d:", counted(d.Entries, "entry", "entries"), journal, d.Last)
	}
	for _, line := range restoredLines(d) {
		r.say("  %s", line)
	}
	if d.Torn {
		if d.OldKnown && d.Missing == 0 {
			r.warn("the last line of the journal was cut off, by a crash while it was written, and is left out; nothing that was acknowledged is lost by that")
		} else {
			r.warn("the last line of the journal was cut off and is left out. If a crash cut it off while it was written, nobody was told that what stood in it was done; if the file was cut off later, or is an old copy, it may lack more")
		}
	}
	if d.Void > 0 {
		r.warn("%s of leaving, suppressions or skips did not count: the database that was there, or the journal itself, shows that they may never have been committed. Who they are about stays left or suppressed, and can come back", counted(d.Void, "undo", "undos"))
	}
	if d.Uncovered {
		r.warn("the backup is of version %d, which kept no journal: who left between the backup and the upgrade may be on the list again, and what was sent then may be sent again", d.From)
	}
	if d.OldUnread != "" {
		r.warn("the database that was there could not be read (%s); if it knew more than the journal, that is lost", d.OldUnread)
	}
	if len(d.Broken) > 0 {
		r.warn("damaged lines of the journal were left out, and what stood in them is lost: %s", strings.Trim(fmt.Sprint(d.Broken), "[]"))
	}
	if d.Missing > 0 {
		r.warn("the journal lacks %d entries since the backup: who left then may be on the list again", d.Missing)
	}
	r.say("\nNothing is sent until you have looked: broadsheet restore --confirm\nReaders can sign up and leave; \"broadsheet serve\" can be started now.")
}

// restoredLines says what was done, each thing that there was.
func restoredLines(d store.Restored) []string {
	var lines []string
	add := func(n int, one, many string) {
		if n > 0 {
			lines = append(lines, counted(n, one, many))
		}
	}
	add(d.Left, "subscription ended", "subscriptions ended")
	add(d.LeftUnknown, "subscription ended of somebody whom the backup does not know; the address is suppressed", "subscriptions ended of people whom the backup does not know; their addresses are suppressed")
	add(d.CameBack, "subscription stays ended although the reader had come back: only the reader can come back again", "subscriptions stay ended although the readers had come back: only they can come back again")
	add(d.Suppressed, "address suppressed", "addresses suppressed")
	add(d.Lifted, "suppression lifted", "suppressions lifted")
	add(d.Erased, "person erased", "people erased")
	add(d.Editions, "edition that was sent, or cancelled, has its slot again", "editions that were sent, or cancelled, have their slots again")
	add(d.Skipped, "slot skipped", "slots skipped")
	add(d.NotBegun, "edition of which nothing had been sent is forgotten", "editions of which nothing had been sent are forgotten")
	add(d.Closed, "edition of the backup closed, because messages of it may have gone out since", "editions of the backup closed, because messages of them may have gone out since")
	add(d.InDoubt, "delivery of it in doubt, which is not sent again", "deliveries of them in doubt, which are not sent again")
	add(d.Cancelled, "edition of the backup cancelled", "editions of the backup cancelled")
	add(d.GoOn, "edition of the backup goes on", "editions of the backup go on")
	add(d.Articles, "article counts as had by everybody", "articles count as had by everybody")
	add(d.Withdrawn, "article withdrawn", "articles withdrawn")
	add(d.Revoked, "API token revoked", "API tokens revoked")
	add(d.Mails, "confirmation mail that waited in the backup is not sent", "confirmation mails that waited in the backup are not sent")
	if len(lines) == 0 {
		return []string{"nothing had happened since the backup"}
	}
	return lines
}

type restoredView struct {
	Database    string `json:"database"`
	Backup      string `json:"backup"`
	Aside       string `json:"aside"`
	Journal     string `json:"journal"`
	From        int64  `json:"from"`
	To          int64  `json:"to"`
	Position    int64  `json:"position"`
	Last        int64  `json:"last"`
	Entries     int    `json:"entries"`
	Missing     int64  `json:"missing"`
	Broken      []int  `json:"broken_lines"`
	Torn        bool   `json:"torn"`
	Uncovered   bool   `json:"uncovered"`
	OldUnread   string `json:"old_unread"`
	Left        int    `json:"left"`
	LeftUnknown int    `json:"left_unknown"`
	CameBack    int    `json:"came_back"`
	Suppressed  int    `json:"suppressed"`
	Lifted      int    `json:"lifted"`
	Erased      int    `json:"erased"`
	Editions    int    `json:"editions"`
	Skipped     int    `json:"skipped"`
	NotBegun    int    `json:"not_begun"`
	Closed      int    `json:"closed"`
	InDoubt     int    `json:"in_doubt"`
	Cancelled   int    `json:"cancelled"`
	GoOn        int    `json:"go_on"`
	Articles    int    `json:"articles"`
	Withdrawn   int    `json:"withdrawn"`
	Mails       int    `json:"mails"`
	Revoked     int    `json:"revoked_tokens"`
	Void        int    `json:"void"`
}

func viewRestored(database, file, journal string, d store.Restored) restoredView {
	return restoredView{
		Database: database, Backup: file, Aside: d.Aside, Journal: journal, From: d.From, To: d.To,
		Position: d.Position, Last: d.Last, Entries: d.Entries, Missing: d.Missing, Broken: list(d.Broken), Torn: d.Torn, Uncovered: d.Uncovered, OldUnread: d.OldUnread,
		Left: d.Left, LeftUnknown: d.LeftUnknown, CameBack: d.CameBack, Suppressed: d.Suppressed, Lifted: d.Lifted, Erased: d.Erased,
		Editions: d.Editions, Skipped: d.Skipped, NotBegun: d.NotBegun, Closed: d.Closed, InDoubt: d.InDoubt, Cancelled: d.Cancelled,
		GoOn: d.GoOn, Articles: d.Articles, Withdrawn: d.Withdrawn, Mails: d.Mails, Revoked: d.Revoked, Void: d.Void,
	}
}

// refuseRestored returns an error if the database was restored and nobody has confirmed that.
func (s *services) refuseRestored(ctx context.Context) error {
	state, err := s.store.JournalState(ctx)
	if err != nil {
		return err
	}
	return state.Restored()
}

// useJournal has the store keep the journal of the settings.
func (s *services) useJournal() {
	if s.settings.Journal == "" {
		return
	}
	s.store.UseJournal(store.NewJournal(s.settings.Journal, func(message string) { s.log.Warn(message) }))
}

// checkJournal checks the settings of the journal and of backups.
func (s *Settings) checkJournal(add func(name, format string, args ...any)) {
	s.checkBackups(add)
	if s.Journal == "" {
		return
	}
	journal, err := filepath.Abs(s.Journal)
	database, dbErr := filepath.Abs(s.DatabasePath)
	if errors.Join(err, dbErr) == nil && (journal == database || strings.HasPrefix(journal, database+"-")) {
		add("JOURNAL", "cannot be the database itself; name a file of its own, best on another disk")
	}
}
