package demo

import (
	"image"
	"math"
)

// Pictures have the size that feed readers and social previews expect.
const (
	pictureWidth  = 1200
	pictureHeight = 675
)

// canvas is an opaque drawing surface. Shapes are signed distances, which
// gives every edge one pixel of anti-aliasing without supersampling.
type canvas struct{ img *image.RGBA }

type rgb struct{ r, g, b float64 }

func hex(v uint32) rgb {
	return rgb{float64(v >> 16 & 255), float64(v >> 8 & 255), float64(v & 255)}
}

// mix goes from c (t = 0) to d (t = 1).
func (c rgb) mix(d rgb, t float64) rgb {
	return rgb{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

// paint is one colour, or a vertical gradient between two heights.
type paint struct {
	top, bottom rgb
	y0, y1      float64
	alpha       float64
}

func flat(c rgb) paint { return paint{top: c, bottom: c, y1: 1, alpha: 1} }

func fade(top, bottom rgb, y0, y1 float64) paint {
	return paint{top: top, bottom: bottom, y0: y0, y1: y1, alpha: 1}
}

func (p paint) with(alpha float64) paint {
	p.alpha = alpha
	return p
}

func (p paint) at(y float64) rgb {
	return p.top.mix(p.bottom, clamp((y-p.y0)/(p.y1-p.y0)))
}

// shape is a region: the signed distance to its edge, negative inside, and
// the box outside of which it need not be asked.
type shape struct {
	dist           func(x, y float64) float64
	x0, y0, x1, y1 float64
}

func newCanvas() *canvas {
	return &canvas{img: image.NewRGBA(image.Rect(0, 0, pictureWidth, pictureHeight))}
}

// fill paints s. The paint's colour depends on the row only, so that rows stay
// cheap to draw and, without noise, small as PNG.
func (c *canvas) fill(s shape, p paint) {
	c.cover(s, p, 1, func(d float64) float64 { return clamp(0.5 - d) })
}

// shadow paints a soft copy of s, moved down by drop.
func (c *canvas) shadow(s shape, ink rgb, drop, blur, alpha float64) {
	c.cover(move(s, 0, drop), flat(ink).with(alpha), blur, func(d float64) float64 {
		t := clamp((blur - d) / (2 * blur))
		return t * t * (3 - 2*t)
	})
}

// cover paints where coverage, which changes only within margin of the edge, is above zero. Away from
// the edge it takes runs of pixels at once: a distance says how far the edge cannot be. Some shapes
// only estimate theirs, so it trusts half of it.
func (c *canvas) cover(s shape, p paint, margin float64, coverage func(d float64) float64) {
	x0, x1 := max(0, int(s.x0-margin)), min(pictureWidth, int(s.x1+margin)+1)
	y0, y1 := max(0, int(s.y0-margin)), min(pictureHeight, int(s.y1+margin)+1)
	for y := y0; y < y1; y++ {
		col := p.at(float64(y) + 0.5)
		row := c.img.Pix[y*c.img.Stride : y*c.img.Stride+pictureWidth*4]
		for x := x0; x < x1; {
			d := s.dist(float64(x)+0.5, float64(y)+0.5)
			end := min(x1, x+1+int(max(0, math.Abs(d)-margin)/2))
			if a := p.alpha * coverage(d); a > 0 {
				paintRun(row[x*4:end*4], col, a)
			}
			x = end
		}
	}
}

func paintRun(pixels []uint8, col rgb, a float64) {
	if a >= 1 {
		n := copy(pixels, []uint8{blend(0, col.r, 1), blend(0, col.g, 1), blend(0, col.b, 1), 255})
		for n < len(pixels) {
			n += copy(pixels[n:], pixels[:n])
		}
		return
	}
	for ; len(pixels) >= 4; pixels = pixels[4:] {
		pixels[0] = blend(pixels[0], col.r, a)
		pixels[1] = blend(pixels[1], col.g, a)
		pixels[2] = blend(pixels[2], col.b, a)
		pixels[3] = 255
	}
}

func blend(under uint8, over, a float64) uint8 {
	u := float64(under)
	return uint8(u + (over-u)*a + 0.5)
}

func clamp(t float64) float64 { return max(0, min(1, t)) }

// background fills the whole picture with a vertical gradient.
func (c *canvas) background(top, bottom rgb) {
	c.fill(box(-2, -2, pictureWidth+4, pictureHeight+4, 0), fade(top, bottom, 0, pictureHeight))
}

// box is a rectangle with its corner at x, y and corners of radius r.
func box(x, y, w, h, r float64) shape {
	cx, cy := x+w/2, y+h/2
	return shape{func(px, py float64) float64 {
		dx, dy := math.Abs(px-cx)-w/2+r, math.Abs(py-cy)-h/2+r
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - r
	}, x, y, x + w, y + h}
}

func disc(cx, cy, r float64) shape {
	return shape{func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }, cx - r, cy - r, cx + r, cy + r}
}

func ellipse(cx, cy, rx, ry float64) shape {
	return shape{func(x, y float64) float64 {
		u, v := (x-cx)/rx, (y-cy)/ry
		k := math.Hypot(u, v)
		g := math.Hypot(u/rx, v/ry)
		if g == 0 {
			return -min(rx, ry)
		}
		return k * (k - 1) / g
	}, cx - rx, cy - ry, cx + rx, cy + ry}
}

// ring is the outline of a disc, w wide.
func ring(cx, cy, r, w float64) shape {
	return outline(disc(cx, cy, r), w)
}

func outline(s shape, w float64) shape {
	return shape{func(x, y float64) float64 { return math.Abs(s.dist(x, y)) - w/2 }, s.x0 - w, s.y0 - w, s.x1 + w, s.y1 + w}
}

// line is a stroke with round ends.
func line(ax, ay, bx, by, w float64) shape {
	dx, dy := bx-ax, by-ay
	length := dx*dx + dy*dy
	return shape{func(x, y float64) float64 {
		t := clamp(((x-ax)*dx + (y-ay)*dy) / length)
		return math.Hypot(x-ax-t*dx, y-ay-t*dy) - w/2
	}, min(ax, bx) - w, min(ay, by) - w, max(ax, bx) + w, max(ay, by) + w}
}

// convex is a convex polygon; its points, x then y, run clockwise on screen.
func convex(pts ...float64) shape {
	n := len(pts) / 2
	s := shape{x0: math.Inf(1), y0: math.Inf(1), x1: math.Inf(-1), y1: math.Inf(-1)}
	for i := range n {
		s.x0, s.x1 = min(s.x0, pts[2*i]), max(s.x1, pts[2*i])
		s.y0, s.y1 = min(s.y0, pts[2*i+1]), max(s.y1, pts[2*i+1])
	}
	s.dist = func(x, y float64) float64 {
		d := math.Inf(-1)
		for i := range n {
			j := (i + 1) % n
			ax, ay, ex, ey := pts[2*i], pts[2*i+1], pts[2*j]-pts[2*i], pts[2*j+1]-pts[2*i+1]
			d = max(d, ((x-ax)*-ey+(y-ay)*ex)/-math.Hypot(ex, ey))
		}
		return d
	}
	return s
}

// below is everything under the curve y = f(x), whose slope is gentle.
func below(f func(x float64) float64, top float64) shape {
	return shape{func(x, y float64) float64 { return f(x) - y }, 0, top, pictureWidth, pictureHeight}
}

// both is the part that two shapes share.
func both(a, b shape) shape {
	return shape{
		func(x, y float64) float64 { return max(a.dist(x, y), b.dist(x, y)) },
		max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1),
	}
}

func move(s shape, dx, dy float64) shape {
	return shape{func(x, y float64) float64 { return s.dist(x-dx, y-dy) }, s.x0 + dx, s.y0 + dy, s.x1 + dx, s.y1 + dy}
}

// turn rotates s around a point, clockwise on screen, by an angle in degrees.
func turn(s shape, cx, cy, degrees float64) shape {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	t := shape{dist: func(x, y float64) float64 {
		x, y = x-cx, y-cy
		return s.dist(cx+x*cos+y*sin, cy-x*sin+y*cos)
	}, x0: math.Inf(1), y0: math.Inf(1), x1: math.Inf(-1), y1: math.Inf(-1)}
	for _, p := range [4][2]float64{{s.x0, s.y0}, {s.x1, s.y0}, {s.x0, s.y1}, {s.x1, s.y1}} {
		x, y := p[0]-cx, p[1]-cy
		t.x0, t.x1 = min(t.x0, cx+x*cos-y*sin), max(t.x1, cx+x*cos-y*sin)
		t.y0, t.y1 = min(t.y0, cy+x*sin+y*cos), max(t.y1, cy+x*sin+y*cos)
	}
	return t
}

// union is whatever is in a or in b.
func union(a, b shape) shape {
	return shape{
		func(x, y float64) float64 { return min(a.dist(x, y), b.dist(x, y)) },
		min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1),
	}
}
