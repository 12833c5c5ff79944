package feed_test

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

func parseFile(t *testing.T, name, contentType string) (*feed.Feed, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	base, _ := url.Parse("https://feeds.example/" + name)
	return feed.NewClient(feed.Options{}).Parse(bytes.NewReader(data), base, contentType)
}

func mustParse(t *testing.T, name string) *feed.Feed {
	t.Helper()
	f, err := parseFile(t, name, "")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}

func TestParse_RSS2_GivesCleanItems(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "rss2.xml")
	equal(t, "title", f.Title, "Timber & Pulp Weekly")
	equal(t, "description", f.Description, "News of the sawmill trade")
	equal(t, "language", f.Language, "en-GB")
	equal(t, "site", f.SiteURL, "https://timber.example/")
	if len(f.Items) != 3 {
		t.Fatalf("%d items, broken: %v", len(f.Items), f.Broken)
	}

	a := f.Items[0]
	equal(t, "guid", a.GUID, "tag:timber.example,2026:7")
	equal(t, "url", a.URL, "https://timber.example/birch-prices?id=7")
	equal(t, "label", a.Label, "Exclusive")
	equal(t, "headline", a.Headline, "Birch prices fall for the third month")
	equal(t, "summary", a.Summary, "Mills pay less for birch than at any time since spring.")
	equal(t, "author", a.Author, "Ada Lindqvist, Tomás Rey")
	equal(t, "categories", strings.Join(a.Categories, "|"), "Prices|Birch & Beech")
	equal(t, "image", a.Image, newsletter.Image{URL: "https://timber.example/img/birch.jpg?w=300", Alt: "Stacks of birch logs"})
	equal(t, "published", a.Published, time.Date(2026, 10, 5, 6, 30, 0, 0, time.UTC))

	b := f.Items[1]
	equal(t, "relative link", b.URL, "https://timber.example/opinion/planting")
	equal(t, "guid without one", b.GUID, b.URL)
	equal(t, "label by category", b.Label, "Opinion")
	equal(t, "a headline that is only the label", b.Headline, "Opinion")
	equal(t, "label gone from the summary", b.Summary, "Why planting alone is no plan …")
	equal(t, "enclosure", b.Image.URL, "https://timber.example/img/saplings.png")

	c := f.Items[2]
	equal(t, "guid as link", c.URL, "https://timber.example/briquettes")
	equal(t, "text is text", c.Headline, "Sawdust briquettes < wood pellets, says study")
	equal(t, "a summary that repeats the headline", c.Summary, "")
}

func TestParse_RSS1AndRSS091_AreRead(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "rss1.rdf")
	if len(f.Items) != 1 {
		t.Fatalf("%d items", len(f.Items))
	}
	equal(t, "headline", f.Items[0].Headline, "Kiln opens in Brindle")
	equal(t, "author", f.Items[0].Author, "Oda Berg")
	equal(t, "date", f.Items[0].Published, time.Date(2026, 9, 30, 8, 0, 0, 0, time.UTC))
	equal(t, "language", f.Language, "en")

	f = mustParse(t, "rss091.xml")
	if len(f.Items) != 1 {
		t.Fatalf("%d items", len(f.Items))
	}
	equal(t, "url", f.Items[0].URL, "https://rope.example/hemp")
}

func TestParse_Atom_PrefersTheWebPageAndResolvesByXMLBase(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "atom.xml")
	equal(t, "title", f.Title, "Glas & Ofen")
	equal(t, "language", f.Language, "de-AT")
	if len(f.Items) != 1 {
		t.Fatalf("%d items, broken %v", len(f.Items), f.Broken)
	}
	a := f.Items[0]
	equal(t, "headline", a.Headline, "Ofen drei steht still")
	equal(t, "url", a.URL, "https://glas.example/news/ofen")
	equal(t, "summary", a.Summary, "Die Reparatur dauert zwei Wochen.")
	equal(t, "author", a.Author, "Eva Kern")
	equal(t, "category", strings.Join(a.Categories, "|"), "Öfen")
	equal(t, "image", a.Image.URL, "https://glas.example/img/ofen.jpg")
	equal(t, "published", a.Published, time.Date(2026, 10, 4, 20, 0, 0, 0, time.UTC))
	equal(t, "updated", a.Updated, time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC))
}

func TestParse_JSONFeed_SkipsBrokenItemsOnly(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "feed.json")
	if len(f.Items) != 2 || len(f.Broken) != 2 {
		t.Fatalf("%d items, broken %v", len(f.Items), f.Broken)
	}
	equal(t, "guid of a number", f.Items[0].GUID, "17")
	equal(t, "url", f.Items[0].URL, "https://cask.example/oak")
	equal(t, "summary", f.Items[0].Summary, "Coopers wait for months.")
	equal(t, "author", f.Items[0].Author, "Mia Holt")
	equal(t, "categories", strings.Join(f.Items[0].Categories, "|"), "Oak|Trade")
	equal(t, "image", f.Items[0].Image.URL, "https://cask.example/oak.webp")
	equal(t, "banner", f.Items[1].Image.URL, "https://cask.example/rye.jpg")
	equal(t, "author of version 1", f.Items[1].Author, "Jo Fenn")
	equal(t, "summary from text", f.Items[1].Summary, "By rail this time.")
	equal(t, "index of a broken item", f.Broken[1].Index, 2)
}

func TestParse_Encodings_AreReadByWhatTheBytesAre(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, contentType, headline, summary string }{
		{"latin1.xml", "", "Über Käse für alle", "Grüße"},
		{"latin1.xml", "text/xml; charset=utf-8", "Über Käse für alle", "Grüße"},
		{"windows1252.xml", "", "“Über Käse” – 5 €", "Grüße"},
		{"says-utf8-is-1252.xml", "application/rss+xml; charset=UTF-8", "“Über Käse” – 5 €", "Grüße"},
		{"says-latin1-is-utf8.xml", "text/xml; charset=iso-8859-1", "“Über Käse” – 5 €", "Grüße"},
		{"utf16le-bom.xml", "text/xml; charset=utf-8", "“Über Käse” – 5 €", "Grüße"},
		{"utf16be.xml", "", "“Über Käse” – 5 €", "Grüße"},
		{"gb18030.xml", "", "桦木价格下跌", "工厂付得更少。"},
		{"gb18030.xml", "text/xml; charset=utf-8", "桦木价格下跌", "工厂付得更少。"},
		{"shift-jis.xml", "", "白樺の価格が下落", "工場は安く買う。"},
		{"scarred-utf8.xml", "", "Über Käse für alle", "Gr\uFFFD"},
	} {
		t.Run(test.file+test.contentType, func(t *testing.T) {
			t.Parallel()
			f, err := parseFile(t, test.file, test.contentType)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "headline", f.Items[0].Headline, test.headline)
			equal(t, "summary", f.Items[0].Summary, test.summary)
		})
	}
}

func TestParse_WrongnessOfEveryKind_IsMended(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, headline, summary string }{
		{"bom-and-garbage.xml", "Barge traffic grows", "More freight."},
		{"control-chars.xml", "Steel prices rise 🚜 again", "Up by 5 %… &bogus; end"},
		{"stray-markup.xml", "Costs < income & rising", "a ]]> b c d < 5"},
		{"double-escaped.xml", "Smith & Sons – new mill", `First "words"`},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			f := mustParse(t, test.file)
			if len(f.Items) != 1 {
				t.Fatalf("%d items, broken %v", len(f.Items), f.Broken)
			}
			equal(t, "headline", f.Items[0].Headline, test.headline)
			equal(t, "summary", f.Items[0].Summary, test.summary)
		})
	}
}

func TestParse_BrokenItems_AreSkippedEachWithAReason(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "broken-items.xml")
	if len(f.Items) != 1 || f.Items[0].Headline != "Good one" || !f.Items[0].Published.IsZero() {
		t.Errorf("items: %+v", f.Items)
	}
	want := []feed.Broken{
		{Index: 0, Title: "", Why: "no headline"},
		{Index: 1, Title: "", Why: "no headline"},
		{Index: 2, Title: "No link at all", Why: "no usable link: no link"},
		{Index: 3, Title: "Script link", Why: "no usable link: the link is not an http(s) address"},
		{Index: 4, Title: "Opaque guid", Why: "no usable link: no link"},
		{Index: 6, Title: "Our own place", Why: "no usable link: the link cannot be read"},
	}
	if len(f.Broken) != len(want) {
		t.Fatalf("broken: %v", f.Broken)
	}
	for i := range want {
		equal(t, "broken", f.Broken[i], want[i])
	}
}

func TestParse_Dates_AbsurdOnesBecomeZeroAndFarOnesStay(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "dates.xml")
	noon := time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC)
	stamp := time.Unix(1790000000, 0).UTC()
	zero := time.Time{}
	want := []time.Time{
		noon.Add(5 * time.Hour), noon.Add(-2 * time.Hour), noon, stamp, zero, zero, zero, zero,
		time.Date(2185, 10, 5, 10, 0, 0, 0, time.UTC), noon.Add(-2 * time.Hour), noon, stamp,
		noon, noon, noon, noon.AddDate(0, -1, 0),
	}
	equal(t, "items", len(f.Items), len(want))
	for i, item := range f.Items {
		equal(t, "date "+item.Headline, item.Published, want[i])
	}
}

func TestParse_DuplicateGUIDs_KeepTheFirstAndGoByAddressWhereLinksDiffer(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "duplicates.xml")
	var got []string
	for _, item := range f.Items {
		got = append(got, item.Headline+"="+item.GUID)
	}
	equal(t, "items", strings.Join(got, " "), "One=g1 Two=https://x.example/2 Three=https://x.example/3")
	equal(t, "duplicates", f.Duplicates, 2)
}

func TestParse_Images_FirstUsableOneIsTaken(t *testing.T) {
	t.Parallel()
	want := map[string]newsletter.Image{
		"group":              {URL: "https://x.example/g.jpg", Alt: "A crane & a ship"},
		"thumbnail":          {URL: "https://cdn.x.example/t.jpg"},
		"pixel then picture": {URL: "https://x.example/news/real.jpg"},
		"itunes":             {URL: "https://x.example/cover.png"},
		"image element":      {URL: "https://x.example/i.jpg"},
	}
	for _, item := range mustParse(t, "images.xml").Items {
		equal(t, item.Headline, item.Image, want[item.Headline])
	}
}

func TestParse_WhatIsNoFeed_IsAnErrorOfItsKind(t *testing.T) {
	t.Parallel()
	deep := `<rss><channel><title>x</title>` + strings.Repeat("<a>", 1_000_000)
	spaces := `<rss ` + strings.Repeat(`xmlns:a="b" `, 1000) + `><channel/></rss>`
	many := `<rss><channel><title>x</title>` + strings.Repeat("<item/>", 60_000) + `</channel></rss>`
	var copies strings.Builder // each element would be given a map of 60 name spaces
	copies.WriteString("<rss ")
	for i := range 60 {
		copies.WriteString(" xmlns:n" + strconv.Itoa(i) + `="u"`)
	}
	copies.WriteString("><channel><title>x</title>" + strings.Repeat("<a/>", 100_000))
	for name, test := range map[string]struct {
		doc  string
		kind feed.Kind
	}{
		"namespaces often":    {copies.String(), feed.KindTooLarge},
		"nothing":             {"", feed.KindNotFeed},
		"blank":               {" \n\t\ufeff ", feed.KindNotFeed},
		"text":                {"Not found, sorry", feed.KindNotFeed},
		"other XML":           {`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, feed.KindNotFeed},
		"a sitemap":           {`<urlset><url><loc>https://x.example/</loc></url></urlset>`, feed.KindNotFeed},
		"RSS without all":     {`<rss version="2.0"></rss>`, feed.KindNotFeed},
		"other JSON":          {`{"error":"no such key"}`, feed.KindNotFeed},
		"broken JSON":         {`{"version":"https://jsonfeed.org/version/1","items":[`, feed.KindMalformed},
		"page":                {`<html><body>rss</body></html>`, feed.KindWebPage},
		"commented page":      {"<!-- <rss> -->\n<!DOCTYPE html>\n<p>Hello", feed.KindWebPage},
		"deep nesting":        {deep, feed.KindTooLarge},
		"namespaces":          {spaces, feed.KindTooLarge},
		"empty items":         {many, feed.KindTooLarge},
		"tags without end":    {"<rss>" + strings.Repeat("<a =", 50_000), feed.KindMalformed},
		"objects without end": {`{"items":[` + strings.Repeat("[", 400_000), feed.KindTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := feed.NewClient(feed.Options{}).Parse(strings.NewReader(test.doc), nil, "")
			e, ok := errors.AsType[*feed.Error](err)
			if !ok || e.Kind != test.kind || f != nil {
				t.Errorf("got %v, %v, want kind %d", f, err, test.kind)
			}
		})
	}
	if _, err := parseFile(t, "truncated.xml", ""); err == nil {
		t.Error("a feed that breaks off was read")
	}
}

func TestParse_EmptyFeed_IsAFeed(t *testing.T) {
	t.Parallel()
	if f := mustParse(t, "empty.xml"); f.Title != "Nothing yet" || len(f.Items) != 0 {
		t.Errorf("got %+v", f)
	}
}

func TestParse_WebPage_NamesItsFeed(t *testing.T) {
	t.Parallel()
	_, err := parseFile(t, "page.html", "application/rss+xml")
	e, ok := errors.AsType[*feed.Error](err)
	if !ok {
		t.Fatal(err)
	}
	equal(t, "feed", e.FeedURL, "https://www.timber.example/feed.xml?x=1&y=2")
	equal(t, "message", e.Error(), "feeds.example answers with a web page; its feed is https://www.timber.example/feed.xml?x=1&y=2")
}

func TestParse_TooManyItems_KeepsTheNewestInTheirOrder(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`<rss><channel><title>Archive, oldest first</title>`)
	for i := range 20 {
		date := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.RFC1123Z)
		if i == 3 {
			date = ""
		}
		b.WriteString(`<item><title>n` + strconv.Itoa(i) + `</title><link>https://x.example/` +
			strconv.Itoa(i) + `</link><pubDate>` + date + `</pubDate></item>`)
	}
	b.WriteString(`</channel></rss>`)
	f, err := feed.NewClient(feed.Options{MaxItems: 4}).Parse(strings.NewReader(b.String()), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range f.Items {
		got = append(got, item.Headline)
	}
	equal(t, "kept", strings.Join(got, " "), "n3 n17 n18 n19")
	equal(t, "dropped", f.Dropped, 16)
}

func TestParse_MoreBytesThanAllowed_IsAnError(t *testing.T) {
	t.Parallel()
	c := feed.NewClient(feed.Options{MaxBytes: 100})
	_, err := c.Parse(strings.NewReader(`<rss><channel><title>`+strings.Repeat("x", 200)), nil, "")
	if e, ok := errors.AsType[*feed.Error](err); !ok || e.Kind != feed.KindTooLarge {
		t.Errorf("got %v", err)
	}
}
