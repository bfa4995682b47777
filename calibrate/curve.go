package calibrate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

// A Curve runs straight from point to point and is level beyond its ends.
type Curve struct {
	X []float64 `json:"x"` // rising
	Y []float64 `json:"y"`
}

// At is the curve's height.
func (c Curve) At(x float64) float64 {
	i := sort.SearchFloat64s(c.X, x)
	switch {
	case i == len(c.X):
		return c.Y[i-1]
	case i == 0 || c.X[i] == x:
		return c.Y[i]
	}
	share := (x - c.X[i-1]) / (c.X[i] - c.X[i-1])
	return c.Y[i-1] + share*(c.Y[i]-c.Y[i-1])
}

func (c Curve) check() error {
	if len(c.X) == 0 || len(c.X) != len(c.Y) {
		return fmt.Errorf("a curve of %d and %d numbers, expected as many, and one or more", len(c.X), len(c.Y))
	}
	for i, x := range c.X {
		if math.IsNaN(x+c.Y[i]) || math.IsInf(x+c.Y[i], 0) || i > 0 && !(x > c.X[i-1]) {
			return fmt.Errorf("point %d of a curve is (%v, %v), expected finite numbers that rise", i+1, x, c.Y[i])
		}
	}
	return nil
}

// Rising is the isotonic regression of y on x: the rising steps with the least sum
// of squares by the weights (nil: all 1), found by pooling adjacent violators
// (Barlow et al. 1972, Statistical inference under order restrictions; Best and
// Chakravarti 1990). Rows of equal x are taken together first; between steps the
// curve runs straight. Rows of weight 0 are absent.
func Rising(x, y, weights []float64) Curve {
	type block struct{ low, high, sum, weight float64 }
	order := make([]int, 0, len(x))
	for i := range x {
		if weights == nil || weights[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	var blocks []block
	for at := 0; at < len(order); {
		b := block{low: x[order[at]], high: x[order[at]]}
		for ; at < len(order) && x[order[at]] == b.low; at++ {
			w := 1.0
			if weights != nil {
				w = weights[order[at]]
			}
			b.sum += w * y[order[at]]
			b.weight += w
		}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.sum*b.weight < b.sum*last.weight { // it rises
				break
			}
			b.low, b.sum, b.weight = last.low, b.sum+last.sum, b.weight+last.weight
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	var c Curve
	for _, b := range blocks {
		v := b.sum / b.weight
		c.X, c.Y = append(c.X, b.low), append(c.Y, v)
		if b.high > b.low {
			c.X, c.Y = append(c.X, b.high), append(c.Y, v)
		}
	}
	return c
}
