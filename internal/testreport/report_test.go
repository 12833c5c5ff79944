package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The report is read from a real run of go test, so that a change in its output shows here.
func TestRun_ReportsWhatHappened(t *testing.T) {
	const broken = `package sample

import "testing"

func TestPasses(t *testing.T) { t.Log("quiet") }

func TestFails(t *testing.T) {
	t.Run("good", func(t *testing.T) { t.Log("quiet too") })
	t.Run("bad", func(t *testing.T) { t.Error("one is not two") })
}
`
	const panics = `package sample

import "testing"

func TestPanics(t *testing.T) { panic("out of paper") }
`
	const skips = `package sample

import "testing"

func TestPasses(t *testing.T) {}
func TestSkips(t *testing.T)  { t.Skip("no browser here") }
`
	const passes = `package sample

import "testing"

func TestPasses(t *testing.T) { t.Log("quiet") }
`
	tests := map[string]struct {
		source  string
		ok      bool
		with    []string
		without []string
	}{
		"all pass": {
			source: passes, ok: true,
			with:    []string{"ok  \tsample\t", "skipped: nothing\n"},
			without: []string{"quiet", "PASS", "=== "},
		},
		"one skipped": {
			source:  skips,
			with:    []string{"ok  \tsample\t", "skipped: 1, ", "sample.TestSkips: ", "no browser here"},
			without: []string{"TestPasses"},
		},
		"one failed": {
			source: broken,
			with: []string{
				"--- FAIL: TestFails ", "--- FAIL: TestFails/bad ", "sample_test.go:9: one is not two\n",
				"FAIL\tsample\t", "skipped: nothing\n",
			},
			without: []string{"quiet", "ok  \t", "=== "},
		},
		"panic": {
			source: panics,
			with:   []string{"--- FAIL: TestPanics", "panic: out of paper", "goroutine ", "FAIL\tsample\t"},
		},
		"does not compile": {
			source: strings.Replace(passes, `"quiet"`, "undefinedName", 1),
			with:   []string{"undefined: undefinedName", "FAIL\tsample [build failed]\n"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module sample\n\ngo 1.26\n")
			write(t, filepath.Join(dir, "sample_test.go"), tc.source)
			var out strings.Builder
			ok, err := run(dir, []string{"./..."}, &out)
			if err != nil {
				t.Fatal(err)
			}
			if ok != tc.ok {
				t.Errorf("ok = %t, want %t", ok, tc.ok)
			}
			for _, s := range tc.with {
				if !strings.Contains(out.String(), s) {
					t.Errorf("output lacks %q", s)
				}
			}
			for _, s := range tc.without {
				if strings.Contains(out.String(), s) {
					t.Errorf("output has %q", s)
				}
			}
			if t.Failed() {
				t.Logf("output:\n%s", out.String())
			}
		})
	}
}

// With tests in parallel, the race detector's report can be attributed to a test that passed.
func TestReport_RaceUnderAPassingTest_IsPrinted(t *testing.T) {
	events := `{"Action":"output","Package":"p","Test":"TestA","Output":"WARNING: DATA RACE\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`
	var out strings.Builder
	if _, err := report(strings.NewReader(events), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "DATA RACE") {
		t.Errorf("the race is not reported:\n%s", out.String())
	}
}

func TestReport_PackageWithoutTests_IsNotASkippedTest(t *testing.T) {
	events := `{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
{"Action":"skip","Package":"p"}
`
	var out strings.Builder
	skipped, err := report(strings.NewReader(events), &out)
	if err != nil || len(skipped) != 0 {
		t.Errorf("report = %v, %v, want nothing skipped", skipped, err)
	}
	if want := "?   \tp\t[no test files]\nskipped: nothing\n"; out.String() != want {
		t.Errorf("output = %q, want %q", out.String(), want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
