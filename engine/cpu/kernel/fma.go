package kernel

import "math"

// fma32 is a·b + c with a single rounding, in plain Go: a processor may lack
// the instruction, and the language promises it for float64 only.
//
// The product of two float32 is exact in float64. Rounding the sum to float64
// and then to float32 is right unless the first rounding hits the middle
// between two float32 or the result is subnormal.
func fma32(a, b, c float32) float32 {
	p, q := float64(a)*float64(b), float64(c)
	s := p + q
	if math.Float64bits(s)<<35 != 1<<63 && !(math.Abs(s) < 0x1p-126) {
		return float32(s)
	}
	return fma32Odd(p, q, s)
}

// fma32Odd rounds p+q by way of the float64 next to it with an odd last digit,
// from which the second rounding cannot go wrong (Boldo and Melquiond 2008).
func fma32Odd(p, q, s float64) float32 {
	t := s - p
	e := (p - (s - t)) + (q - t) // what s lacks (Knuth's TwoSum)
	if b := math.Float64bits(s); b&1 == 0 {
		switch {
		case e > 0 == (s > 0) && e != 0:
			s = math.Float64frombits(b + 1)
		case e != 0:
			s = math.Float64frombits(b - 1)
		}
	}
	return float32(s)
}
