package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func subscriberImport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE.csv --newsletter SLUG --consent WHERE",
		Short: "Subscribe everybody in a CSV file",
		Long: `Subscribes everybody in a CSV file, active at once and without a confirmation mail. The
first line names the columns: email, and if there are name (or first name and last name),
cadence, section and time_zone. The separator may be a comma, a semicolon or a tab. - reads
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
	flags.StringVar(&o.Cadence, "cadence", "", "daily or weekly, for lines that do not say (default: the first that the newsletter offers)")
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
			return a.importSubscribers(cmd.Context(), r, file, size, o)
		})
	}
	return cmd
}

// openFile opens a file to be read, - for standard input, and returns its size, -1 if that
// is not known.
func (a *app) openFile(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("the file cannot be read: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder; name a CSV file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// countingReader counts the bytes that were read.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// importView is the result of an import in JSON.
type importView struct {
	Newsletter     string         `json:"newsletter"`
	Rows           int            `json:"rows"`
	Added          int            `json:"added"`
	Already        int            `json:"already"`
	Rejected       int            `json:"rejected"`
	RejectedLines  []rejectedLine `json:"rejected_lines"`
	IgnoredColumns []string       `json:"ignored_columns"`
}

type rejectedLine struct {
	Line int    `json:"line"`
	Text string `json:"text"`
	Why  string `json:"why"`
}

func (a *app) importSubscribers(ctx context.Context, r *readers.Service, file io.Reader, size int64, o readers.ImportOptions) error {
	in := &countingReader{r: file}
	draw, done := a.progress("import")
	begin := ""
	if draw != nil {
		// Lines of a file are not counted before they are read, so the bar goes by bytes.
		o.Progress = func(int) { draw(int(in.n), int(size)) }
		begin = "\r\x1b[K" // a rejected line takes the place of the bar, which is drawn again below
	}
	v := importView{Newsletter: o.Newsletter, RejectedLines: []rejectedLine{}}
	o.Reject = func(line int, text, why string) error {
		if a.json {
			v.RejectedLines = append(v.RejectedLines, rejectedLine{line, text, why})
			return nil
		}
		_, err := fmt.Fprintf(a.stderr, "%sline %d: %s (%s)\n", begin, line, plain(why), plain(text))
		return err
	}
	res, err := r.Import(ctx, in, o)
	done()
	if err != nil && res.Rows == 0 {
		return err
	}
	v.Rows, v.Added, v.Already, v.Rejected, v.IgnoredColumns = res.Rows, res.Added, res.Already, res.Rejected, list(res.Ignored)
	if err == nil && a.json {
		return a.printJSON(v)
	}
	if len(res.Ignored) > 0 {
		a.say("Columns that were not used: %s.", strings.Join(res.Ignored, ", "))
	}
	a.say("%s: %d added, %d subscribed already, %d rejected.", counted(res.Rows, "line", "lines"), res.Added, res.Already, res.Rejected)
	switch {
	case err != nil && (errors.Is(err, context.Canceled) || newsletter.KindOf(err) == newsletter.Internal):
		return unfinishedf("the import stopped after %s: %w; the same command goes on", counted(res.Rows, "line", "lines"), err)
	case err != nil:
		return err
	}
	return nil
}
