package doctor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A check that never ends does not keep the others' findings, and their order stays.
func TestRun_IsBoundedAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	start := time.Now()
	found := Run(t.Context(), 50*time.Millisecond, []Check{
		{"a", "stuck", func(context.Context) []Finding { <-never; return nil }},
		{"a", "polite", func(ctx context.Context) []Finding {
			<-ctx.Done()
			return []Finding{CannotTell("try", "no time")}
		}},
		{"b", "quick", func(context.Context) []Finding { return []Finding{Good("fine"), Fail("mend", "bad").About("other")} }},
	})
	want := []Finding{
		{"a", "stuck", Unknown, "it was not known after 50ms", "try again; if it stays so, look at what this check asks"},
		{"a", "polite", Unknown, "no time", "try"},
		{"b", "quick", OK, "fine", ""},
		{"b", "other", Failure, "bad", "mend"},
	}
	if len(found) != len(want) {
		t.Fatalf("%+v", found)
	}
	for i := range want {
		if found[i] != want[i] {
			t.Errorf("%+v, want %+v", found[i], want[i])
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if !Failed(found) || Failed(found[:3]) {
		t.Error("Failed is wrong")
	}
}

func TestWeb_SaysWhatReadersMeet(t *testing.T) {
	t.Parallel()
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz":
			_, _ = w.Write([]byte("ok v1\n"))
		case "/moved/healthz":
			http.Redirect(w, r, "/healthz", http.StatusFound)
		case "/other/healthz":
			_, _ = w.Write([]byte("<html>Welcome"))
		case "/late/healthz":
			w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			_, _ = w.Write([]byte("ok\n"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(site.Close)
	client := site.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	look := func(base string) []Finding { return Web{client, base, time.Now}.Look(t.Context()) }

	expect(t, "well", look(site.URL)[0], OK, "answers")
	expect(t, "certificate", look(site.URL)[1], OK, "valid until")
	expect(t, "clock", look(site.URL)[2], OK, "agrees")
	expect(t, "moved", look(site.URL + "/moved")[0], Failure, "leads elsewhere")
	expect(t, "other", look(site.URL + "/other")[0], Failure, "not Broadsheet")
	expect(t, "missing", look(site.URL + "/missing")[0], Failure, "404")
	expect(t, "late", look(site.URL + "/late")[2], Failure, "apart")
	untrusted := Web{&http.Client{}, site.URL, time.Now}.Look(t.Context())
	expect(t, "untrusted", untrusted[0], Failure, "certificate")

	plain := httptest.NewServer(site.Config.Handler)
	expect(t, "plain", Web{plain.Client(), plain.URL, time.Now}.Look(t.Context())[0], Warning, "without TLS")
	plain.Close()
	expect(t, "gone", Web{client, plain.URL, time.Now}.Look(t.Context())[0], Failure, "cannot be reached")
}

func TestWeb_CertificateThatEnds(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	for before, want := range map[time.Duration]State{-time.Hour: Failure, 24 * time.Hour: Warning, 13 * 24 * time.Hour: Warning, 30 * 24 * time.Hour: OK} {
		w := Web{Now: func() time.Time { return end.Add(-before) }}
		expect(t, before.String(), w.certificate(end), want, "1 December 2026")
	}
}

func TestFile_WhoMayReadIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "env")
	if found := File(path, "settings"); len(found) != 0 {
		t.Errorf("of a file that is not there: %+v", found)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]State{0o600: OK, 0o640: OK, 0o660: Warning, 0o644: Failure, 0o602: Failure} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		expect(t, mode.String(), File(path, "settings")[0], want, path)
	}
}
