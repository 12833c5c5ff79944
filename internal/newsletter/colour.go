package newsletter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// DefaultBrandColour is the colour of a newsletter that was given none.
const DefaultBrandColour = "#9b1c1f"

// The papers that mails are printed on, and the least contrast of text on them (WCAG 2.2 AA).
const (
	LightPaper  = "#ffffff"
	DarkPaper   = "#1c1c1a"
	LeastAA     = 4.5
	darkComfort = 6.0 // for what is computed there is no need to stop at the least
)

// colour is red, green and blue from 0 to 1.
type colour [3]float64

func parseColour(s string) (colour, bool) {
	hex, ok := strings.CutPrefix(s, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil || len(hex) != 6 {
		return colour{}, false
	}
	return colour{float64(v>>16) / 255, float64(v>>8&0xff) / 255, float64(v&0xff) / 255}, true
}

// String returns the colour as CSS writes it.
func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// luminance is the relative luminance of WCAG 2.2.
func (c colour) luminance() float64 {
	var l float64
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		x := c[i]
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		l += weight * x
	}
	return l
}

// hsl returns hue from 0 to 6, saturation and lightness from 0 to 1.
func (c colour) hsl() (h, s, l float64) {
	high, low := max(c[0], c[1], c[2]), min(c[0], c[1], c[2])
	l = (high + low) / 2
	d := high - low
	if d == 0 {
		return 0, 0, l
	}
	s = d / (1 - math.Abs(2*l-1))
	switch high {
	case c[0]:
		h = math.Mod((c[1]-c[2])/d+6, 6)
	case c[1]:
		h = (c[2]-c[0])/d + 2
	default:
		h = (c[0]-c[1])/d + 4
	}
	return h, s, l
}

// fromHSL is the colour of hue, saturation and lightness.
func fromHSL(h, s, l float64) colour {
	var c colour
	for i, n := range [3]float64{0, 4, 2} {
		x := math.Mod(n+h, 6)
		k := max(0, min(1, math.Abs(x-3)-1))
		c[i] = l + s*(1-math.Abs(2*l-1))*(k-0.5)
	}
	return c
}

// Contrast returns the contrast ratio of two colours such as "#1a2b3c", 1 to 21 (WCAG 2.2);
// 0 if one is not a colour.
func Contrast(a, b string) float64 {
	x, ok := parseColour(a)
	y, also := parseColour(b)
	if !ok || !also {
		return 0
	}
	l, m := x.luminance(), y.luminance()
	return (max(l, m) + 0.05) / (min(l, m) + 0.05)
}

// shadeUntil returns the colour, made darker or lighter (towards is 0 or 1) just as far as its
// contrast with the paper needs.
func shadeUntil(c colour, towards float64, paper string, least float64) string {
	const steps = 256
	h, s, l := c.hsl()
	if c.enough(paper, least) {
		return c.String()
	}
	for i := range steps {
		shade := fromHSL(h, s, l+(towards-l)*float64(i)/steps)
		if shade.enough(paper, least) {
			return shade.String()
		}
	}
	return fromHSL(h, s, towards).String()
}

func (c colour) enough(paper string, least float64) bool { return Contrast(c.String(), paper) >= least }

// CheckBrandColour returns the colour in the form that is kept: "#9b1c1f". The error is Invalid
// if it is none, or if text of it on white, and white text on it, cannot be read by everybody
// (WCAG 2.2 AA); then it names the nearest colour of the same hue that can.
func CheckBrandColour(s string) (string, error) {
	c, ok := parseColour(strings.ToLower(strings.TrimSpace(s)))
	if !ok {
		return "", Invalidf("brand_colour", "%q is not a colour; write it as #9b1c1f", s)
	}
	if ratio := Contrast(c.String(), LightPaper); ratio < LeastAA {
		return "", Invalidf("brand_colour", "%s has a contrast of %.1f to 1 with white, and text needs 4.5 to 1 (WCAG AA); the nearest that has it is %s",
			c, ratio, shadeUntil(c, 0, LightPaper, LeastAA))
	}
	return c.String(), nil
}

// DarkAccent returns the brand colour as it is used on dark paper: light enough to be read
// there, and to carry dark letters.
func DarkAccent(brand string) string {
	c, ok := parseColour(brand)
	if !ok {
		c, _ = parseColour(DefaultBrandColour)
	}
	return shadeUntil(c, 1, DarkPaper, darkComfort)
}
