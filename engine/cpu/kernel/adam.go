package kernel

// Moment sets dst to a moving mean of x: dst = old·keep + x·take, or a 0 of its
// sign where that is nearer to 0 than least. NaN stays.
func Moment(dst, old, x []float32, keep, take, least float32) {
	moment(dst, fit(old, len(dst)), fit(x, len(dst)), keep, take, least)
}

// MomentSquare is Moment of x².
func MomentSquare(dst, old, x []float32, keep, take, least float32) {
	momentSquare(dst, fit(old, len(dst)), fit(x, len(dst)), keep, take, least)
}

// Adam sets dst = p − m·rate/(√v·root + epsilon), the step of Kingma and Ba 2015,
// algorithm 1, where rate is the learning rate over 1−β₁ᵗ and root is
// 1/√(1−β₂ᵗ).
func Adam(dst, p, m, v []float32, rate, root, epsilon float32) {
	adam(dst, fit(p, len(dst)), fit(m, len(dst)), fit(v, len(dst)), rate, root, epsilon)
}

// AdamNumbers are those of Moment, MomentSquare and Adam.
type AdamNumbers struct {
	KeepM, TakeM, LeastM float32
	KeepV, TakeV, LeastV float32
	Rate, Root, Epsilon  float32
}

// AdamPass sets m to Moment of oldM and g, v to MomentSquare of oldV and g, and p
// to Adam of oldP and the two, in one pass. Each of p, m and v may be its old
// value.
func AdamPass(p, m, v, oldP, oldM, oldV, g []float32, of *AdamNumbers) {
	n := len(p)
	numbers := [...]float32{of.KeepM, of.TakeM, of.LeastM, of.KeepV, of.TakeV, of.LeastV, of.Rate, of.Root, of.Epsilon}
	adamPass(p, fit(m, n), fit(v, n), fit(oldP, n), fit(oldM, n), fit(oldV, n), fit(g, n), numbers[:])
}
