package sink

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// talk sends pieces one by one and returns what the sink answers until it closes.
func talk(t *testing.T, s *Sink, pieces ...string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetNoDelay(true); err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces {
		if _, err := conn.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	var codes []string
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if line := lines.Text(); line[3] == ' ' {
			codes = append(codes, line[:3])
		}
	}
	return codes
}

func start(t *testing.T) *Sink {
	t.Helper()
	s, err := Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func message(to, body string) string {
	return fmt.Sprintf("MAIL FROM:<a@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n%s.\r\n", to, body)
}

func TestSink_CountsByKindOfRecipient(t *testing.T) {
	t.Parallel()
	s := start(t)
	begun := time.Now()
	codes := talk(t, s, "EHLO x\r\n"+message("r1@x", "one\r\n")+message("r2@x", "")+message("r1@x> SIZE=5", "two\r\n")+message("s1@x", "three\r\n")+"NONSENSE\r\nQUIT\r\n")
	want := "220 250 " + strings.Repeat("250 250 354 250 ", 4) + "500 221"
	if got := strings.Join(codes, " "); got != want {
		t.Errorf("the sink answers %s\nwant %s", got, want)
	}
	got := s.Stats('r')
	if got.Accepted != 3 || got.Distinct != 2 || got.Bytes != int64(len("one\r\ntwo\r\n")) || got.Connections != 1 {
		t.Errorf("got %+v", got)
	}
	if got.First.Before(begun.Add(-time.Second)) || got.Last.Before(got.First) || got.Last.After(time.Now()) {
		t.Errorf("from %v to %v", got.First, got.Last)
	}
	if got := s.Stats('s'); got.Accepted != 1 || got.Bytes != int64(len("three\r\n")) {
		t.Errorf("of the other kind %+v", got)
	}
	if got := string(s.Sample('r')); got != "one\r\n" {
		t.Errorf("the sample is %q", got)
	}
	s.Reset()
	if got := s.Stats('r'); got.Accepted != 0 || !got.First.IsZero() || s.Sample('r') != nil {
		t.Errorf("after a reset it has %+v", got)
	}
}

// A dot that ends a message is one at the begin of a line with a line end behind it, however the bytes are cut.
func TestSink_FindsTheFinalDotHoweverItIsCut(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := ".. dots\r\nin . the\r\n..\r\nmiddle.\r\n..\r\r\n" + strings.Repeat("long ", 20_000) + "\r\n"
	all := "EHLO x\r\n" + message("r1@x", body) + "QUIT\r\n"
	n := 0
	for cut := range len(all) {
		if cut > 120 && cut < len(all)-20 && cut%5000 != 0 {
			continue
		}
		n++
		if got := strings.Join(talk(t, s, all[:cut], all[cut:]), " "); got != "220 250 250 250 354 250 221" {
			t.Fatalf("cut at %d the sink answers %s", cut, got)
		}
	}
	if got := s.Stats('r'); got.Accepted != n || got.Distinct != 1 || got.Bytes != int64(n*len(body)) {
		t.Errorf("got %+v, want %d messages of %d bytes", got, n, len(body))
	}
	if string(s.Sample('r')) != body {
		t.Errorf("the sample is not the body")
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in        string
		lineStart bool
		used      int
		end       bool
	}{
		{"", true, 0, false}, {".", true, 0, false}, {".\r", true, 0, false}, {".\r\n", true, 0, true},
		{".\r\n", false, 3, false}, {"..\r\n", true, 4, false}, {".x", true, 2, false}, {"a\r\n.\r\nQUIT", true, 3, true},
		{"a\r\n.", false, 3, false}, {"a\r\n..\r\n.\r", true, 7, false}, {"abc", true, 3, false}, {"x", true, 1, false},
	} {
		if used, end := scan([]byte(c.in), c.lineStart); used != c.used || end != c.end {
			t.Errorf("%q, at a line's start %v: %d %v, want %d %v", c.in, c.lineStart, used, end, c.used, c.end)
		}
	}
}

func TestSink_EndsAConnectionThatSendsAnEndlessLine(t *testing.T) {
	t.Parallel()
	s := start(t)
	if got := talk(t, s, strings.Repeat("x", inputSize)); strings.Join(got, " ") != "220" {
		t.Errorf("the sink answers %v", got)
	}
}
