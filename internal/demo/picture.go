package demo

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/png"
	"math/rand/v2"
	"sync"
)

// palette is what one picture is painted with. All of them mix the same dozen
// inks, so that pictures side by side look like one magazine's.
type palette struct {
	top, bottom rgb // background
	dark, light rgb
	inks        [4]rgb
}

// ink gives the i-th colour, round and round.
func (p palette) ink(i int) rgb { return p.inks[i%len(p.inks)] }

func palettes() map[string]palette {
	bottle, pine, teal, mint := hex(0x0f2b2a), hex(0x14524b), hex(0x23897c), hex(0xa9dcc6)
	bone, sand, marigold := hex(0xf6f1e4), hex(0xe9d8b4), hex(0xf6b92f)
	coral, rose, plum := hex(0xec6a4c), hex(0xf4bba9), hex(0x432a4e)
	sky, blue, night := hex(0xa3cede), hex(0x2b5f8c), hex(0x14304a)
	return map[string]palette{
		"plum":     {plum, hex(0x6b3f68), hex(0x2a1933), bone, [4]rgb{marigold, rose, coral, mint}},
		"lilac":    {hex(0xd9cbe6), hex(0xf0e6ee), plum, bone, [4]rgb{plum, coral, marigold, hex(0x8a6aa3)}},
		"pine":     {bottle, hex(0x1c6a60), hex(0x0a1f1e), bone, [4]rgb{mint, marigold, teal, coral}},
		"mint":     {mint, hex(0xdcefdf), bottle, bone, [4]rgb{pine, coral, marigold, teal}},
		"night":    {night, blue, hex(0x0c2033), bone, [4]rgb{sky, marigold, coral, hex(0x5f9cc4)}},
		"sky":      {sky, hex(0xe0eff0), night, bone, [4]rgb{blue, coral, marigold, teal}},
		"coral":    {coral, hex(0xf39a72), hex(0x5a1f1c), bone, [4]rgb{plum, marigold, rose, pine}},
		"sand":     {sand, bone, bottle, bone, [4]rgb{coral, teal, marigold, plum}},
		"marigold": {marigold, hex(0xfbd36f), bottle, bone, [4]rgb{coral, pine, plum, teal}},
	}
}

// motif composes one kind of picture. Chance comes from r alone.
type motif func(c *canvas, p palette, r *rand.Rand)

func motifs() map[string]motif {
	return map[string]motif{
		"shelves": shelves, "hills": hills,
		"card": card, "cubes": cubes, "route": route,
		"crowd": crowd, "coins": coins, "awning": awning, "columns": columns,
		"receipt": receipt, "labels": labels, "boat": boat, "robots": robots,
		"bubbles": bubbles, "storm": storm,
	}
}

// drawPicture draws the picture of an article; the same article gets the same bytes.
func drawPicture(slug, motifName, paletteName string) (*image.RGBA, error) {
	draw, ok := motifs()[motifName]
	if !ok {
		return nil, fmt.Errorf("picture %s: no motif %q", slug, motifName)
	}
	p, ok := palettes()[paletteName]
	if !ok {
		return nil, fmt.Errorf("picture %s: no palette %q", slug, paletteName)
	}
	h := fnv.New64a()
	h.Write([]byte(slug))
	c := newCanvas()
	draw(c, p, rand.New(rand.NewPCG(h.Sum64(), 1)))
	return c.img, nil
}

// gallery keeps the pictures that were asked for. It only draws those of known
// articles, and one at a time, so that nobody can keep the machine busy with it.
type gallery struct {
	mu    sync.Mutex
	drawn map[string][]byte
}

// png gives the picture of a as a PNG file.
func (g *gallery) png(a *article) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b, ok := g.drawn[a.Slug]; ok {
		return b, nil
	}
	img, err := drawPicture(a.Slug, a.Motif, a.Palette)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil, fmt.Errorf("picture %s: %w", a.Slug, err)
	}
	g.drawn[a.Slug] = buf.Bytes()
	return buf.Bytes(), nil
}
