package demo

import (
	"math"
	"math/rand/v2"
)

// hills are demand curves that became a landscape.
func hills(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.shadow(disc(840, 220, 130), p.inks[0], 0, 90, 0.35)
	c.fill(disc(840, 220, 130), fade(p.inks[0], p.inks[2], 90, 350))
	const layers = 5
	for i := range layers {
		ph, base := r.Float64()*6.3, 300+float64(i)*76
		a, b := 70-float64(i)*7, 190+r.Float64()*90
		f := func(x float64) float64 {
			return base + a*math.Sin(x/b+ph) + 18*math.Sin(x/63+2*ph)
		}
		t := float64(i) / (layers - 1)
		col := p.inks[1].mix(p.bottom, 0.45).mix(p.dark, t)
		c.fill(below(f, base-130), flat(col))
		if i == 2 {
			for x := 60.0; x < pictureWidth; x += 108 {
				c.fill(line(x, f(x), x, f(x)-66, 4), flat(p.light))
				c.fill(disc(x, f(x)-66, 13), flat(p.light))
			}
		}
	}
}

// crowd is rows of people, no two quite alike.
func crowd(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(600, 300, 330), flat(p.light).with(0.45))
	skins := [4]rgb{hex(0x5b3a29), hex(0x8d5b3e), hex(0xc98f68), hex(0xe9bd98)}
	for row := range 3 {
		n := 5 + row%2
		for i := range n {
			x := 600 + (float64(i)-float64(n-1)/2)*244
			y := 220 + float64(row)*168
			coat := p.ink(i + row*2)
			skin := skins[r.IntN(4)]
			bust := box(x-106, y+62, 212, 330, 100)
			c.shadow(bust, p.dark, -4, 16, 0.28)
			c.fill(bust, fade(coat.mix(p.light, 0.08), coat.mix(p.dark, 0.2), y+62, y+300))
			c.fill(convex(x-34, y+56, x+34, y+56, x, y+128), flat(p.light))
			c.fill(box(x-24, y+20, 48, 60, 20), flat(skin.mix(p.dark, 0.25)))
			c.fill(disc(x, y-2, 58), flat(skin))
			hair := disc(x, y-2, 62)
			cut := y - 22 + r.Float64()*14
			c.fill(both(hair, box(x-70, y-70, 140, cut-y+70, 0)), flat(p.dark.mix(p.ink(r.IntN(4)), 0.25)))
		}
	}
}

// columns rise, fall and rise, with the line that was promised.
func columns(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	for y := 90.0; y < 600; y += 102 {
		c.fill(box(0, y, pictureWidth, 3, 0), flat(p.light).with(0.3))
	}
	const n = 11
	var px, py float64
	for i := range n {
		x := 40 + float64(i)*104
		h := 150 + 250*math.Pow(float64(i)/(n-1), 1.4) + 70*math.Sin(float64(i)*1.25) + r.Float64()*30
		col := p.ink(i % 2)
		c.fill(box(x, 620-h, 76, h+80, 38), fade(col, col.mix(p.dark, 0.3), 620-h, 675))
		c.fill(disc(x+38, 620-h+38, 20), flat(p.light).with(0.8))
		ly := 470 - 34*float64(i) + 30*math.Sin(float64(i)*0.9)
		if i > 0 {
			c.fill(line(px, py, x+38, ly, 9), flat(p.inks[2]))
		}
		px, py = x+38, ly
	}
	c.shadow(disc(px, py, 24), p.inks[2], 0, 34, 0.5)
	c.fill(disc(px, py, 24), flat(p.inks[2]))
	c.fill(disc(px, py, 10), flat(p.light))
}

// bubbles are a conversation in which one side does most of the talking.
func bubbles(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(180, 110, 250), flat(p.inks[3]).with(0.25))
	c.fill(disc(1080, 640, 300), flat(p.inks[1]).with(0.25))
	bubble := func(x, y, w, h float64, col rgb, left bool) {
		tip := convex(x+w-120, y+h-8, x+w-50, y+h-8, x+w-34, y+h+52)
		if left {
			tip = convex(x+50, y+h-8, x+120, y+h-8, x+34, y+h+52)
		}
		s := union(box(x, y, w, h, 44), tip)
		c.shadow(s, p.dark, 18, 32, 0.38)
		c.fill(s, flat(col))
	}
	text := func(x, y float64, n int, wide float64, col rgb) {
		for i := range n {
			c.fill(box(x, y+float64(i)*38, wide*(0.55+0.45*r.Float64()), 16, 8), flat(col).with(0.8))
		}
	}
	bubble(430, 44, 640, 268, p.light, false)
	text(484, 96, 5, 530, p.dark)
	bubble(130, 236, 410, 170, p.inks[0], true)
	for i := range 3 {
		c.fill(disc(246+float64(i)*88, 321, 26), flat(p.light))
	}
	bubble(360, 420, 560, 172, p.inks[2], false)
	text(412, 468, 3, 440, p.dark)
}

// storm is weather over roofs whose windows stay lit.
func storm(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	for range 110 {
		x, y := r.Float64()*1400-100, r.Float64()*560
		c.fill(line(x, y, x-16, y+52, 4), flat(p.inks[0]).with(0.45))
	}
	bolt := union(convex(742, 196, 812, 196, 742, 372, 672, 372), convex(716, 330, 800, 330, 660, 520))
	c.shadow(bolt, p.inks[1], 0, 60, 0.5)
	c.fill(bolt, flat(p.inks[1]))
	for _, d := range [][3]float64{{470, 190, 110}, {620, 130, 140}, {780, 176, 124}, {900, 214, 84}, {380, 222, 74}} {
		c.fill(disc(d[0], d[1], d[2]), fade(p.light, p.inks[3], 20, 320))
	}
	c.fill(box(320, 206, 650, 90, 45), fade(p.light, p.inks[3], 20, 320))
	for i, x := 0, -20.0; x < pictureWidth; i++ {
		w, h := 130+r.Float64()*60, 110+r.Float64()*90
		col := p.dark.mix(p.inks[3], 0.12+0.1*float64(i%2))
		c.fill(box(x, 675-h, w, h+10, 0), flat(col))
		c.fill(convex(x-12, 676-h, x+w/2, 616-h, x+w+12, 676-h), flat(col))
		for k := range 3 {
			if r.IntN(4) > 0 {
				c.fill(box(x+20+float64(k)*(w-40)/3, 706-h, (w-40)/3-12, 40, 4), flat(p.inks[1]))
			}
		}
		x += w + 14
	}
}
