package alarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"broadsheet/internal/newsletter"
)

// callTime is how long the other end of a web hook may take.
const callTime = 10 * time.Second

// hookTime is how long telling all news may take.
const hookTime = time.Minute

// Hook is a web address of staff's own that is called for each alarm, and for its end.
type Hook struct {
	URL     string // may hold a secret: it is never logged
	Service string // our base URL
	Version string
	Client  *http.Client // from NewClient
}

// NewClient returns a client that gives up after ten seconds and follows no redirects: what
// we say is meant for the address that staff gave.
func NewClient() *http.Client {
	return &http.Client{
		Timeout:       callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call is what the hook is sent, as JSON.
type call struct {
	State    string     `json:"state"` // firing, resolved
	Kind     string     `json:"kind"`
	Subject  string     `json:"subject"`
	Severity string     `json:"severity"`
	Text     string     `json:"text"`
	Since    time.Time  `json:"since"`
	Until    *time.Time `json:"until"` // null: it goes on
	Service  string     `json:"service"`
	Version  string     `json:"version"`
}

// Name returns "web hook".
func (h *Hook) Name() string { return "web hook" }

// Tell posts each of the news. It stops at the first that is not answered by a 2xx status.
func (h *Hook) Tell(ctx context.Context, news []newsletter.RaisedAlarm) (told int, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	for _, r := range news {
		if err := h.post(ctx, r); err != nil {
			return told, fmt.Errorf("%s of %s: %w", r.Kind, r.Subject, err)
		}
		told++
	}
	return told, nil
}

func (h *Hook) post(ctx context.Context, r newsletter.RaisedAlarm) error {
	c := call{
		State: "firing", Kind: string(r.Kind), Subject: r.Subject, Severity: string(r.Kind.Severity()), Text: r.Text,
		Since: r.Since.UTC(), Service: h.Service, Version: h.Version,
	}
	if r.Over() {
		until := r.ClearedAt.UTC()
		c.State, c.Until = "resolved", &until
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return request(ctx, h.Client, http.MethodPost, h.URL, h.Version, body)
}

// request makes a request and returns an error unless it is answered by a 2xx status. The
// error does not hold the address.
func request(ctx context.Context, client *http.Client, method, address, version string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address cannot be read")
	}
	req.Header.Set("User-Agent", "Broadsheet/"+version)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		if withURL, ok := errors.AsType[*url.Error](err); ok {
			err = withURL.Err
		}
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection can be used again
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answers with status %d", resp.StatusCode)
	}
	return nil
}
