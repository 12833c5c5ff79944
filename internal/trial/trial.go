// Package trial is what stands around the real program when it is put on trial from outside,
// by `make bench` and `make chaos`: a feed, commands with settings of their own, and a relay
// that is a process of its own.
package trial

import (
	"context"
	"encoding/xml"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Command returns a command of the program in the folder, with these settings ("SMTP_URL=…")
// and no others: what the environment says of the program does not count.
func Command(ctx context.Context, program, dir string, settings []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "BROADSHEET_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	for _, setting := range settings {
		cmd.Env = append(cmd.Env, "BROADSHEET_"+setting)
	}
	return cmd
}

// FreeAddress returns an address of the loopback that nobody listens on now.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Article is an item of a feed.
type Article struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"`
	PubDate     string `xml:"pubDate"` // RFC 1123
	Description string `xml:"description"`
}

// Feed is an RSS feed on a web server of this machine.
type Feed struct {
	URL    string
	server *http.Server
}

// StartFeed starts a feed that has, each time it is asked for, what articles returns.
func StartFeed(ctx context.Context, title, site string, articles func() []Article) (*Feed, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	serve := func(w http.ResponseWriter, _ *http.Request) {
		var document struct {
			XMLName xml.Name  `xml:"rss"`
			Version string    `xml:"version,attr"`
			Title   string    `xml:"channel>title"`
			Link    string    `xml:"channel>link"`
			Items   []Article `xml:"channel>item"`
		}
		document.Version, document.Title, document.Link, document.Items = "2.0", title, site, articles()
		w.Header().Set("Content-Type", "application/rss+xml")
		_ = xml.NewEncoder(w).Encode(document) // who is gone needs none
	}
	f := &Feed{URL: "http://" + l.Addr().String() + "/feed.xml", server: &http.Server{Handler: http.HandlerFunc(serve), ReadHeaderTimeout: time.Minute}}
	go func() { _ = f.server.Serve(l) }() // it ends with Close
	return f, nil
}

// Close ends the feed.
func (f *Feed) Close() error { return f.server.Close() }
