package metric

import (
	"math"
	"slices"
	"sync/atomic"
)

// What is done for every row of a stream, in loops that do little else.

// sharedOnes are the weights of rows that have none.
var sharedOnes atomic.Pointer[[]float64]

// maxOnes keeps weights of a batch and no more.
const maxOnes = 1 << 16

// onesOf returns n ones, which are not to be changed.
func onesOf(n int) []float64 {
	if have := sharedOnes.Load(); have != nil && len(*have) >= n {
		return (*have)[:n:n]
	}
	w := slices.Repeat([]float64{1}, n)
	if n <= maxOnes {
		sharedOnes.Store(&w)
	}
	return w
}

// allFinite reports whether no value is NaN or an infinity, whose product with 0 is
// NaN.
func allFinite(values []float64) bool {
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(values); i += 4 {
		v := values[i : i+4 : i+4]
		a += v[0] * 0
		b += v[1] * 0
		c += v[2] * 0
		d += v[3] * 0
	}
	for ; i < len(values); i++ {
		a += values[i] * 0
	}
	return a+b+c+d == 0
}

// allIndices reports whether all values are whole numbers from 0 and below top.
func allIndices(values []float64, top float64) bool {
	for _, v := range values {
		if k := int(v); uint(k) >= uint(top) || float64(k) != v {
			return false
		}
	}
	return true
}

// addBatch is add without what a sample keeps for the next weights.
func (c *Counts) addBatch(s *Sample) {
	const few = 16
	switch k := c.k; {
	case s.Kind == Multilabel:
		c.add(s)
		return
	case s.even && k <= few: // four tables, so that equal neighbours need not wait for each other
		var n [4][few * few]uint32
		i := 0
		for ; i+4 <= len(s.Target); i += 4 {
			t, p := s.Target[i:i+4:i+4], s.Pred[i:i+4:i+4]
			n[0][(int(t[0])*k+int(p[0]))&(few*few-1)]++
			n[1][(int(t[1])*k+int(p[1]))&(few*few-1)]++
			n[2][(int(t[2])*k+int(p[2]))&(few*few-1)]++
			n[3][(int(t[3])*k+int(p[3]))&(few*few-1)]++
		}
		for ; i < len(s.Target); i++ {
			n[0][int(s.Target[i])*k+int(s.Pred[i])]++
		}
		for cell := range c.cell {
			c.cell[cell] += float64(n[0][cell] + n[1][cell] + n[2][cell] + n[3][cell])
		}
	default:
		for i, t := range s.Target {
			c.cell[int(t)*k+int(s.Pred[i])] += s.Weight[i]
		}
	}
	c.sum()
}

// The sums of losses times weights, of metrics that are a mean of them.

func sumSquaredErrors(s *Sample) float64 {
	t, p, w := s.Target, s.Pred[:len(s.Target)], s.Weight[:len(s.Target)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(t); i += 4 {
		t, p, w := t[i:i+4:i+4], p[i:i+4:i+4], w[i:i+4:i+4]
		e, f, g, h := t[0]-p[0], t[1]-p[1], t[2]-p[2], t[3]-p[3]
		a += w[0] * (e * e)
		b += w[1] * (f * f)
		c += w[2] * (g * g)
		d += w[3] * (h * h)
	}
	for ; i < len(t); i++ {
		e := t[i] - p[i]
		a += w[i] * (e * e)
	}
	return a + b + c + d
}

func sumAbsoluteErrors(s *Sample) float64 {
	t, p, w := s.Target, s.Pred[:len(s.Target)], s.Weight[:len(s.Target)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(t); i += 4 {
		t, p, w := t[i:i+4:i+4], p[i:i+4:i+4], w[i:i+4:i+4]
		a += w[0] * math.Abs(t[0]-p[0])
		b += w[1] * math.Abs(t[1]-p[1])
		c += w[2] * math.Abs(t[2]-p[2])
		d += w[3] * math.Abs(t[3]-p[3])
	}
	for ; i < len(t); i++ {
		a += w[i] * math.Abs(t[i]-p[i])
	}
	return a + b + c + d
}

// sumBrier is of two classes.
func sumBrier(s *Sample) float64 {
	with := *s
	with.Pred = s.Prob
	return sumSquaredErrors(&with)
}
