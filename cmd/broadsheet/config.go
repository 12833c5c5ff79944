package main

import (
	"github.com/spf13/cobra"
)

func newConfigCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "config",
		Short:   "Show every setting: its value, where it comes from, what it means",
		GroupID: groupOperation,
		Long: `Shows every setting with its value, its source and its meaning. Passwords are hidden.

Settings are environment variables. They can also stand in a file: the one that
--env-file names, else ./broadsheet.env, else /etc/broadsheet/env. The environment wins.
Values that hold a password can stand in a file of their own, named by …_FILE:
BROADSHEET_SMTP_URL_FILE=/run/secrets/smtp. Every command reads the same settings, so
a shell and the service do not differ.

Settings that are wrong are named, with exit code 2. Nothing is opened or changed.`,
		Example: `  broadsheet config
  broadsheet config --json
  broadsheet config --env-file /etc/broadsheet/env`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.showConfig() },
	}
}

type settingView struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Source  string `json:"source"`
	Meaning string `json:"meaning"`
}

func (a *app) showConfig() error {
	s, err := a.settings()
	if len(s.listed) == 0 {
		return err
	}
	views := make([]settingView, 0, len(s.listed))
	rows := make([][]string, 0, len(s.listed))
	for _, l := range s.listed {
		if l.Later {
			l.Meaning += " (not used by this version)"
		}
		views = append(views, settingView{l.Name, l.Value, l.Source, l.Meaning})
		rows = append(rows, []string{l.Name, l.Value, l.Source, l.Meaning})
	}
	if a.json {
		if jsonErr := a.printJSON(views); jsonErr != nil {
			return jsonErr
		}
	} else {
		a.printTable([]string{"SETTING", "VALUE", "SOURCE", "MEANING"}, rows)
	}
	for _, p := range s.problems(a.env, a.envFile) {
		a.warn("%s", p)
	}
	return err
}
