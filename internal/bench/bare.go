package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// runBare is the child that answers every sign-up as serve answered one, and does nothing else: what is left of
// the time is Echo's, net/http's and the client's. It reads that answer's header, and prints its address.
func runBare(ctx context.Context, in io.Reader, out io.Writer) error {
	from := json.NewDecoder(in)
	var header http.Header
	if err := from.Decode(&header); err != nil {
		return err
	}
	e := echo.New()
	e.POST("/subscribe", func(c echo.Context) error {
		h := c.Response().Header()
		for name, values := range header {
			h[name] = values
		}
		return c.NoContent(http.StatusSeeOther)
	})
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	if err := json.NewEncoder(out).Encode(l.Addr().String()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in) // until whoever started it is gone
	err = errors.Join(err, s.Close())
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// bareEcho signs up at a bare Echo that answers as s does.
func (b *bench) bareEcho(ctx context.Context, s *service) (phase, error) {
	header, err := s.answer(ctx)
	if err != nil {
		return phase{}, err
	}
	bare, err := startHelper(ctx, childBare)
	if err != nil {
		return phase{}, err
	}
	line, err := json.Marshal(header)
	if err != nil {
		return phase{}, err
	}
	var addr string
	if err := bare.ask(string(line), &addr); err != nil {
		return phase{}, errors.Join(err, bare.close())
	}
	l, err := startLoad(ctx, addr, bare.cmd.Process.Pid)
	if err != nil {
		return phase{}, errors.Join(err, bare.close())
	}
	p, err := l.alone(ctx, "bare Echo", b.phase)
	if err == nil {
		b.tell(p)
	}
	return p.phase, errors.Join(err, l.close(), bare.close())
}

// answer signs one reader up and returns the header of the answer.
func (s *service) answer(ctx context.Context) (http.Header, error) {
	form := url.Values{"email": {"bare@bench.example.org"}, "newsletter": {slug}, "website": {""}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/subscribe", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close() // nothing of it is wanted
	if resp.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("a sign-up is answered by %s", resp.Status)
	}
	for _, name := range []string{"Date", "Content-Length"} { // net/http writes them
		resp.Header.Del(name)
	}
	return resp.Header, nil
}
