package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of go test -json; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// test is what one test has printed so far, and how it ended.
type test struct {
	name   string
	result string // pass, fail, skip, or empty while it runs
	lines  []string
}

// results of one package. The test with the empty name collects what belongs to no test.
type results struct {
	tests  []*test
	byName map[string]*test
}

func (r *results) test(name string) *test {
	t := r.byName[name]
	if t == nil {
		t = &test{name: name}
		r.byName[name] = t
		r.tests = append(r.tests, t)
	}
	return t
}

// report turns the events of go test -json into its usual output, package by package, followed by the
// skipped tests, which it returns as "package.Test: reason".
func report(events io.Reader, out io.Writer) (skipped []string, err error) {
	packages := map[string]*results{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			skipped = append(skipped, handle(line, packages, out)...)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return skipped, err
		}
	}
	if len(skipped) == 0 {
		fmt.Fprintln(out, "skipped: nothing")
		return nil, nil
	}
	fmt.Fprintf(out, "skipped: %d, which counts as a failure\n", len(skipped))
	for _, s := range skipped {
		fmt.Fprintln(out, "    "+s)
	}
	return skipped, nil
}

// handle takes one line. When that line ends a package, it prints the package and returns its skipped tests.
func handle(line string, packages map[string]*results, out io.Writer) (skipped []string) {
	var e event
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.Action == "build-output" {
		// The compiler's words, or something go test did not put into JSON.
		if err == nil {
			line = e.Output
		}
		fmt.Fprint(out, line)
		return nil
	}
	if e.Package == "" {
		return nil
	}
	p := packages[e.Package]
	if p == nil {
		p = &results{byName: map[string]*test{}}
		packages[e.Package] = p
	}
	t := p.test(e.Test)
	switch e.Action {
	case "output":
		t.lines = append(t.lines, e.Output)
	case "pass", "fail", "skip":
		t.result = e.Action
		if e.Test == "" {
			delete(packages, e.Package)
			return finish(e.Package, p, out)
		}
	}
	return nil
}

// finish prints a package that has ended: one line if it passed, everything about the failure if not.
func finish(name string, p *results, out io.Writer) (skipped []string) {
	whole := p.test("")
	failed := whole.result == "fail"
	for _, t := range p.tests {
		switch {
		case t == whole:
		case t.result == "skip":
			skipped = append(skipped, fmt.Sprintf("%s.%s: %s", name, t.name, reason(t.lines)))
		case failed && (t.result != "pass" || reportsRace(t.lines)):
			printLines(out, t.lines)
		}
	}
	if failed {
		printLines(out, whole.lines)
		return skipped
	}
	for _, l := range whole.lines {
		if strings.HasPrefix(l, "ok  \t") || strings.HasPrefix(l, "?   \t") || strings.HasPrefix(l, "\t") {
			fmt.Fprint(out, l)
		}
	}
	return skipped
}

func printLines(out io.Writer, lines []string) {
	for _, l := range lines {
		if !strings.HasPrefix(l, "=== ") {
			fmt.Fprint(out, l)
		}
	}
}

// reportsRace is asked because the race detector's report can land under a test that passed, when several
// run in parallel.
func reportsRace(lines []string) bool {
	for _, l := range lines {
		if strings.Contains(l, "DATA RACE") {
			return true
		}
	}
	return false
}

// reason is what the test said before it was skipped.
func reason(lines []string) string {
	var said []string
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "=== ") && !strings.HasPrefix(l, "--- ") {
			said = append(said, l)
		}
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}
