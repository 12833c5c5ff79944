package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// How many sign up and leave while an edition is sent. More sign-ups from one machine are
// refused within an hour.
const (
	signUps = 50
	leavers = 20
)

// serveReaders has readers sign up and leave while serve delivers.
func serveReaders(ctx context.Context, s *site, p *program, r *result) error {
	service, err := p.start(ctx, "serve")
	if err != nil {
		return err
	}
	address, err := p.address(ctx, service)
	if err != nil {
		return err
	}
	run, err := s.underWay(ctx, p, s.readers/10)
	if err != nil {
		return err
	}
	slowest := time.Duration(0)
	for i := range signUps {
		began := time.Now()
		if err := signUp(ctx, address, fmt.Sprintf("s%d@chaos.example.org", i)); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(began))
	}
	for i := range leavers { // the last ones of the list: nothing is on its way to them yet
		if _, err := p.output(ctx, "subscriber", "remove", reader(s.readers-1-i), "--newsletter", slug); err != nil {
			return err
		}
	}
	if run.isOver() {
		return errors.New("the edition was finished before they had left")
	}
	<-run.ended
	if run.err != nil {
		return fmt.Errorf("send ends with %w: %s", run.err, p.lastLine())
	}
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-service.ended
	return p.checkReaders(ctx, r, slowest)
}

// checkReaders holds who signed up and who left against what the relay took.
func (p *program) checkReaders(ctx context.Context, r *result, slowest time.Duration) error {
	got, err := p.site.sink.recipients(ctx)
	if err != nil {
		return err
	}
	confirmed, left := 0, 0
	for i := range signUps {
		if got[fmt.Sprintf("s%d@chaos.example.org", i)].count == 1 {
			confirmed++
		}
	}
	for i := range leavers {
		if got[reader(p.site.readers-1-i)].count == 0 {
			left++
		}
	}
	r.note = fmt.Sprintf("%d of %d sign-ups got their confirmation, the slowest sign-up took %d ms; %d of %d who left got nothing",
		confirmed, signUps, slowest.Milliseconds(), left, leavers)
	if confirmed != signUps || left != leavers {
		r.wrong("not everybody got what they should")
	}
	return nil
}

// address waits until the service listens, and returns where.
func (p *program) address(ctx context.Context, service *running) (string, error) {
	for !service.isOver() && ctx.Err() == nil {
		for _, line := range p.said.lines("msg=serving address=") {
			_, address, _ := strings.Cut(line, "address=")
			address, _, _ = strings.Cut(address, " ")
			return address, nil
		}
		pause(ctx, 5*time.Millisecond)
	}
	return "", fmt.Errorf("serve does not start: %s", p.lastLine())
}

// signUp fills the form as a browser without scripts does.
func signUp(ctx context.Context, address, email string) error {
	form := url.Values{"email": {email}, "newsletter": {slug}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/subscribe", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() // nothing of it is needed
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("sign-up of %s: %s", email, resp.Status)
	}
	return nil
}
