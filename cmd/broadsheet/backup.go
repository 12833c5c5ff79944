package main

import (
	"context"
	"fmt"
	"os"

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
database itself.

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

func (a *app) backup(ctx context.Context, s *services, file string) error {
	progress, done := a.progress("backup")
	err := s.store.Backup(ctx, file, progress)
	done()
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("the backup: %w", err)
	}
	if a.json {
		return a.printJSON(struct {
			Database string `json:"database"`
			Backup   string `json:"backup"`
			Bytes    int64  `json:"bytes"`
		}{s.settings.DatabasePath, file, info.Size()})
	}
	a.say("Copied %s to %s (%d kB) and checked it.", s.settings.DatabasePath, file, (info.Size()+1023)/1024)
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
