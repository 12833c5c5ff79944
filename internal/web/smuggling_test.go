package web

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// hidden is the request that a smuggler hides in the body of another one.
const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

// smuggled are requests whose end can be read in two ways (RFC 9112 §11.2), by the name of the trick.
func smuggled() map[string]string {
	post := "POST /open HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
	ended := "0\r\n\r\n" + hidden // as chunks, the body ends before it
	whole := fmt.Sprintf("Content-Length: %d\r\n", len(ended))
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden) // as chunks, it is a part of the body
	list := map[string]string{
		"CL.TE":                     post + whole + "Transfer-Encoding: chunked\r\n\r\n" + ended,
		"TE.CL":                     post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunk,
		"two lengths":               post + "Content-Length: 0\r\n" + whole + "\r\n" + ended,
		"two lengths, short last":   post + whole + "Content-Length: 0\r\n\r\n" + ended,
		"a list of lengths":         post + "Content-Length: 0, 10\r\n\r\n" + ended,
		"a length with a sign":      post + "Content-Length: +0\r\n\r\n" + hidden,
		"a negative length":         post + "Content-Length: -1\r\n\r\n" + hidden,
		"a length in hex":           post + "Content-Length: 0x0\r\n\r\n" + hidden,
		"an endless length":         post + "Content-Length: 18446744073709551616\r\n\r\n" + hidden,
		"a space before the colon":  post + "Content-Length : 0\r\n\r\n" + hidden,
		"a space before TE's colon": post + whole + "Transfer-Encoding : chunked\r\n\r\n" + ended,
		"a folded line":             post + whole + "Transfer-Encoding:\r\n chunked\r\n\r\n" + ended,
		"a folded first line":       "POST /open HTTP/1.1\r\n Host: x\r\n" + whole + "\r\n" + ended,
		"an old version":            "POST /open HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + whole + "\r\n" + ended,
		"a NUL in a name":           post + whole + "Transfer-\x00Encoding: chunked\r\n\r\n" + ended,
		"a CR alone":                post + whole + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + ended,
		"an LF in a chunk's size":   post + "Transfer-Encoding: chunked\r\n\r\n0\n\n" + hidden,
		"an extension with an LF":   post + "Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n" + fmt.Sprintf("%x", len(hidden)) + "\r\n0\r\n\r\n" + hidden,
		"a chunk's size in words":   post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n0\r\n\r\n" + hidden,
		"a chunk too long":          post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + hidden,
		"a trailer":                 post + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n" + hidden,
		"HTTP/2 without asking":     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
		"no host":                   "GET /open HTTP/1.1\r\n\r\n" + hidden,
		"two hosts":                 "GET /open HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + hidden,
		"a host with a path":        "GET /open HTTP/1.1\r\nHost: x/y z\r\n\r\n" + hidden,
	}
	for _, te := range []string{"xchunked", "chunked, identity", "identity, chunked", "gzip, chunked", "chunked\r\nTransfer-Encoding: x", "\x0bchunked", "\"chunked\"", "chunked;q=1", ""} {
		list["TE.TE "+te] = post + whole + "Transfer-Encoding: " + te + "\r\n\r\n" + ended
	}
	return list
}

// asked remembers what it is asked for.
type asked struct {
	mu    sync.Mutex
	paths []string
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.paths = append(a.paths, r.Method+" "+r.URL.Path)
	a.mu.Unlock()
	ok(w, r)
}

func (a *asked) hidden() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.paths, "GET /hidden")
}

// The server never answers a request that is hidden in another one: it refuses that, or ends the
// connection behind it.
func TestSmuggling_TheServerAnswersNothingHidden(t *testing.T) {
	t.Parallel()
	handler := &asked{}
	address := listening(t, DefaultLimits(), handler)
	for name, request := range smuggled() {
		answer, ended := rest(say(t, address, request))
		if n := strings.Count(answer, "HTTP/1.1 "); !ended || n > 1 || handler.hidden() {
			t.Fatalf("%s: ended %t, %d answers\n%s", name, ended, n, answer)
		}
	}
	// The plain way stays open: two requests, one after the other, and chunks that nobody can misread.
	answer, _ := rest(say(t, address, "GET /open HTTP/1.1\r\nHost: x\r\n\r\nGET /open HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	if n := strings.Count(answer, "welcome"); n != 2 {
		t.Errorf("%d answers to two requests\n%s", n, answer)
	}
	answer, ended := rest(say(t, address, "POST /open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"))
	if !ended || !strings.Contains(answer, "welcome") {
		t.Errorf("ended %t, chunks get\n%s", ended, answer)
	}
}

// Neither does it through a proxy that keeps connections to it open and gives it bodies as they come.
func TestSmuggling_NothingGetsThroughAProxy(t *testing.T) {
	t.Parallel()
	handler := &asked{}
	back := &url.URL{Scheme: "http", Host: listening(t, DefaultLimits(), handler)}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(back); r.SetXForwarded() },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1},
	}
	front := httptest.NewUnstartedServer(proxy)
	front.Config.ReadHeaderTimeout, front.Config.IdleTimeout = DefaultLimits().Header, DefaultLimits().Header
	front.Config.ErrorLog = proxy.ErrorLog
	front.Start()
	defer front.Close()
	address := strings.TrimPrefix(front.URL, "http://")
	for name, request := range smuggled() {
		conn := say(t, address, request)
		buffer := make([]byte, 4096) // the front may leave the connection open, for it is not ours
		n, _ := conn.Read(buffer)
		_ = conn.Close()
		// The next one on the same connection behind the proxy gets its own answer, and no other's.
		response, err := front.Client().Get(front.URL + "/next")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		// The front is net/http without what we add, so it may take the hidden one for a request of the
		// client's own; that is the front's to answer for. It must not come to us inside of another.
		if err != nil || response.StatusCode != http.StatusOK || string(body) != "welcome" {
			t.Errorf("%s: the next request gets %d %q, %v, after\n%s", name, response.StatusCode, body, err, buffer[:n])
		}
	}
}

// A proxy that does not ask for HTTP/2 must not be led to it by a reader's Upgrade.
func TestSmuggling_NoUpgrade(t *testing.T) {
	t.Parallel()
	address := listening(t, DefaultLimits(), http.HandlerFunc(ok))
	for _, to := range []string{"h2c", "websocket"} {
		answer, _ := rest(say(t, address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "+to+"\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		if !strings.HasPrefix(answer, "HTTP/1.1 200") {
			t.Errorf("%s: %s", to, answer)
		}
	}
}
