package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// printJSON prints one thing as an object, or a list as an array.
func (a *app) printJSON(v any) error { return writeJSON(a.stdout, v) }

// writeJSON writes v as every command prints it.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // it is for programs and eyes, not for a page
	return e.Encode(v)
}

// say prints a sentence for people. With --json or --quiet it prints nothing.
func (a *app) say(format string, args ...any) {
	if !a.json && !a.quiet {
		fmt.Fprintln(a.stdout, plain(fmt.Sprintf(format, args...)))
	}
}

// warn prints a sentence to stderr, whatever the flags.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.stderr, "warning: %s\n", plain(fmt.Sprintf(format, args...)))
}

// printTable prints aligned columns without borders. The last column is never padded.
func (a *app) printTable(header []string, rows [][]string) {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for i, row := range all {
		clean := make([]string, len(row))
		for j, cell := range row {
			clean[j] = strings.ReplaceAll(plain(cell), "\n", " ")
			widths[j] = max(widths[j], columns(clean[j]))
		}
		all[i] = clean
	}
	var b strings.Builder
	for _, row := range all {
		for j, cell := range row {
			b.WriteString(cell)
			if j < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[j]-columns(cell)+2))
			}
		}
		trimmed := strings.TrimRight(b.String(), " ")
		fmt.Fprintln(a.stdout, trimmed)
		b.Reset()
	}
}

// printFields prints one thing: a name and a value on each line. Empty values are left out.
func (a *app) printFields(fields [][2]string) {
	widest := 0
	for _, f := range fields {
		widest = max(widest, columns(f[0]))
	}
	for _, f := range fields {
		if f[1] == "" {
			continue
		}
		value := strings.ReplaceAll(plain(f[1]), "\n", "\n"+strings.Repeat(" ", widest+2))
		fmt.Fprintf(a.stdout, "%s%s  %s\n", f[0], strings.Repeat(" ", widest-columns(f[0])), value)
	}
}

// plain removes what could do something to a terminal: texts come from feeds and relays.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) && r != '\u200d' {
			return -1
		}
		return r
	}, s)
}

// columns returns how many columns of a terminal the text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimRight(string(r[:n-1]), " ") + "…"
	}
	return s
}

// utc returns the time as JSON has it: RFC 3339 in UTC, null if it has not happened.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// local returns the time as a table shows it, in the machine's zone; "never" if it has not
// happened.
func local(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// inZone returns the time as somebody in the zone says it.
func inZone(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("Mon 2 Jan 2006 15:04 MST")
}

// counted returns "1 article", "2 articles".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// list returns a list that is [] in JSON and not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
