package main

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/templates"

	"github.com/spf13/cobra"
)

func newTemplateCommand(a *app) *cobra.Command {
	return newGroup("template", "Look at the templates of mails and pages, and make your own",
		`Mails and pages are made from templates, which are part of the program. A folder named
in BROADSHEET_TEMPLATES can hold others: a file in it is used instead of the built-in one
of the same name. docs/templates.md says what stands in them.`, groupThings,
		templateList(a), templateCheck(a), templateCopy(a))
}

// openTemplates returns the templates that the settings name.
func (a *app) openTemplates() (Settings, fs.FS, error) {
	settings, err := a.settings()
	if err != nil {
		return settings, nil, err
	}
	fsys, err := templates.FS(settings.Templates)
	return settings, fsys, err
}

type templateView struct {
	Template string `json:"template"`
	Own      bool   `json:"own"` // it comes from the folder
}

func templateList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show all templates, and which are your own",
		Long:    `Shows the templates of mails and pages, and which of them come from your folder.`,
		Example: `  broadsheet template list`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			settings, fsys, err := a.openTemplates()
			if err != nil {
				return err
			}
			views, rows := []templateView{}, [][]string{}
			for _, folder := range []string{"mail", "web"} {
				entries, err := fs.ReadDir(fsys, folder)
				if err != nil {
					return err
				}
				for _, e := range entries {
					if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
						continue
					}
					name := path.Join(folder, e.Name())
					own := settings.Templates != "" && exists(filepath.Join(settings.Templates, filepath.FromSlash(name)))
					views = append(views, templateView{name, own})
					from := "built in"
					if own {
						from = "your own"
					}
					rows = append(rows, []string{name, from})
				}
			}
			if a.json {
				return a.printJSON(views)
			}
			a.printTable([]string{"TEMPLATE", "FROM"}, rows)
			return nil
		},
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func templateCopy(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "copy NAME DIR",
		Short: "Copy a built-in template to a folder, to change it",
		Long: `Copies a built-in template to a folder, at the place where BROADSHEET_TEMPLATES looks for
it. It never writes over a file. "template list" shows the names.`,
		Example: `  broadsheet template copy mail/brief.html /etc/broadsheet/templates`,
		Args:    exactArgs("NAME", "DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			embedded, err := templates.FS("")
			if err != nil {
				return err
			}
			data, err := fs.ReadFile(embedded, name)
			if err != nil || strings.HasPrefix(path.Base(name), ".") {
				return newsletter.NotFoundf("there is no template %q; \"broadsheet template list\" shows those there are", name)
			}
			file := filepath.Join(args[1], filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return newsletter.Conflictf("%s is there already; remove it first", file)
			}
			if err != nil {
				return err
			}
			_, err = out.Write(data)
			if err := errors.Join(err, out.Close()); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(struct {
					File string `json:"file"`
				}{file})
			}
			a.say("Wrote %s. It is used when %sTEMPLATES=%s is set; \"broadsheet template check\" tries it.", file, settingPrefix, args[1])
			return nil
		},
	}
}

// faultView is something that is wrong with one or several mails.
type faultView struct {
	Standard string   `json:"standard"` // "S16"; "template": it cannot be rendered
	Message  string   `json:"message"`
	Mails    []string `json:"mails"` // "brief-en-fifty"
}

type templateCheckView struct {
	Mails  int         `json:"mails"`
	Faults []faultView `json:"faults"`
}

func templateCheck(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Render every mail with hard data, and say what is wrong",
		Long: `Renders every mail in every design and language with hard data: one article and fifty, no
pictures, very long words, right to left, advertising, notes, corrections, a mail too large to
send. It looks at each by the standards for bulk mail (S4, S6, S9 to S16, S32), and says what is
wrong, with exit code 1. No database is needed and nothing is sent.

With --out each mail is written there, as HTML and text, with a page that lists them.`,
		Example: `  broadsheet template check
  broadsheet template check --out /tmp/mails`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, err := cmd.Flags().GetString("out")
			if err != nil {
				return err
			}
			return a.checkTemplates(out)
		},
	}
	cmd.Flags().String("out", "", "folder to write the mails to")
	return cmd
}

func (a *app) checkTemplates(out string) error {
	settings, fsys, err := a.openTemplates()
	if err != nil {
		return err
	}
	sources, err := templates.Mail(fsys)
	if err != nil {
		return err
	}
	view := templateCheckView{Faults: []faultView{}}
	note := func(standard, message, mail string) {
		at := slices.IndexFunc(view.Faults, func(f faultView) bool { return f.Standard == standard && f.Message == message })
		if at < 0 {
			view.Faults = append(view.Faults, faultView{standard, message, []string{}})
			at = len(view.Faults) - 1
		}
		if mail != "" {
			view.Faults[at].Mails = append(view.Faults[at].Mails, mail)
		}
	}
	for _, name := range digest.Unread(sources) {
		note("template", name.Error(), "")
	}
	var mails []sampleMail
	err = examineTemplates(sources, settings.BaseURL, a.now(), func(m sampleMail) {
		view.Mails++
		for _, f := range m.faults {
			note(f.Standard, f.Message, m.name())
		}
		if out != "" {
			mails = append(mails, m)
		}
	})
	if err != nil {
		return err
	}
	if out != "" {
		if err := writeMails(out, mails); err != nil {
			return err
		}
	}
	return a.sayFaults(view, out)
}

// sayFaults prints what the check found; with faults it is an error.
func (a *app) sayFaults(view templateCheckView, out string) error {
	if a.json {
		if err := a.printJSON(view); err != nil {
			return err
		}
	} else if len(view.Faults) > 0 {
		var rows [][]string
		for _, f := range view.Faults {
			where := ""
			if len(f.Mails) > 0 {
				where = f.Mails[0]
			}
			if len(f.Mails) > 1 {
				where += fmt.Sprintf(" and %d more", len(f.Mails)-1)
			}
			rows = append(rows, []string{f.Standard, where, f.Message})
		}
		a.printTable([]string{"STANDARD", "MAIL", "WHAT IS WRONG"}, rows)
	}
	if out != "" {
		a.say("The mails are in %s; open %s.", out, filepath.Join(out, "index.html"))
	}
	if n := len(view.Faults); n > 0 {
		return fmt.Errorf("%d %s wrong with the templates; correct the file, or remove it from the folder so that the built-in one is used", n, pick(n, "thing is", "things are"))
	}
	a.say("%d mails are as they should be.", view.Mails)
	return nil
}

func pick(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// writeMails writes each mail as HTML and text, and a page that lists them.
func writeMails(dir string, mails []sampleMail) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var index strings.Builder
	index.WriteString("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Mails</title>\n<ul>\n")
	for _, m := range mails {
		if m.variant.HTML == "" {
			continue
		}
		name := m.name()
		text := m.variant.Subject + "\n" + m.variant.Preheader + "\n\n" + m.variant.Text
		for ext, content := range map[string]string{".html": m.variant.HTML, ".txt": text} {
			if err := os.WriteFile(filepath.Join(dir, name+ext), []byte(content), 0o644); err != nil {
				return err
			}
		}
		fmt.Fprintf(&index, "<li><a href=\"%[1]s.html\">%[1]s</a>, <a href=\"%[1]s.txt\">text</a></li>\n", html.EscapeString(name))
	}
	index.WriteString("</ul>\n</html>\n")
	return os.WriteFile(filepath.Join(dir, "index.html"), []byte(index.String()), 0o644)
}
