package web

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

const metricsToken = "0123456789abcdef0123"

func withMetrics(token string, err error) func(*Options) {
	return func(o *Options) {
		o.Metrics = &Metrics{Token: token, Read: func(context.Context) (Reading, error) {
			return Reading{
				Alarms: map[newsletter.AlarmKind]int{newsletter.AlarmLate: 2}, LastHandled: time.Unix(1000, 0),
				Editions: []EditionReading{{Newsletter: "daily-news", Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Counts: map[newsletter.State]int{newsletter.Accepted: 7}}},
				Readers:  []ReadersReading{{Newsletter: "daily-news", Counts: map[newsletter.SubscriptionState]int{newsletter.Active: 3}}},
				Returned: []newsletter.ReturnCount{{Kind: newsletter.ReturnHard, Channel: "smtp", Count: 12}},
				Sources:  3, Failing: 1, Database: 4096,
			}, err
		}}
	}
}

func TestMetrics_AreForThisMachineAndForTheToken(t *testing.T) {
	t.Parallel()
	open := newFakeSite(t, &fake{}, withMetrics("", nil))
	locked := newFakeSite(t, &fake{}, withMetrics(metricsToken, nil))
	none := newFakeSite(t, &fake{})
	for name, tt := range map[string]struct {
		site   *site
		header []string
		status int
	}{
		"here":                      {open, nil, 200},
		"here, with a token set":    {locked, nil, 200},
		"by a proxy":                {open, []string{"X-Forwarded-For", "192.0.2.1"}, 404},
		"by a proxy, without token": {locked, []string{"X-Forwarded-For", "192.0.2.1"}, 404},
		"by another name":           {locked, []string{"Host", "letters.example.org"}, 404},
		"with the token":            {locked, []string{"Host", "letters.example.org", "Authorization", "Bearer " + metricsToken}, 200},
		"in small letters":          {locked, []string{"Via", "1.1 x", "Authorization", "bearer " + metricsToken}, 200},
		"with another token":        {locked, []string{"Via", "1.1 x", "Authorization", "Bearer " + metricsToken + "4"}, 404},
		"with half of it":           {locked, []string{"Via", "1.1 x", "Authorization", "Bearer " + metricsToken[:16]}, 404},
		"by another scheme":         {locked, []string{"Via", "1.1 x", "Authorization", "Basic " + metricsToken}, 404},
		"empty token, none set":     {open, []string{"Via", "1.1 x", "Authorization", "Bearer "}, 404},
		"no header, none set":       {open, []string{"Via", "1.1 x"}, 404},
		"where there are none":      {none, nil, 404},
	} {
		if a := tt.site.get("/metrics", tt.header...); a.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", name, a.StatusCode, tt.status)
		}
	}
}

func TestMetrics_AreNumbersInPrometheusFormat(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{}, withMetrics("", nil))
	s.get("/nowhere/at/all").want(404)
	a := s.get("/metrics").want(200)
	for _, want := range []string{
		`broadsheet_alarms{kind="late"} 2`, `broadsheet_alarms{kind="stuck"} 0`,
		`broadsheet_last_slot_handled_timestamp_seconds 1000`,
		`broadsheet_edition_deliveries{cadence="daily",newsletter="daily-news",slot="main",state="accepted"} 7`,
		`broadsheet_edition_deliveries{cadence="daily",newsletter="daily-news",slot="main",state="in_doubt"} 0`,
		`broadsheet_subscriptions{newsletter="daily-news",state="active"} 3`,
		`broadsheet_sources{state="failing"} 1`, `broadsheet_sources{state="fine"} 2`,
		`broadsheet_returned_total{channel="smtp",kind="hard"} 12`, `# TYPE broadsheet_returned_total counter`,
		`broadsheet_database_bytes 4096`, `broadsheet_reading_ok 1`,
		`broadsheet_http_requests_total{method="GET",route="none",status="404"} 1`,
		`broadsheet_http_request_duration_seconds_count{route="none"} 1`,
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(a.body, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	line := regexp.MustCompile(`^(#.*|[a-z][a-z0-9_]*(\{[^}]*\})? [-+0-9.e]+|.* (NaN|\+Inf))$`)
	for l := range strings.Lines(a.body) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("the line %q", l)
		}
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("the log: %s", s.log)
	}
}

func TestMetrics_SayWhenTheyCannotBeFoundOut(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{}, withMetrics("", errors.New("disk I/O error")))
	a := s.get("/metrics").want(200).lacks("disk I/O", "broadsheet_alarms")
	if !strings.Contains(a.body, "broadsheet_reading_ok 0") || !strings.Contains(s.log.String(), "disk I/O error") {
		t.Errorf("metrics: %s\nlog: %s", a.body, s.log)
	}
}

func TestMetrics_HoldNothingAboutAReader(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMetrics("", nil))
	token := s.signUp("anna@example.org", s.daily.Slug)
	s.get("/confirm/" + token).want(200)
	s.post("/confirm/"+token, nil).want(200)
	s.get("/confirm/anna@example.org?email=anna@example.org").want(404)
	s.get("/manage/" + s.link(newsletter.PurposeManage, s.subscriber("anna@example.org"), s.daily)).want(200)
	s.do("ANNA", "/anna@example.org", "", "")
	s.post("/unsubscribe/"+s.link(newsletter.PurposeUnsubscribe, s.subscriber("anna@example.org"), s.daily), url.Values{"List-Unsubscribe": {"One-Click"}}).want(200)
	a := s.get("/metrics").want(200).lacks("anna", "ANNA", "example.org", "@", token, token[:12])
	if !strings.Contains(a.body, `route="/confirm/:token"`) || !strings.Contains(a.body, `method="other"`) {
		t.Errorf("what is counted: %s", a.body)
	}
}
