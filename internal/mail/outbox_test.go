package mail_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

const stored = "Date: Sun, 22 Nov 2026 07:00:00 +0000\r\n" +
	"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"List-Unsubscribe: <mailto:x@example.org>,\r\n <https://news.example.org/unsubscribe/x>\r\n" +
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
	"To: Jane <jane@example.net>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4 text\r\n" +
	"--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>\xe4</p>\r\n--b--\r\n"

func TestOutbox_KeepsTheMessageAndItsEnvelope(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "outbox")
	now := time.Date(2026, 11, 22, 7, 0, 0, 5, time.UTC)
	tr := transport(t, "outbox:"+dir, mail.Options{Now: func() time.Time { now = now.Add(time.Second); return now }})
	if tr.Real() {
		t.Error("the outbox says it reaches readers")
	}
	if list, err := mail.ReadFolder(dir, 10); err != nil || len(list) != 0 {
		t.Errorf("before the first message: %v, %v", list, err)
	}
	session, err := tr.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := session.Send(t.Context(), from, to, []byte(stored)); got.State != newsletter.Accepted || got.Broken {
			t.Fatalf("%s", got)
		}
	}
	list, err := mail.ReadFolder(dir, 2)
	if err != nil || len(list) != 2 || list[0].Name <= list[1].Name {
		t.Fatalf("%v, %v, want the two newest, newest first", list, err)
	}
	if e := list[0]; e.From != from || e.To != to || e.Subject != "Grüße" || !e.Date.Equal(time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)) || e.Problem != "" {
		t.Errorf("%+v", e)
	}
	if !strings.HasPrefix(list[0].Name, "20261122T070003.000000005Z-") {
		t.Errorf("the name is %s", list[0].Name)
	}
	m, err := mail.ReadStored(dir, list[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Raw) != stored || m.Text != "ä text" || m.HTML != "<p>ä</p>" || m.UnsubscribeURL != "https://news.example.org/unsubscribe/x" || !m.OneClick || m.Entry != list[0] {
		t.Errorf("%+v", m)
	}
	if !slices.Contains(m.Headers, mail.Header{Name: "Subject", Value: "Grüße"}) || m.Headers[0].Name != "Date" || len(m.Headers) != 7 {
		t.Errorf("headers %q", m.Headers)
	}
	if info, err := os.Stat(filepath.Join(dir, list[0].Name)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v, want a file for its owner only", info.Mode(), err)
	}
}

func TestOutbox_RefusesAndWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	session, err := transport(t, "outbox:"+dir, mail.Options{}).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := session.Send(t.Context(), from, "a@b>\r\nX: <y", []byte(stored)); got.State != newsletter.Refused || got.Fault != mail.FaultMessage {
		t.Errorf("a bad recipient: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := session.Send(ctx, from, to, []byte(stored)); got.State != newsletter.Waiting {
		t.Errorf("cancelled: %s", got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := session.Send(t.Context(), from, to, []byte(stored)); got.State != newsletter.Waiting || got.Fault != mail.FaultRelay || got.Err == nil {
		t.Errorf("without the folder: %s", got)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := transport(t, "outbox:"+file, mail.Options{}).Connect(t.Context()); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func TestReadStored_StaysInTheFolder(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "outbox")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{filepath.Join(parent, "secret.eml"), filepath.Join(dir, ".hidden.eml"), filepath.Join(dir, "notes.txt")} {
		if err := os.WriteFile(f, []byte(stored), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(parent, "secret.eml"), filepath.Join(dir, "link.eml")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../secret.eml", "..\\secret.eml", "/etc/passwd", parent + "/secret.eml", ".hidden.eml", "notes.txt", "none.eml", "a/b.eml", "x\x00.eml", strings.Repeat("x", 300) + ".eml"} {
		if m, err := mail.ReadStored(dir, name); newsletter.KindOf(err) != newsletter.NotFound {
			t.Errorf("%q gives %v, %v", name, m, err)
		}
	}
	if m, err := mail.ReadStored(dir, "link.eml"); err != nil || m.Problem == "" || len(m.Raw) > 0 {
		t.Errorf("a link out of the folder gives %+v, %v", m, err)
	}
	if list, err := mail.ReadFolder(dir, 10); err != nil || len(list) != 1 || list[0].Problem == "" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestReadFolder_BrokenFilesAreReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"1-empty.eml":    "",
		"2-garbage.eml":  "\x00\xff no header",
		"3-nodate.eml":   "Subject: x\r\n\r\nbody",
		"4-cut.eml":      "X-Outbox-From: <a@b.example>\r\nX-Outbox-To: <c@d.example>\r\n" + stored[:len(stored)-40],
		"5-boundary.eml": "Date: Sun, 22 Nov 2026 07:00:00 +0000\r\nContent-Type: multipart/alternative\r\n\r\nbody",
		"6-charset.eml":  "Date: Sun, 22 Nov 2026 07:00:00 +0000\r\nContent-Type: text/plain; charset=x-none\r\n\r\nbody",
		"7-big.eml":      "Date: Sun, 22 Nov 2026 07:00:00 +0000\r\nSubject: big\r\n\r\n" + strings.Repeat("x", 11<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "8-folder.eml"), 0o700); err != nil {
		t.Fatal(err)
	}
	list, err := mail.ReadFolder(dir, 100)
	if err != nil || len(list) != 8 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, e := range list {
		m, err := mail.ReadStored(dir, e.Name)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if wantProblem := e.Name != "6-charset.eml"; (m.Problem != "") != wantProblem {
			t.Errorf("%s: problem %q", e.Name, m.Problem)
		}
		if len(m.Raw) > 10<<20 {
			t.Errorf("%s: %d octets were read", e.Name, len(m.Raw))
		}
	}
	if m, _ := mail.ReadStored(dir, "4-cut.eml"); m.Text != "ä text" || m.To != "c@d.example" {
		t.Errorf("of a message cut short: %+v", m)
	}
}

func FuzzReadStored(f *testing.F) {
	f.Add([]byte(stored))
	f.Add([]byte("X-Outbox-From: <a@b.example>\r\nX-Outbox-To: <c@d.example>\r\n" + stored))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.eml"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := mail.ReadStored(dir, "a.eml"); err != nil {
			t.Error(err)
		}
		if list, err := mail.ReadFolder(dir, 1); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
}
