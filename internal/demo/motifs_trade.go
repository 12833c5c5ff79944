package demo

import (
	"math"
	"math/rand/v2"
)

// card is a payment card that talks to whatever is near it.
func card(c *canvas, p palette, _ *rand.Rand) {
	c.background(p.top, p.bottom)
	for i := 6; i >= 1; i-- {
		col := p.inks[i%2]
		c.fill(disc(820, 250, float64(i)*96), flat(col).with(0.15+0.05*float64(6-i)))
	}
	c.fill(disc(820, 250, 46), flat(p.light))
	at := func(s shape) shape { return turn(s, 420, 400, -16) }
	body := at(box(150, 230, 560, 350, 34))
	c.shadow(body, p.dark, 30, 50, 0.5)
	c.fill(body, fade(p.inks[1], p.inks[3], 180, 640))
	c.fill(both(body, disc(640, 560, 220)), flat(p.light).with(0.14))
	c.fill(both(body, disc(700, 480, 150)), flat(p.light).with(0.14))
	c.fill(at(box(206, 320, 96, 74, 14)), flat(p.light))
	c.fill(at(box(206, 352, 96, 8, 0)), flat(p.inks[1]))
	c.fill(at(box(250, 320, 8, 74, 0)), flat(p.inks[1]))
	for i := range 4 {
		c.fill(at(box(206+float64(i)*112, 446, 88, 20, 10)), flat(p.light).with(0.95))
	}
	c.fill(at(box(206, 500, 180, 16, 8)), flat(p.light).with(0.6))
}

// coins are stacks of different height, and one coin in the air.
func coins(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(860, 250, 190), flat(p.light).with(0.35))
	floor := 600.0
	c.fill(box(-5, floor-20, pictureWidth+10, 120, 0), fade(p.dark, p.dark.mix(p.top, 0.25), floor-20, 675))
	for i, n := range []int{3, 6, 10, 5, 8} {
		cx := 170 + float64(i)*215
		col := p.ink(i)
		c.shadow(ellipse(cx+8, floor+12, 104, 34), p.dark, 0, 18, 0.55)
		for k := range n {
			y := floor - float64(k)*36
			x := cx + (r.Float64()-0.5)*16
			side := union(box(x-92, y-32, 184, 32, 0), ellipse(x, y, 92, 28))
			c.fill(side, flat(col.mix(p.dark, 0.34)))
			c.fill(both(side, box(x-92, y-32, 34, 70, 0)), flat(p.light).with(0.16))
			c.fill(ellipse(x, y-32, 92, 28), flat(col))
			if k == n-1 {
				c.fill(ellipse(x, y-32, 64, 18), flat(col.mix(p.light, 0.45)))
			}
		}
	}
	c.fill(turn(ellipse(860, 150, 64, 92), 860, 150, 24), flat(p.inks[0].mix(p.dark, 0.3)))
	c.fill(turn(ellipse(848, 146, 62, 90), 848, 146, 24), flat(p.inks[0]))
	c.fill(turn(ellipse(848, 146, 40, 62), 848, 146, 24), flat(p.inks[0].mix(p.light, 0.5)))
}

// cubes is a stack of parcels, seen from the corner.
func cubes(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(600, 340, 290), flat(p.light).with(0.22))
	const s = 78.0
	dx, dy := s*math.Sqrt(3), s
	cube := func(x, y float64, col rgb) {
		hx := dx / 2
		c.fill(convex(x, y-dy, x+hx, y-dy/2, x, y, x-hx, y-dy/2), flat(col.mix(p.light, 0.3)))
		c.fill(convex(x-hx, y-dy/2, x, y, x, y+dy, x-hx, y+dy/2), flat(col))
		c.fill(convex(x, y, x+hx, y-dy/2, x+hx, y+dy/2, x, y+dy), flat(col.mix(p.dark, 0.4)))
		c.fill(convex(x-hx*0.62, y-dy*0.31, x-hx*0.4, y-dy*0.2, x-hx*0.4, y+dy*0.14, x-hx*0.62, y+dy*0.03), flat(p.light).with(0.85))
	}
	heights := [5][5]int{{4, 3, 3, 1, 1}, {3, 4, 2, 1, 0}, {3, 2, 2, 1, 0}, {2, 1, 0, 0, 0}, {1, 1, 0, 0, 0}}
	for i := range 5 {
		for j := range 5 {
			for k := range heights[i][j] {
				x := 600 + float64(j-i)*dx/2
				y := 238 + float64(i+j)*dy/2 - float64(k)*dy + 90
				cube(x, y, p.ink(r.IntN(4)))
			}
		}
	}
}

// route is a town of blocks with one way through it.
func route(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	at := func(s shape) shape { return turn(s, 600, 337, -12) }
	for x := -200.0; x < 1400; x += 168 {
		for y := -200.0; y < 900; y += 140 {
			col := p.top.mix(p.dark, 0.10+r.Float64()*0.16)
			if r.IntN(7) == 0 {
				col = p.inks[3].mix(p.top, 0.35)
			}
			c.fill(at(box(x+10, y+10, 148, 120, 12)), flat(col))
		}
	}
	way := []float64{-60, 640, 136, 640, 136, 360, 472, 360, 472, 500, 808, 500, 808, 220, 1144, 220, 1144, -40}
	for i := 0; i+3 < len(way); i += 2 {
		c.fill(at(line(way[i], way[i+1], way[i+2], way[i+3], 30)), flat(p.light))
	}
	for i := 0; i+3 < len(way); i += 2 {
		c.fill(at(line(way[i], way[i+1], way[i+2], way[i+3], 14)), flat(p.inks[0]))
	}
	for i, at := range [][2]float64{{256, 450}, {520, 392}, {755, 425}, {1050, 128}} {
		pin(c, p, at[0], at[1], p.ink(i+1))
	}
}

func pin(c *canvas, p palette, x, y float64, col rgb) {
	c.shadow(ellipse(x, y, 30, 12), p.dark, 4, 14, 0.6)
	drop := union(disc(x, y-104, 52), convex(x-47, y-82, x+47, y-82, x, y))
	c.fill(drop, fade(col.mix(p.light, 0.12), col, y-156, y))
	c.fill(disc(x, y-104, 22), flat(p.light))
}

// boat is a night boat with its load, on a canal between hills.
func boat(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	c.fill(disc(930, 150, 74), flat(p.light))
	c.fill(disc(960, 132, 66), fade(p.top, p.bottom, 0, 675))
	for range 36 {
		c.fill(disc(r.Float64()*1200, r.Float64()*270, 1.5+r.Float64()*2), flat(p.light).with(0.8))
	}
	for i := range 2 {
		ph := r.Float64() * 6
		f := func(x float64) float64 {
			return 350 + float64(i)*46 + 40*math.Sin(x/190+ph) + 14*math.Sin(x/71+ph)
		}
		c.fill(below(f, 240), flat(p.dark.mix(p.inks[3], 0.34-0.2*float64(i))))
	}
	c.fill(box(-5, 470, 1210, 300, 0), fade(p.inks[3].mix(p.dark, 0.35), p.dark, 470, 675))
	for i := range 13 {
		y := 508 + float64(i)*13
		w := 60 + r.Float64()*220
		c.fill(box(r.Float64()*1100, y, w, 4, 2), flat(p.inks[0]).with(0.45))
	}
	for i, x := 0, 330.0; x < 800; i++ {
		w, h := 58+r.Float64()*44, 54+float64(r.IntN(3))*34
		c.fill(box(x, 452-h, w, h+20, 4), flat(p.ink(i+1)))
		c.fill(box(x+w/2-5, 452-h, 10, h+20, 0), flat(p.light).with(0.5))
		x += w + 6
	}
	c.fill(box(860, 352, 130, 120, 10), flat(p.light))
	c.fill(box(884, 376, 36, 40, 6), flat(p.inks[1]))
	c.fill(box(934, 376, 36, 40, 6), flat(p.inks[1]))
	hull := convex(240, 446, 1030, 446, 1060, 446, 1010, 528, 300, 528)
	c.shadow(hull, p.dark, 20, 18, 0.6)
	c.fill(hull, fade(p.inks[2], p.inks[2].mix(p.dark, 0.3), 446, 528))
	c.fill(box(262, 462, 770, 10, 5), flat(p.light))
}

// robots stand in a queue and carry things.
func robots(c *canvas, p palette, r *rand.Rand) {
	c.background(p.top, p.bottom)
	for i := range 7 {
		c.fill(box(-20+float64(i)*190, 60, 150, 380, 10), flat(p.light).with(0.10+0.07*float64(i%2)))
	}
	c.fill(box(-5, 560, 1210, 130, 0), flat(p.dark))
	for i := range 9 {
		c.fill(box(20+float64(i)*140, 612, 74, 10, 5), flat(p.inks[2]))
	}
	for i := range 4 {
		x := 70 + float64(i)*282
		col := p.ink(i)
		n := 1 + (i+r.IntN(2))%3
		for k := range n {
			w := 150 - float64(k)*26
			c.fill(box(x+105-w/2, 402-float64(k+1)*72, w, 68, 6), flat(p.ink(i+k+1).mix(p.light, 0.2)))
			c.fill(box(x+97, 402-float64(k+1)*72, 16, 68, 0), flat(p.light).with(0.55))
		}
		c.fill(box(x+12, 400, 186, 14, 5), flat(p.dark))
		body := box(x, 412, 210, 128, 40)
		c.shadow(body, p.dark, 14, 20, 0.4)
		c.fill(body, fade(col, col.mix(p.dark, 0.2), 412, 540))
		c.fill(box(x+34, 440, 142, 58, 29), flat(p.dark))
		c.fill(disc(x+88+float64(i%2)*22, 469, 14), flat(p.light))
		c.fill(disc(x+132+float64(i%2)*14, 469, 14), flat(p.light))
		c.fill(disc(x+46, 548, 30), flat(p.dark.mix(p.light, 0.16)))
		c.fill(disc(x+164, 548, 30), flat(p.dark.mix(p.light, 0.16)))
		c.fill(disc(x+46, 548, 11), flat(p.light))
		c.fill(disc(x+164, 548, 11), flat(p.light))
	}
}
