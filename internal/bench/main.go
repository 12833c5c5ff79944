// Command bench measures Broadsheet: `make bench` runs it. Everything that sends is run against one and the same
// sink process, in turn, in one run, so that the ratios hold on any machine; docs/performance.md says what is
// measured and what came out.
//
//	go run ./internal/bench -broadsheet bin/broadsheet
//	go run ./internal/bench -broadsheet bin/broadsheet -only send,signup -readers 20000 -rounds 1
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run runs the benchmarks, or one of the children that they start.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case childSink:
			return runSink(ctx, in, out)
		case childRaw:
			return runRaw(ctx, args[1:])
		case childLoad:
			return runLoad(ctx, args[1:], in, out)
		case childBare:
			return runBare(ctx, in, out)
		}
	}
	o, err := parseOptions(args, out)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o, out)
	if err != nil {
		return err
	}
	return errors.Join(b.run(ctx), b.close())
}

// options are what can be asked for.
type options struct {
	broadsheet string // the program to be measured
	readers    int
	conns      int
	articles   int
	rounds     int
	sizes      []int
	only       []string
	dir        string
	mailsink   string
	smtpSource string
	json       string
	idle       time.Duration // how long serve is left alone before its memory is looked at
	phase      time.Duration // of sign-ups that nothing else ends
	sustain    time.Duration // of sign-ups whose memory and log are watched
}

// part is one benchmark.
type part struct {
	name, about string
	run         func(*bench, context.Context) error
}

// parts are the benchmarks, in the order in which they run.
var parts = [...]part{
	{"send", "raw clients, smtp-source and the sender against one sink, unsigned and signed", (*bench).send},
	{"plan", "the survey and the planning of an edition", (*bench).plan},
	{"micro", "rendering and composing a variant, filling in what is personal", (*bench).micro},
	{"import", "import of a CSV file", (*bench).imports},
	{"serve", "start and memory of serve", (*bench).serve},
	{"signup", "sign-ups by HTTP, beside a bare Echo, alone and while an edition is sent", (*bench).signUp},
	{"scale", "sends of several sizes: time, memory, size of the file, report", (*bench).scale},
}

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	var only, sizes string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.broadsheet, "broadsheet", "bin/broadsheet", "the program to measure")
	f.IntVar(&o.readers, "readers", 100_000, "readers of the edition that is sent")
	f.IntVar(&o.conns, "conns", 20, "connections to the sink")
	f.IntVar(&o.articles, "articles", 12, "articles of the edition; 12 make a message of about 22 kB")
	f.IntVar(&o.rounds, "rounds", 3, "how often each is measured, in turn")
	f.StringVar(&sizes, "sizes", "10000,100000,1000000", "readers of the editions of scale")
	f.StringVar(&only, "only", "", "which benchmarks, with commas; empty: all")
	f.StringVar(&o.dir, "dir", "", "a folder for databases, on the kind of disk that is meant; empty: the temporary one")
	f.StringVar(&o.mailsink, "mailsink", "", "the program or the folder of mailsink, as a second sink; empty: none")
	f.StringVar(&o.smtpSource, "smtp-source", "smtp-source", "Postfix's smtp-source; left out if it is not installed")
	f.StringVar(&o.json, "json", "", "a file for all figures as JSON")
	f.DurationVar(&o.idle, "idle", 3*time.Second, "how long serve is left alone before its memory is looked at")
	f.DurationVar(&o.phase, "phase", 5*time.Second, "how long sign-ups are measured alone")
	f.DurationVar(&o.sustain, "sustain", 0, "for how long sign-ups go on afterwards while memory and files are watched, such as 10m; 0: not at all")
	f.Usage = func() {
		fmt.Fprintln(out, "Usage: bench [flags]\n\nBenchmarks:")
		for _, p := range parts {
			fmt.Fprintf(out, "  %-8s%s\n", p.name, p.about)
		}
		fmt.Fprintln(out, "\nFlags:")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag; -h shows those there are", f.Arg(0))
	}
	for name := range strings.FieldsFuncSeq(only, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.ContainsFunc(parts[:], func(p part) bool { return p.name == name }) {
			return o, fmt.Errorf("there is no benchmark %q; -h shows those there are", name)
		}
		o.only = append(o.only, name)
	}
	for size := range strings.FieldsFuncSeq(sizes, func(r rune) bool { return r == ',' || r == ' ' }) {
		n := 0
		if _, err := fmt.Sscan(size, &n); err != nil || n < 1 {
			return o, fmt.Errorf("-sizes: %q is no number of readers", size)
		}
		o.sizes = append(o.sizes, n)
	}
	if o.readers < 1 || o.conns < 1 || o.articles < 1 || o.rounds < 1 {
		return o, errors.New("-readers, -conns, -articles and -rounds have to be 1 or more")
	}
	return o, nil
}

// bench is one run.
type bench struct {
	options
	out    io.Writer
	report *report
	site   *site
}

func newBench(ctx context.Context, o options, out io.Writer) (*bench, error) {
	s, err := newSite(ctx, o)
	if err != nil {
		return nil, err
	}
	return &bench{options: o, out: out, report: &report{Machine: describe(s.dir)}, site: s}, nil
}

func (b *bench) close() error { return b.site.close() }

// run runs what is asked for. What was measured until something failed is printed all the same.
func (b *bench) run(ctx context.Context) error {
	fmt.Fprintln(b.out, b.report.Machine)
	err := b.parts(ctx)
	if b.json == "" {
		return err
	}
	data, encodeErr := json.MarshalIndent(b.report, "", "  ")
	if encodeErr != nil {
		return errors.Join(err, encodeErr)
	}
	return errors.Join(err, os.WriteFile(b.json, append(data, '\n'), 0o644))
}

func (b *bench) parts(ctx context.Context) error {
	for _, p := range parts {
		if len(b.only) > 0 && !slices.Contains(b.only, p.name) {
			continue
		}
		fmt.Fprintf(b.out, "\n%s: %s\n\n", p.name, p.about)
		err := p.run(b, ctx)
		b.report.print(b.out, p.name)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// say prints one line about what is going on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }
