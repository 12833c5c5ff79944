package main

import (
	"context"

	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newMigrateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "migrate",
		Short:   "Bring the database to this version, after a backup",
		GroupID: groupOperation,
		Long: `Brings the database to the version that this program needs. Before it changes an
existing database it makes a backup beside it; the backup's name is printed. Where there
is no database it makes a new one. A database that is newer than the program is refused.

Two that run at once do it once. It can be repeated: a database that is up to date stays
as it is. "broadsheet serve" does the same when it starts.`,
		Example: `  broadsheet migrate`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context()) },
	}
}

func (a *app) migrate(ctx context.Context) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	progress, done := a.progress("backup")
	m, err := store.Migrate(ctx, settings.DatabasePath, progress)
	done()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			Database string `json:"database"`
			From     int64  `json:"from"`
			To       int64  `json:"to"`
			Backup   string `json:"backup,omitempty"`
		}{settings.DatabasePath, m.From, m.To, m.Backup})
	}
	switch {
	case m.From == m.To:
		a.say("%s is at version %d already; nothing to do.", settings.DatabasePath, m.To)
	case m.From == 0:
		a.say("Made the database %s, version %d.", settings.DatabasePath, m.To)
	default:
		a.say("Brought %s from version %d to %d. As it was before: %s", settings.DatabasePath, m.From, m.To, m.Backup)
	}
	return nil
}
