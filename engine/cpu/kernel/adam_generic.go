package kernel

// Products are rounded before they are added: the conversions keep a compiler
// from fusing the two.

func momentGeneric(dst, old, x []float32, keep, take, least float32) {
	for i := range dst {
		dst[i] = settle(float32(old[i]*keep)+float32(x[i]*take), least)
	}
}

func momentSquareGeneric(dst, old, x []float32, keep, take, least float32) {
	for i := range dst {
		dst[i] = settle(float32(old[i]*keep)+float32(float32(x[i]*x[i])*take), least)
	}
}

func settle(y, least float32) float32 { return y * one(abs32(y) >= least) }

func adamGeneric(dst, p, m, v []float32, rate, root, epsilon float32) {
	for i := range dst {
		step := m[i] * rate / (float32(sqrt32(v[i])*root) + epsilon)
		dst[i] = p[i] - step
	}
}

func adamPassGeneric(p, m, v, oldP, oldM, oldV, g []float32, of []float32) {
	momentGeneric(m[:len(p)], oldM, g, of[0], of[1], of[2])
	momentSquareGeneric(v[:len(p)], oldV, g, of[3], of[4], of[5])
	adamGeneric(p, oldP, m, v, of[6], of[7], of[8])
}
