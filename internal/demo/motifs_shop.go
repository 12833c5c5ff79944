package demo

import "math/rand/v2"

// shelves is a wall of goods on planks, with one gap that glows.
func shelves(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	for row := range 3 {
		base := 208 + float64(row)*212
		gap := 2 + r.IntN(4)
		x := -30 + r.Float64()*20
		for i := 0; x < pictureWidth; i++ {
			w, h := 62+r.Float64()*58, 84+r.Float64()*66
			if row == 1 && i == gap {
				hole := box(x+6, base-128, 128, 122, 14)
				c.fill(hole, flat(p.light).with(0.14))
				c.fill(outline(hole, 5), flat(p.inks[0]))
				x += 152
				continue
			}
			good(c, p, r, x, base, w, h)
			x += w + 12
		}
		plank := box(-20, base, pictureWidth+40, 16, 4)
		c.shadow(plank, p.dark, 16, 20, 0.45)
		c.fill(plank, fade(p.light, p.light.mix(p.dark, 0.18), base, base+16))
	}
}

// good is one thing on a shelf that ends at base: a box, a bottle, a tin or a ball.
func good(c *canvas, p palette, r *rand.Rand, x, base, w, h float64) {
	i := r.IntN(4)
	a, b := p.ink(i), p.ink(i+1)
	lit := fade(a.mix(p.light, 0.12), a.mix(p.dark, 0.1), base-h, base)
	switch r.IntN(4) {
	case 0:
		c.fill(box(x, base-h, w, h+1, 5), lit)
		c.fill(box(x, base-h*0.62, w, h*0.3, 0), flat(b))
	case 1:
		c.fill(box(x+w*0.36, base-h-12, w*0.28, h*0.6, 4), flat(b))
		c.fill(box(x+4, base-h*0.72, w-8, h*0.72+1, 18), lit)
		c.fill(box(x+4, base-h*0.42, w-8, h*0.22, 0), flat(p.light))
	case 2:
		c.fill(box(x, base-h*0.8, w, h*0.8+1, 10), lit)
		c.fill(disc(x+w/2, base-h*0.4, w*0.26), flat(p.light))
		c.fill(disc(x+w/2, base-h*0.4, w*0.12), flat(b))
	default:
		c.fill(disc(x+w/2, base-w/2, w/2), lit)
		c.fill(disc(x+w/2, base-w/2, w/4), flat(b))
	}
}

// labels is a run of price labels on their rail, some just changing.
func labels(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	for row := range 3 {
		y := 44 + float64(row)*218
		rail := box(-10, y+52, pictureWidth+20, 72, 0)
		c.fill(rail, fade(p.dark.mix(p.top, 0.55), p.dark.mix(p.top, 0.35), y+52, y+124))
		for col := range 5 {
			x := -96 + float64(col)*262 + float64(row%2)*128
			tag := box(x, y, 220, 168, 18)
			c.shadow(tag, p.dark, 12, 22, 0.4)
			face, mark := p.light, p.dark
			if changing := r.IntN(3) == 0; changing || (row == 1 && col == 2) {
				face, mark = p.ink(r.IntN(3)), p.light
			}
			c.fill(tag, flat(face))
			c.fill(box(x+22, y+24, 70+r.Float64()*90, 14, 7), flat(mark).with(0.75))
			c.fill(box(x+22, y+48, 40+r.Float64()*60, 14, 7), flat(mark).with(0.35))
			c.fill(box(x+22, y+88, 58, 56, 10), flat(mark))
			c.fill(box(x+90, y+88, 30+r.Float64()*26, 56, 10), flat(mark))
			c.fill(disc(x+184, y+132, 12), flat(p.ink(r.IntN(4))))
		}
	}
}

// awning is a shop front under a striped, scalloped awning.
func awning(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(980, 150, 96), flat(p.light).with(0.85))
	c.fill(box(150, 120, 900, 600, 0), fade(p.inks[1].mix(p.dark, 0.1), p.inks[1].mix(p.dark, 0.3), 120, 675))
	c.fill(box(150, 84, 900, 52, 6), flat(p.dark))
	c.fill(box(206, 336, 500, 268, 8), fade(p.light, p.inks[2].mix(p.light, 0.5), 336, 604))
	c.fill(box(772, 336, 220, 360, 8), flat(p.dark))
	c.fill(box(794, 358, 176, 190, 6), fade(p.light, p.inks[2].mix(p.light, 0.4), 358, 548))
	c.fill(disc(800+10, 588, 9), flat(p.inks[2]))
	for i, x := 0, 232.0; x < 640; i++ {
		w, h := 46+r.Float64()*40, 66+r.Float64()*92
		c.fill(box(x, 604-h, w, h, 8), flat(p.ink(i)))
		x += w + 16
	}
	c.fill(box(190, 598, 532, 20, 4), flat(p.dark))
	front := box(110, 150, 980, 130, 0)
	c.shadow(front, p.dark, 56, 46, 0.45)
	const stripes = 10
	for i := range stripes {
		col := p.light
		if i%2 == 0 {
			col = p.inks[0]
		}
		x := 110 + float64(i)*98
		shade := fade(col, col.mix(p.dark, 0.14), 150, 330)
		c.fill(box(x, 150, 98, 132, 0), shade)
		c.fill(disc(x+49, 282, 49), shade)
	}
	c.fill(box(-5, 655, pictureWidth+10, 30, 0), flat(p.dark))
}

// receipt is a till roll that runs out over a disc.
func receipt(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(600, 380, 300), fade(p.inks[1], p.inks[1].mix(p.top, 0.35), 80, 680))
	c.fill(ring(600, 380, 372, 6), flat(p.light).with(0.35))
	for i, at := range [][3]float64{{150, 150, 46}, {1040, 500, 70}, {1010, 130, 30}, {210, 560, 24}} {
		c.fill(disc(at[0], at[1], at[2]), flat(p.ink(i)))
	}
	const left, wide, end = 420.0, 360.0, 590.0
	paper := box(left, 96, wide, end-96, 0)
	for x := left; x < left+wide; x += 30 {
		paper = union(paper, convex(x, end-1, x+30, end-1, x+15, end+24))
	}
	paper = turn(paper, 600, 340, -5)
	c.shadow(paper, p.dark, 22, 34, 0.5)
	c.fill(paper, fade(p.light.mix(p.dark, 0.16), p.light, 96, 210))
	at := func(s shape) shape { return turn(s, 600, 340, -5) }
	c.fill(at(box(left+116, 170, 128, 26, 13)), flat(p.dark))
	for y := 236.0; y < 430; y += 34 {
		c.fill(at(box(left+36, y, 90+r.Float64()*90, 12, 6)), flat(p.dark).with(0.55))
		c.fill(at(box(left+276, y, 48, 12, 6)), flat(p.inks[0]))
	}
	for x, i := left+36.0, 0; x < left+316; i++ {
		w := 4 + float64(r.IntN(4))*4
		c.fill(at(box(x, 470, w, 76, 0)), flat(p.dark))
		x += w + 5 + float64(r.IntN(2))*5
	}
	slot := box(340, 72, 520, 58, 29)
	c.shadow(slot, p.dark, 10, 18, 0.5)
	c.fill(slot, flat(p.dark))
}
