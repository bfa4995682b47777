package kernel

import "math"

// The functions of this file go through one row, of a normalisation or of a
// softmax. Sums are those of Sum over the terms, each rounded.

// rowAtOnce is how many elements one call goes through, so that a garbage
// collection does not wait long.
const rowAtOnce = 16 << 10

// Moments returns the mean of a row and one over its deviation, with epsilon
// added to the variance; without centring the mean is 0, and the deviation that
// from 0.
func Moments(x []float32, epsilon float32, centre bool) (mean, scale float32) {
	n := float32(len(x))
	if centre {
		mean = Sum(x) / n
	}
	return mean, 1 / sqrt32(sumSquaresOf(x, mean)/n+epsilon)
}

// NormRow sets dst = (x − mean)·scale·gain + shift.
func NormRow(dst, x, gain, shift []float32, mean, scale float32) {
	n := len(dst)
	x, gain, shift = fit(x, n), fit(gain, n), fit(shift, n)
	for lo := 0; lo < n; lo += rowAtOnce {
		hi := min(lo+rowAtOnce, n)
		normRow(dst[lo:hi], x[lo:hi], gain[lo:hi], shift[lo:hi], mean, scale)
	}
}

// NormGradRow sets dst to the gradient of NormRow, of a row whose moments are
// mean and scale, with respect to x.
func NormGradRow(dst, x, gain, dy []float32, mean, scale float32, centre bool) {
	n := len(dst)
	x, gain, dy = fit(x, n), fit(gain, n), fit(dy, n)
	a := float32(0)
	if centre {
		a = sumProductsOf(dy, gain) / float32(n)
	}
	c := sumTriplesOf(dy, gain, x, mean) / float32(n) * scale * scale
	for lo := 0; lo < n; lo += rowAtOnce {
		hi := min(lo+rowAtOnce, n)
		normGradRow(dst[lo:hi], x[lo:hi], gain[lo:hi], dy[lo:hi], mean, a, c, scale)
	}
}

// AddNormRow adds dy·(x − mean)·scale to sum: a row's part in the gradient of
// NormRow with respect to the gain.
func AddNormRow(sum, x, dy []float32, mean, scale float32) {
	n := len(sum)
	x, dy = fit(x, n), fit(dy, n)
	for lo := 0; lo < n; lo += rowAtOnce {
		hi := min(lo+rowAtOnce, n)
		addNormRow(sum[lo:hi], sum[lo:hi], x[lo:hi], dy[lo:hi], mean, scale)
	}
}

// Longer rows than one call may go through are summed by the plain loops: they
// are rare, and the order is theirs.

func sumSquaresOf(x []float32, m float32) float32 {
	if len(x) > rowAtOnce {
		return sumSquaresGeneric(x, m)
	}
	return sumSquares(x, m)
}

func sumProductsOf(x, y []float32) float32 {
	if len(x) > rowAtOnce {
		return sumProductsGeneric(x, y)
	}
	return sumProducts(x, y)
}

func sumTriplesOf(x, y, z []float32, m float32) float32 {
	if len(x) > rowAtOnce {
		return sumTriplesGeneric(x, y, z, m)
	}
	return sumTriples(x, y, z, m)
}

// MaxRow returns the largest element of a row of those that are numbers, −Inf of
// none; of zeros the positive one.
func MaxRow(x []float32) float32 {
	m := float32(math.Inf(-1))
	for len(x) > atOnce {
		m = max(m, maxRow(x[:atOnce]))
		x = x[atOnce:]
	}
	return max(m, maxRow(x))
}

// SumExp returns the sum of eˣ⁻ᵐ over a row.
func SumExp(x []float32, m float32) float32 {
	if len(x) > rowAtOnce {
		return sumExpGeneric(x, m)
	}
	return sumExp(x, m)
}

// SoftmaxRow replaces a row by the exponentials of its elements less the largest
// of them, and returns their sum: NaN if one is.
func SoftmaxRow(x []float32) float32 {
	if len(x) > rowAtOnce {
		return softmaxRowGeneric(x)
	}
	var sum [1]float32
	softmaxRows(x, sum[:], 1, 0, len(x), 0, len(x))
	return sum[0]
}
