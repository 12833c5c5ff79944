package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"broadsheet/internal/demo"
	"broadsheet/internal/desk"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
	"broadsheet/internal/web"

	"github.com/spf13/cobra"
)

// The addresses that the demo takes if they are free, so that they are easy to remember.
const (
	demoListen    = "127.0.0.1:8080"
	demoPublisher = "127.0.0.1:8090"
)

// The newsletters of the demo.
const (
	demoDaily  = "morning-edition"
	demoWeekly = "week-in-review"
)

func newDemoCommand(a *app) *cobra.Command {
	d := &demonstration{app: a}
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: groupStart,
		Short:   "Show the main job on this machine, with nothing to configure",
		Long: `Starts a sample publisher with a front page, articles and a feed, and the whole service
beside it; makes two newsletters; signs readers up by the form on an article page and
confirms them by the mail they get; sends the digest over SMTP to a mailbox on this
machine; prints the ledger, and then the addresses to look at.

Everything listens on this machine only. Nothing is kept when it ends, unless --keep
names a folder. Settings are not read.`,
		Example: `  broadsheet demo
  broadsheet demo --once
  broadsheet demo --feed https://news.example.org/feed`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&d.once, "once", false, "stop when the ledger is printed")
	cmd.Flags().StringVar(&d.feed, "feed", "", "use this feed instead of the sample publisher")
	cmd.Flags().StringVar(&d.keep, "keep", "", "keep database and mails in this folder")
	return cmd
}

// demonstration is one run of the demo.
type demonstration struct {
	*app
	once bool
	feed string
	keep string

	dir       string // with the database and the mailbox
	base      string // address of the service
	publisher *demo.Publisher
	services  *services
}

func (d *demonstration) run(ctx context.Context) (err error) {
	if err := d.makeFolder(); err != nil {
		return err
	}
	if d.keep == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	} else {
		// The mailbox server ends with the demo; what is kept goes on with its folder.
		defer func() {
			if d.base == "" { // it did not come to that
				return
			}
			_, settingsErr := d.writeSettings("outbox:"+d.mailbox(), strings.TrimPrefix(d.base, "http://"))
			err = errors.Join(err, settingsErr)
		}()
	}
	smtp, err := smtptest.Start(smtptest.Options{Pipelining: true, EightBitMIME: true, EnhancedStatusCodes: true, OnMessage: d.receive})
	if err != nil {
		return fmt.Errorf("the mailbox server: %w", err)
	}
	defer func() { err = errors.Join(err, smtp.Close()) }()
	listener, err := listenNear(ctx, demoListen)
	if err != nil {
		return err
	}
	d.base = "http://" + listener.Addr().String()
	stopPublisher, err := d.startPublisher(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, stopPublisher()) }()
	settings, err := d.writeSettings(smtp.URL(), listener.Addr().String())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s, err := d.openWith(ctx, settings, store.CreateIfMissing, d.logger(settings, true))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d.services = s
	defer func() { err = errors.Join(err, s.Close()) }()
	p, err := s.openPress()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return d.serve(ctx, &service{services: s, press: p, listener: listener, grace: newsletter.GraceTime, mailbox: folder(d.mailbox())})
}

// serve runs the service and plays the main job on it.
func (d *demonstration) serve(ctx context.Context, running *service) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() {
		err := running.run(ctx)
		stop(err)
		ended <- err
	}()
	err := d.play(ctx)
	if err == nil && !d.once {
		d.invite()
		<-ctx.Done()
	}
	stop(nil)
	return errors.Join(err, <-ended)
}

// play does the main job once: newsletters, readers, digest, ledger.
func (d *demonstration) play(ctx context.Context) error {
	daily, err := d.makeNewsletters(ctx)
	if err != nil {
		return err
	}
	d.say("Signing readers up by the form and confirming them by mail …")
	if err := d.signUpReaders(ctx); err != nil {
		return err
	}
	d.say("Sending %s over SMTP …", daily.Name)
	draft, err := d.services.desk.Build(ctx, desk.BuildOptions{Newsletter: daily.Slug, Cadence: newsletter.Daily})
	if err != nil {
		return err
	}
	e, err := d.services.desk.Start(ctx, draft, nil)
	if err != nil {
		return err
	}
	if err := d.services.desk.Carry(ctx, e.ID, time.Minute, nil); err != nil {
		return err
	}
	return d.printLedger(ctx, d.services, e.ID)
}

// makeNewsletters makes two newsletters that take the same source.
func (d *demonstration) makeNewsletters(ctx context.Context) (newsletter.Newsletter, error) {
	var daily newsletter.Newsletter
	feedURL := d.feed
	if d.publisher != nil {
		feedURL = d.publisher.FeedURL()
	}
	for _, n := range demoNewsletters() {
		text := func(s string) *string { return &s }
		edit := desk.NewsletterEdit{
			Name: text(n.Name), Description: text(n.Description), From: text(d.sender() + " <" + n.Slug + "@news.example.org>"),
			PostalAddress: text(d.sender() + ", 1 Sample Street, Anytown"), Zone: text("Europe/London"),
		}
		if n.Slug == demoDaily {
			edit.Daily = text("mon-fri 07:00")
		} else {
			edit.Weekly = text("fri 08:00")
		}
		made, err := d.services.desk.NewNewsletter(ctx, n.Slug, edit)
		if err != nil {
			return daily, err
		}
		if n.Slug == demoDaily {
			daily = made
		}
		added, err := d.services.desk.AddSource(ctx, feedURL, n.Slug, "")
		if err != nil {
			return daily, err
		}
		if added.Fetched.Err != nil {
			return daily, added.Fetched.Err
		}
		if d.publisher == nil {
			continue
		}
		for _, section := range [][]string{{"AI", "AI & Data"}, {"Payments"}, {"Supply chain", "Supply Chain"}, {"Stores"}} {
			if _, err := d.services.desk.AddSection(ctx, n.Slug, section[0], section); err != nil {
				return daily, err
			}
		}
	}
	d.say("Made two newsletters and read the feed %s", feedURL)
	return daily, nil
}

// sender is the publisher's name.
func (d *demonstration) sender() string {
	if d.publisher == nil {
		return "Broadsheet demo"
	}
	return demo.Name
}

func demoNewsletters() []demo.Newsletter {
	return []demo.Newsletter{
		{Slug: demoDaily, Name: "Morning Edition", Description: "What is new in the trade, every working day at seven."},
		{Slug: demoWeekly, Name: "Week in Review", Description: "The week's stories, on Friday at eight."},
	}
}

// invite tells the addresses to look at, and what to try.
func (d *demonstration) invite() {
	fields := [][2]string{{"Sign up", d.base + "/n/" + demoDaily}, {"Mailbox", d.base + "/outbox/"}}
	if d.publisher != nil {
		fields = append([][2]string{{"Front page", d.publisher.FrontPageURL()}, {"Article", d.publisher.ArticleURLs()[0]}}, fields...)
	}
	fmt.Fprintf(d.stdout, "\nOpen these in a browser:\n")
	d.printFields(fields)
	if d.publisher != nil {
		fmt.Fprintf(d.stdout, "\nTo publish another story, and then send every reader that and nothing else, in another terminal:\n")
		fmt.Fprintf(d.stdout, "  curl -X POST %s/publish\n  %s send %s --env-file %s\n",
			strings.TrimSuffix(d.publisher.FrontPageURL(), "/"), d.program(), demoDaily, d.envFilePath())
	}
	fmt.Fprintf(d.stdout, "\nCtrl-C ends the demo.\n")
}

// program is how the person can call this program again: "go run" leaves no binary behind.
func (d *demonstration) program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/broadsheet"
	}
	return os.Args[0]
}

func (d *demonstration) makeFolder() (err error) {
	if d.keep == "" {
		d.dir, err = os.MkdirTemp("", "broadsheet-demo-")
		return err
	}
	if d.dir, err = filepath.Abs(d.keep); err != nil {
		return err
	}
	if _, err := os.Stat(d.database()); !errors.Is(err, fs.ErrNotExist) {
		return newsletter.Conflictf("%s has a demo already; name another folder, or go on with that one: broadsheet serve --env-file %s", d.dir, d.envFilePath())
	}
	return os.MkdirAll(d.mailbox(), 0o700)
}

func (d *demonstration) database() string    { return filepath.Join(d.dir, "broadsheet.db") }
func (d *demonstration) mailbox() string     { return filepath.Join(d.dir, "mailbox") }
func (d *demonstration) envFilePath() string { return filepath.Join(d.dir, "demo.env") }

// writeSettings writes the demo's settings to a file, so that other commands can use them,
// and reads them from there, so that the environment plays no part.
func (d *demonstration) writeSettings(smtpURL, listen string) (Settings, error) {
	if err := os.MkdirAll(d.mailbox(), 0o700); err != nil {
		return Settings{}, err
	}
	lines := []string{
		"DATABASE_URL=sqlite:" + d.database(), "BASE_URL=" + d.base, "LISTEN=" + listen, "SMTP_URL=" + smtpURL,
		"ALLOW_PRIVATE_FEEDS=true", "LOG_LEVEL=warn", "SMTP_CONNECTIONS=4",
		`CONFIRM_FROM="` + d.sender() + ` <hello@news.example.org>"`,
	}
	content := settingPrefix + strings.Join(lines, "\n"+settingPrefix) + "\n"
	if err := os.WriteFile(d.envFilePath(), []byte(content), 0o600); err != nil {
		return Settings{}, err
	}
	return loadSettings(nil, d.envFilePath())
}

// receive puts a mail into the mailbox.
func (d *demonstration) receive(m smtptest.Received) {
	if _, err := mail.StoreMessage(d.mailbox(), m.At, m.From, m.To, m.Data); err != nil {
		d.warn("the mailbox could not keep a mail: %v", err)
	}
}

// startPublisher starts the sample publisher, unless a feed is given, and returns what stops it.
func (d *demonstration) startPublisher(ctx context.Context) (stop func() error, err error) {
	if d.feed != "" {
		return func() error { return nil }, nil
	}
	listener, err := listenNear(ctx, demoPublisher)
	if err != nil {
		return nil, err
	}
	d.publisher, err = demo.NewPublisher(demo.Options{
		SubscribeURL: d.base, BaseURL: "http://" + listener.Addr().String(), Now: d.now(), Newsletters: demoNewsletters(),
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := web.DefaultLimits().Server("", d.publisherPages())
	server.ErrorLog = nil
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return func() error {
		closeErr := server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(err, closeErr)
		}
		return closeErr
	}, nil
}

// publisherPages are the publisher's pages, and an address that lets it publish the next of
// its prepared stories.
func (d *demonstration) publisherPages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", d.publisher.Handler())
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		headline, ok := d.publisher.Publish(d.now())
		if !ok {
			http.Error(w, "There are no more prepared stories.", http.StatusGone)
			return
		}
		fmt.Fprintf(w, "Published: %s\n", headline)
	})
	return mux
}

// listenNear listens on the address, or on another port of this machine if it is taken.
func listenNear(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	if l, err := config.Listen(ctx, "tcp", address); err == nil {
		return l, nil
	}
	return config.Listen(ctx, "tcp", "127.0.0.1:0")
}

// bodyOf reads a page and closes it.
func bodyOf(resp *http.Response) (string, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return string(body), errors.Join(err, resp.Body.Close())
}
