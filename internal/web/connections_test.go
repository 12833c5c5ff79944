package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what has to come. Nothing is measured by it.
const patience = 30 * time.Second

// listening runs the handler as serve does, and returns its address.
func listening(t *testing.T, l Limits, handler http.Handler) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := l.Server("", handler)
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l.Listener(listener, nil))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return listener.Addr().String()
}

// say opens a connection and sends what is to be said, be it a request or less.
func say(t *testing.T, address, said string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	// The server may have ended the connection before all is written: what it answers tells.
	_, _ = io.WriteString(conn, said)
	return conn
}

// rest returns all that the server says until it ends the connection; ended is false if it does not.
func rest(conn net.Conn) (said string, ended bool) {
	b, err := io.ReadAll(conn)
	slow, ok := errors.AsType[net.Error](err)
	return string(b), !ok || !slow.Timeout()
}

func ok(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "welcome")
}

// wantWelcome checks that a normal request is answered.
func wantWelcome(t *testing.T, address string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(say(t, address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || string(body) != "welcome" {
		t.Fatalf("a normal request gets %d %q", response.StatusCode, body)
	}
}

func TestSlow_AThousandDoNotStopOthers(t *testing.T) {
	t.Parallel()
	address := listening(t, DefaultLimits(), http.HandlerFunc(ok))
	for i := range 1000 {
		say(t, address, []string{"", "G", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nemail="}[i%4])
	}
	wantWelcome(t, address)
}

func TestSlow_ConnectionsEnd(t *testing.T) {
	t.Parallel()
	l := DefaultLimits()
	l.Header, l.Read, l.Write, l.Idle = 50*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
	wrote := make(chan error, 1)
	address := listening(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/large" {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				http.Error(w, "cut short", http.StatusBadRequest)
				return
			}
			ok(w, r)
			return
		}
		var err error
		for page := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(page)
		}
		wrote <- err
	}))
	for name, said := range map[string]string{
		"nothing":           "",
		"a slow head":       "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"a slow body":       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nemail=",
		"a slow chunk":      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nemail=\r\n",
		"nothing more":      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"a slow second one": "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP",
	} {
		answer, ended := rest(say(t, address, said))
		if welcome := strings.Contains(answer, "welcome"); !ended || welcome != strings.Contains(said, "\r\n\r\n") && !strings.Contains(said, "POST") {
			t.Errorf("%s: ended %t, answer %q", name, ended, answer)
		}
	}
	say(t, address, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n") // and never reads
	select {
	case err := <-wrote:
		if err == nil {
			t.Error("an answer without end was written")
		}
	case <-time.After(patience):
		t.Error("a client that does not read its answer holds the handler for ever")
	}
}

func TestConnections_AreBounded(t *testing.T) {
	t.Parallel()
	l := DefaultLimits()
	l.Connections = 3
	address := listening(t, l, http.HandlerFunc(ok))
	var held []net.Conn
	for range l.Connections {
		conn := say(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if status, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(status, "200") {
			t.Fatalf("%q, %v", status, err)
		}
		held = append(held, conn)
	}
	answer, ended := rest(say(t, address, ""))
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	if err != nil || !ended {
		t.Fatalf("ended %t, %v", ended, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || err != nil || !strings.HasSuffix(string(body), "again soon") {
		t.Errorf("%d %v %q, %v", response.StatusCode, response.Header, body, err)
	}
	_ = held[0].Close()
	for until := time.Now().Add(patience); ; { // the server has yet to notice
		answer, _ := rest(say(t, address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		if strings.Contains(answer, "welcome") {
			break
		}
		if time.Now().After(until) {
			t.Fatal("a connection that has ended still takes a place")
		}
	}
}

func TestConnections_OneStrangerDoesNotTakeAll(t *testing.T) {
	t.Parallel()
	l := DefaultLimits()
	l.PerClient = 2
	g := l.Listener(nil, prefixes("198.51.100.7/32")).(*gate)
	for i, tt := range []struct {
		from string
		want bool
	}{
		{"192.0.2.1:1", true}, {"192.0.2.1:2", true}, {"192.0.2.1:3", false}, {"[::ffff:192.0.2.1]:4", false}, {"192.0.2.2:1", true},
		{"[2001:db8::1]:1", true}, {"[2001:db8::2]:1", true}, {"[2001:db8::3]:1", false}, {"[2001:db8:0:1::3]:1", true},
		{"127.0.0.1:1", true}, {"127.0.0.1:2", true}, {"127.0.0.1:3", true}, {"10.0.0.1:1", true}, {"10.0.0.1:2", true}, {"10.0.0.1:3", true},
		{"198.51.100.7:1", true}, {"198.51.100.7:2", true}, {"198.51.100.7:3", true},
	} {
		if got := g.enter(g.stranger(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.from)))); got != tt.want {
			t.Errorf("%d, %s: %t", i, tt.from, got)
		}
	}
	client := netip.MustParsePrefix("192.0.2.1/32")
	g.leave(client)
	if !g.enter(client) {
		t.Error("a place that is free again is not given")
	}
	for range 2 {
		g.leave(client)
	}
	if _, left := g.clients[client]; left {
		t.Error("clients that have gone are remembered")
	}
}

// The largest that is sent to us is small, whatever it is.
func TestLarge_RequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address := strings.TrimPrefix(s.server.URL, "http://")
	long := strings.Repeat("x", 80<<10)
	form := "Content-Type: application/x-www-form-urlencoded\r\n"
	for name, tt := range map[string]struct{ head, body, want string }{
		"a header":       {"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + long + "\r\n", "", "431"},
		"many headers":   {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 10000), "", "431"},
		"an address":     {"GET /" + long + " HTTP/1.1\r\nHost: x\r\n", "", "431"},
		"a body":         {"POST /subscribe HTTP/1.1\r\nHost: x\r\n" + form, "email=" + long, "413"},
		"one that lies":  {"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n" + form, "", "413"},
		"chunks":         {"POST /subscribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + form, fmt.Sprintf("%x\r\nemail=%s\r\n0\r\n\r\n", len(long)+6, long), "413"},
		"many fields":    {"POST /subscribe HTTP/1.1\r\nHost: x\r\n" + form, strings.Repeat("newsletter=a&", 4000), "422"},
		"many parts":     {"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n", strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", 1200) + "--b--\r\n", "400"},
		"a long name":    {"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n", "--b\r\nContent-Disposition: form-data; name=\"" + long[:60<<10] + "\"\r\n\r\n1\r\n--b--\r\n", "422"},
		"a file":         {"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n", "--b\r\nContent-Disposition: form-data; name=\"email\"; filename=\"a\"\r\n\r\n1\r\n--b--\r\n", "422"},
		"deep JSON":      {"POST /api/v1/subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n", `{"email":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + "}", "400"},
		"large JSON":     {"POST /api/v1/subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n", `{"email":"` + long + `"}`, "413"},
		"a packed bomb":  {"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n" + form, "\x1f\x8b\x08\x00\x00\x00\x00\x00", "422"},
		"a name in NULs": {"POST /subscribe HTTP/1.1\r\nHost: x\r\n" + form, "newsletter=weekend&email=" + strings.Repeat("%00", 2000), "422"},
	} {
		head := tt.head + "Connection: close\r\n"
		if tt.body != "" && !strings.Contains(head, "Transfer-Encoding") {
			head += fmt.Sprintf("Content-Length: %d\r\n", len(tt.body))
		}
		answer, ended := rest(say(t, address, head+"\r\n"+tt.body))
		if !ended || !strings.HasPrefix(answer, "HTTP/1.1 "+tt.want) {
			t.Errorf("%s: ended %t, want %s\n%.300s", name, ended, tt.want, answer)
		}
	}
	s.get("/").want(200)
}
