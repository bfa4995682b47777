package kernel

// A Gemm is a product of matrices C = A·B, or C += A·B, of M×K and K×N, row
// after row in memory with the given distances between rows. With TransA, A is
// stored as K×M; with TransB, B as N×K.
//
// Every element of C is one chain of fused multiply-adds in ascending k, which
// starts from 0, or from C when accumulating. So its bits depend on its row of
// A and its column of B alone.
//
// Tasks may run in any order and at the same time, each with scratch memory of
// its own. What a task does is decided by the shape alone.
type Gemm struct {
	M, N, K        int
	TransA, TransB bool
	A, B, C        []float32
	LDA, LDB, LDC  int
	Accumulate     bool
}

// A task is a block of C. It goes through k in blocks of blockK, which C
// carries from one to the next; through its columns in strips of as many as a
// kernel takes at once; and for each strip through its rows in tiles, whose
// sums stay in registers. The strip of a block of B, at most 32 KiB, stays in
// the first-level cache meanwhile, the block of A in the second-level one.
const (
	blockK = 256

	// maxTask and minTask bound the multiply-adds of a task: long enough to be
	// worth claiming, short enough to share the work evenly.
	maxTask = 48 << 20
	minTask = 1 << 17
	shares  = 16 // tasks that a product of middling size is cut into

	// Few rows do not repay the packing of B, few columns that of A.
	maxRows    = 192
	minRows    = 48
	maxColumns = 256
	minColumns = 32

	singleRows = 3 // so many rows are computed one by one
)

// A blocking is how an implementation cuts a block of C.
type blocking struct {
	strip      int // columns of a tile
	tile       int // most rows of a tile
	rowColumns int // what gemmRow takes at once
}

var blockings = [...]blocking{
	pathGeneric: {strip: 16, tile: 6, rowColumns: 16},
	pathAVX2:    {strip: 16, tile: 6, rowColumns: 64},
	pathAVX512:  {strip: 32, tile: 14, rowColumns: 128},
}

// turned returns the product that is computed: a column is computed as a row,
// the product of the transposed matrices, so that its elements are neighbours.
// The chains are the same.
func (g *Gemm) turned() Gemm {
	if g.N != 1 || g.LDC != 1 {
		return *g
	}
	return Gemm{
		M: 1, N: g.M, K: g.K, A: g.B, B: g.A, C: g.C, LDA: g.LDB, LDB: g.LDA, LDC: g.M,
		TransA: !g.TransB, TransB: !g.TransA, Accumulate: g.Accumulate,
	}
}

// shape returns how many rows and columns of C a task has.
func (g *Gemm) shape() (rows, columns int) {
	m, n, k := max(g.M, 1), max(g.N, 1), max(g.K, 1)
	work := min(max(m*n*k/shares, minTask), maxTask) / k
	columns = min(maxColumns, n)
	rows = min(max(work/columns, minRows), maxRows)
	if rows >= m {
		rows = m
	} else {
		rows = even(m, rows, 2)
	}
	columns = max(work/rows, minColumns)
	return rows, even(n, columns, minColumns)
}

// even returns the smallest multiple of unit that cuts n into as few parts as
// parts of most would.
func even(n, most, unit int) int {
	parts := (n + most - 1) / most
	size := (n + parts - 1) / parts
	return (size + unit - 1) / unit * unit
}

// Tasks returns the number of tasks of the product, at least 1.
func (g *Gemm) Tasks() int {
	t := g.turned()
	rows, columns := t.shape()
	return max(1, (t.M+rows-1)/rows) * max(1, (t.N+columns-1)/columns)
}

// packsB reports whether the tasks copy their part of B, strip by strip.
// Row-major B is read where it is if few rows of A use it or if all of it
// stays in the cache.
func (g *Gemm) packsB() bool { return g.TransB || g.M > 32 && g.K*g.LDB > unpacked }

// packsA reports whether the tasks copy their block of A: where its rows would
// compete for the same lines of the cache.
func (g *Gemm) packsA() bool {
	return g.N > 2*panel && g.M > singleRows && g.LDA >= 256
}

const unpacked = 16 << 10

// Scratch returns how many float32s of scratch memory a running task needs.
func (g *Gemm) Scratch() int {
	t := g.turned()
	a, b := t.scratch()
	return a + b
}

func (g *Gemm) scratch() (a, b int) {
	k := min(g.K, blockK)
	if g.packsA() {
		rows, _ := g.shape()
		if g.TransA {
			a = k * apart(rows)
		} else {
			a = rows * apart(k)
		}
	}
	if g.packsB() {
		b = 8 * panel * k // what gemmRow takes
	}
	return a, b
}

// apart is a distance between rows of n that spreads them over the cache.
func apart(n int) int { return (n+15)/16*16 + 16 }

// Run computes one task's part of C. The contents of scratch do not matter.
func (g *Gemm) Run(task int, scratch []float32) {
	t := g.turned()
	t.run(task, scratch)
}

func (g *Gemm) run(task int, scratch []float32) {
	rows, columns := g.shape()
	across := max(1, (g.N+columns-1)/columns)
	i := task / across * rows
	j := task % across * columns
	m, n := min(rows, g.M-i), min(columns, g.N-j)
	if m <= 0 || n <= 0 {
		return
	}
	c := g.C[i*g.LDC+j:]
	if g.K <= 0 {
		if !g.Accumulate {
			for r := range m {
				clear(c[r*g.LDC:][:n])
			}
		}
		return
	}
	blocking := &blockings[active]
	sizeA, _ := g.scratch()
	packedA, packedB := scratch[:sizeA], scratch[sizeA:]
	for l := 0; l < g.K; l += blockK {
		k := min(blockK, g.K-l)
		more := l > 0 || g.Accumulate
		rowA, colA := g.LDA, 1
		if g.TransA {
			rowA, colA = 1, g.LDA
		}
		a := g.A[i*rowA+l*colA:]
		if sizeA > 0 {
			if g.TransA {
				colA = apart(m)
				copyRows(packedA, a, colA, g.LDA, k, m)
			} else {
				rowA = apart(k)
				copyRows(packedA, a, rowA, g.LDA, m, k)
			}
			a = packedA
		}
		p := 0
		if m <= singleRows {
			for ; n-p >= blocking.rowColumns; p += blocking.rowColumns {
				b, rowB, nextB := g.strip(packedB, l, j+p, k, blocking.rowColumns)
				for r := range m {
					gemmRow(c[r*g.LDC+p:], a[r*rowA:], b, blocking.rowColumns, k, colA, rowB, nextB, more)
				}
			}
		}
		tiles := (m + blocking.tile - 1) / blocking.tile
		tile := (m + tiles - 1) / tiles // rows; the last tiles have one less
		less := tiles*tile - m
		for ; p < n; p += blocking.strip {
			w := min(blocking.strip, n-p)
			b, rowB, nextB := g.strip(packedB, l, j+p, k, w)
			gemmTiles(c[p:], a, b, tiles-less, tile, w, k, g.LDC, rowA, colA, tile*rowA, rowB, nextB, more)
			if less > 0 {
				done := (tiles - less) * tile
				gemmTiles(c[done*g.LDC+p:], a[done*rowA:], b, less, tile-1, w, k, g.LDC, rowA, colA, (tile-1)*rowA, rowB, nextB, more)
			}
		}
	}
}

// strip returns k rows and n columns of B from row l and column j on, the
// distances between rows and between panels.
func (g *Gemm) strip(packed []float32, l, j, k, n int) (b []float32, rowB, nextB int) {
	switch {
	case g.TransB:
		packColumns(packed, g.B[j*g.LDB+l:], g.LDB, n, k)
	case g.packsB():
		packRows(packed, g.B[l*g.LDB+j:], g.LDB, n, k)
	default:
		return g.B[l*g.LDB+j:], g.LDB, panel
	}
	return packed, panel, panel * k
}

// copyRows copies rows of n, row apart in x, to dst, where they lie apart.
func copyRows(dst, x []float32, apart, row, rows, n int) {
	for r := range rows {
		copy(dst[r*apart:][:n], x[r*row:])
	}
}

// packRows copies n columns and k rows of x into panels of 16 columns.
func packRows(dst, x []float32, row, n, k int) {
	for l := range k {
		src, at := x[l*row:][:n], l*panel
		for len(src) >= panel {
			*(*[panel]float32)(dst[at:]) = [panel]float32(src)
			src, at = src[panel:], at+panel*k
		}
		if len(src) > 0 {
			copy(dst[at:], src)
		}
	}
}

// packColumns copies n rows and k columns of x into panels of 16 rows,
// transposed.
func packColumns(dst, x []float32, row, n, k int) {
	for p := 0; p < n; p += panel {
		done := 0
		if n-p >= panel {
			done = k &^ 7
			packTransposed(dst, x, row, done)
		}
		for j := range min(panel, n-p) {
			at := done*panel + j
			for _, v := range x[j*row+done:][:k-done] {
				dst[at] = v
				at += panel
			}
		}
		dst, x = dst[panel*k:], x[min(panel*row, len(x)):]
	}
}
