package digest

import (
	"strconv"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// TestMails_Contrast_IsAA holds the colours of the mails to WCAG 2.2 AA, 4.5 to 1, and makes
// sure that the mails use these colours and no other for text.
func TestMails_Contrast_IsAA(t *testing.T) {
	sources := mailSources(t)
	for _, pair := range [][2]string{
		{"#1a1a1a", "#ffffff"}, {"#595650", "#ffffff"}, {"#595650", "#f3f1ec"}, {"#9b1c1f", "#ffffff"}, // light
		{"#f1eee8", "#1c1c1a"}, {"#b5b0a7", "#1c1c1a"}, {"#b5b0a7", "#121211"}, {newsletter.DarkAccent("#9b1c1f"), "#1c1c1a"}, // dark
	} {
		if ratio := newsletter.Contrast(pair[0], pair[1]); ratio < 4.5 {
			t.Errorf("%s on %s has a contrast of %.2f", pair[0], pair[1], ratio)
		}
	}
	known := "#1a1a1a #595650 #9b1c1f #ffffff #f3f1ec #dcd8d0 #f1eee8 #b5b0a7 #1c1c1a #121211 #403e3a"
	for _, name := range []string{"blocks.html", "brief.html", "headlines.html", "pictures.html", "confirm.html", "already.html", "parts.html"} {
		for rest := range strings.SplitSeq(sources[name], "#") {
			if len(rest) < 6 {
				continue
			}
			if _, err := strconv.ParseUint(rest[:6], 16, 32); err == nil && !strings.Contains(known, "#"+rest[:6]) {
				t.Errorf("%s has the colour #%s, whose contrast nobody looked at", name, rest[:6])
			}
		}
	}
}
