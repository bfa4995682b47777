package kernel

// panel is how many columns of B lie together.
const panel = 16

// gemmTilesGeneric multiplies tiles·rows rows of A and n columns of B, or adds
// to C if accumulate is set. Element i, l of tile t of A is
// a[t·nextA + i·rowA + l·colA] and element l, j of B is
// b[j/16·nextB + l·rowB + j%16]; rows of C lie rowC apart.
func gemmTilesGeneric(c, a, b, _ []float32, _, tiles, rows, n, k, rowC, rowA, colA, nextA, rowB, nextB int, accumulate bool) {
	for t := range tiles {
		for i := range rows {
			gemmRowGeneric(c[(t*rows+i)*rowC:], a[t*nextA+i*rowA:], b, n, k, colA, rowB, nextB, accumulate)
		}
	}
}

// gemmPackingTileGeneric multiplies rows rows of A and a strip of B, of which
// it leaves a copy in packed, row after row.
func gemmPackingTileGeneric(c, a, b, _, packed []float32, _, rows, k, rowC, rowA, colA, rowB int, accumulate bool) {
	gemmTilesGeneric(c, a, b, nil, 0, 1, rows, panel, k, rowC, rowA, colA, 0, rowB, panel, accumulate)
	for l := range k {
		copy(packed[l*panel:][:panel], b[l*rowB:])
	}
}

// gemmRowGeneric multiplies one row of A and n columns of B.
func gemmRowGeneric(c, a, b []float32, n, k, colA, rowB, nextB int, accumulate bool) {
	var sums [panel]float32
	for p := 0; p < n; p += panel {
		out := c[p:min(p+panel, n)]
		sum := sums[:len(out)]
		if accumulate {
			copy(sum, out)
		} else {
			clear(sum)
		}
		bp := b[p/panel*nextB:]
		for l := range k {
			x := a[l*colA]
			for j, y := range bp[l*rowB:][:len(sum)] {
				sum[j] = fma32(x, y, sum[j])
			}
		}
		copy(out, sum)
	}
}

// gemmDotsGeneric multiplies one row of A and n columns of B, which are rows in
// memory.
func gemmDotsGeneric(c, a, b []float32, n, k, colA, rowB int, accumulate bool) {
	for j := range n {
		sum := float32(0)
		if accumulate {
			sum = c[j]
		}
		for l, y := range b[j*rowB:][:k] {
			sum = fma32(a[l*colA], y, sum)
		}
		c[j] = sum
	}
}

// gemmAlongGeneric multiplies one row of A and all of B, whose rows are rowB
// apart.
func gemmAlongGeneric(c, a, b []float32, k, colA, rowB int, accumulate bool) {
	if !accumulate {
		clear(c)
	}
	for l := range k {
		x := a[l*colA]
		for j, y := range b[l*rowB:][:len(c)] {
			c[j] = fma32(x, y, c[j])
		}
	}
}

// packTransposedGeneric sets dst[l·apart+j] = x[j·row+l] for j < 16 and l < k.
func packTransposedGeneric(dst, x []float32, row, apart, k int) {
	for j := range panel {
		for l, v := range x[j*row:][:k] {
			dst[l*apart+j] = v
		}
	}
}

// packPartsGeneric cuts rows of x, row apart, into parts of n numbers, which
// it puts next apart in dst, those of the next row apart after.
func packPartsGeneric(dst, x []float32, rows, parts, n, row, apart, next int) {
	for r := range rows {
		for p := range parts {
			copy(dst[p*next+r*apart:][:n], x[r*row+p*n:])
		}
	}
}

// blockTilesGeneric is gemmTilesGeneric whose sums go on through several blocks
// of k, which lie blockA apart in A and blockB in B.
func blockTilesGeneric(c, a, b []float32, tiles, rows, n, k, blocks, rowC, rowA, colA, nextA, blockA, rowB, nextB, blockB int, accumulate bool) {
	for t := range tiles {
		for i := range rows {
			for q := range blocks {
				gemmRowGeneric(c[(t*rows+i)*rowC:], a[t*nextA+i*rowA+q*blockA:], b[q*blockB:], n, k, colA, rowB, nextB, accumulate || q > 0)
			}
		}
	}
}
