package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// The formats of a preview.
const (
	formatText     = "text"
	formatHTML     = "html"
	formatEML      = "eml"
	formatTerminal = "terminal"
)

// previewing is one run of the preview command.
type previewing struct {
	*app
	o       desk.PreviewOptions
	cadence string
	format  string
	about   string
	open    bool
	out     string
}

func newPreviewCommand(a *app) *cobra.Command {
	p := &previewing{app: a}
	cmd := &cobra.Command{
		Use:     "preview NEWSLETTER | preview --edition ID",
		GroupID: groupWork,
		Short:   "Show a mail as readers get it",
		Long: `Shows what would be sent now, or what an edition says: of one that is frozen or sent, the
very bytes on record. Without --as it is what most readers get, with --full all that the
edition has; with --as it is what that reader gets, chosen as for the sending, or why they
get nothing (exit code 3).

A preview is the same as the mail, except that the reader's own links, to choose and to
unsubscribe, lead nowhere: a preview can be passed on. With --format eml it is the message
byte for byte, those links, Date and the signature aside.

On a terminal the format is terminal, made for reading; in a pipe it is text, the text part
of the mail. Nothing is sent. docs/editions.md says more.`,
		Example: `  broadsheet preview daily-news
  broadsheet preview daily-news --open
  broadsheet preview daily-news --as vera@example.org
  broadsheet preview --edition 42 --as vera@example.org --format eml --out vera.eml
  broadsheet preview --edition 42 --full --format html > edition.html`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				p.o.Build.Newsletter = args[0]
			}
			return p.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.Int64Var(&p.o.Edition, "edition", 0, "an edition that is on record")
	f.StringVar(&p.cadence, "cadence", "", "which cadence, where the newsletter has several")
	f.StringVar(&p.o.Build.Slot, "slot", "", "which slot, where the cadence has several; all: an edition for all of them")
	f.StringVar(&p.o.As, "as", "", "what the reader with this address gets")
	f.BoolVar(&p.o.Full, "full", false, "all that the edition has, whoever gets it")
	f.StringVar(&p.o.Build.Words.Subject, "subject", "", "subject in your own words")
	f.StringVar(&p.o.Build.Words.Preheader, "preheader", "", "what mail programs show after the subject")
	f.StringVar(&p.about, "about", "", aboutHelp)
	f.StringVar(&p.o.Build.Words.Intro, "intro", "", "words before the first story, in Markdown")
	f.StringVar(&p.format, "format", "", "terminal, text, html or eml")
	f.BoolVar(&p.open, "open", false, "open it in the browser")
	f.StringVar(&p.out, "out", "", "write it to this file")
	return cmd
}

// check makes sure that the flags go together, and fills in the format.
func (p *previewing) check() error {
	o := &p.o
	switch {
	case o.Build.Newsletter == "" && o.Edition == 0:
		return usagef("say of what: broadsheet preview NEWSLETTER, or --edition ID")
	case o.Build.Newsletter != "" && o.Edition != 0:
		return usagef("give a newsletter or --edition, not both")
	case o.Edition < 0:
		return newsletter.Invalidf("edition", "%d is not the number of an edition", o.Edition)
	case o.Edition != 0 && p.cadence+p.about+o.Build.Slot+o.Build.Words.Subject+o.Build.Words.Preheader+o.Build.Words.Intro != "":
		return usagef("--cadence, --slot, --subject, --preheader, --about and --intro are for what would be built now; edition %d has its own", o.Edition)
	case o.As != "" && o.Full:
		return usagef("give --as or --full, not both")
	case p.json && (p.format != "" || p.open || p.out != ""):
		return usagef("give --json, or --format, --open and --out")
	case p.open && p.format != "" && p.format != formatHTML:
		return usagef("--open shows it as HTML; leave --format out")
	}
	var err error
	if o.Build.Words.About, err = newsletter.ParseAbout(p.about); err != nil {
		return err
	}
	if p.cadence != "" {
		cadence, err := newsletter.ParseCadence(p.cadence)
		if err != nil {
			return err
		}
		o.Build.Cadence = cadence
	}
	switch p.format {
	case "":
		switch {
		case p.open:
			p.format = formatHTML
		case p.out == "" && isTerminal(p.stdout):
			p.format = formatTerminal
		default:
			p.format = formatText
		}
	case formatText, formatHTML, formatEML, formatTerminal:
	default:
		return newsletter.Invalidf("format", "%q is not a format; use terminal, text, html or eml", p.format)
	}
	return nil
}

func (p *previewing) run(ctx context.Context) error {
	if err := p.check(); err != nil {
		return err
	}
	return p.withPress(ctx, func(sv *services) error {
		if p.o.Edition == 0 {
			p.note("Asking the sources …")
		}
		view, err := sv.desk.Preview(ctx, p.o)
		if err != nil {
			return err
		}
		if view.Draft != nil {
			for _, w := range view.Draft.Warnings {
				p.warn("%s", w)
			}
			p.showSeen(ctx, sv, view.Draft)
		}
		if p.json {
			return p.printJSON(viewPreview(view))
		}
		return p.show(ctx, view)
	})
}

// show writes the preview where it is wanted.
func (p *previewing) show(ctx context.Context, view *desk.Preview) error {
	if p.out == "" && !p.open {
		return p.write(p.stdout, view)
	}
	path, err := p.save(view)
	if err != nil {
		return err
	}
	if !p.open {
		p.say("The preview is in %s: %q, for %s.", path, view.Subject, view.For)
		return nil
	}
	if err := p.browse(ctx, path); err != nil {
		p.warn("%v", err)
		p.say("The preview is in %s; open it in a browser.", path)
		return nil
	}
	p.say("Opened %s: %q, for %s.", path, view.Subject, view.For)
	return nil
}

// save writes the preview to --out, or to a file of its own that only this user can read.
func (p *previewing) save(view *desk.Preview) (path string, err error) {
	var f *os.File
	if p.out != "" {
		f, err = os.OpenFile(p.out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	} else {
		f, err = os.CreateTemp("", "broadsheet-preview-*.html")
	}
	if err != nil {
		return "", fmt.Errorf("the preview cannot be written: %w", err)
	}
	if err = p.write(f, view); err != nil {
		_ = f.Close() // the first error tells more
		return "", fmt.Errorf("the preview cannot be written: %w", err)
	}
	if err = f.Close(); err != nil {
		return "", fmt.Errorf("the preview cannot be written: %w", err)
	}
	return filepath.Abs(f.Name())
}

func (p *previewing) write(w io.Writer, view *desk.Preview) error {
	var err error
	switch p.format {
	case formatEML:
		_, err = w.Write(view.Message)
	case formatHTML:
		_, err = io.WriteString(w, view.HTML)
	case formatTerminal:
		err = p.terminal(w, view)
	default:
		_, err = fmt.Fprintf(w, "Subject: %s\n\n%s\n", plain(view.Subject), plain(shownInert(view.Text)))
	}
	return err
}

// browse opens the file in the browser that the desktop has.
func (p *previewing) browse(ctx context.Context, path string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	found, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("there is no %s on this machine to open a browser with", program)
	}
	if err := exec.CommandContext(ctx, found, path).Run(); err != nil { //nolint:gosec // the desktop's own program, and our file
		return fmt.Errorf("%s did not open it: %w", program, err)
	}
	return nil
}

// shownInert says in words where the reader's own links go, which lead nowhere in a preview.
func shownInert(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		for _, word := range strings.Fields(line) {
			if words := inertWords(word); words != "" {
				lines[i] = strings.Replace(lines[i], word, words, 1)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// inertWords says where a reader's own link goes; empty: it is none.
func inertWords(link string) string {
	switch {
	case !strings.HasSuffix(link, "/"+desk.InertToken):
		return ""
	case strings.Contains(link, "/unsubscribe/"):
		return "(the reader's own link to unsubscribe)"
	}
	return "(the reader's own link to choose)"
}

type previewView struct {
	Edition    int64   `json:"edition"` // 0: it is not on record
	Newsletter string  `json:"newsletter"`
	Cadence    string  `json:"cadence"`
	For        string  `json:"for"`
	Subject    string  `json:"subject"`
	Preheader  string  `json:"preheader"`
	Hash       string  `json:"hash"`
	Articles   []int64 `json:"articles"`
	Bytes      int     `json:"bytes"`
	Text       string  `json:"text"`
	HTML       string  `json:"html"`
}

func viewPreview(v *desk.Preview) previewView {
	return previewView{
		Edition: v.Edition.ID, Newsletter: v.Newsletter.Slug, Cadence: string(v.Edition.Cadence), For: v.For,
		Subject: v.Subject, Preheader: v.Preheader, Hash: previewHash(v), Articles: list(v.Copy.Articles),
		Bytes: len(v.Message), Text: v.Text, HTML: v.HTML,
	}
}

// previewHash is the edition's hash as it is on record, or as it would be.
func previewHash(v *desk.Preview) string {
	if v.Edition.Hash != "" {
		return v.Edition.Hash
	}
	return v.Snapshot.Hash()
}
