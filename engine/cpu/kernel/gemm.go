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
// carries from one to the next; through its columns in panels of 16; and for
// each panel through its rows in one call of a kernel. A panel of a block of B
// is at most 16 KiB and stays in the first-level cache for the call.
const (
	blockK = 256

	// maxTask and minTask bound the multiply-adds of a task: long enough to be
	// worth claiming, short enough to share the work evenly.
	maxTask = 3 << 20
	minTask = 1 << 17
	shares  = 16 // tasks that a product of middling size is cut into

	// Rows of A in a block stay in the second-level cache. Few rows do not
	// repay the packing of B, and few columns the walk down a wide B.
	maxRows     = 192
	minRows     = 48
	wideColumns = 64
	minColumns  = 32
	rowColumns  = 64 // what gemmRow takes at once
	singleRows  = 3  // so many rows are computed by it, one by one
)

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
	columns = min(wideColumns, n)
	rows = min(max(work/columns, minRows), maxRows)
	if rows >= m {
		rows = m
	} else {
		rows = even(m, rows, tile)
	}
	columns = max(work/rows, minColumns)
	return rows, even(n, columns, panel)
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

// packed reports whether the tasks copy their part of B into panels. Row-major
// B is read where it is, rows of a panel LDB apart, if few rows of A use it or
// if all of it stays in the cache. A is always read where it is: the kernels
// broadcast its numbers one by one.
func (g *Gemm) packed() bool {
	return g.TransB || g.M > 4*tile && g.K*g.LDB > unpacked
}

const unpacked = 16 << 10

// Scratch returns how many float32s of scratch memory a running task needs.
func (g *Gemm) Scratch() int {
	t := g.turned()
	if !t.packed() {
		return 0
	}
	_, columns := t.shape()
	return columns * min(g.K, blockK)
}

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
	rowA, colA := g.LDA, 1
	if g.TransA {
		rowA, colA = 1, g.LDA
	}
	packed := g.packed()
	for l := 0; l < g.K; l += blockK {
		k := min(blockK, g.K-l)
		a := g.A[i*rowA+l*colA:]
		b, rowB, nextB := scratch, panel, panel*k
		switch {
		case g.TransB:
			packColumns(b, g.B[j*g.LDB+l:], g.LDB, n, k)
		case packed:
			packRows(b, g.B[l*g.LDB+j:], g.LDB, n, k)
		default:
			b, rowB, nextB = g.B[l*g.LDB+j:], g.LDB, panel
		}
		more := l > 0 || g.Accumulate
		p := 0
		if m <= singleRows {
			p = n / rowColumns * rowColumns
			for r := range m {
				gemmRow(c[r*g.LDC:], a[r*rowA:], b, p, k, colA, rowB, nextB, more)
			}
		}
		for ; p < n; p += panel {
			bp := b[p/panel*nextB:]
			if w := n - p; w < panel {
				gemmTail(c[p:], a, bp, m, w, k, g.LDC, rowA, colA, rowB, more)
			} else {
				gemmPanel(c[p:], a, bp, m, panel, k, g.LDC, rowA, colA, rowB, more)
			}
		}
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
