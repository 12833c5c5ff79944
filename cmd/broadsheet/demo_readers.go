package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"broadsheet/internal/mail"
)

// demoReader is somebody who signs up in the demo.
type demoReader struct {
	name, email string
	newsletters []string
}

func demoReaders() []demoReader {
	return []demoReader{
		{"Zoë Ångström", "zoe@readers.example.org", []string{demoDaily}},
		{"Kwame Osei", "kwame@readers.example.org", []string{demoDaily, demoWeekly}},
		{"Łucja Nowak", "lucja@readers.example.org", []string{demoDaily}},
		{"山田 花子", "hanako@readers.example.org", []string{demoDaily}},
		{"Nadia El-Amin", "nadia@readers.example.org", []string{demoDaily, demoWeekly}},
		{"Owain Rees", "owain@readers.example.org", []string{demoWeekly}},
	}
}

// demoWait is how long the demo waits for a confirmation mail.
const demoWait = 30 * time.Second

// signUpReaders signs everybody up as a browser would: by the form on the article page, and
// by the link and the button of the mail.
func (d *demonstration) signUpReaders(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	page := d.base + "/n/" + demoDaily
	if d.publisher != nil {
		page = d.publisher.ArticleURLs()[0]
	}
	for _, r := range demoReaders() {
		form := url.Values{"email": {r.email}, "name": {r.name}, "newsletter": r.newsletters, "page": {page}, "placement": {"column"}}
		if err := d.post(ctx, d.base+"/subscribe", form, http.StatusSeeOther); err != nil {
			return fmt.Errorf("sign up %s: %w", r.email, err)
		}
	}
	for _, r := range demoReaders() {
		link, err := d.confirmLink(ctx, r.email)
		if err != nil {
			return fmt.Errorf("confirm %s: %w", r.email, err)
		}
		if err := d.post(ctx, link, nil, http.StatusOK); err != nil {
			return fmt.Errorf("confirm %s: %w", r.email, err)
		}
	}
	return nil
}

// post sends a form and does not follow where it leads.
func (d *demonstration) post(ctx context.Context, address string, form url.Values, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if _, err := bodyOf(resp); err != nil {
		return err
	}
	if resp.StatusCode != want {
		return fmt.Errorf("the service answered %s", resp.Status)
	}
	return nil
}

// confirmLink waits for the mail to the address and returns the link in it.
func (d *demonstration) confirmLink(ctx context.Context, email string) (string, error) {
	pattern := regexp.MustCompile(regexp.QuoteMeta(d.base) + `/confirm/[A-Za-z0-9_-]+`)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		entries, err := mail.ReadFolder(d.mailbox(), 100)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if e.To != email {
				continue
			}
			stored, err := mail.ReadStored(d.mailbox(), e.Name)
			if err != nil {
				return "", err
			}
			if link := pattern.FindString(stored.Text); link != "" {
				return link, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", errors.New("no mail came in time")
		case <-tick.C:
		}
	}
}
