package kernel

const (
	panel = 16 // columns of B that a call of gemmPanel multiplies
	tile  = 6  // rows of A that it takes at once
)

// gemmPanelGeneric multiplies m rows of A and n ≤ 16 columns of B, or adds to
// C if accumulate is set. Element l, j of B is b[l·rowB + j] and element i, j of
// C is c[i·rowC + j]; element i, l of A is a[i·rowA + l·colA].
func gemmPanelGeneric(c, a, b []float32, m, n, k, rowC, rowA, colA, rowB int, accumulate bool) {
	var sums [panel]float32
	for i := range m {
		out, sum := c[i*rowC:][:n], sums[:n]
		if accumulate {
			copy(sum, out)
		} else {
			clear(sum)
		}
		row := a[i*rowA:]
		for l := range k {
			x := row[l*colA]
			for j, y := range b[l*rowB:][:n] {
				sum[j] = fma32(x, y, sum[j])
			}
		}
		copy(out, sum)
	}
}

func gemmTailGeneric(c, a, b []float32, m, n, k, rowC, rowA, colA, rowB int, accumulate bool) {
	gemmPanelGeneric(c, a, b, m, n, k, rowC, rowA, colA, rowB, accumulate)
}

// gemmRowGeneric multiplies one row of A and n columns of B, in panels that lie
// nextB apart.
func gemmRowGeneric(c, a, b []float32, n, k, colA, rowB, nextB int, accumulate bool) {
	for j := 0; j < n; j += panel {
		gemmPanelGeneric(c[j:], a, b[j/panel*nextB:], 1, min(panel, n-j), k, 0, 0, colA, rowB, accumulate)
	}
}

// packTransposedGeneric sets dst[16·l+j] = x[j·row+l] for j < 16 and l < k.
func packTransposedGeneric(dst, x []float32, row, k int) {
	for j := range panel {
		for l, v := range x[j*row:][:k] {
			dst[panel*l+j] = v
		}
	}
}
