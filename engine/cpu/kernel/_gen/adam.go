package main

// The passes of an optimiser over its parameters. momentSquare and momentum are
// those of moments, adam that of the parameters.

const (
	momentSignature = "func(dst, old, x []float32, keep, take, least float32)"
	adamSignature   = "func(dst, p, m, v []float32, rate, root, epsilon float32)"
)

func init() {
	signatures = append(signatures, [2]string{"moment", momentSignature}, [2]string{"momentSquare", momentSignature}, [2]string{"adam", adamSignature})
}

func emitAdam() {
	// settled is y if |y| ≥ least, else y·0.
	settled := func(y, least vec) vec {
		return mul(y, and(compare(greaterOrEqual, abs(y), least), float(1)))
	}
	emitMap("moment", momentSignature, []string{"old", "x"}, []string{"keep", "take", "least"},
		"dst[i] = settle(old[i]*keep + x[i]*take, least)", 2, func(x []vec) vec {
			return settled(add(mul(x[0], x[2]), mul(x[1], x[3])), x[4])
		})
	emitMap("momentSquare", momentSignature, []string{"old", "x"}, []string{"keep", "take", "least"},
		"dst[i] = settle(old[i]*keep + x[i]*x[i]*take, least)", 2, func(x []vec) vec {
			return settled(add(mul(x[0], x[2]), mul(mul(x[1], x[1]), x[3])), x[4])
		})
	emitMap("adam", adamSignature, []string{"p", "m", "v"}, []string{"rate", "root", "epsilon"},
		"dst[i] = p[i] - m[i]*rate/(sqrt(v[i])*root+epsilon)", 1, func(x []vec) vec {
			return sub(x[0], div(mul(x[1], x[3]), add(mul(sqrt(x[2]), x[4]), x[5])))
		})
}
