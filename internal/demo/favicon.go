package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// drawFavicon draws the T of the wordmark on a slip of paper with a torn edge.
func drawFavicon() ([]byte, error) {
	const side = 32
	clear := color.NRGBA{}
	slip := color.NRGBA{0xf6, 0xb9, 0x2f, 0xff}
	letter := color.NRGBA{0x0f, 0x2b, 0x2a, 0xff}
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{clear, slip, letter})
	for y := range side {
		for x := range side {
			tooth := x % 8
			torn := y >= side-4+min(tooth, 7-tooth)
			bar := y >= 6 && y < 11 && x >= 7 && x < 25
			stem := y >= 6 && y < 25 && x >= 13 && x < 19
			switch {
			case torn:
			case bar || stem:
				img.SetColorIndex(x, y, 2)
			default:
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
