package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// agree holds edition 1 of the program and what the relay took against each other, reader by
// reader, and returns how many are on record as doubted.
func (p *program) agree(relay *smtptest.Server, readers []string) (doubted int) {
	p.t.Helper()
	var rows []struct {
		Email     string
		State     string
		SentAgain int        `json:"sent_again"`
		DoubtedAt *time.Time `json:"doubted_at"`
	}
	if err := json.Unmarshal([]byte(p.run("edition", "deliveries", "1", "--json")), &rows); err != nil {
		p.t.Fatal(err)
	}
	if len(rows) != len(readers) {
		p.t.Errorf("the ledger has %d rows for %d readers", len(rows), len(readers))
	}
	took := tookEach(relay)
	for _, d := range rows {
		if d.DoubtedAt != nil {
			doubted++
		}
		n := took[d.Email]
		switch {
		case d.State == "accepted" && n == 0:
			p.t.Errorf("%s is accepted and got nothing", d.Email)
		case d.State != "accepted" && n > 0 && d.DoubtedAt == nil:
			p.t.Errorf("%s is %s and got %d", d.Email, d.State, n)
		case n > 1 && (d.DoubtedAt == nil || n > 1+d.SentAgain):
			p.t.Errorf("%s got %d, sent again %d times on record", d.Email, n, d.SentAgain)
		}
	}
	if problems := relay.ProtocolErrors(); len(problems) > 0 {
		p.t.Errorf("against the protocol: %v", problems)
	}
	return doubted
}

// seesOnce fails unless just one line that the operator saw has the text in it, and none
// other is a warning or an error.
func (l *lines) seesOnce(t *testing.T, text string) {
	t.Helper()
	seen := 0
	for line := range strings.Lines(l.String()) {
		if text != "" && strings.Contains(line, text) {
			seen++
		} else if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			t.Errorf("the operator also sees %s", line)
		}
	}
	if seen != 1 && text != "" {
		t.Errorf("%q is seen %d times in\n%s", text, seen, l)
	}
}

func exitOf(cmd *exec.Cmd) int {
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

func TestSend_KilledAtRandomInstantsOfALargeEdition(t *testing.T) {
	t.Parallel()
	const readers, kills, connections = 1000, 6, 5
	relay := relayFor(t, smtptest.Options{Pipelining: true, EnhancedStatusCodes: true, Delay: time.Millisecond})
	p := newProgram(t, "SMTP_URL="+relay.URL(), fmt.Sprintf("SMTP_CONNECTIONS=%d", connections))
	list := p.listOf(readers)
	for i := range kills {
		before := len(relay.Messages())
		cmd, printed := p.start("send", "daily-news", "--yes")
		if err := relay.WaitFor(t.Context(), before+1+rand.IntN(readers/(kills+2))); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if i > 0 {
			printed.seesOnce(t, "they are in doubt")
		}
	}
	p.run("send", "daily-news", "--yes")
	doubted := p.agree(relay, list)
	if twice := len(relay.Messages()) - readers; twice > kills*connections || doubted > kills*connections {
		t.Errorf("%d came twice and %d were in doubt after %d kills with %d connections", twice, doubted, kills, connections)
	}
	if n := len(tookEach(relay)); n != readers {
		t.Errorf("%d of %d readers have it", n, readers)
	}
}

func TestSend_SignalsLeaveNothingInDoubt(t *testing.T) {
	t.Parallel()
	const readers = 300
	relay := relayFor(t, smtptest.Options{Pipelining: true, Delay: time.Millisecond})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=3")
	list := p.listOf(readers)
	for i, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		cmd, printed := p.start("send", "daily-news", "--yes")
		if err := relay.WaitFor(t.Context(), 40+100*i); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := exitOf(cmd); code != exitUnfinished {
			t.Errorf("after %s it ends with %d", signal, code)
		}
		printed.seesOnce(t, "stopped; the same command, or broadsheet send --edition 1, goes on with it")
	}
	// A machine that is suspended, and goes on.
	cmd, printed := p.start("send", "daily-news", "--yes")
	if err := relay.WaitFor(t.Context(), 220); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	newsroomtest.Until(t.Context(), t, "it has stopped", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		return err != nil || strings.Contains(string(stat), ") T ")
	})
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if code := exitOf(cmd); code != 0 {
		t.Errorf("after SIGCONT it ends with %d", code)
	}
	printed.seesOnce(t, "")
	if doubted := p.agree(relay, list); doubted != 0 || len(relay.Messages()) != readers {
		t.Errorf("%d messages, %d in doubt", len(relay.Messages()), doubted)
	}
}

func TestSend_AWrongPasswordPausesInOneLine(t *testing.T) {
	t.Parallel()
	const readers = 30
	relay := relayFor(t, smtptest.Options{User: "u", Password: "right"})
	p := newProgram(t, "SMTP_CONNECTIONS=4", "SMTP_URL="+strings.Replace(relay.URL(), "right", "wrong", 1))
	list := p.listOf(readers)
	cmd, printed := p.start("send", "daily-news", "--yes")
	if code := exitOf(cmd); code == 0 {
		t.Error("it ends well")
	}
	printed.seesOnce(t, "edition 1 is paused: connect to smtp://u@"+relay.Addr()+" (TLS opportunistic): auth: 535")
	if strings.Contains(printed.String(), "wrong:") || strings.Contains(printed.String(), ":wrong") {
		t.Error("the password is printed")
	}
	p.agree(relay, list)
	p.env = append(p.env, settingPrefix+"SMTP_URL="+relay.URL())
	p.run("send", "--edition", "1", "--yes")
	if doubted := p.agree(relay, list); doubted != 0 || len(relay.Messages()) != readers {
		t.Errorf("%d messages, %d in doubt", len(relay.Messages()), doubted)
	}
}

func TestSend_AnExpiredCertificatePausesInOneLine(t *testing.T) {
	t.Parallel()
	relay := relayFor(t, smtptest.Options{TLS: smtptest.ImplicitTLS, Expired: true})
	p := newProgram(t, "SMTP_CONNECTIONS=4", "SMTP_URL="+relay.URL())
	list := p.listOf(30)
	cmd, printed := p.start("send", "daily-news", "--yes")
	if code := exitOf(cmd); code == 0 {
		t.Error("it ends well")
	}
	printed.seesOnce(t, "edition 1 is paused: connect to smtps://"+relay.Addr())
	printed.seesOnce(t, "certificate has expired")
	if p.agree(relay, list); len(relay.Messages()) > 0 {
		t.Errorf("%d messages went out", len(relay.Messages()))
	}
}

func TestSend_WaitsForADatabaseThatIsLocked(t *testing.T) {
	t.Parallel()
	const readers = 300
	relay := relayFor(t, smtptest.Options{Pipelining: true, Delay: time.Millisecond})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=3")
	list := p.listOf(readers)
	cmd, printed := p.start("send", "daily-news", "--yes")
	if err := relay.WaitFor(t.Context(), 40); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "broadsheet.db")+"?_busy_timeout=20000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // nothing was written
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // nothing was written
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	before := len(relay.Messages())
	<-time.After(3 * time.Second) // what is promised is about time
	if sent := len(relay.Messages()) - before; sent > 3 {
		t.Errorf("%d messages were sent while no intent could be recorded", sent)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if code := exitOf(cmd); code != 0 {
		t.Errorf("it ends with %d\n%s", code, printed)
	}
	printed.seesOnce(t, "")
	if doubted := p.agree(relay, list); doubted != 0 || len(relay.Messages()) != readers {
		t.Errorf("%d messages, %d in doubt", len(relay.Messages()), doubted)
	}
}

func TestSend_GoesOnWhenTheRelayIsBack(t *testing.T) {
	t.Parallel()
	const readers = 200
	relay := relayFor(t, smtptest.Options{Pipelining: true, Faults: []smtptest.Fault{{At: smtptest.AtMail, Skip: 50, Times: 1, Action: smtptest.Stall}}})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=1")
	list := p.listOf(readers)
	cmd, printed := p.start("send", "daily-news", "--yes", "--wait", "1s")
	if err := relay.WaitStalled(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := relay.Down(); err != nil {
		t.Fatal(err)
	}
	newsroomtest.Until(t.Context(), t, "the operator is told", func() bool {
		return strings.Contains(printed.String(), "a relay takes no mail") || cmd.ProcessState != nil
	})
	if err := relay.Up(); err != nil {
		t.Fatal(err)
	}
	if code := exitOf(cmd); code != 0 { // the one that was cut off at MAIL waits for nothing
		t.Errorf("it ends with %d", code)
	}
	if n := strings.Count(printed.String(), "a relay takes no mail"); n != 1 {
		t.Errorf("it is told %d times:\n%s", n, printed)
	}
	if doubted := p.agree(relay, list); doubted != 0 || len(relay.Messages()) != readers {
		t.Errorf("%d messages, %d in doubt", len(relay.Messages()), doubted)
	}
}
