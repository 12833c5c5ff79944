package main

import (
	"net/url"
	"strings"

	"broadsheet/internal/mail"
)

// minMetricsToken is how long the token for /metrics has to be: it is all that keeps others out.
const minMetricsToken = 16

// checkWatch checks the settings of alarms and monitoring. Addresses may hold secrets, so no
// message repeats one.
func (s *Settings) checkWatch(add func(name, format string, args ...any)) {
	if s.StaffEmail != "" {
		var err error
		if s.Staff, err = mail.ParseMailbox(s.StaffEmail); err != nil {
			add("STAFF_EMAIL", "%s", fieldMessage(err))
		}
	}
	for _, setting := range [][2]string{{"ALARM_URL", s.AlarmURL}, {"HEARTBEAT_URL", s.HeartbeatURL}} {
		name, address := setting[0], setting[1]
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			add(name, "has to be a web address, such as https://monitor.example.org/…")
		case u.Scheme == "http" && !loopbackHost(u.Hostname()):
			add(name, "has to begin with https:// unless it is on this machine: there may be a secret in it")
		}
	}
	if t := s.MetricsToken; t != "" && (len(t) < minMetricsToken || strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' })) {
		add("METRICS_TOKEN", "has to be at least %d letters, digits and signs; \"openssl rand -hex 24\" makes one", minMetricsToken)
	}
}
