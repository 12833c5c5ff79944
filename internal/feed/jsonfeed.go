package feed

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mmcdole/gofeed"
	gofeedjson "github.com/mmcdole/gofeed/json"
)

// parseJSON reads a JSON Feed (jsonfeed.org, versions 1 and 1.1).
//
// The items are decoded one by one, where gofeed would decode all at once: a number in the
// place of a title is then the fault of that item and not of the feed.
func parseJSON(data []byte) (*document, error) {
	// Control characters are not allowed in JSON, and in strings people put them. As a
	// space they do no harm anywhere.
	data = bytes.Map(func(r rune) rune {
		if r < 0x20 {
			return ' '
		}
		return r
	}, data)
	if countObjects(data) > maxElements {
		return nil, &Error{Kind: KindTooLarge, Detail: "more than " + strconv.Itoa(maxElements) + " objects"}
	}
	var top map[string]json.RawMessage
	// A decoder, unlike Unmarshal, does not mind what follows the object.
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&top); err != nil {
		return nil, &Error{Kind: KindMalformed, Detail: "it is not JSON", Err: err}
	}
	var items []json.RawMessage
	noItems := json.Unmarshal(top["items"], &items) != nil
	isFeed := strings.Contains(text(top["version"]), "jsonfeed.org/version")
	if noItems || !isFeed && text(top["title"]) == "" {
		return nil, &Error{Kind: KindNotFeed, Detail: "some other JSON"}
	}
	if len(items) > maxEntries {
		return nil, &Error{Kind: KindTooLarge, Detail: "more than " + strconv.Itoa(maxEntries) + " items"}
	}

	doc := &document{}
	feed := &gofeedjson.Feed{
		Title: text(top["title"]), Description: text(top["description"]),
		HomePageURL: text(top["home_page_url"]), Language: text(top["language"]),
	}
	for i, raw := range items {
		item := &gofeedjson.Item{}
		if err := json.Unmarshal(raw, item); err != nil || string(raw) == "null" {
			doc.broken = append(doc.broken, Broken{Index: i, Title: titleOf(raw), Why: "not a JSON Feed item"})
			continue
		}
		item.Authors = withoutNil(item.Authors) // gofeed does not expect null there
		feed.Items = append(feed.Items, item)
		doc.items = append(doc.items, entry{index: i, guidIsLink: true})
	}
	var err error
	if doc.feed, err = (&gofeed.DefaultJSONTranslator{}).Translate(feed); err != nil {
		return nil, &Error{Kind: KindMalformed, Detail: "it is not a JSON Feed", Err: err}
	}
	for i, item := range doc.feed.Items {
		if len(feed.Items[i].Authors) == 0 && feed.Items[i].Author != nil {
			doc.items[i].authors = []string{feed.Items[i].Author.Name}
		}
		for _, a := range feed.Items[i].Authors {
			doc.items[i].authors = append(doc.items[i].authors, a.Name)
		}
		doc.items[i].Item = item
	}
	return doc, nil
}

// text returns a JSON string, and "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func titleOf(raw json.RawMessage) string {
	var item map[string]json.RawMessage
	if json.Unmarshal(raw, &item) != nil {
		return ""
	}
	return text(item["title"])
}

func withoutNil(authors []*gofeedjson.Author) []*gofeedjson.Author {
	var out []*gofeedjson.Author
	for _, a := range authors {
		if a != nil {
			out = append(out, a)
		}
	}
	return out
}

// countObjects counts the objects and arrays of a JSON text without building any.
func countObjects(data []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case (c == '{' || c == '[') && !quoted:
			n++
		}
	}
	return n
}
