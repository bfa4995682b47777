package kernel

// Transpose sets dst[j·ld+i] = x[i·n+j] for i < m and j < n.
func Transpose(dst, x []float32, m, n, ld int) {
	const block = 16 // a block's lines of both matrices stay in the first-level cache
	for i0 := 0; i0 < m; i0 += block {
		i1 := min(i0+block, m)
		for j0 := 0; j0 < n; j0 += block {
			j1 := min(j0+block, n)
			for i := i0; i < i1; i++ {
				at := j0*ld + i
				for _, v := range x[i*n+j0 : i*n+j1] {
					dst[at] = v
					at += ld
				}
			}
		}
	}
}
