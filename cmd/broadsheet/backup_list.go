package main

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newBackupListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the backups that serve has made",
		Long: `Lists the backups in BROADSHEET_BACKUP_DIR, the newest first: when each was made, how large
it is, and how far the journal was then. "broadsheet restore" replays the journal from there.`,
		Example: `  broadsheet backup list
  broadsheet backup list --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listBackups(cmd.Context()) },
	}
}

type backupView struct {
	File     string     `json:"file"`
	At       *time.Time `json:"at,omitempty"`
	Bytes    int64      `json:"bytes"`
	Version  int64      `json:"version"`
	Position int64      `json:"journal_position"`
	Error    string     `json:"error,omitempty"` // why it cannot be read
}

func (a *app) listBackups(ctx context.Context) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	if settings.BackupDir == "" {
		return newsletter.Refusef("no_folder", "%sBACKUP_DIR is not set, so no backups are made; set it to a folder, best on another disk", settingPrefix)
	}
	files, err := store.Backups(settings.BackupDir)
	if err != nil {
		return err
	}
	views := []backupView{}
	var rows [][]string
	for _, f := range files {
		v := backupView{File: f.Path, At: utc(f.At), Bytes: f.Bytes}
		info, err := store.BackupInfo(ctx, f.Path)
		if err != nil {
			v.Error = err.Error()
		}
		v.Version, v.Position = info.Version, info.Position
		views = append(views, v)
		about := fmt.Sprintf("version %d, journal up to %d", v.Version, v.Position)
		if v.Error != "" {
			about = v.Error
		}
		rows = append(rows, []string{v.File, local(f.At), fmt.Sprintf("%d kB", (f.Bytes+1023)/1024), about})
	}
	if a.json {
		return a.printJSON(views)
	}
	if len(rows) == 0 {
		a.say("There are no backups in %s yet; \"broadsheet serve\" makes them.", settings.BackupDir)
		return nil
	}
	a.printTable([]string{"FILE", "MADE", "SIZE", "HAS"}, rows)
	return nil
}

func newBackupVerifyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Check that a backup can be restored",
		Long: `Reads the whole backup and checks its structure and its references, as is done when a backup
is made. It changes nothing, and needs no database. Disks forget: check old backups now and
then. Exit code 1 says that the backup is no good.`,
		Example: `  broadsheet backup verify /backups/broadsheet-20261122T023000Z.db`,
		Args:    exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := store.VerifyBackup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(backupView{File: args[0], Bytes: info.Bytes, Version: info.Version, Position: info.Position})
			}
			a.say("%s is good: version %d, %d kB, with the journal up to entry %d.", args[0], info.Version, (info.Bytes+1023)/1024, info.Position)
			return nil
		},
	}
}
