package main

import (
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/tensor"
)

// The real points: Gaussians around modes on a circle.
const (
	modes  = 8
	radius = 2.0
	sigma  = 0.1
)

// mode returns the centre of a mode.
func mode(k int) (x, y float64) {
	sin, cos := math.Sincos(2 * math.Pi * float64(k) / modes)
	return radius * cos, radius * sin
}

// drawRing fills points [n 2].
func drawRing(r *rand.Rand, points *tensor.Tensor) {
	for i := range points.Shape()[0] {
		x, y := mode(r.IntN(modes))
		points.Floats()[2*i] = float32(x + sigma*r.NormFloat64())
		points.Floats()[2*i+1] = float32(y + sigma*r.NormFloat64())
	}
}

// A census counts points by the mode within 3 sigma of which they lie.
type census struct {
	points int
	near   [modes]int
}

func (c *census) count(points *tensor.Tensor) {
	for i := range points.Shape()[0] {
		c.points++
		for k := range modes {
			x, y := mode(k)
			if math.Hypot(float64(points.Floats()[2*i])-x, float64(points.Floats()[2*i+1])-y) < 3*sigma {
				c.near[k]++
			}
		}
	}
}

// result returns how many modes have at least a quarter of their share of the
// points, and the share of points that are near any.
func (c *census) result() (covered int, share float64) {
	for _, n := range c.near {
		share += float64(n) / float64(c.points)
		if 4*modes*n >= c.points {
			covered++
		}
	}
	return covered, share
}
