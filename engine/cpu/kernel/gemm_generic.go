package kernel

// generic computes rows i0 to i1 and columns j0 to j1 of C.
func (g *Gemm) generic(i0, i1, j0, j1 int) {
	rowA, colA := g.LDA, 1
	if g.TransA {
		rowA, colA = 1, g.LDA
	}
	for i := i0; i < i1; i++ {
		c := g.C[i*g.LDC+j0 : i*g.LDC+j1]
		if !g.Accumulate {
			clear(c)
		}
		for k := range g.K {
			a := g.A[i*rowA+k*colA]
			if g.TransB {
				for j := range c {
					c[j] = fma32(a, g.B[(j0+j)*g.LDB+k], c[j])
				}
			} else {
				for j, b := range g.B[k*g.LDB+j0 : k*g.LDB+j1] {
					c[j] = fma32(a, b, c[j])
				}
			}
		}
	}
}
