package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"broadsheet/internal/bounce/listener"
	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/schedule"
	"broadsheet/internal/store"
	"broadsheet/internal/web"
	"broadsheet/templates"

	"github.com/spf13/cobra"
)

// The times of a service.
const (
	scheduleEvery = 5 * time.Second  // between two looks at what is due
	tidyEvery     = 10 * time.Second // between two looks for editions that have just ended
	pruneEvery    = time.Hour        // between two removals of what nothing looks at any more
	closeTime     = 15 * time.Second // for requests that are under way when the service ends
	checkTime     = 3 * time.Second  // for serve --check
)

func newServeCommand(a *app) *cobra.Command {
	var check bool
	var grace time.Duration
	cmd := &cobra.Command{
		Use:     "serve",
		GroupID: groupWork,
		Short:   "Run the service: pages, API, polling, schedule and sending",
		Long: `Runs everything in one process until it is stopped: the pages where readers sign up and
leave, the API, the polling of sources, the schedule, and the sending.

It brings an older database to its version first, after a backup. A slot that was due
while nobody served is made up once, if it is not later than --grace; otherwise it is
recorded as missed. Ctrl-C or SIGTERM finishes what is in flight; after a kill or a power
cut the next start goes on where this one was.

Once, and once more when it is over, it tells what is late or failing: in the log, by mail to
BROADSHEET_STAFF_EMAIL, and to the web hook BROADSHEET_ALARM_URL. After each slot that was
handled it calls BROADSHEET_HEARTBEAT_URL. /metrics is for Prometheus: on this machine, and
elsewhere with the bearer token BROADSHEET_METRICS_TOKEN.

It takes what comes back on BROADSHEET_BOUNCE_LISTEN, from the mailbox BROADSHEET_BOUNCE_IMAP,
and by web hooks below /hooks/; docs/bounces.md says how to set each of them up.

--check asks a running service on this machine whether it is well, for health checks.`,
		Example: `  broadsheet serve
  BROADSHEET_LISTEN=:8080 BROADSHEET_BASE_URL=https://letters.example.org broadsheet serve
  broadsheet serve --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return a.checkService(cmd.Context())
			}
			if grace < 0 {
				return newsletter.Invalidf("grace", "cannot be less than 0")
			}
			return a.serve(cmd.Context(), grace)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "ask a running service whether it is well")
	cmd.Flags().DurationVar(&grace, "grace", newsletter.GraceTime, "how late a slot is made up")
	return cmd
}

// checkService asks /readyz of the service that listens on this machine.
func (a *app) checkService(ctx context.Context) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(settings.Listen)
	if err != nil {
		return renamed(err, "LISTEN")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	address := "http://" + net.JoinHostPort(host, port) + "/readyz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the service does not answer: %w", err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the service at %s is not well: it answers %s", address, resp.Status)
	}
	a.say("The service at %s is well.", address)
	return nil
}

func (a *app) serve(ctx context.Context, grace time.Duration) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	log := a.logger(settings, true)
	s, err := a.openWith(ctx, settings, store.CreateOrMigrate, log)
	if err != nil {
		return err
	}
	s.actor = "schedule"
	p, err := s.openPress()
	if err == nil {
		err = s.refuseSending(ctx, p)
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	if err := s.store.RemoveLeftovers(); err != nil {
		log.Warn("what a restore left behind could not be removed; it holds readers' data: remove it by hand, as root if need be", "error", err)
	}
	// Who wants to leave must be able to, so the service runs; it is the slots that are refused.
	if err := s.refuseUnnamed(ctx, ""); err != nil {
		log.Warn("not every newsletter can be sent", "error", err)
	}
	if err := s.desk.PauseUnnamed(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	pages, err := (&net.ListenConfig{}).Listen(ctx, "tcp", settings.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("%sLISTEN %s: %w; is the port another program's?", settingPrefix, settings.Listen, err), s.Close())
	}
	service := &service{services: s, press: p, listener: pages, grace: grace, mailbox: settings.outbox()}
	if settings.BounceListen != "" {
		if service.bounces, err = s.listenForBounces(ctx); err != nil {
			return errors.Join(err, pages.Close(), s.Close())
		}
	}
	if service.mailbox != nil && !loopbackListener(pages) {
		service.mailbox = nil // what is in the outbox is for whoever sits at this machine
	}
	return errors.Join(service.run(ctx), s.Close())
}

// service is everything that serve runs.
type service struct {
	*services
	press    *press
	listener net.Listener
	bounces  *listener.Server // nil: what comes back does not come to us
	grace    time.Duration
	mailbox  web.Mailbox // nil: none is shown
	watch    *watch      // run makes it

	backupAgain time.Time // a backup failed: when it is tried again
}

// run serves until ctx ends, and returns when nothing is in flight any more.
func (s *service) run(ctx context.Context) error {
	var handler http.Handler
	watch, err := newWatch(s.services, s.press)
	if err == nil {
		s.watch = watch
		handler, err = s.handler()
	}
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	if runs, err := s.store.ServiceRuns(ctx); err == nil && runs {
		s.log.Warn("another service runs on this database; one of them sends, and both build what is due, once", "database", s.store.Path())
	}
	announced, err := s.store.AnnounceService(ctx)
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	defer announced.Close() // the process's end closes it too
	defer s.watch.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	limits := web.DefaultLimits()
	server := limits.Server(s.settings.Listen, s.noticeForwarded(ctx, handler))
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)
	s.log.Info("serving", "address", "http://"+s.listener.Addr().String(), "base_url", s.settings.BaseURL,
		"database", s.store.Path(), "relay", s.press.transport.String(), "version", version)

	var parts sync.WaitGroup
	parts.Go(func() {
		if err := server.Serve(limits.Listener(s.listener, s.settings.Proxies)); !errors.Is(err, http.ErrServerClosed) {
			stop(fmt.Errorf("web server: %w", err))
		}
	})
	parts.Go(func() {
		if err := s.press.engine.Serve(ctx); err != nil {
			stop(fmt.Errorf("sender: %w", err))
		}
	})
	parts.Go(func() { s.schedule().Run(ctx) })
	parts.Go(func() {
		if err := s.takeBounces(ctx); err != nil {
			stop(fmt.Errorf("what comes back: %w", err))
		}
	})

	<-ctx.Done()
	s.log.Info("stopping: what is in flight is finished")
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	err = server.Shutdown(closing)
	parts.Wait()
	s.log.Info("stopped")
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	return err
}

func (s *service) handler() (http.Handler, error) {
	fsys, err := templates.FS(s.settings.Templates)
	if err != nil {
		return nil, err
	}
	return web.New(web.Options{
		Readers: s.press.readers, WriteRecord: func(ctx context.Context, record *readers.Record, w io.Writer) error {
			return s.app.writeRecord(ctx, s.press.readers, record, w)
		},
		BaseURL: s.settings.BaseURL, TrustedProxies: s.settings.Proxies,
		Archive: &desk.Archive{Store: s.store}, Approvals: s.desk, Mailbox: s.mailbox, Templates: fsys, Logger: s.log, Now: s.app.now, Health: s.store.Ping, Version: version, Hooks: s.hooks(),
		Metrics: &web.Metrics{Token: s.settings.MetricsToken, Read: (&meters{services: s.services, alarms: s.watch.alarms.Open}).read},
	})
}

func (s *service) schedule() *schedule.Schedule {
	return &schedule.Schedule{
		Desk: restoredDesk{s.desk, s.store}, Grace: s.grace, Every: scheduleEvery, Logger: s.log,
		Jobs: append(s.watch.jobs(),
			schedule.Job{Name: "counters", Every: pruneEvery, Do: func(ctx context.Context) error {
				return s.press.readers.Prune(ctx, s.app.now())
			}},
			schedule.Job{Name: "journal", Every: journalEvery, Do: s.flushJournal},
			schedule.Job{Name: "backups", Every: backupEvery, Do: s.backUp},
			schedule.Job{Name: "totals of editions", Every: tidyEvery, Do: s.desk.Tidy},
			schedule.Job{Name: "what is kept about people", Every: pruneEvery, Do: s.forget},
			schedule.Job{Name: "rows of old editions", Every: pruneEvery, Do: func(ctx context.Context) error {
				_, err := s.desk.PruneDeliveries(ctx, s.settings.KeepDeliveries)
				return err
			}}),
	}
}

func loopbackListener(l net.Listener) bool {
	address, ok := l.Addr().(*net.TCPAddr)
	return ok && address.IP.IsLoopback()
}
