package feed

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds what every item promises, whatever the bytes.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "text/xml; charset=utf-8")
		f.Add(data, "")
	}
	c := NewClient(Options{MaxBytes: 1 << 20, MaxItems: 20})
	base, _ := url.Parse("https://x.example/feed")
	f.Fuzz(func(t *testing.T, data []byte, contentType string) {
		feed, err := c.Parse(bytes.NewReader(data), base, contentType)
		if err != nil {
			if feed != nil || err.Error() == "" {
				t.Fatalf("a feed with an error: %v", err)
			}
			return
		}
		if len(feed.Items) > 20 {
			t.Fatalf("%d items", len(feed.Items))
		}
		seen := map[string]bool{}
		for _, item := range feed.Items {
			if item.GUID == "" || len(item.GUID) > maxURL || seen[item.GUID] {
				t.Errorf("guid %q", item.GUID)
			}
			seen[item.GUID] = true
			checkText(t, "headline", item.Headline, maxHeadline)
			checkText(t, "summary", item.Summary, maxSummary)
			checkText(t, "author", item.Author, maxAuthor)
			checkText(t, "alt", item.Image.Alt, maxAlt)
			if item.Headline == "" || len(item.Categories) > maxCategories {
				t.Errorf("item %+v", item)
			}
			for _, name := range item.Categories {
				checkText(t, "category", name, maxCategory)
			}
			if again, err := CanonicalURL(item.URL, nil); err != nil || again != item.URL {
				t.Errorf("address %q, again %q, %v", item.URL, again, err)
			}
			if src := item.Image.URL; src != "" {
				if again, err := absoluteURL(src, nil); err != nil || again != src {
					t.Errorf("image %q, again %q, %v", src, again, err)
				}
			}
		}
	})
}

func checkText(t *testing.T, what, s string, limit int) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit || plainText(s) != s {
		t.Errorf("%s %q is not plain: %q", what, s, plainText(s))
	}
}

// FuzzPlain holds that a cleaned text is clean, and stays so when a label or boilerplate is
// taken off or it is cut.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		"a <b>c</b> &amp;lt;d&amp;gt;", "Exclusive: x", "a […]", "&#38;#60;b>", "per<i>sonal.in</i>valid", "x < y </",
		"<script>a</script", "&notit; &not in &#0; &#x110000;", "The post a appeared first on b.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkText(t, "text", plain(s, 40), 40)
		checkText(t, "summary", summarise("", "Exclusive", []string{plainText(s)}), maxSummary)
		checkText(t, "without label", withoutLabel(plainText(s), "Exclusive"), maxMarkup)
	})
}

// FuzzCanonicalURL holds that the one spelling of an address is one, and a web address.
func FuzzCanonicalURL(f *testing.F) {
	for _, s := range []string{
		"https://x.example/a?utm_source=b&c=d#e", "//x.example:443", "../a/./b?%zz", "http://[::1]:80/",
		"https://bücher.example/ü?ü=%c3", `https:\\x\y`, "www.x.example", "http://u:p@h/?a=1&amp;b=2", "?", "%",
		"https://x.example//a", "http://x%2eexample/", "/a:b", "http://1.2.3.4.", "https://x.example/%2e%2e/",
	} {
		f.Add(s, "https://x.example/feed/")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, raw, from string) {
		base, err := url.Parse(from)
		if err != nil {
			base = nil
		}
		got, err := CanonicalURL(raw, base)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			t.Fatalf("CanonicalURL(%q) = %q", raw, got)
		}
		for i := range len(got) {
			if c := got[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
				t.Fatalf("CanonicalURL(%q) = %q", raw, got)
			}
		}
		if again, err := CanonicalURL(got, nil); err != nil || again != got {
			t.Fatalf("CanonicalURL(%q) = %q, again %q, %v", raw, got, again, err)
		}
	})
}
