package newsletter

import (
	"fmt"
	"strings"
	"testing"
)

func TestContrast_AsTheStandardHasIt(t *testing.T) {
	for _, tt := range []struct {
		a, b, want string
	}{{"#000000", "#ffffff", "21.00"}, {"#777777", "#ffffff", "4.48"}, {"#767676", "#fff", "4.54"}, {"#ff0000", "#ffffff", "4.00"}, {"red", "#fff", "0.00"}} {
		if got := fmt.Sprintf("%.2f", Contrast(tt.a, tt.b)); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}

// Every colour is either taken or answered by one that is, and what is computed of a colour that
// was taken can be read too.
func TestBrandColour_IsReadableOrTheNearestIsNamed(t *testing.T) {
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				c := fmt.Sprintf("#%02X%02x%02x", r, g, b)
				kept, err := CheckBrandColour(c)
				if err != nil {
					nearest := err.Error()[strings.LastIndex(err.Error(), "#"):]
					if kept, err = CheckBrandColour(nearest); err != nil {
						t.Fatalf("%s is answered by %s, which is refused: %v", c, nearest, err)
					}
				}
				if Contrast(kept, LightPaper) < LeastAA || Contrast(DarkAccent(kept), DarkPaper) < LeastAA {
					t.Fatalf("%s: light %s, dark %s", c, kept, DarkAccent(kept))
				}
			}
		}
	}
	for _, wrong := range []string{"", "red", "#12", "#12345", "9b1c1f", "#gggggg", "#9b1c1f;x"} {
		if got, err := CheckBrandColour(wrong); KindOf(err) != Invalid {
			t.Errorf("%q is taken as %s (%v)", wrong, got, err)
		}
	}
	if got, err := CheckBrandColour(" #06C "); err != nil || got != "#0066cc" {
		t.Errorf("the short form is %q (%v)", got, err)
	}
}

func TestDarkAccent_KeepsTheHue(t *testing.T) {
	for brand, want := range map[string]string{"#9b1c1f": "#e7797b", "#0b5a9c": "", "#006600": "", "#333333": ""} {
		c, _ := parseColour(brand)
		dark, ok := parseColour(DarkAccent(brand))
		h, s, _ := c.hsl()
		g, _, _ := dark.hsl()
		if !ok || s > 0 && min(abs(h-g), 6-abs(h-g)) > 0.1 {
			t.Errorf("%s is %s on dark paper", brand, dark)
		}
		if want != "" && dark.String() != want {
			t.Errorf("%s is %s on dark paper, want %s", brand, dark, want)
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }
