package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// box is a mailbox in memory.
type box []MailboxMail

func (b box) List(limit int) ([]MailboxEntry, error) {
	var list []MailboxEntry
	for _, m := range b[:min(limit, len(b))] {
		list = append(list, m.MailboxEntry)
	}
	return list, nil
}

func (b box) Open(name string) (MailboxMail, error) {
	for _, m := range b {
		if m.Name == name {
			return m, nil
		}
	}
	return MailboxMail{}, newsletter.NotFoundf("there is no mail %q", name)
}

func mails() box {
	return box{
		{
			MailboxEntry: MailboxEntry{Name: "2026 a/b?.eml", From: "news@example.org", To: "anna@example.org", Subject: "<b>Rail strike</b>", Date: now()},
			Headers:      []MailboxHeader{{"Subject", "<b>Rail strike</b>"}, {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}},
			Text:         "Read https://example.org/a?b=1&c=2, then <leave>.",
			HTML:         `<!doctype html><html><HEAD lang="en"><title>x</title></head><body><script>alert(1)</script><p>Hello</p></body></html>`,
			Raw:          []byte("Subject: x\r\n\r\n<script>alert(1)</script>"), UnsubscribeURL: testBase + "/unsubscribe/T", OneClick: true,
		},
		{
			MailboxEntry: MailboxEntry{Name: "b.eml", To: "ben@example.org", Date: now().Add(-48 * time.Hour), Problem: "The file is broken."},
			Text:         "only text", UnsubscribeURL: "https://elsewhere.example/unsubscribe/T", OneClick: true,
		},
	}
}

func newMailboxSite(t *testing.T) *site {
	t.Helper()
	return newFakeSite(t, &fake{}, func(o *Options) { o.Mailbox = mails() })
}

func TestMailbox_ListsAndShows(t *testing.T) {
	t.Parallel()
	s := newMailboxSite(t)
	list := s.get("/outbox/").want(200).has("2 mails", "anna@example.org", "<b>Rail strike</b>", "Today 15:04", "20 Nov 2026, 15:04", "(no subject)", "The file is broken.")
	path := value(list.one("ol").FirstChild.NextSibling.FirstChild, "href")
	if path != "/outbox/"+url.PathEscape("2026 a/b?.eml") {
		t.Fatalf("the first mail is at %q", path)
	}
	mail := s.get(path).want(200).has("<b>Rail strike</b>", "anna@example.org")
	frame := mail.one("iframe[sandbox]")
	if strings.Contains(value(frame, "sandbox"), "allow-scripts") || strings.Contains(value(frame, "sandbox"), "allow-same-origin") {
		t.Errorf("sandbox %q", value(frame, "sandbox"))
	}
	form := mail.one("form")
	if value(form, "action") != testBase+"/unsubscribe/T" {
		t.Errorf("one click posts to %q", value(form, "action"))
	}
	mail.one("input[name=List-Unsubscribe][value=One-Click]")
	if csp := mail.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' "+testBase+";") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy: %q", csp)
	}

	body := s.get(value(frame, "src")).want(200)
	csp := body.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "sandbox ") || strings.Contains(csp, "script") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'self'") {
		t.Errorf("Content-Security-Policy: %q", csp)
	}
	if !strings.HasPrefix(body.body, `<!doctype html><html><HEAD lang="en"><base target="_top">`) {
		t.Errorf("body %s", body.body)
	}

	text := s.get(path + "?view=text").want(200).has("then <leave>.")
	text.one("a[href=https://example.org/a?b=1&c=2]")
	s.get(path + "?view=headers").want(200).has("List-Unsubscribe-Post")
	s.get(path + "?view=phone").want(200).one("iframe[class=mail-body phone]")
	source := s.get(path + "/source").want(200)
	if source.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(source.body, "<script>") {
		t.Errorf("source %q %q", source.Header.Get("Content-Type"), source.body)
	}
}

func TestMailbox_MailWithoutHTMLAndFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newMailboxSite(t)
	page := s.get("/outbox/b.eml").want(200).has("only text", "The file is broken.")
	if len(page.all("iframe")) != 0 || len(page.all("form")) != 0 {
		t.Error("a frame without HTML, or a button that posts to a stranger")
	}
	s.get("/outbox/b.eml/body").want(404)
	s.get("/outbox/nothing").want(404)
	s.get("/outbox/..%2f..%2fetc%2fpasswd").want(404)
}

func TestMailbox_IsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	s := newMailboxSite(t)
	handler := s.server.Config.Handler
	for _, tt := range []struct {
		remote, host string
		header       []string
		status       int
	}{
		{"127.0.0.1:5000", "localhost:8080", nil, 200},
		{"127.0.0.1:5000", "LOCALHOST", nil, 200},
		{"127.8.9.1:5000", "127.0.0.1:8080", nil, 200},
		{"[::1]:5000", "[::1]:8080", nil, 200},
		{"[::1]:5000", "[::1]", nil, 200},
		{"[::ffff:127.0.0.1]:5000", "localhost", nil, 200},
		{"192.0.2.1:5000", "localhost:8080", nil, 404},
		{"10.0.0.1:5000", "127.0.0.1", nil, 404},
		{"@", "localhost", nil, 404},
		{"", "localhost", nil, 404},
		{"127.0.0.1:5000", "letters.example.org", nil, 404},
		{"127.0.0.1:5000", "rebound.evil.example:8080", nil, 404},
		{"127.0.0.1:5000", "localhost.evil.example", nil, 404},
		{"127.0.0.1:5000", "127.0.0.1.evil.example", nil, 404},
		{"127.0.0.1:5000", "10.0.0.1", nil, 404},
		{"127.0.0.1:5000", "", nil, 404},
		{"127.0.0.1:5000", "localhost", []string{"X-Forwarded-For", "127.0.0.1"}, 404},
		{"127.0.0.1:5000", "localhost", []string{"x-forwarded-proto", "https"}, 404},
		{"127.0.0.1:5000", "localhost", []string{"X-Forwarded-Host", ""}, 404},
		{"127.0.0.1:5000", "localhost", []string{"Forwarded", "for=127.0.0.1"}, 404},
		{"127.0.0.1:5000", "localhost", []string{"X-Real-IP", "127.0.0.1"}, 404},
		{"127.0.0.1:5000", "localhost", []string{"Via", "1.1 proxy"}, 404},
		{"127.0.0.1:5000", "localhost", []string{"CF-Connecting-IP", "192.0.2.1"}, 404},
	} {
		for _, path := range []string{"/outbox", "/outbox/", "/outbox/b.eml", "/outbox/b.eml/source"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.RemoteAddr, r.Host = tt.remote, tt.host
			for i := 0; i+1 < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("%s from %q to %q with %v: %d, want %d", path, tt.remote, tt.host, tt.header, w.Code, tt.status)
			}
		}
	}
}

func TestMailbox_IsNotThereWithoutOne(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{})
	s.get("/outbox/").want(404)
	s.get("/outbox/b.eml").want(404)
}

func FuzzLinked(f *testing.F) {
	f.Add("see https://example.org/a?b&c. <b>'\"")
	f.Add("http://<script>")
	f.Fuzz(func(t *testing.T, text string) {
		if s := string(linked(text)); strings.Contains(strings.NewReplacer(`<a href="http`, "", `</a>`, "").Replace(s), "<") {
			t.Errorf("%q becomes %q", text, s)
		}
	})
}
