package kernel

// AddBias adds one number a column to a task's part of C, which Run has computed
// and the caches still hold, and with relu sets to 0 what is below.
func (g *Gemm) AddBias(task int, bias []float32, relu bool) {
	p := g.product()
	across := max(1, (p.N+p.columns-1)/p.columns)
	i, j := task/across*p.rows, task%across*p.columns
	m, n := min(p.rows, p.M-i), min(p.columns, p.N-j)
	if m <= 0 || n <= 0 {
		return
	}
	if p.N != g.N { // turned: C is a column, whose elements are neighbours
		c := g.C[j:][:n]
		AddS(c, c, bias[0])
		if relu {
			Relu(c, c)
		}
		return
	}
	add := Add
	if relu {
		add = AddRelu
	}
	for r := range m {
		c := g.C[(i+r)*g.LDC+j:][:n]
		add(c, c, bias[j:])
	}
}
