package bounce

import (
	"html"
	"regexp"
	"strings"
)

var (
	htmlHidden = regexp.MustCompile(`(?is)<(style|script|head|title)\b.*?</(style|script|head|title)>|<!--.*?-->`)
	htmlBreak  = regexp.MustCompile(`(?i)<(br|/?p|/?div|/?tr|/?li|/?h[1-6]|/?table|/?pre)\b[^>]*>`)
	htmlTag    = regexp.MustCompile(`</?[a-zA-Z!][^<>]*>`)
)

// plainText returns the words of a page, for the systems that send nothing else. It is read
// by rules and never shown as a page, so it need not be exact.
func plainText(page string) string {
	page = htmlHidden.ReplaceAllString(page, " ")
	page = htmlBreak.ReplaceAllString(page, "\n")
	page = htmlTag.ReplaceAllString(page, " ")
	page = strings.ReplaceAll(html.UnescapeString(page), "\u00a0", " ")
	return page
}
