// Command chaos does to a sender what life does: `make chaos` runs it. It sends editions of
// many readers with the real program to a relay that is a process of its own, kills, stops,
// locks and fills up what it can, and then holds ledger and relay against each other, reader
// by reader. docs/faults.md says what came of it.
//
//	go run ./internal/chaos -broadsheet bin/broadsheet -mailsink ../shared/tools/mailsink
//	go run ./internal/chaos -broadsheet bin/broadsheet -mailsink … -only kill,disk -seed 7
package main

import (
	"context"
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
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are what can be asked for.
type options struct {
	broadsheet, mailsink string
	readers, kills       int
	connections          int
	seed                 uint64
	only                 []string
	dir                  string
}

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.broadsheet, "broadsheet", "bin/broadsheet", "the program")
	flags.StringVar(&o.mailsink, "mailsink", "", "the sink: a program, or the folder of its source")
	flags.IntVar(&o.readers, "readers", 20_000, "readers of an edition")
	flags.IntVar(&o.kills, "kills", 50, "how often the sender is killed")
	flags.IntVar(&o.connections, "conns", 10, "connections")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the random instants")
	flags.StringVar(&only, "only", "", "only these faults, with commas; -only help lists them")
	flags.StringVar(&o.dir, "dir", "", "where to put databases; empty: the folder for temporary files")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(faults(), func(f fault) bool { return f.name == name }) {
			for _, f := range faults() {
				fmt.Fprintf(out, "%-16s %s\n", f.name, f.what)
			}
			return o, fmt.Errorf("there is no fault %q", name)
		}
	}
	if o.mailsink == "" {
		return o, errors.New("mailsink is missing: put its source at ../shared/tools/mailsink, or say MAILSINK=path of the program or of its source")
	}
	return o, nil
}

// run does what was asked for and prints the table.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d readers, %d connections, seed %d\n\n", o.readers, o.connections, o.seed)
	s, err := newSite(ctx, o)
	if err != nil {
		return err
	}
	var results []result
	for _, f := range faults() {
		if len(o.only) > 0 && !slices.Contains(o.only, f.name) {
			continue
		}
		began := time.Now()
		r := s.do(ctx, f)
		r.took = time.Since(began)
		r.print(out)
		results = append(results, r)
		if ctx.Err() != nil {
			break
		}
	}
	bad := 0
	for _, r := range results {
		if len(r.problems) > 0 {
			bad++
		}
	}
	err = s.close()
	if bad > 0 {
		err = errors.Join(fmt.Errorf("%d of %d faults did harm", bad, len(results)), err)
	}
	return errors.Join(ctx.Err(), err)
}

// result is what came of a fault.
type result struct {
	fault    fault
	skipped  string // why it was not tried
	lines    []string
	account  account
	note     string // such as how often it was killed
	took     time.Duration
	problems []string
}

func (r *result) wrong(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// print prints the fault's part of the table.
func (r *result) print(out io.Writer) {
	fmt.Fprintf(out, "%s: %s\n", r.fault.name, r.fault.what)
	if r.skipped != "" {
		fmt.Fprintf(out, "  skipped    %s\n\n", r.skipped)
		return
	}
	for _, line := range r.lines {
		fmt.Fprintf(out, "  operator   %s\n", line)
	}
	a := r.account
	fmt.Fprintf(out, "  ledger     planned %d, accepted %d, refused %d, expired %d, in doubt %d, withheld %d, waiting %d\n",
		a.Planned, a.Accepted, a.Refused, a.Expired, a.InDoubt, a.Withheld, a.Waiting)
	fmt.Fprintf(out, "  relay      took %d; lost %d, twice %d, of them not on record %d; on record as doubted %d\n",
		a.took, a.lost, a.twice, a.unlisted, a.doubted)
	if r.note != "" {
		fmt.Fprintf(out, "  note       %s\n", r.note)
	}
	verdict := "good"
	if len(r.problems) > 0 {
		verdict = "BAD: " + strings.Join(r.problems, "; ")
	}
	fmt.Fprintf(out, "  verdict    %s (%.1f s)\n\n", verdict, r.took.Seconds())
}
