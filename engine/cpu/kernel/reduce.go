package kernel

import "math"

// atOnce is how many elements one call into assembly reduces, so that a garbage
// collection, which has to wait for the call's end, does not wait long.
const atOnce = 64 << 10

// Sum returns the sum of x by a tree that only its length decides: lane j of
// 16 adds elements j, j+16, … in ascending order, starting from 0, and then
// the lanes are added in halves: lane j and j+8, j and j+4, j and j+2, 0 and 1.
func Sum(x []float32) float32 {
	if len(x) <= atOnce {
		return sum(x)
	}
	var l [lanes]float32 // a row's sums are the lanes
	rows := len(x) / lanes
	SumRows(l[:], x, rows, lanes)
	for i, v := range x[rows*lanes:] {
		l[i] += v
	}
	return sumLanes(&l)
}

// ReduceMax returns the largest element of x: NaN if one is NaN, −Inf if x is
// empty.
func ReduceMax(x []float32) float32 {
	m := float32(math.Inf(-1))
	for len(x) > atOnce {
		m = max(m, reduceMax(x[:atOnce]))
		x = x[atOnce:]
	}
	return max(m, reduceMax(x))
}

// SumRows sets dst to the sum of rows rows, each stride elements after the
// last in x: dst[c] = ((0 + x[c]) + x[stride+c]) + …
func SumRows(dst, x []float32, rows, stride int) {
	if rows <= 0 {
		clear(dst)
		return
	}
	if len(dst) == 0 {
		return
	}
	x = fit(x, (rows-1)*stride+len(dst))
	block := max(1, atOnce/max(len(dst), lanes))
	for r := 0; r < rows; r += block {
		sumRows(dst, x[r*stride:], min(block, rows-r), stride, r > 0)
	}
}
