package digest

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// luminance is the relative luminance of WCAG 2.2 of a colour such as "#1a2b3c".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("%q is not a colour", colour)
	}
	linear := func(c uint64) float64 {
		x := float64(c&0xff) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(v>>16) + 0.7152*linear(v>>8) + 0.0722*linear(v)
}

// TestMails_Contrast_IsAA holds the colours of the mails to WCAG 2.2 AA, 4.5 to 1, and makes
// sure that the mails use these colours and no other for text.
func TestMails_Contrast_IsAA(t *testing.T) {
	sources := mailSources(t)
	for _, pair := range [][2]string{
		{"#1a1a1a", "#ffffff"}, {"#595650", "#ffffff"}, {"#595650", "#f3f1ec"}, {"#9b1c1f", "#ffffff"}, // light
		{"#f1eee8", "#1c1c1a"}, {"#b5b0a7", "#1c1c1a"}, {"#b5b0a7", "#121211"}, {"#ff9d94", "#1c1c1a"}, // dark
	} {
		a, b := luminance(t, pair[0]), luminance(t, pair[1])
		if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
			t.Errorf("%s on %s has a contrast of %.2f", pair[0], pair[1], ratio)
		}
	}
	known := "#1a1a1a #595650 #9b1c1f #ffffff #f3f1ec #dcd8d0 #f1eee8 #b5b0a7 #ff9d94 #1c1c1a #121211 #403e3a"
	for _, name := range []string{"digest.html", "confirm.html", "already.html", "parts.html"} {
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
