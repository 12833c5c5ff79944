package feed

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// format is what a document turns out to be.
type format int

const (
	unknown format = iota
	empty
	xmlFeed
	jsonFeed
	webPage
)

// sniffLength is how far into a document its first element is looked for.
const sniffLength = 64 << 10

var (
	feedRoot = regexp.MustCompile(`(?i)<(?:[a-z][a-z0-9_.-]{0,30}:)?(?:rss|rdf|feed)(?:[\s/>])`)
	pageRoot = regexp.MustCompile(`(?i)<(?:!doctype\s+html|html|head|body)[\s>]`)
)

// sniff tells what data (UTF-8) is, by its content alone, and where it begins: feeds come
// with blank lines, warnings of a script and other garbage in front, and most are sent with
// a content type that is not theirs.
func sniff(data []byte) (format, int) {
	start := 0
	for start < len(data) && (data[start] <= ' ' || bytes.HasPrefix(data[start:], []byte("\ufeff"))) {
		if data[start] == 0xef {
			start += 2
		}
		start++
	}
	if start == len(data) {
		return empty, start
	}
	if data[start] == '{' {
		return jsonFeed, start
	}
	start = skipProlog(data, start)
	head := data[start:min(len(data), start+sniffLength)]
	feed, page := feedRoot.FindIndex(head), pageRoot.FindIndex(head)
	switch {
	case len(feed) > 0 && (len(page) == 0 || feed[0] < page[0]):
		return xmlFeed, start + feed[0]
	case page != nil:
		return webPage, start
	}
	return unknown, start
}

// skipProlog passes over declarations and comments, in which anything may be written.
func skipProlog(data []byte, i int) int {
	for {
		for i < len(data) && data[i] <= ' ' {
			i++
		}
		var end []byte
		switch rest := data[i:]; {
		case bytes.HasPrefix(rest, []byte("<?")):
			end = []byte("?>")
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = []byte("-->")
		default:
			return i
		}
		n := bytes.Index(data[i:], end)
		if n < 0 {
			return i
		}
		i += n + len(end)
	}
}

// discover returns the address of the feed that a web page names in its head, or "".
func discover(page []byte, base *url.URL) string {
	z := html.NewTokenizer(bytes.NewReader(page[:min(len(page), 512<<10)]))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
		default:
			continue
		}
		token := z.Token()
		attr := attributes(token)
		switch token.Data {
		case "base":
			if b, err := resolve(attr["href"], base); err == nil {
				base = b
			}
		case "link":
			if !namesFeed(attr) {
				continue
			}
			if found, err := absoluteURL(attr["href"], base); err == nil {
				return found
			}
		case "body":
			return ""
		}
	}
}

func namesFeed(attr map[string]string) bool {
	alternate := false
	for rel := range strings.FieldsSeq(strings.ToLower(attr["rel"])) {
		alternate = alternate || rel == "alternate"
	}
	kind, _, _ := strings.Cut(strings.ToLower(attr["type"]), ";")
	switch strings.TrimSpace(kind) {
	case "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml":
		return alternate
	}
	return false
}

// attributes returns the attributes of a token by name; of a name that comes twice the
// first counts, as in HTML.
func attributes(token html.Token) map[string]string {
	out := make(map[string]string, len(token.Attr))
	for _, a := range token.Attr {
		if _, twice := out[a.Key]; !twice {
			out[a.Key] = a.Val
		}
	}
	return out
}
