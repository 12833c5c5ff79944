package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"golang.org/x/term"
)

// app is what all commands share: where they read and print, and the global flags.
type app struct {
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time

	json, quiet bool
	envFile     string
	started     bool // a command has begun, so what fails is not its usage
	answered    bool // the refusal is printed as JSON already
}

// services is what a command works with. Close it when done.
type services struct {
	settings    Settings
	log         *slog.Logger
	store       *store.Store
	keys        newsletter.KeyRing
	suppression newsletter.SuppressionKey
	feeds       *feed.Client
	desk        *desk.Desk
	press       *press // nil: the desk cannot build or send editions

	app   *app
	actor string
}

// settings reads the settings. With an error that names wrong ones they are returned as well.
func (a *app) settings() (Settings, error) { return loadSettings(a.env, a.envFile) }

// open reads the settings and opens the database; mode says what may happen to it.
func (a *app) open(ctx context.Context, mode store.Mode) (*services, error) {
	settings, err := a.settings()
	if err != nil {
		return nil, err
	}
	return a.openWith(ctx, settings, mode, a.logger(settings, false))
}

// openWith is open with settings and a logger that the command has already.
func (a *app) openWith(ctx context.Context, settings Settings, mode store.Mode, log *slog.Logger) (*services, error) {
	db, err := store.Open(ctx, settings.DatabasePath, mode)
	if err != nil {
		return nil, err
	}
	s := &services{settings: settings, log: log, store: db, app: a, actor: a.actor(), feeds: newFeeds(settings, a.now)}
	if s.keys, s.suppression, err = db.Keys(ctx, a.now(), rand.Reader); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.useJournal()
	s.desk = s.newDesk(desk.Press{})
	return s, nil
}

// newDesk returns a desk with what building and sending needs.
func (s *services) newDesk(press desk.Press) *desk.Desk {
	return desk.New(s.store, s.feeds, desk.Options{
		Now: s.app.now, Actor: s.actor, BaseURL: s.settings.BaseURL, Logger: s.log, Press: press,
		ConfirmFrom: s.settings.Confirm.Email, SignUps: s.settings.signUpLimits(),
	})
}

// Close closes the database.
func (s *services) Close() error { return s.store.Close() }

// with opens the database, runs f, and closes it again.
func (a *app) with(ctx context.Context, mode store.Mode, f func(*services) error) error {
	s, err := a.open(ctx, mode)
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}

func newFeeds(settings Settings, now func() time.Time) *feed.Client {
	return feed.NewClient(feed.Options{
		AllowPrivate: settings.AllowPrivateFeeds, Labels: settings.Labels, Now: now,
		UserAgent: "Broadsheet/" + version + " (newsletter service; +" + settings.BaseURL + ")",
	})
}

// logger returns the logger to stderr. A command that is not the service says what it does
// by what it prints, so it logs warnings only, unless LOG_LEVEL is set.
func (a *app) logger(s Settings, service bool) *slog.Logger {
	level := s.Level
	if !service && level < slog.LevelWarn && s.isDefault("LOG_LEVEL") {
		level = slog.LevelWarn
	}
	o := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, o))
	}
	return slog.New(slog.NewTextHandler(a.stderr, o))
}

func (s *Settings) isDefault(name string) bool {
	for _, l := range s.listed {
		if l.Name == settingPrefix+name {
			return l.IsDefault
		}
	}
	return false
}

// actor names who runs the command, for the record of what was done.
func (a *app) actor() string {
	environ := environMap(a.env)
	for _, name := range []string{"SUDO_USER", "LOGNAME", "USER"} {
		if v := environ[name]; v != "" && len(v) <= 64 {
			return "cli:" + v
		}
	}
	if u, err := user.Current(); err == nil {
		return "cli:" + u.Username
	}
	return "cli:" + strconv.Itoa(os.Getuid())
}

// interactive reports whether a person sits at the command and can be asked.
func (a *app) interactive() bool {
	return isTerminal(a.stdin) && isTerminal(a.stderr) && !a.json
}

// answers reads what a person types, until ctx ends: without that, Ctrl-C at a question would
// wait for the answer.
func (a *app) answers(ctx context.Context) *bufio.Reader {
	return bufio.NewReader(&interruptible{ctx: ctx, from: a.stdin})
}

// interruptible is a reader whose Read ends when ctx does. What was being read then is lost.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		buffer := make([]byte, len(p))
		n, err := r.from.Read(buffer)
		done <- result{buffer[:n], err}
	}()
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case got := <-done:
		return copy(p, got.data), got.err
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
