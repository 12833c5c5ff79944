package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the tests' own binary be the children that the program starts of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "child-") {
		if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// A program with the race detector waits for a second at its end, and here are many.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// buildProgram builds what is measured. It is without the race detector, also where the test has it.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "broadsheet")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "broadsheet/cmd/broadsheet")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The benchmarks run from one end to the other, so that they are there when figures are needed.
func TestRun_MeasuresEverything(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "figures.json")
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"-broadsheet", buildProgram(t), "-dir", t.TempDir(), "-readers", "100", "-conns", "3", "-rounds", "1", "-sizes", "50",
		"-idle", "1ms", "-phase", "400ms", "-sustain", "400ms", "-only", "send,import,serve,signup,scale", "-smtp-source", "not-there", "-json", file,
	}, nil, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][3]string{
		{"send", "discard: raw client, plain", "messages/s"},
		{"send", "discard: raw client, pipelined", "of plain"},
		{"send", "discard: raw client, across", "CPU µs"},
		{"send", "discard: sender", "of plain by CPU"},
		{"import", "100 lines", "rows/s"},
		{"serve", "1 reader", "start ms"},
		{"signup", "bare Echo", "sign-ups/s"},
		{"signup", "alone", "sign-ups/s"},
		{"signup", "alone", "of bare Echo"},
		{"signup", "alone, and no mail is put off", "sign-ups/s"},
		{"signup", "sustained", "log MB"},
		{"signup", "while they are sent to", "p99 ms"},
		{"scale", "50 readers", "report s"},
	} {
		if !has(got, want) {
			t.Errorf("nothing above zero is measured for %q\n%s", want, &out)
		}
	}
}

func has(r report, want [3]string) bool {
	for _, f := range r.Figures {
		if f.Bench == want[0] && f.What == want[1] && f.Metric == want[2] {
			return f.Median > 0
		}
	}
	return false
}

func TestParseOptions_RefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-only", "send,nonsense"}, {"-sizes", "10,x"}, {"-readers", "0"}, {"-rounds", "0"}, {"surplus"}, {"-nonsense"},
	} {
		if _, err := parseOptions(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	o, err := parseOptions([]string{"-only", "send, plan", "-sizes", "5"}, &bytes.Buffer{})
	if err != nil || len(o.only) != 2 || len(o.sizes) != 1 || o.sizes[0] != 5 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestReport_PrintsMedianAndRange(t *testing.T) {
	t.Parallel()
	var r report
	for _, v := range []float64{30, 10, 20000} {
		r.add("send", "sender", "messages/s", v)
	}
	r.add("send", "raw", "peak MB", 1.234)
	r.add("plan", "Plan", "s", 5)
	var out bytes.Buffer
	r.print(&out, "send")
	for _, want := range []string{"messages/s", "peak MB", "30.0 (10.0–20,000)", "1.23"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "Plan") {
		t.Errorf("another benchmark is among it:\n%s", &out)
	}
	r.add("send", "sender", "messages/s", 40)
	if got := r.Figures[0].Median; got != 35 {
		t.Errorf("the median of four is %v, want 35", got)
	}
}

func TestNumber_IsShort(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0.00", 0.125: "0.12", 9.996: "10.00", 12.34: "12.3", 999.6: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

func TestRecordBenchmark_TakesWhatGoTestPrints(t *testing.T) {
	t.Parallel()
	b := &bench{report: &report{}}
	for _, line := range []string{
		"BenchmarkPlan-2   \t       1\t 512345678 ns/op\t         0.5120 s\t   1953125 rows/s",
		"BenchmarkAppend \t 1000000\t       612.5 ns/op\t41000.12 MB/s\t       0 B/op\t       0 allocs/op",
		"ok  \tbroadsheet/internal/bench\t1.2s", "goos: linux", "PASS",
	} {
		part := "plan"
		if strings.Contains(line, "Append") {
			part = "micro"
		}
		b.recordBenchmark(part, line)
	}
	var got []string
	for _, f := range b.report.Figures {
		got = append(got, fmt.Sprint(f.Bench, " ", f.What, " ", f.Median, " ", f.Metric))
	}
	want := "plan Plan 0.512 s, plan Plan 1.953125e+06 rows/s, micro Append 0.6125 µs"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
}
