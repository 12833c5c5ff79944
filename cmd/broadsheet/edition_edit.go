package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionEdit(a *app) *cobra.Command {
	var file string
	var show bool
	cmd := &cobra.Command{
		Use:   "edit ID",
		Short: "Change a draft: subject, order, headlines, notes",
		Long: `Opens a draft as a small text in your editor (VISUAL or EDITOR): subject, preheader and
intro, then a line for each article, note and sponsor. Move lines to move blocks, delete a
line to drop an article (the next edition has it), change a headline for this mail. What
cannot be is said at its line, and the editor opens again.

For scripts --print writes that text, and --file reads it; "-" is standard input. If
somebody else changed the draft meanwhile, nothing of theirs is overwritten: you see both.`,
		Example: `  broadsheet edition edit 42
  broadsheet edition edit 42 --print > sheet.txt
  broadsheet edition edit 42 --file sheet.txt`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			if show && file != "" {
				return usagef("give --print or --file, not both")
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				if show {
					t, err := s.desk.ShowSheet(cmd.Context(), id)
					if err == nil {
						_, err = fmt.Fprint(a.stdout, t.Format())
					}
					return err
				}
				t, err := s.desk.OpenSheet(cmd.Context(), id)
				switch {
				case err != nil:
					return err
				case file != "":
					return a.editByFile(cmd.Context(), s, t, file)
				}
				return a.editByHand(cmd.Context(), s, t)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "read the text from this file instead of an editor; - reads standard input")
	cmd.Flags().BoolVar(&show, "print", false, "print the text and change nothing")
	return cmd
}

// mistakesError says what in a sheet cannot be.
func mistakesError(id int64, mistakes []newsletter.SheetMistake) error {
	words := []string{fmt.Sprintf("edition %d was not changed", id)}
	for _, m := range mistakes {
		words = append(words, fmt.Sprintf("  line %d: %s", m.Line, m.Message))
	}
	return &newsletter.Error{Kind: newsletter.Invalid, Reason: "sheet", Message: strings.Join(words, "\n")}
}

func (a *app) editByFile(ctx context.Context, s *services, t newsletter.SheetText, file string) error {
	text, err := a.readText("file", file)
	if err != nil {
		return err
	}
	p, mistakes := desk.ReadSheet(t, text)
	if p.Revision == 0 && len(mistakes) == 0 { // it could undo what somebody else changed meanwhile
		mistakes = append(mistakes, newsletter.SheetMistake{Line: 1, Message: fmt.Sprintf(
			"the line Revision: is missing, which says which draft this was written from; \"broadsheet edition edit %d --print\" prints it", t.Record.EditionID)})
	}
	if len(mistakes) > 0 {
		return mistakesError(t.Record.EditionID, mistakes)
	}
	draft, err := s.desk.SaveSheet(ctx, t.Record.EditionID, p.Revision, p.Sheet)
	if err != nil {
		return err
	}
	return a.printDraft(ctx, s, draft)
}

// saveSheet keeps the text as the draft's sheet, unless there are mistakes in it. A text that does not
// say which revision it was written from was written from the one that was opened.
func saveSheet(ctx context.Context, s *services, t newsletter.SheetText, text string) (*desk.Draft, []newsletter.SheetMistake, error) {
	p, mistakes := desk.ReadSheet(t, text)
	if len(mistakes) > 0 {
		return nil, mistakes, nil
	}
	if p.Revision == 0 {
		p.Revision = t.Record.Revision
	}
	draft, err := s.desk.SaveSheet(ctx, t.Record.EditionID, p.Revision, p.Sheet)
	return draft, nil, err
}

// editByHand lets staff change the sheet in their editor until it can be, or they leave it as it
// is. What they typed is never lost: where it is not saved, the file stays and is named.
func (a *app) editByHand(ctx context.Context, s *services, t newsletter.SheetText) error {
	command := a.editor()
	if command == "" {
		return usagef("no editor is set; set EDITOR, or use --print and --file")
	}
	original := t.Format()
	f, err := newEditFile(t.Record.EditionID, original)
	if err != nil {
		return err
	}
	for shown := original; ; {
		typed, err := a.edit(ctx, command, f)
		if err == nil && withoutMarks(typed) == original || err != nil && typed == original {
			f.remove()
			if err == nil {
				a.say("Nothing was changed.")
			}
			return err
		}
		if err != nil {
			return f.kept(err)
		}
		draft, mistakes, err := saveSheet(ctx, s, t, withoutMarks(typed))
		switch {
		case newsletter.ReasonOf(err) == "changed":
			return a.showOther(ctx, s, t.Record.EditionID, f, err)
		case err != nil:
			return f.kept(err)
		case len(mistakes) == 0:
			f.remove()
			return a.printDraft(ctx, s, draft)
		case withoutMarks(typed) == withoutMarks(shown): // they gave up
			return f.kept(mistakesError(t.Record.EditionID, mistakes))
		}
		for _, m := range mistakes {
			a.warn("line %d: %s", m.Line, m.Message)
		}
		shown = withMarks(withoutMarks(typed), mistakes)
		if err := os.WriteFile(f.path, []byte(shown), 0o600); err != nil {
			return f.kept(err)
		}
	}
}

// showOther shows what somebody else made of the draft, and says where one's own text is.
func (a *app) showOther(ctx context.Context, s *services, id int64, f editFile, conflict error) error {
	other, err := s.desk.OpenSheet(ctx, id)
	if err != nil {
		return f.kept(errors.Join(conflict, err))
	}
	fmt.Fprintf(a.stderr, "The draft as it is now:\n\n%s\n", plain(other.Format()))
	return f.kept(fmt.Errorf("%w; to put yours in its place, write Revision: %d there and say \"broadsheet edition edit %d --file\" with that file", conflict, other.Record.Revision, id))
}
