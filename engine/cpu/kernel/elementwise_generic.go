package kernel

import "math"

func addGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func subGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func mulGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func divGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] / b[i]
	}
}

func maximumGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}

func minimumGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = min(a[i], b[i])
	}
}

func one(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func greaterGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = one(a[i] > b[i])
	}
}

func greaterEqualGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = one(a[i] >= b[i])
	}
}

func equalGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = one(a[i] == b[i])
	}
}

func gateGeneric(dst, a, b []float32) {
	for i := range dst {
		v := b[i]
		if !(a[i] > 0) {
			v = 0
		}
		dst[i] = v
	}
}

func chooseGeneric(dst, cond, a, b []float32) {
	for i := range dst {
		if cond[i] != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func addSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] + s
	}
}

func subSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] - s
	}
}

func cutSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		keep := float32(0)
		if a[i] >= s {
			keep = 1
		}
		dst[i] = a[i] * keep
	}
}

func rsubSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = s - a[i]
	}
}

func mulSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] * s
	}
}

func divSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] / s
	}
}

func rdivSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = s / a[i]
	}
}

func maxSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = max(a[i], s)
	}
}

func minSGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = min(a[i], s)
	}
}

func negGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = -x[i]
	}
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func absGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = abs32(x[i])
	}
}

func squareGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = x[i] * x[i]
	}
}

// sqrt32 is correctly rounded: float64 has more than twice the digits.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func sqrtGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = sqrt32(x[i])
	}
}

func rsqrtGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = 1 / sqrt32(x[i])
	}
}

func recipGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = 1 / x[i]
	}
}

func signGeneric(dst, x []float32) {
	for i, v := range x {
		switch {
		case v > 0:
			dst[i] = 1
		case v < 0:
			dst[i] = -1
		default:
			dst[i] = v
		}
	}
}

func reluGeneric(dst, x []float32) {
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		dst[i] = v
	}
}

func addReluGeneric(dst, a, b []float32) {
	addGeneric(dst, a, b)
	reluGeneric(dst, dst)
}

func fillGeneric(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}
