package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"broadsheet/internal/trial"
)

// slug is the newsletter that is sent.
const slug = "chaos"

// site is the publisher: a feed, a relay, and a database with readers to begin with.
type site struct {
	options
	dir    string
	feed   *trial.Feed
	sink   *sink
	random *rand.Rand
}

func newSite(ctx context.Context, o options) (*site, error) {
	var err error
	if o.broadsheet, err = filepath.Abs(o.broadsheet); err != nil {
		return nil, err
	}
	if _, err := os.Stat(o.broadsheet); err != nil {
		return nil, fmt.Errorf("%w; `make build` builds it", err)
	}
	s := &site{options: o, random: rand.New(rand.NewPCG(o.seed, 0))}
	if s.dir, err = os.MkdirTemp(o.dir, "broadsheet-chaos-"); err != nil {
		return nil, err
	}
	if s.sink, err = startSink(ctx, o.mailsink, s.dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.found(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *site) close() error {
	var err error
	if s.feed != nil {
		err = s.feed.Close()
	}
	return errors.Join(err, s.sink.Close(), os.RemoveAll(s.dir))
}

// found makes the database that each fault begins with.
func (s *site) found(ctx context.Context) error {
	var err error
	if s.feed, err = trial.StartFeed(ctx, "Chaos", "https://www.chaos.example.org/", articles); err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "template")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	list := []byte("email\n")
	for i := range s.readers {
		list = fmt.Appendf(list, "%s\n", reader(i))
	}
	if err := os.WriteFile(filepath.Join(dir, "readers.csv"), list, 0o600); err != nil {
		return err
	}
	p := &program{site: s, dir: dir}
	// Due in twelve hours, so that serve builds nothing by itself.
	due := time.Now().UTC().Add(12 * time.Hour).Format("15:04")
	for _, args := range [][]string{
		{"newsletter", "create", slug, "--name", "Chaos", "--from", "Chaos <news@chaos.example.org>", "--postal-address", "1 Example Street", "--daily", "mon-sun " + due,
			"--privacy-url", "https://chaos.example.org/privacy", "--legal-footer", "Chaos exists to be killed."},
		{"source", "add", s.feed.URL, "--newsletter", slug},
		{"subscriber", "import", "readers.csv", "--newsletter", slug, "--consent", "chaos"},
	} {
		if _, err := p.output(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func reader(i int) string { return fmt.Sprintf("r%d@chaos.example.org", i) }

// place makes a program with a new copy of the database, and a relay that knows nothing.
func (s *site) place(ctx context.Context, dir string, settings ...string) (*program, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(s.dir, "template", "broadsheet.db"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "broadsheet.db"), data, 0o600); err != nil {
		return nil, err
	}
	if err := errors.Join(s.sink.setFaults(ctx, "{}"), s.sink.Reset(ctx)); err != nil {
		return nil, err
	}
	return &program{site: s, dir: dir, settings: settings}, nil
}

// program is broadsheet on one database.
type program struct {
	site     *site
	dir      string
	settings []string
	said     said // what operators saw
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	return trial.Command(ctx, p.site.broadsheet, p.dir, append([]string{
		"BASE_URL=https://letters.chaos.example.org", "ALLOW_PRIVATE_FEEDS=true", "CONFIRM_FROM=Chaos <hello@chaos.example.org>",
		"BRAKE_REFUSED=0", // faults refuse a twentieth
		"SMTP_URL=smtp://" + p.site.sink.SMTP, fmt.Sprintf("SMTP_CONNECTIONS=%d", p.site.connections),
	}, p.settings...), args...)
}

// output runs a command to its end, which has to be good, and returns what it printed.
func (p *program) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := p.command(ctx, args...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("broadsheet %s: %w\n%s%s", strings.Join(args, " "), err, out, problems.Bytes())
	}
	return out, nil
}

// start starts a command that goes on; what it says is kept.
func (p *program) start(ctx context.Context, args ...string) (*running, error) {
	cmd := p.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &running{cmd: cmd, ended: make(chan struct{})}
	go func() {
		r.err = cmd.Wait()
		close(r.ended)
	}()
	return r, nil
}

// send starts, or goes on with, the edition.
func (p *program) send(ctx context.Context) (*running, error) {
	return p.start(ctx, "send", slug, "--yes", "--wait", "30m")
}

// running is a command that was started.
type running struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
	err   error
}

func (r *running) isOver() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// said collects what a program says.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps the text.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// lines returns the lines that have the text in them.
func (s *said) lines(text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for line := range strings.Lines(s.text.String()) {
		if strings.Contains(line, text) {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return slices.Clip(list)
}

// articles returns five of the last hour.
func articles() []trial.Article {
	var list []trial.Article
	for n := range 5 {
		link := fmt.Sprintf("https://www.chaos.example.org/story-%d", n)
		list = append(list, trial.Article{
			Title: fmt.Sprintf("Harbour, part %d: the council widens the quay", n), Link: link, GUID: link,
			PubDate: time.Now().Add(-time.Hour).UTC().Format(time.RFC1123Z), Description: "Work begins in March and takes about two years.",
		})
	}
	return list
}
