package main

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/bounce"
	"broadsheet/internal/bounce/listener"
	"broadsheet/internal/doctor"
	"broadsheet/internal/mail"
	"broadsheet/internal/smtptest"
)

// names is a name system that answers from lists.
type names struct {
	txt map[string][]string
	mx  map[string]string
	a   map[string]string
	ptr map[string]string
}

func absent(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (n names) LookupTXT(_ context.Context, name string) ([]string, error) {
	if list := n.txt[strings.TrimSuffix(name, ".")]; list != nil {
		return list, nil
	}
	return nil, absent(name)
}

func (n names) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if host := n.mx[strings.TrimSuffix(name, ".")]; host != "" {
		return []*net.MX{{Host: host, Pref: 10}}, nil
	}
	return nil, absent(name)
}

func (n names) LookupHost(_ context.Context, name string) ([]string, error) {
	if a := n.a[strings.TrimSuffix(name, ".")]; a != "" {
		return []string{a}, nil
	}
	return nil, absent(name)
}

func (n names) LookupAddr(_ context.Context, address string) ([]string, error) {
	if name := n.ptr[address]; name != "" {
		return []string{name}, nil
	}
	return nil, absent(address)
}

// stateFound returns how the first finding of a check is whose text has what in it.
func stateFound(found []doctor.Finding, check, what string) doctor.State {
	for _, f := range found {
		if f.Check == check && strings.Contains(f.What, what) {
			return f.State
		}
	}
	return ""
}

// The doctor compares the key in use, the senders and the return paths with what the DNS has.
func TestDoctor_ComparesTheDNSWithTheSettings(t *testing.T) {
	t.Parallel()
	relay := relayFor(t, smtptest.Options{})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "BASE_URL=https://letters.example.org")
	p.listOf(1)
	keyFile := filepath.Join(p.dir, "news1.pem")
	p.run("dkim", "generate", "--domain", "example.org", "--selector", "news1", "--out", keyFile)
	k, err := newSigningKey("example.org", "news1", keyFile)
	if err != nil {
		t.Fatal(err)
	}
	record, err := k.record()
	if err != nil {
		t.Fatal(err)
	}
	good := names{
		txt: map[string][]string{
			"news1._domainkey.example.org": {record.Value}, "_dmarc.example.org": {"v=DMARC1; p=reject"},
			"example.org": {"v=spf1 ip4:192.0.2.1 -all"}, "bounces.example.org": {"v=spf1 ip4:192.0.2.1 -all"},
		},
		mx:  map[string]string{"bounces.example.org": "mx.example.org."},
		a:   map[string]string{"mx.example.org": "192.0.2.25", "letters.example.org": "192.0.2.1"},
		ptr: map[string]string{"192.0.2.1": "letters.example.org."},
	}
	_, other, err := mail.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := mail.ParseKey(other)
	if err != nil {
		t.Fatal(err)
	}
	otherRecord, err := mail.NewKeyRecord("example.org", "news1", &otherKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	bad := names{txt: map[string][]string{
		"news1._domainkey.example.org": {otherRecord.Value}, "_dmarc.example.org": {"v=DMARC1; p=no"},
		"example.org": {"v=spf1 +all"},
	}}
	for _, c := range []struct {
		name string
		dns  names
		want doctor.State
	}{{"good", good, doctor.OK}, {"bad", bad, doctor.Failure}} {
		env := append(p.env, settingPrefix+"DATABASE_URL=sqlite:"+filepath.Join(p.dir, "broadsheet.db"),
			settingPrefix+"DKIM_DOMAIN=example.org", settingPrefix+"DKIM_SELECTOR=news1", settingPrefix+"DKIM_KEY_FILE="+keyFile,
			settingPrefix+"BOUNCE_DOMAIN=bounces.example.org")
		var out bytes.Buffer
		a := &app{env: env, stdout: &out, stderr: &out, now: time.Now}
		found, err := (&examination{app: a, dns: doctor.DNS{Resolver: c.dns}}).run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for check, what := range map[string]string{"spf": "example.org", "dkim": "news1._domainkey", "dmarc": "_dmarc.example.org", "bounces": "", "reverse name": ""} {
			if check == "dmarc" && c.want == doctor.Failure {
				what = "policy"
			}
			if got := stateFound(found, check, what); got != c.want {
				t.Errorf("%s: %s is %q, want %q\n%+v", c.name, check, got, c.want, found)
			}
		}
	}
}

// serve notices a proxy that is not trusted, the doctor tells, and it is over when serve starts
// with other settings.
func TestDoctor_TellsOfAProxyThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	p := newProgram(t, anyPort, "CONFIRM_FROM=Example News <hello@example.org>")
	p.listOf(1)
	const finding = "FAILURE      proxies        requests are handed on by a proxy on this machine"
	cmd, _, address := p.serve()
	ask := func() {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "192.0.2.7")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if out, _ := p.try("doctor"); strings.Contains(out, "handed on by a proxy") {
		t.Errorf("before any request:\n%s", out)
	}
	ask()
	out, code := p.try("doctor")
	if code != exitFailed || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(finding), " ")) || strings.Contains(out, "192.0.2.7") {
		t.Errorf("exit %d\n%s", code, out)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()

	p.env = append(p.env, settingPrefix+"TRUSTED_PROXIES=127.0.0.1")
	_, _, address = p.serve()
	ask()
	p.env = append(p.env, settingPrefix+"BASE_URL="+address)
	if out, code = p.try("doctor"); code != 0 || strings.Contains(out, "handed on by a proxy") || !strings.Contains(out, "answers, on this machine only") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// A database that another program holds, or of another version, is a finding and nothing more.
func TestDoctor_DatabaseThatIsLockedOrOld(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.listOf(1)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "broadsheet.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // only for the test
	db.SetMaxOpenConns(1)
	run := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	run("BEGIN IMMEDIATE")
	start := time.Now()
	out, _ := p.try("doctor")
	if took := time.Since(start); took > doctorTime+10*time.Second || !strings.Contains(out, "RELAY") {
		t.Errorf("locked: %s\n%s", took, out)
	}
	run("ROLLBACK")
	run("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
	out, code := p.try("doctor")
	if code != exitFailed || !strings.Contains(out, `run "broadsheet migrate"`) || !strings.Contains(out, "RELAY") {
		t.Errorf("old: exit %d\n%s", code, out)
	}
}

// nobody takes nothing.
type nobody struct{}

func (nobody) Owns(string) bool { return false }
func (nobody) Take(context.Context, bounce.Incoming) (bounce.Taken, error) {
	return bounce.Taken{}, nil
}

func TestDoctor_KnowsItsListenerFromAnotherProgram(t *testing.T) {
	t.Parallel()
	a, err := listener.ParseAddress("smtp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := listener.Listen(t.Context(), listener.Options{Address: a, Domain: "bounces.example.org", Taker: nobody{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(t.Context()) }()
	for domain, want := range map[string]doctor.State{"bounces.example.org": doctor.OK, "letters.example.com": doctor.Failure} {
		at := a
		at.Address = s.Addr().String()
		x := &examination{settings: Settings{BounceListen: "set", BounceAt: at, BounceDomain: domain}}
		if f := x.lookAtListener(t.Context()); f.State != want {
			t.Errorf("%s: %+v", domain, f)
		}
	}
}
