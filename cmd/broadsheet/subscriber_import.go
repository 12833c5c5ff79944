package main

import (
	"io"

	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func subscriberImport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE.csv --newsletter SLUG --consent WHERE",
		Short: "Subscribe everybody in a CSV file",
		Long: `Subscribes everybody in a CSV file, active at once and without a confirmation mail. The
first line names the columns: email, and if there are name (or first name and last name),
cadence, slot, section and time_zone. The separator may be a comma, a semicolon or a tab. - reads
standard input.

--consent says where these people agreed to get the newsletter; it is kept as the proof.
Nobody who left, or must not be mailed, comes back by an import.

Each rejected line is printed to standard error with its number and why, and does not stop
the others. The same file again adds nobody; after an interruption the same command goes on.`,
		Example: `  broadsheet subscriber import readers.csv --newsletter daily-news --consent "check-out of the shop, 2024 to 2026"
  broadsheet subscriber import readers.csv -n daily-news --consent "old system" 2> rejected.txt`,
		Args: exactArgs("FILE.csv"),
	}
	var o readers.ImportOptions
	flags := cmd.Flags()
	flags.StringVarP(&o.Newsletter, "newsletter", "n", "", "slug of the newsletter")
	flags.StringVar(&o.Consent, "consent", "", "where these people agreed to get it")
	flags.StringVar(&o.Cadence, "cadence", "", "daily, weekly or immediate, for lines that do not say (default: the first that the newsletter offers)")
	flags.StringVar(&o.Slot, "slot", "", "which slot of the cadence, for lines that do not say (default: the first)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.Newsletter == "" {
			return usagef("--newsletter is missing: %s", cmd.UseLine())
		}
		file, size, err := a.openFile(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			o.Origin = s.origin("")
			return a.importFile(file, size, o.Newsletter, "added, %d subscribed already", func(in io.Reader, progress func(rows int), reject rejectFunc) (readers.Imported, error) {
				o.Progress, o.Reject = progress, reject
				return r.Import(cmd.Context(), in, o)
			})
		})
	}
	return cmd
}
