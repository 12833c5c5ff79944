package mail_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/mail"
)

func TestParseRelays_InTheOrderOfUseWithTheirLimits(t *testing.T) {
	t.Parallel()
	usual := mail.Limits{Connections: 10, Age: 10 * time.Minute}
	relays, err := mail.ParseRelays(
		"smtp://user:p,w@a.example.org?connections=5&rate=20.5&messages=100&age=5m, smtps://b.example.org, smtp://127.0.0.1:2525?tls=none",
		usual, mail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []mail.Limits{{Connections: 5, Rate: 20.5, Messages: 100, Age: 5 * time.Minute}, usual, usual}
	for i, r := range relays {
		if !reflect.DeepEqual(r.Limits, want[i]) {
			t.Errorf("relay %d has %+v, want %+v", i, r.Limits, want[i])
		}
	}
	if got := relays.String(); got != "smtp://user@a.example.org:587 (TLS required), then smtps://b.example.org:465 (TLS required), then smtp://127.0.0.1:2525 (TLS none)" {
		t.Errorf("they are called %s", got)
	}
	if box, err := mail.ParseRelays("outbox:box", usual, mail.Options{}); err != nil || box.Real() {
		t.Errorf("the outbox: %v, %v", box, err)
	}
}

func TestParseRelays_SaysWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"smtp://relay?starttls=yes":                    "?tls=required",
		"smtp://relay?rate=1&rate=2":                   "each once",
		"smtp://a:pass@relay?connections=0":            "1 to 200",
		"smtp://relay?rate=-1":                         "over 0",
		"smtp://relay?messages=no":                     "from 1",
		"smtp://relay?age=5":                           "such as 5m",
		"smtp://a,outbox:box":                          "cannot stand beside",
		"outbox:box, smtp://a":                         "cannot stand beside",
		"smtp://a,ftp://b":                             "port",
		"smtp://user:secret@a, smtp://user:secret@:25": "host is missing",
	} {
		_, err := mail.ParseRelays(list, mail.Limits{Connections: 1}, mail.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q gives %v, want an error with %q and without the password", list, err, want)
		}
	}
}
