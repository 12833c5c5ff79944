package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// An edition that is frozen for later is sent when its time comes, whatever was killed between.
func TestServe_KilledBeforeTheTimeOfAFrozenEdition(t *testing.T) {
	t.Parallel()
	const readers = 20
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), anyPort)
	list := p.listOf(readers)
	p.run("edition", "draft", "daily-news")
	first, _, _ := p.serve()
	tomorrow := time.Now().UTC().Add(36 * time.Hour).Format("2006-01-02T15:04")
	if out := p.run("edition", "freeze", "1", "--at", tomorrow, "--yes"); !strings.Contains(out, "broadsheet serve sends it then") {
		t.Errorf("freeze says\n%s", out)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if n := len(tookEach(relay)); n > 0 {
		t.Fatalf("%d got it before its time", n)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "broadsheet.db")+"?_busy_timeout=20000")
	if err != nil {
		t.Fatal(err)
	}
	// The time has come.
	if _, err := db.ExecContext(t.Context(), `UPDATE editions SET send_at = $1 WHERE id = 1 AND state = 'frozen' AND planned = 0`, time.Now().UnixMilli()-1000); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.serve()
	newsroomtest.Until(t.Context(), t, "the edition is finished", func() bool {
		return strings.Contains(p.run("edition", "show", "1", "--json"), `"state": "sent"`)
	})
	for _, r := range list {
		if n := tookEach(relay)[r]; n != 1 {
			t.Errorf("%s got it %d times", r, n)
		}
	}
}
