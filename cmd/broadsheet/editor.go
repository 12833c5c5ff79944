package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"broadsheet/internal/newsletter"
)

// mark begins a line that says what is wrong with the next one.
const mark = "#! "

// editor returns the command of the person's editor; empty: none is set.
func (a *app) editor() string {
	environ := environMap(a.env)
	if v := strings.TrimSpace(environ["VISUAL"]); v != "" {
		return v
	}
	return strings.TrimSpace(environ["EDITOR"])
}

// editFile is a file that a person edits. It is in a folder of its own, for its owner only.
type editFile struct{ path string }

func newEditFile(id int64, text string) (editFile, error) {
	folder, err := os.MkdirTemp("", "broadsheet-")
	if err != nil {
		return editFile{}, fmt.Errorf("a file to edit: %w", err)
	}
	f := editFile{filepath.Join(folder, fmt.Sprintf("edition-%d.txt", id))}
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		f.remove()
		return f, fmt.Errorf("a file to edit: %w", err)
	}
	return f, nil
}

// remove removes the file; what is left behind by a failure is in a folder for such things.
func (f editFile) remove() { _ = os.RemoveAll(filepath.Dir(f.path)) }

// kept is the error with where the person's text is.
func (f editFile) kept(err error) error {
	where := "\nwhat you wrote is in " + f.path
	if e, ok := errors.AsType[*newsletter.Error](err); ok {
		return &newsletter.Error{Kind: e.Kind, Reason: e.Reason, Message: err.Error() + where}
	}
	return fmt.Errorf("%w%s", err, where)
}

// edit opens the file in the person's editor, and returns what it holds afterwards, also if the
// editor fails.
func (a *app) edit(ctx context.Context, command string, f editFile) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command+` "$1"`, "sh", f.path) //nolint:gosec // it is the person's own setting
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = a.stdin, a.stdout, a.stderr, a.env
	failed := cmd.Run()
	data, err := os.ReadFile(f.path)
	switch {
	case failed != nil:
		return string(data), fmt.Errorf("the editor %q failed: %w", command, failed)
	case err != nil:
		return "", fmt.Errorf("what the editor wrote: %w", err)
	case len(data) > maxTextFile:
		return string(data), newsletter.Invalidf("file", "the text is longer than %d kB", maxTextFile/1000)
	}
	return string(data), nil
}

// withMarks returns the text with what is wrong above each line.
func withMarks(text string, mistakes []newsletter.SheetMistake) string {
	var w strings.Builder
	for i, line := range strings.SplitAfter(text, "\n") {
		for _, m := range mistakes {
			if m.Line == i+1 {
				w.WriteString(mark + m.Message + "\n")
			}
		}
		w.WriteString(line)
	}
	return w.String()
}

// withoutMarks takes them out again.
func withoutMarks(text string) string {
	var w strings.Builder
	for line := range strings.SplitAfterSeq(text, "\n") {
		if !strings.HasPrefix(line, mark) {
			w.WriteString(line)
		}
	}
	return w.String()
}
