package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/store"
)

// A mail system's pipe gives the report of a message of ours to the command: the reader is
// suppressed, and the same report again changes nothing.
func TestBounce_ThePipeSuppressesOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database := filepath.Join(dir, "test.db")
	env := []string{"BROADSHEET_DATABASE_URL=sqlite:" + database, "USER=ada"}
	call := func(stdin string, want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, env, strings.NewReader(stdin), &stdout, &stderr); code != want {
			t.Fatalf("%v: exit code %d\n%s", args, code, stderr.String())
		}
		return stdout.String()
	}
	call("", exitDone, "newsletter", "create", "daily-news", "--name", "Daily News", "--from", "News <news@example.org>",
		"--postal-address", "1 High Street, London", "--zone", "Europe/London", "--daily", "mon-fri 07:00")
	readers := filepath.Join(dir, "readers.csv")
	if err := os.WriteFile(readers, []byte("email\nmaud@reader.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	call("", exitDone, "subscriber", "import", readers, "--newsletter", "daily-news", "--consent", "Form on paper, 2026")

	report := strings.ReplaceAll(bounceOfMaud, "RETURN-PATH", returnPathOf(t, database))
	var taken takenView
	if err := json.Unmarshal([]byte(call(report, exitDone, "bounce", "--json")), &taken); err != nil {
		t.Fatal(err)
	}
	if !taken.Known || taken.Again || taken.Kind != "hard" || taken.Reason != "user_unknown" || taken.Effect == "" {
		t.Errorf("taken: %+v", taken)
	}
	if list := call("", exitDone, "suppression", "list", "--json"); !strings.Contains(list, `"hard_bounce"`) {
		t.Errorf("the suppressions are %s", list)
	}
	if again := call(report, exitDone, "bounce"); !strings.Contains(again, "on record already") {
		t.Errorf("again: %s", again)
	}
}

// returnPathOf returns the return path of a delivery to the first subscriber.
func returnPathOf(t *testing.T, database string) string {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.ExistingOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys, _, err := s.Keys(t.Context(), time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Prepared().BounceAddress(7, 1, "bounce.example.org")
}

const bounceOfMaud = `Return-Path: <>
Delivered-To: RETURN-PATH
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: RETURN-PATH
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=one

--one
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; maud@reader.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--one--
`
