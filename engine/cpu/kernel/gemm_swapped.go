package kernel

// A product of few rows and a transposed B is computed the other way round: the
// columns of C as rows of B·Aᵀ, in tiles that broadcast the numbers of B, which
// are read where they are and once. Of Aᵀ, which is small, panels are packed
// beforehand. The chains are the same.

const (
	swappedLow     = 12 // rows that fill most of a vector
	swappedHigh    = 64
	swappedColumns = 128  // and
	swappedK       = 1024 // bound a call into assembly; memory likes long rows of B
	crowdedTile    = 8    // rows of B that share the lines of the cache
)

func (g *Gemm) swapped() bool {
	return g.TransB && g.M >= swappedLow && g.M <= swappedHigh && g.N >= panel
}

// tall is the number of rows in whole panels.
func (g *Gemm) tall() int { return (g.M + panel - 1) / panel * panel }

// prepareSwapped packs a block of k of Aᵀ.
func (g *Gemm) prepareSwapped(task int, shared []float32) {
	l := task * swappedK
	k := min(swappedK, g.K-l)
	dst := shared[l*g.tall():]
	if g.TransA {
		packRows(dst, g.A[l*g.LDA:], g.LDA, g.M, k, panel*k)
	} else {
		packColumns(dst, g.A[l:], g.LDA, g.M, k, panel*k)
	}
}

// runSwapped computes n columns of C from j on.
func (g *Gemm) runSwapped(c []float32, j, n int, shared, turned []float32) {
	row := g.tall()
	if g.Accumulate {
		for i := range g.M {
			for q, v := range c[i*g.LDC:][:n] {
				turned[q*row+i] = v
			}
		}
	}
	blocking := &blockings[active]
	most := blocking.tile
	if g.LDB%512 == 0 {
		most = min(most, crowdedTile)
	}
	t := (&Gemm{LDA: g.LDB}).tiles(n, most)
	for l := 0; l < g.K; l += swappedK {
		k := min(swappedK, g.K-l)
		call := tileCall{tiling: t, k: k, rowC: row, rowB: panel, nextB: panel * k, more: l > 0 || g.Accumulate}
		call.a = g.B[j*g.LDB+l:]
		for p := 0; p < g.M; p += blocking.strip {
			call.c, call.b = turned[p:], shared[l*row+p*k:]
			call.columns = min(blocking.strip, g.M-p)
			call.tiles(0, t.tall+t.low, 0)
		}
	}
	for q := 0; q < n; q += panel {
		done := 0
		if n-q >= panel {
			done = g.M &^ 3
			packTransposed(c[q:], turned[q*row:], row, g.LDC, done)
		}
		for i := done; i < g.M; i++ {
			for r := range min(panel, n-q) {
				c[i*g.LDC+q+r] = turned[(q+r)*row+i]
			}
		}
	}
}
