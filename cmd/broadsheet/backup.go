package main

import (
	"context"
	"fmt"

	"broadsheet/internal/store"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

func newBackupCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "backup FILE",
		Short:   "Copy the database to a file while it is in use",
		GroupID: groupOperation,
		Long: `Copies the database to a new file while the service goes on, and checks the copy. It is
the database as it was at one moment. The file appears under its name only when it is
complete, and a file that exists is never replaced.

The copy holds the readers' addresses and the keys of all links: keep it as safe as the
database itself. It says how far the journal was (BROADSHEET_JOURNAL): a restore goes on from
there.

With BROADSHEET_BACKUP_DIR set, "broadsheet serve" makes one each day (BROADSHEET_BACKUP_AT)
and removes old ones (BROADSHEET_BACKUP_KEEP). "broadsheet restore" puts one back.`,
		Example: `  broadsheet backup /var/backups/broadsheet-$(date +%F).db
  broadsheet backup list
  broadsheet backup verify /var/backups/broadsheet-20261122T023000Z.db`,
		Args: exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				return a.backup(cmd.Context(), s, args[0])
			})
		},
	}
	cmd.AddCommand(newBackupListCommand(a), newBackupVerifyCommand(a))
	return cmd
}

// backupMade is a backup, and where the journal was then.
type backupMade struct {
	Database  string `json:"database"`
	Backup    string `json:"backup"`
	Bytes     int64  `json:"bytes"`
	Journal   string `json:"journal,omitempty"`
	Position  int64  `json:"journal_position"`
	JournalID string `json:"journal_database"` // what the journal calls the database
}

func (a *app) backup(ctx context.Context, s *services, file string) error {
	progress, done := a.progress("backup")
	err := s.store.Backup(ctx, file, progress)
	done()
	if err != nil {
		return err
	}
	info, err := store.BackupInfo(ctx, file)
	if err != nil {
		return fmt.Errorf("the backup: %w", err)
	}
	id, err := s.store.JournalID(ctx)
	if err != nil {
		return fmt.Errorf("the journal's name of the database: %w", err)
	}
	if a.json {
		return a.printJSON(backupMade{s.settings.DatabasePath, file, info.Bytes, s.settings.Journal, info.Position, id})
	}
	a.say("Copied %s to %s (%d kB) and checked it.", s.settings.DatabasePath, file, (info.Bytes+1023)/1024)
	if s.settings.Journal == "" {
		a.say("There is no journal (%sJOURNAL is not set): what is done from now on is not known to a restore.", settingPrefix)
		return nil
	}
	a.say("It has the journal %s up to entry %d (database %s); \"broadsheet restore\" goes on from there.", s.settings.Journal, info.Position, id)
	return nil
}

// progress returns what draws a bar on a terminal, and draws nothing elsewhere; call done
// at the end.
func (a *app) progress(what string) (progress func(n, total int), done func()) {
	if a.quiet || a.json || !isTerminal(a.stderr) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	progress = func(n, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(a.stderr),
				progressbar.OptionSetDescription(what), progressbar.OptionClearOnFinish())
		}
		// A bar that cannot be drawn is no reason to stop.
		_ = bar.Set(n)
	}
	return progress, func() {
		if bar != nil {
			_ = bar.Finish()
		}
	}
}
