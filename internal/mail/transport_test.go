package mail

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

func TestParseTransport(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"outbox:outbox":                               "outbox:outbox",
		"outbox:/var/lib/mail":                        "outbox:/var/lib/mail",
		"smtp://relay.example.org":                    "smtp://relay.example.org:587 (TLS required)",
		"smtp://u:secret@Relay.example.org:2525":      "smtp://u@relay.example.org:2525 (TLS required)",
		"smtps://u%40x:secret%2F@relay.example.org":   "smtps://u@x@relay.example.org:465 (TLS required)",
		"smtp://localhost:25":                         "smtp://localhost:25 (TLS opportunistic)",
		"smtp://127.0.0.1:25?tls=required":            "smtp://127.0.0.1:25 (TLS required)",
		"smtp://[::1]:25/":                            "smtp://[::1]:25 (TLS opportunistic)",
		"smtps://localhost":                           "smtps://localhost:465 (TLS required)",
		"smtp://relay.example.org:25?tls=none":        "smtp://relay.example.org:25 (TLS none)",
		" smtp://relay.example.org?tls=opportunistic": "smtp://relay.example.org:587 (TLS opportunistic)",
	} {
		got, err := ParseTransport(raw, Options{})
		if err != nil || got.String() != want || got.Real() == strings.HasPrefix(raw, "outbox") {
			t.Errorf("%s gives %v, %v; want %s", raw, got, err, want)
		}
	}
}

func TestParseTransport_SaysWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for raw, says := range map[string]string{
		"":                         "smtp://user:password@host:587",
		"relay.example.org":        "smtp://user:password@host:587",
		"http://relay.example.org": "smtp, smtps or outbox",
		"outbox:":                  "outbox:outbox",
		"smtp://":                  "host is missing",
		"smtp:relay.example.org":   "host is missing",
		"smtp://relay:port":        "%40",
		"smtp://relay:99999":       "is not a port",
		"smtp://u:se cret@relay":   "%40",
		"smtp://u:se/cret@relay":   "%40",
		"smtp://u:secret@relay/x":  "%2F",
		"smtp://u@relay":           "both user and password",
		"smtp://relay?tls=maybe":   "required, opportunistic or none",
		"smtps://relay?tls=none":   "smtp://host:25?tls=none",
	} {
		_, err := ParseTransport(raw, Options{})
		if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%q gives %v, want an error with %q and without the password", raw, err, says)
		}
	}
}
