package demo

import (
	"slices"
	"strings"
	"time"
)

// article is a story as the editor filed it.
type article struct {
	ID         int // of the guid: it stays when a headline is corrected
	Slug       string
	Headline   string
	Standfirst string
	Body       []string
	Author     string
	Categories []string
	Age        time.Duration // how long before Options.Now it appeared; 0 for a prepared one
	Alt        string        // what the picture shows
	Caption    string
	Motif      string
	Palette    string
}

// sections returns the parts of the magazine in the order of its navigation.
func sections() []string {
	return []string{"AI & Data", "Payments", "Supply Chain", "Stores", "People"}
}

// sectionID names a section in an address: "AI & Data" is at #ai-data.
func sectionID(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r == ' ' || r == '&'
	}), "-")
}

// story is an article that has appeared.
type story struct {
	*article
	Published time.Time
}

// Path is the address of the article page on this site.
func (s story) Path() string { return "/articles/" + s.Slug }

// Picture is the address of the picture on this site.
func (s story) Picture() string { return "/images/" + s.Slug + ".png" }

// Section is the part of the magazine the story belongs to.
func (s story) Section() string {
	for _, c := range s.Categories {
		if slices.Contains(sections(), c) {
			return c
		}
	}
	return ""
}

// SectionID is the anchor of the section on the front page.
func (s story) SectionID() string { return sectionID(s.Section()) }

// Kind is "Opinion" or "Analysis", and empty for news.
func (s story) Kind() string {
	for _, c := range s.Categories {
		if c == "Opinion" || c == "Analysis" {
			return c
		}
	}
	return ""
}

// Date is when the story appeared, for a reader.
func (s story) Date() string { return s.Published.Format("2 January 2006, 15:04") }

// ISO is when the story appeared, for a program.
func (s story) ISO() string { return s.Published.Format(time.RFC3339) }

// Short is the time of day on the day of publication, and the date afterwards.
func (s story) Short(now time.Time) string {
	if s.Published.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return s.Published.Format("15:04")
	}
	return s.Published.Format("2 Jan")
}

// related picks the stories to read after s: its own section first, then the newest.
func related(s story, all []story, n int) []story {
	var near, far []story
	for _, o := range all {
		switch {
		case o.Slug == s.Slug:
		case o.Section() == s.Section():
			near = append(near, o)
		default:
			far = append(far, o)
		}
	}
	near = append(near, far...)
	return near[:min(n, len(near))]
}
