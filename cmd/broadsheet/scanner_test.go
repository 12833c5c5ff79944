package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

var (
	anyLink  = regexp.MustCompile(`https?://[^\s"'<>)\]]+`)
	pageLink = regexp.MustCompile(`(?:href|src|action|content)="([^"]+)"`)
	listLink = regexp.MustCompile(`(?i)List-Unsubscribe: <([^>]+)>`)
)

// scanner is what stands in a reader's mail system: it follows each link of a mail before the reader
// does, as GET and HEAD, in advance, and in a browser.
type scanner struct {
	t       *testing.T
	base    string // of the links in mails
	address string // where the service is
	seen    map[string]bool
	first   []string // addresses of mails themselves
}

// ours returns where a link leads, if that is one of our pages.
func (s *scanner) ours(link, from string) (string, bool) {
	link = strings.ReplaceAll(link, "&amp;", "&")
	base, err := url.Parse(from)
	if err != nil {
		return "", false
	}
	to, err := base.Parse(link)
	if err != nil {
		return "", false
	}
	to.Fragment = ""
	if rest, ok := strings.CutPrefix(to.String(), s.base); ok {
		return s.address + rest, true
	}
	return to.String(), strings.HasPrefix(to.String(), s.address+"/")
}

// look asks in every way in which a scanner asks, and returns the page.
func (s *scanner) look(address string) string {
	s.t.Helper()
	var page string
	for _, way := range [][]string{
		{"GET"}, {"HEAD"}, {"GET", "Purpose", "prefetch"}, {"GET", "Sec-Purpose", "prefetch;prerender", "X-Moz", "prefetch"},
		{"GET", "List-Unsubscribe", "One-Click", "Content-Type", "application/x-www-form-urlencoded"}, {"OPTIONS"}, {"TRACE"},
	} {
		body := ""
		if len(way) > 4 {
			body = "List-Unsubscribe=One-Click"
		}
		req, err := http.NewRequestWithContext(s.t.Context(), way[0], address, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		for i := 1; i+1 < len(way); i += 2 {
			req.Header.Set(way[i], way[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode >= 500 && resp.StatusCode != http.StatusServiceUnavailable {
			s.t.Errorf("%s %s: %s %v", way[0], address, resp.Status, err)
		}
		if page == "" {
			page = string(b)
		}
	}
	return page
}

// follow goes from a page to those that it leads to, so deep.
func (s *scanner) follow(address string, depth int) {
	s.t.Helper()
	if s.seen[address] {
		return
	}
	s.seen[address] = true
	page := s.look(address)
	if depth == 0 {
		return
	}
	for _, m := range pageLink.FindAllStringSubmatch(page, -1) {
		if to, ok := s.ours(m[1], address); ok {
			s.follow(to, depth-1)
		}
	}
}

// scan follows every link of a mail, and returns how many of ours it has.
func (s *scanner) scan(raw []byte) int {
	s.t.Helper()
	_, text, html, err := mail.Parts(raw)
	if err != nil {
		s.t.Fatal(err)
	}
	links := anyLink.FindAllString(text+"\n"+html, -1)
	for _, m := range listLink.FindAllStringSubmatch(strings.ReplaceAll(string(raw), "\r\n ", " "), -1) {
		links = append(links, m[1])
	}
	found := 0
	for _, link := range links {
		if to, ok := s.ours(link, s.base); ok {
			found++
			if !slices.Contains(s.first, to) {
				s.first = append(s.first, to)
			}
			s.follow(to, 2)
		}
	}
	return found
}

// tables returns every table of the database, row by row. What only counts, and what the service
// notes about itself while it runs, is left out.
func (p *program) tables() map[string]string {
	p.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "broadsheet.db")+"?mode=ro&_busy_timeout=20000")
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	ask := func(query string, scan func(*sql.Rows)) {
		rows, err := db.QueryContext(p.t.Context(), query)
		if err != nil {
			p.t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			scan(rows)
		}
		if err := rows.Err(); err != nil {
			p.t.Fatal(err)
		}
	}
	list := map[string]string{}
	ask(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`, func(rows *sql.Rows) {
		var name string
		if err := rows.Scan(&name); err != nil {
			p.t.Fatal(err)
		}
		list[name] = ""
	})
	for name := range list {
		var all []string
		ask(`SELECT * FROM "`+name+`"`, func(rows *sql.Rows) {
			columns, err := rows.Columns()
			if err != nil {
				p.t.Fatal(err)
			}
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				p.t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%v", values))
		})
		slices.Sort(all)
		list[name] = strings.Join(all, "\n")
	}
	return list
}

// S22: whatever follows the links of our mails, for whomever they are and in whatever way, changes
// nothing that is on record: in the real program, with a real browser.
func TestScanner_ChangesNothing(t *testing.T) {
	t.Parallel()
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "STAFF_EMAIL=editors@example.org", anyPort)
	p.listOf(2)
	p.run("send", "daily-news", "--yes")
	due := time.Now().UTC().Add(30 * time.Minute)
	p.run("newsletter", "create", "evening", "--name", "Evening", "--from", "Example News <evening@example.org>",
		"--postal-address", "1 High Street, London", "--zone", "UTC", "--daily", "daily "+due.Format("15:04"), "--approval", "manual")
	p.run("source", "add", p.feed, "--newsletter", "evening")
	p.run("subscriber", "add", "e1@example.org", "--newsletter", "evening", "--consent", "test")
	_, _, address := p.serve()
	wanted := 3 // two digests, and the draft that is to be approved
	for _, email := range []string{"new@example.org", "r0@example.org"} {
		resp, err := http.PostForm(address+"/subscribe", url.Values{"email": {email}, "newsletter": {"daily-news"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		wanted++
	}
	if err := relay.WaitFor(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	before := p.settled()
	s := &scanner{t: t, base: "http://localhost:8080", address: address, seen: map[string]bool{}}
	kinds := map[string]int{}
	for _, m := range relay.Messages() {
		subject, _, _, err := mail.Parts(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if kinds[subject] = s.scan(m.Data); kinds[subject] == 0 {
			t.Errorf("%q has no link of ours", subject)
		}
	}
	if len(kinds) < 4 || len(s.seen) < 20 {
		t.Errorf("only %d pages of %v", len(s.seen), kinds)
	}
	b := newBrowser(t)
	for _, page := range s.first { // and runs what is on it
		b.open(page)
	}
	after := p.tables()
	for name, was := range before {
		if is := after[name]; is != was {
			t.Errorf("table %s was\n%s\nand is\n%s", name, was, is)
		}
	}
}

// settled returns the tables once the service has noted all that it does by itself.
func (p *program) settled() map[string]string {
	p.t.Helper()
	var was map[string]string
	newsroomtest.Until(p.t.Context(), p.t, "the service is idle", func() bool {
		is := p.tables()
		same := was != nil
		for name := range is {
			same = same && is[name] == was[name]
		}
		was = is
		return same
	})
	return was
}
