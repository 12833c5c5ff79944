package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"broadsheet/internal/newsletter"
)

// readingTime is how long finding out how the service does may take.
const readingTime = 8 * time.Second

// Metrics is what /metrics needs.
type Metrics struct {
	// Token opens /metrics to other machines, as a bearer token; empty: to this one only.
	Token string
	// Read returns how the service does now. It is asked at each scrape.
	Read func(context.Context) (Reading, error)
}

// Reading is how the service does, in numbers. Nothing in it names a person.
type Reading struct {
	Alarms      map[newsletter.AlarmKind]int
	SlotsLate   int
	NextSlot    time.Time // zero: none is scheduled
	LastHandled time.Time // zero: none was in the last days
	Editions    []EditionReading
	Waiting     int     // deliveries of all editions that are not carried out
	Rate        float64 // messages a second, lately
	Connections int     // to relays
	Mails       int
	MailsAge    time.Duration
	SignUps     int // in the last hour
	Sources     int
	Failing     int // of the sources
	Readers     []ReadersReading
	Returned    []newsletter.ReturnCount
	Database    int64 // octets
	DiskFree    int64 // octets
}

// EditionReading is the ledger of the last edition of a newsletter and slot.
type EditionReading struct {
	Newsletter string
	Cadence    newsletter.Cadence
	Slot       string // whose edition it is
	Counts     map[newsletter.State]int
}

// ReadersReading is how many subscriptions a newsletter has in each state.
type ReadersReading struct {
	Newsletter string
	Counts     map[newsletter.SubscriptionState]int
}

// meters count requests, and answer /metrics.
type meters struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	handler  http.Handler
}

func newMeters(m Metrics, version string, log *slog.Logger) *meters {
	registry := prometheus.NewRegistry() // our own: the library's is global
	ms := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broadsheet_http_requests_total", Help: "Requests that were answered, by route and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "broadsheet_http_request_duration_seconds", Help: "How long answering took, by route.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10},
		}, []string{"route"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "broadsheet_build_info", Help: "Always 1; its label is the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	registry.MustRegister(ms.requests, ms.duration, info, &readingCollector{read: m.Read, log: log},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ms.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 3})
	return ms
}

// saw counts a request. The route is the pattern and never the address, which holds tokens.
func (ms *meters) saw(method, route string, status int, took time.Duration) {
	if ms == nil {
		return
	}
	ms.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	ms.duration.WithLabelValues(route).Observe(took.Seconds())
}

func (a *app) metrics(c echo.Context) error {
	a.meters.handler.ServeHTTP(c.Response(), c.Request())
	return nil
}

// onlyMonitors lets a request through that was made on this machine, or that has the token.
// For all others the page is not there.
func (a *app) onlyMonitors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !fromHere(r) && !a.hasMetricsToken(r) {
			return echo.ErrNotFound
		}
		return next(c)
	}
}

func (a *app) hasMetricsToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	// Hashes have one length, so that the time tells nothing.
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.Metrics.Token))
	return a.Metrics.Token != "" && strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// readingCollector asks how the service does at each scrape.
type readingCollector struct {
	read func(context.Context) (Reading, error)
	log  *slog.Logger
}

// Describe sends nothing: what is collected depends on which newsletters there are.
func (*readingCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the numbers. If they cannot be found out, broadsheet_reading_ok says so.
func (rc *readingCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readingTime)
	defer cancel()
	reading, err := rc.read(ctx)
	ok := 1.0
	if err != nil {
		ok = 0
		rc.log.Warn("the numbers for /metrics could not be found out", "error", err)
	} else {
		reading.send(ch)
	}
	gauge(ch, "reading_ok", "Whether the numbers of the newsroom could be found out.", ok)
}

// gauge sends one number; labels are names and values in turn.
func gauge(ch chan<- prometheus.Metric, name, help string, value float64, labels ...string) {
	metric(ch, prometheus.GaugeValue, name, help, value, labels...)
}

func metric(ch chan<- prometheus.Metric, kind prometheus.ValueType, name, help string, value float64, labels ...string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	desc := prometheus.NewDesc("broadsheet_"+name, help, names, nil)
	ch <- prometheus.MustNewConstMetric(desc, kind, value, values...)
}

func (r Reading) send(ch chan<- prometheus.Metric) {
	for _, kind := range newsletter.AlarmKinds() {
		gauge(ch, "alarms", "What is wrong now, by kind.", float64(r.Alarms[kind]), "kind", string(kind))
	}
	gauge(ch, "slots_late", "Slots that are due and not built.", float64(r.SlotsLate))
	if !r.NextSlot.IsZero() {
		gauge(ch, "next_slot_timestamp_seconds", "When the next slot is due.", float64(r.NextSlot.Unix()))
	}
	if !r.LastHandled.IsZero() {
		gauge(ch, "last_slot_handled_timestamp_seconds", "When the last slot was handled: carried out, or nothing was to be sent.", float64(r.LastHandled.Unix()))
	}
	for _, e := range r.Editions {
		for _, state := range newsletter.States() {
			gauge(ch, "edition_deliveries", "The ledger of the last edition of each newsletter and slot, by state.",
				float64(e.Counts[state]), "newsletter", e.Newsletter, "cadence", string(e.Cadence), "slot", e.Slot, "state", state.String())
		}
	}
	gauge(ch, "deliveries_waiting", "Deliveries of all editions that are still to be made.", float64(r.Waiting))
	gauge(ch, "send_rate", "Messages a second that relays accept, lately.", r.Rate)
	gauge(ch, "relay_connections", "Connections to relays that carry editions.", float64(r.Connections))
	gauge(ch, "mails_waiting", "Confirmation mails that wait.", float64(r.Mails))
	gauge(ch, "mails_oldest_seconds", "How long the oldest of them has been waiting.", r.MailsAge.Seconds())
	gauge(ch, "sign_ups_last_hour", "Sign-ups in the last hour.", float64(r.SignUps))
	gauge(ch, "sources", "Sources, by whether they answer.", float64(r.Failing), "state", "failing")
	gauge(ch, "sources", "Sources, by whether they answer.", float64(r.Sources-r.Failing), "state", "fine")
	for _, n := range r.Readers {
		for _, state := range []newsletter.SubscriptionState{newsletter.Pending, newsletter.Active, newsletter.PausedSub, newsletter.Left} {
			gauge(ch, "subscriptions", "Subscriptions by state.", float64(n.Counts[state]), "newsletter", n.Newsletter, "state", string(state))
		}
	}
	for _, c := range r.Returned {
		metric(ch, prometheus.CounterValue, "returned_total", "Messages that came back, by kind and channel; those of kind unknown have no return path of ours.",
			float64(c.Count), "kind", string(c.Kind), "channel", c.Channel)
	}
	gauge(ch, "database_bytes", "Size of the database, its log included.", float64(r.Database))
	gauge(ch, "disk_free_bytes", "What is free on the disk of the database.", float64(r.DiskFree))
}
