package kernel

// Sum returns the sum of x by a tree that only its length decides: lane j of
// 16 adds elements j, j+16, … in ascending order, starting from 0, and then
// the lanes are added in halves: lane j and j+8, j and j+4, j and j+2, 0 and 1.
func Sum(x []float32) float32 { return sum(x) }

// SumSquares returns the sum of the squares of x, each rounded, by the tree of
// Sum.
func SumSquares(x []float32) float32 { return sumSquares(x) }

// ReduceMax returns the largest element of x: NaN if one is NaN, −Inf if x is
// empty.
func ReduceMax(x []float32) float32 { return reduceMax(x) }

// SumRows sets dst to the sum of rows rows, each stride elements after the
// last in x: dst[c] = ((0 + x[c]) + x[stride+c]) + …
func SumRows(dst, x []float32, rows, stride int) {
	if rows <= 0 {
		clear(dst)
		return
	}
	if len(dst) > 0 {
		sumRows(dst, fit(x, (rows-1)*stride+len(dst)), rows, stride)
	}
}
