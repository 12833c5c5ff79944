package feed

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"

	ext "github.com/mmcdole/gofeed/extensions"
	"golang.org/x/net/html"
)

// maxImages is how many pictures of an article are looked at.
const maxImages = 40

// picture is a candidate for the image of an item.
type picture struct {
	url, alt      string
	width, height string
	hidden        bool
}

// image returns the first usable picture: media:content, media:thumbnail, enclosure, itunes
// and JSON Feed image, an <image> element, the first <img> of the content and description.
//
// Usable means: an http(s) address, of no known size under 3 pixels, not one of those that
// only count readers or show a smiley, and no SVG, which mail programs do not show. Where the
// feed has no alternative text, that of the same picture in the content is taken.
func (e entry) image(base *url.URL) newsletter.Image {
	inline := append(htmlPictures(e.Content), htmlPictures(e.Description)...)
	for _, p := range append(e.declaredPictures(), inline...) {
		address, err := absoluteURL(p.url, base)
		if err != nil || !p.usable(address) {
			continue
		}
		img := newsletter.Image{URL: address, Alt: altText(p.alt)}
		for i := 0; i < len(inline) && img.Alt == ""; i++ {
			if same, err := absoluteURL(inline[i].url, base); err == nil && samePicture(same, address) {
				img.Alt = altText(inline[i].alt)
			}
		}
		return img
	}
	return newsletter.Image{}
}

// declaredPictures are those that the feed names as such, best first.
func (e entry) declaredPictures() []picture {
	var list []picture
	media := e.Extensions["media"]
	groups := []map[string][]ext.Extension{media}
	for _, g := range media["group"] {
		groups = append(groups, g.Children)
	}
	for _, kind := range []string{"content", "thumbnail"} {
		for _, g := range groups {
			for _, m := range g[kind] {
				if kind == "thumbnail" || isPicture(m.Attrs["type"], m.Attrs["medium"], m.Attrs["url"]) {
					list = append(list, mediaPicture(m, g))
				}
				for _, t := range m.Children["thumbnail"] {
					list = append(list, mediaPicture(t, m.Children))
				}
			}
		}
	}
	for _, enc := range e.Enclosures {
		if isPicture(enc.Type, "", enc.URL) {
			list = append(list, picture{url: enc.URL})
		}
	}
	if e.ITunesExt != nil {
		list = append(list, picture{url: e.ITunesExt.Image})
	}
	if e.Image != nil {
		list = append(list, picture{url: e.Image.URL, alt: e.Image.Title})
	}
	for word := range strings.FieldsSeq(plain(e.Custom["image"], maxURL)) { // <image>, or <image><url>
		if isWeb(word) {
			list = append(list, picture{url: word})
			break
		}
	}
	return list[:min(len(list), maxImages)]
}

// mediaPicture reads an element of Media RSS. Its words for a picture are the description
// (which is what is seen) and the title.
func mediaPicture(m ext.Extension, around map[string][]ext.Extension) picture {
	p := picture{url: m.Attrs["url"], alt: m.Attrs["alt"], width: m.Attrs["width"], height: m.Attrs["height"]}
	for _, place := range []map[string][]ext.Extension{m.Children, around} {
		for _, name := range []string{"description", "title"} {
			for _, text := range place[name] {
				p.alt = firstOf(p.alt, text.Value)
			}
		}
	}
	return p
}

// isPicture goes by the type, and by the name of the file where there is none.
func isPicture(mimeType, medium, address string) bool {
	switch {
	case strings.HasPrefix(strings.ToLower(mimeType), "image/"), strings.EqualFold(medium, "image"):
		return true
	case mimeType != "" || medium != "":
		return false
	}
	name, _, _ := strings.Cut(address, "?")
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif":
		return true
	}
	return false
}

// htmlPictures returns the <img> elements of HTML in their order.
func htmlPictures(s string) []picture {
	if len(s) > maxMarkup {
		s = s[:maxMarkup]
	}
	if !strings.Contains(s, "<") && strings.Contains(s, "&lt;") { // escaped once too often
		s = html.UnescapeString(s)
	}
	if !strings.Contains(s, "<") {
		return nil
	}
	var list []picture
	z := html.NewTokenizer(strings.NewReader(s))
	for len(list) < maxImages {
		switch z.Next() {
		case html.ErrorToken:
			return list
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			if token.Data != "img" {
				continue
			}
			attr := attributes(token)
			list = append(list, picture{
				url: imageSource(attr), alt: attr["alt"], width: attr["width"], height: attr["height"],
				hidden: strings.Contains(strings.ReplaceAll(strings.ToLower(attr["style"]), " ", ""), "display:none") ||
					strings.Contains(attr["class"], "emoji") || strings.Contains(attr["class"], "smiley"),
			})
		}
	}
	return list
}

// imageSource finds the address of a picture, which pages that load pictures late keep
// somewhere else than in src.
func imageSource(attr map[string]string) string {
	for _, name := range []string{"src", "data-src", "data-original", "data-lazy-src"} {
		if v := strings.TrimSpace(attr[name]); v != "" && !strings.HasPrefix(v, "data:") {
			return v
		}
	}
	for _, name := range []string{"srcset", "data-srcset"} {
		if fields := strings.Fields(attr[name]); len(fields) > 0 {
			return strings.TrimRight(fields[0], ",")
		}
	}
	return ""
}

// usable reports whether the picture is one to be looked at.
func (p picture) usable(address string) bool {
	if p.hidden || tiny(p.width) || tiny(p.height) {
		return false
	}
	u, err := url.Parse(address)
	if err != nil || strings.EqualFold(path.Ext(u.Path), ".svg") {
		return false
	}
	lower := strings.ToLower(u.Host + u.Path)
	for _, counter := range [...]string{
		"feeds.feedburner.com/~", "pixel.wp.com/", "stats.wordpress.com/", "doubleclick.net/",
		"s.w.org/images/core/emoji/", "/pixel.gif", "/pixel.png", "/spacer.gif", "/blank.gif", "/1x1.",
	} {
		if strings.Contains(lower, counter) {
			return false
		}
	}
	return true
}

// tiny reports whether a length such as "1" or "1px" is known to be under 3 pixels.
func tiny(length string) bool {
	length = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(length)), "px"))
	n, err := strconv.ParseFloat(length, 64)
	return err == nil && n < 3
}

// samePicture compares addresses without their parameters, which choose size and format.
func samePicture(a, b string) bool {
	a, _, _ = strings.Cut(a, "?")
	b, _, _ = strings.Cut(b, "?")
	return a == b
}

// fileName is what a camera or a disk calls a picture.
var fileName = regexp.MustCompile(`(?i)^\S+\.(?:jpe?g|png|gif|webp|avif)$`)

// altText returns the words for a picture; the name of a file is none.
func altText(s string) string {
	s = plain(s, maxAlt)
	if !readable(s) || fileName.MatchString(s) {
		return ""
	}
	return s
}
