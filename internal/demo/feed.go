package demo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"html/template"
	"strings"
	"time"
)

// document is a file as it is served, with what a conditional request compares.
type document struct {
	body     []byte
	etag     string
	modified time.Time
}

func newDocument(body []byte, modified time.Time) document {
	h := fnv.New64a()
	h.Write(body)
	return document{body, fmt.Sprintf(`"%016x"`, h.Sum64()), modified}
}

// The feed is RSS 2.0 with the modules that blog software adds to it.
type rss struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Content string     `xml:"xmlns:content,attr"`
	Media   string     `xml:"xmlns:media,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title         string    `xml:"title"`
	Self          atomLink  `xml:"atom:link"`
	Link          string    `xml:"link"`
	Description   string    `xml:"description"`
	LastBuildDate string    `xml:"lastBuildDate"`
	Language      string    `xml:"language"`
	Items         []rssItem `xml:"item"`
}

type atomLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type rssItem struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	Creator     cdata    `xml:"dc:creator"`
	PubDate     string   `xml:"pubDate"`
	Categories  []cdata  `xml:"category"`
	GUID        rssGUID  `xml:"guid"`
	Description cdata    `xml:"description"`
	Content     cdata    `xml:"content:encoded"`
	Media       rssMedia `xml:"media:content"`
}

type cdata struct {
	Text string `xml:",cdata"`
}

type rssGUID struct {
	IsPermaLink bool   `xml:"isPermaLink,attr"`
	Value       string `xml:",chardata"`
}

type rssMedia struct {
	URL         string       `xml:"url,attr"`
	Medium      string       `xml:"medium,attr"`
	Type        string       `xml:"type,attr"`
	Width       int          `xml:"width,attr"`
	Height      int          `xml:"height,attr"`
	Description rssMediaText `xml:"media:description"`
}

type rssMediaText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// composeFeed writes the feed of these stories.
func (p *Publisher) composeFeed(stories []story, modified time.Time) (document, error) {
	feed := rss{
		Version: "2.0",
		Atom:    "http://www.w3.org/2005/Atom",
		DC:      "http://purl.org/dc/elements/1.1/",
		Content: "http://purl.org/rss/1.0/modules/content/",
		Media:   "http://search.yahoo.com/mrss/",
		Channel: rssChannel{
			Title: Name, Link: p.FrontPageURL(), Description: tagline, Language: "en-GB",
			Self:          atomLink{p.FeedURL(), "self", "application/rss+xml"},
			LastBuildDate: modified.Format(time.RFC1123Z),
		},
	}
	for _, s := range stories {
		feed.Channel.Items = append(feed.Channel.Items, p.item(s))
	}
	var buf bytes.Buffer
	buf.WriteString(xml.Header)
	enc := xml.NewEncoder(&buf)
	enc.Indent("", "  ")
	if err := enc.Encode(feed); err != nil {
		return document{}, fmt.Errorf("feed: %w", err)
	}
	return newDocument(buf.Bytes(), modified), nil
}

// item is a story with what feeds have in real life: tracking parameters on the link, HTML in the
// description, and a last sentence that nobody wrote.
func (p *Publisher) item(s story) rssItem {
	link := p.base + s.Path()
	footer := "<p>The post " + anchor(link, s.Headline) + " appeared first on " + anchor(p.FrontPageURL(), Name) + ".</p>"
	item := rssItem{
		Title: s.Headline, Link: link + "?utm_source=rss&utm_medium=feed&utm_campaign=" + s.Slug,
		Creator: cdata{s.Author}, PubDate: s.Published.Format(time.RFC1123Z),
		GUID:        rssGUID{false, fmt.Sprintf("trolley-and-till-%d", s.ID)},
		Description: cdata{"<p><strong>" + template.HTMLEscapeString(s.Standfirst) + "</strong></p>\n" + footer},
		Media: rssMedia{
			URL: p.base + s.Picture(), Medium: "image", Type: "image/png",
			Width: pictureWidth, Height: pictureHeight, Description: rssMediaText{"plain", s.Alt},
		},
	}
	for _, c := range s.Categories {
		item.Categories = append(item.Categories, cdata{c})
	}
	var body strings.Builder
	for _, paragraph := range s.Body {
		body.WriteString("<p>" + template.HTMLEscapeString(paragraph) + "</p>\n")
	}
	item.Content = cdata{body.String() + footer}
	return item
}

func anchor(href, text string) string {
	return `<a href="` + template.HTMLEscapeString(href) + `">` + template.HTMLEscapeString(text) + `</a>`
}
