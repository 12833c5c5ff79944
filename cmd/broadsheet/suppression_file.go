package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func suppressionImport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE [--reason REASON] [--note WHY]",
		Short: "Suppress everybody in a file",
		Long: `Suppresses every address and every domain (@example.org) in a file: a plain list, one a
line, or CSV whose first line names the columns: email or domain, and if there are reason,
note and created_at. --reason is for lines that name none (default staff). - reads standard
input. Bring over the list of the system that you come from before its readers.

What "suppression export" wrote is read too. Its hashes count only in a database with the
same key, which a line says; its domains count everywhere.

Each rejected line is printed to standard error with its number and why, and does not stop
the others. The same file again changes nothing, and no line weakens or lifts what stands
already; after an interruption the same command goes on.`,
		Example: `  broadsheet suppression import unsubscribed.txt --reason left --note "old system"
  broadsheet suppression import bounced.csv --reason hard_bounce 2> rejected.txt`,
		Args: exactArgs("FILE"),
	}
	var o readers.SuppressionImport
	cmd.Flags().StringVar(&o.Reason, "reason", "", "of lines that name none: complaint, staff, erased, left, hard_bounce or soft_bounces (default staff)")
	note := cmd.Flags().String("note", "", "why, for lines that do not say")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file, size, err := a.openFile(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			o.Origin = s.origin(*note)
			return a.importFile(file, size, "", "suppressed, %d suppressed already", func(in io.Reader, progress func(rows int), reject rejectFunc) (readers.Imported, error) {
				o.Progress, o.Reject = progress, reject
				return r.ImportSuppressions(cmd.Context(), in, o)
			})
		})
	}
	return cmd
}

func suppressionExport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE",
		Short: "Write all suppressions to a file",
		Long: `Writes all suppressions as CSV with the columns hash, domain, reason, note, created_at and
key, or with --json as an array of objects with the same names; - writes to standard output.
The file is readable for you alone, and one that is there already is not overwritten.

Addresses are not in it: nobody can get them back from their hashes. It is for a copy that
can be taken in again, here or in a database that was copied from this one: only there is
the same key, and the import says so of each line that has another. Whole domains can be
taken in anywhere.`,
		Example: `  broadsheet suppression export suppressions.csv
  broadsheet suppression export - --json`,
		Args: exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
				if args[0] == "-" {
					_, err := a.writeSuppressions(cmd.Context(), r, a.stdout)
					return err
				}
				return a.exportSuppressions(cmd.Context(), r, args[0])
			})
		},
	}
}

// exportSuppressions writes the file whole or not at all.
func (a *app) exportSuppressions(ctx context.Context, r *readers.Service, name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return newsletter.Conflictf("%s is there already; name another file", name)
	}
	if err != nil {
		return fmt.Errorf("the file cannot be written: %w", err)
	}
	count, err := a.writeSuppressions(ctx, r, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("export: %w", errors.Join(err, os.Remove(name)))
	}
	a.say("Wrote %s to %s.", counted(count, "suppression", "suppressions"), name)
	return nil
}

// exportedSuppression is a suppression in an export in JSON.
type exportedSuppression struct {
	Hash      string     `json:"hash"`
	Domain    string     `json:"domain"`
	Reason    string     `json:"reason"`
	Note      string     `json:"note"`
	CreatedAt *time.Time `json:"created_at"`
	Key       string     `json:"key"` // tells one database's hashes from another's
}

func (a *app) writeSuppressions(ctx context.Context, r *readers.Service, to io.Writer) (count int, err error) {
	out := bufio.NewWriter(to)
	array, lines, key := jsonArray{w: out}, csv.NewWriter(out), r.KeyFingerprint()
	if !a.json {
		err = lines.Write([]string{"hash", "domain", "reason", "note", "created_at", "key"})
	}
	if err != nil {
		return 0, err
	}
	_, err = eachSuppression(ctx, r, readers.SuppressionFilter{}, 0, 0, func(s newsletter.Suppression) error {
		count++
		hash := hex.EncodeToString(s.Hash)
		if a.json {
			return array.add(exportedSuppression{hash, s.Domain, string(s.Reason), s.Note, utc(s.CreatedAt), key})
		}
		return lines.Write([]string{hash, s.Domain, string(s.Reason), s.Note, s.CreatedAt.UTC().Format(time.RFC3339Nano), key})
	})
	if err == nil && a.json {
		err = array.end()
	}
	lines.Flush()
	return count, errors.Join(err, lines.Error(), out.Flush())
}
