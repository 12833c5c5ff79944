package mail_test

import (
	"strings"
	"testing"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Each message says its own return path, also where envelopes go ahead of the content before.
func TestPostmark_GetsTheReturnPathOfEachMessage(t *testing.T) {
	t.Parallel()
	s := serve(t, everything())
	tr := transport(t, s.URL()+"?postmark=true", mail.Options{})
	session, err := tr.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := mail.Envelope{From: "b+one@bounces.example.org", To: to}, mail.Envelope{From: "b+two@bounces.example.org", To: to}
	stuffed, err := mail.Stuff(nil, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range []mail.Envelope{first, second} {
		if o, ok := session.Open(e); !ok {
			t.Fatal(o.Err)
		}
		next := &second
		if i == 1 {
			next = nil
		}
		if o := session.Finish(stuffed[:len(stuffed):len(stuffed)], next); o.State != newsletter.Accepted {
			t.Fatal(o.Err)
		}
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"b+one", "b+two"} {
		got := string(s.Messages()[i].Data)
		if !strings.HasPrefix(got, "X-PM-Metadata-return-path: "+want+"\r\nSubject: x\r\n\r\n.\r\n..\r\n") {
			t.Errorf("message %d begins %.100q", i, got)
		}
	}
}

func TestPostmark_OnlyPostmark(t *testing.T) {
	t.Parallel()
	s := serve(t, everything())
	for _, query := range []string{"", "?postmark=false"} {
		session, err := transport(t, s.URL()+query, mail.Options{}).Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if o := session.Send(t.Context(), from, to, []byte(content)); o.State != newsletter.Accepted {
			t.Fatal(o.Err)
		}
		if err := session.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range s.Messages() {
		if string(m.Data) != content {
			t.Errorf("it got %q", m.Data)
		}
	}
	if _, err := mail.ParseTransport("smtp://smtp.example.org?postmark=perhaps", mail.Options{}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("perhaps is %v", err)
	}
}
