package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"broadsheet/internal/trial"
)

// slug is the newsletter that is sent.
const slug = "bench"

// site is the publisher around the program that is measured: a feed, and databases with readers. Everything goes
// through the program's own commands.
type site struct {
	program   string
	dir       string // of everything that is made
	feed      *feed
	templates map[int]string // folders with a database of so many readers, whom nothing was sent
	made      int            // folders
}

func newSite(ctx context.Context, o options) (*site, error) {
	program, err := filepath.Abs(o.broadsheet)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("the program to measure: %w; `make build` builds it", err)
	}
	dir, err := os.MkdirTemp(o.dir, "broadsheet-bench-")
	if err != nil {
		return nil, err
	}
	f, err := startFeed(ctx, o.articles)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &site{program: program, dir: dir, feed: f, templates: map[int]string{}}, nil
}

func (s *site) close() error { return errors.Join(s.feed.Close(), os.RemoveAll(s.dir)) }

// folder makes a new folder.
func (s *site) folder(name string) (string, error) {
	s.made++
	dir := filepath.Join(s.dir, fmt.Sprintf("%s-%d", name, s.made))
	return dir, os.Mkdir(dir, 0o755)
}

// command returns a command of the program on the database of a folder.
func (s *site) command(ctx context.Context, dir string, settings []string, args ...string) *exec.Cmd {
	return trial.Command(ctx, s.program, dir, append([]string{
		"DATABASE_URL=sqlite:broadsheet.db", "BASE_URL=https://letters.bench.example.org", "ALLOW_PRIVATE_FEEDS=true",
		"CONFIRM_FROM=Bench <hello@bench.example.org>",
	}, settings...), args...)
}

// newsroom makes a database with a newsletter, its feed and so many readers, and returns what importing them used.
func (s *site) newsroom(ctx context.Context, dir string, readers int) (usage, error) {
	s.feed.publish(false)
	// Due in twelve hours, so that serve builds nothing by itself.
	due := time.Now().UTC().Add(12 * time.Hour).Format("15:04")
	for _, args := range [][]string{
		{
			"newsletter", "create", slug, "--name", "The Daily Bench", "--from", "The Daily Bench <news@bench.example.org>",
			"--postal-address", "1 Example Street, London", "--daily", "mon-sun " + due, "--max-articles", "30",
			"--privacy-url", "https://bench.example.org/privacy", "--legal-footer", "The Daily Bench exists to be measured.",
		},
		{"source", "add", s.feed.URL, "--newsletter", slug},
	} {
		if _, _, err := measure(s.command(ctx, dir, nil, args...)); err != nil {
			return usage{}, err
		}
	}
	file := filepath.Join(dir, "readers.csv")
	if err := writeReaders(file, readers); err != nil {
		return usage{}, err
	}
	u, out, err := measure(s.command(ctx, dir, nil, "subscriber", "import", file, "--newsletter", slug, "--consent", "bench", "--json"))
	if err != nil {
		return u, err
	}
	var got struct{ Added int }
	if err := json.Unmarshal(out, &got); err != nil || got.Added != readers {
		return u, fmt.Errorf("the import added %d of %d readers: %w", got.Added, readers, err)
	}
	return u, os.Remove(file)
}

func writeReaders(name string, n int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "email,name")
	for i := range n {
		fmt.Fprintf(w, "%c%d@bench.example.org,Reader %d\n", kindReader, i, i)
	}
	return errors.Join(w.Flush(), f.Close())
}

// copy returns a new folder with a database of so many readers, whom nothing was sent.
func (s *site) copy(ctx context.Context, readers int) (string, error) {
	from, ok := s.templates[readers]
	if !ok {
		var err error
		if from, err = s.folder("template"); err != nil {
			return "", err
		}
		if _, err := s.newsroom(ctx, from, readers); err != nil {
			return "", err
		}
		s.templates[readers] = from
	}
	to, err := s.folder("copy")
	if err != nil {
		return "", err
	}
	return to, copyFile(filepath.Join(from, "broadsheet.db"), filepath.Join(to, "broadsheet.db"))
}

// copyFile copies durably, so that nobody else's commit has to write it out.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // it was only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// databaseSize returns the bytes of a folder's database.
func databaseSize(dir string) int64 {
	size := int64(0)
	for _, name := range []string{"broadsheet.db", "broadsheet.db-wal"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			size += info.Size()
		}
	}
	return size
}

// feed is a feed with an old article, and with new ones once they are published.
type feed struct {
	*trial.Feed
	articles int
	news     atomic.Bool
}

func startFeed(ctx context.Context, articles int) (f *feed, err error) {
	f = &feed{articles: articles}
	f.Feed, err = trial.StartFeed(ctx, "The Daily Bench", "https://www.bench.example.org/", f.list)
	return f, err
}

func (f *feed) publish(news bool) { f.news.Store(news) }

// summary makes a message of about 22 kB of twelve articles.
const summary = "The council voted on Tuesday to widen the northern quay by forty metres, a plan that shipping firms had " +
	"asked for since the spring; work begins in March and takes about two years."

// list returns the articles that the feed has now.
func (f *feed) list() []trial.Article {
	var list []trial.Article
	add := func(n int, at time.Time) {
		link := fmt.Sprintf("https://www.bench.example.org/2026/harbour/story-%d-the-council-widens-the-northern-quay", n)
		list = append(list, trial.Article{
			Title: fmt.Sprintf("Harbour, part %d: the council widens the northern quay by forty metres", n),
			Link:  link, GUID: link, PubDate: at.UTC().Format(time.RFC1123Z), Description: summary,
		})
	}
	add(0, time.Now().Add(-5*24*time.Hour))
	for n := range f.articles {
		if f.news.Load() {
			add(n+1, time.Now().Add(-time.Minute))
		}
	}
	return list
}
