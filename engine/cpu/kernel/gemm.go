package kernel

// A Gemm is a product of matrices C = A·B, or C += A·B, of M×K and K×N, row
// after row in memory with the given distances between rows. With TransA, A is
// stored as K×M; with TransB, B as N×K.
//
// Every element of C is one chain of fused multiply-adds in ascending k, which
// starts from 0, or from C when accumulating. So its bits depend on its row of
// A and its column of B alone.
//
// The tasks of Prepare come first, then those of Run. Tasks may run in any
// order and at the same time, those of Run each with scratch memory of its own.
// What a task does is decided by the shape alone.
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
	maxTask    = 256 << 20
	minTask    = 1 << 20
	memoryRows = 8  // fewer rows take as long, as B has to be read
	shares     = 16 // tasks that a product of middling size is cut into

	// The bounds of a task's rows and columns: few rows do not repay the
	// reading of B, few columns that of A.
	fewRows     = 128
	minRows     = 42 // whole tiles of every implementation
	maxColumns  = 1024
	minColumns  = 32
	tallColumns = 128 // where A is copied

	maxTile    = 14
	singleRows = 3 // so many rows are computed one by one
	longRow    = 256

	// What one call into assembly reads of B, as a garbage collection has to
	// wait for its end.
	straightK    = 2048 // of a strip, for one tile; less for more
	dotsK        = 4096 // of as many rows as a vector has numbers, or two
	alongK       = 256  // of so many columns
	alongColumns = 4096
)

// A blocking is how an implementation cuts a block of C.
type blocking struct {
	strip      int // columns of a tile
	tile       int // most rows of a tile
	rowColumns int // what gemmRow takes at once
	dots       int // what gemmDots takes at once
}

var blockings = [...]blocking{
	pathGeneric: {strip: 16, tile: 6, rowColumns: 16, dots: 1},
	pathAVX2:    {strip: 16, tile: 6, rowColumns: 64, dots: 16},
	pathAVX512:  {strip: 32, tile: 14, rowColumns: 128, dots: 32},
}

// turned returns the product that is computed: a column is computed as a row,
// the product of the transposed matrices, so that its elements are neighbours.
// The chains are the same.
func (g *Gemm) turned() Gemm {
	if g.K == 1 && g.LDB == 1 && g.TransB { // a column in memory is a row too
		t := *g
		t.TransB, t.LDB = false, max(g.N, 1)
		return t
	}
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
	least := minTask * min(m, memoryRows) / memoryRows
	work := min(max(m*n*k/shares, least), maxTask) / k
	if m <= fewRows {
		columns = max(work/m, minColumns)
		if m <= singleRows && !g.TransB { // memory is the limit, and likes long rows
			columns = max(columns, longRow)
		}
		if g.tallA() {
			rows = even(m, fewRows/2, 2)
			return rows, even(n, max(work/rows, tallColumns), minColumns)
		}
		if g.swapped() {
			columns = min(columns, swappedColumns)
		}
		return m, even(n, columns, minColumns)
	}
	columns = min(maxColumns, n)
	rows = min(max(work/columns, minRows), fewRows)
	rows = min(even(m, rows, 2), m)
	columns = max(work/rows, minColumns)
	if g.tallA() {
		columns = max(columns, tallColumns)
	}
	return rows, even(n, columns, minColumns)
}

// tallA reports whether A is transposed and has many rows in memory, as in the
// gradient of weights of many examples: a tile would read a part of a line of
// each, far apart. Tasks copy it, which several strips of B are to repay.
func (g *Gemm) tallA() bool { return g.TransA && g.K > 2*blockK && g.N >= tallColumns }

// even returns the smallest multiple of unit that cuts n into as few parts as
// parts of most would.
func even(n, most, unit int) int {
	parts := (n + most - 1) / most
	size := (n + parts - 1) / parts
	return (size + unit - 1) / unit * unit
}

// Tasks returns the number of tasks of the product, at least 1.
func (g *Gemm) Tasks() int {
	p := g.product()
	return max(1, (p.M+p.rows-1)/p.rows) * max(1, (p.N+p.columns-1)/p.columns)
}

// How tasks read B: where it is; each its strip after strip, packed when it is
// needed; or all of it packed beforehand, which pays if several blocks of rows
// use it.
type reading uint8

const (
	straight reading = iota
	byStrip
	prepared
)

// A product is a Gemm, turned if need be, and what follows from its shape.
type product struct {
	Gemm
	rows, columns int // of a task
	swap          bool
	reading       reading
	block         int  // how many k a task computes at once
	far           bool // B is read straight from farther away than the caches of a core
	copyA         bool // tasks copy their block of A, whose rows would compete for the same lines of the cache
}

func (g *Gemm) product() product {
	p := product{Gemm: g.turned()}
	p.rows, p.columns = p.shape()
	p.swap = p.swapped()
	m, b := p.M, p.K*p.LDB
	switch {
	case !p.TransB && (m <= fewRows || m <= 4*fewRows && b <= 512<<10 && p.K <= 2*blockK || b <= unpacked):
		p.reading, p.block = straight, max(straightK*maxTile/max(m, maxTile), blockK)
		p.far = p.LDB > 128 && b > near
	case m <= p.rows:
		p.reading, p.block = byStrip, pieceSize/p.pieceColumns()
	default:
		p.reading, p.block = prepared, blockK
	}
	p.copyA = g.tallA() && !p.swap || p.columns >= 128 && (m > fewRows && p.LDA >= 256 || m > maxTile && p.LDA%512 == 0 && !p.TransA)
	return p
}

const (
	unpacked = 16 << 10
	near     = 32 << 10 // what the second-level cache keeps from one product to the next
	ahead    = 32       // rows of B from farther away that are fetched early

	// A row-major B of few rows of A is packed in pieces of so many numbers,
	// of which memory reads rows of so many columns.
	pieceSize    = 64 << 10
	pieceColumns = 512
)

func (g *Gemm) pieceColumns() int {
	if g.TransB {
		return pieceColumns / 4
	}
	return pieceColumns
}

// Shared returns how many float32s of memory the tasks share, which those of
// Prepare fill before the first of Run starts.
func (g *Gemm) Shared() int {
	p := g.product()
	switch {
	case p.swap:
		return p.K * p.tall()
	case p.reading == prepared:
		return p.start(p.K)
	}
	return 0
}

// wide is the number of columns in whole panels.
func (g *Gemm) wide() int { return (g.N + panel - 1) / panel * panel }

// Preparations returns the number of tasks of Prepare.
func (g *Gemm) Preparations() int {
	p := g.product()
	switch {
	case p.N == 0: // of nothing there are no parts
		return 0
	case p.swap:
		return (p.K + swappedK - 1) / swappedK
	case p.reading != prepared:
		return 0
	case p.TransB:
		return p.wide() / panel
	}
	return (p.K + p.together() - 1) / p.together()
}

// start is where what is packed of row l of B on begins, the first of a block.
func (g *Gemm) start(l int) int { return (l + (l+blockK-1)/blockK) * g.wide() }

// apartPanels is the distance between panels of k rows: a line of the cache
// more than they have, since multiples of 4 KiB would compete for the same ones.
func apartPanels(k int) int { return panel * (k + 1) }

// together is how many rows of B a preparation packs, in one block of k.
func (g *Gemm) together() int {
	n := blockK
	for n > 8 && n*g.N > preparation {
		n /= 2
	}
	return n
}

const preparation = 64 << 10

// Prepare packs a part of B into shared: blocks of k, in them panels of
// columns, in them rows.
func (g *Gemm) Prepare(task int, shared []float32) {
	t := g.turned()
	if t.swapped() {
		t.prepareSwapped(task, shared)
		return
	}
	if t.TransB {
		j := task * panel
		for l := 0; l < t.K; l += blockK {
			k := min(blockK, t.K-l)
			packColumns(shared[t.start(l)+j/panel*apartPanels(k):], t.B[j*t.LDB+l:], t.LDB, min(panel, t.N-j), k, 0)
		}
		return
	}
	l := task * t.together()
	block := l / blockK * blockK
	k := min(blockK, t.K-block)
	packRows(shared[t.start(block)+(l-block)*panel:], t.B[l*t.LDB:], t.LDB, t.N, min(t.together(), t.K-l), apartPanels(k))
}

// Scratch returns how many float32s of scratch memory a running task needs.
func (g *Gemm) Scratch() int {
	p := g.product()
	a, b := p.scratch()
	return a + b
}

func (p *product) scratch() (a, b int) {
	if p.swap {
		return 0, p.columns * p.tall()
	}
	k := min(p.K, p.block)
	switch {
	case p.copyA && p.TransA:
		a = (p.rows*k + 15) / 16 * 16
	case p.copyA:
		a = p.rows * apart(k)
	}
	switch {
	case p.reading == byStrip:
		b = pieceSize + pieceColumns
	case p.far:
		b = min(p.K, blockK) * 2 * panel
	}
	return a, b
}

// apart is a distance between rows of n that spreads them over the cache.
func apart(n int) int { return (n+15)/16*16 + 16 }

// Run computes one task's part of C. The contents of scratch do not matter.
func (g *Gemm) Run(task int, shared, scratch []float32) {
	p := g.product()
	p.run(task, shared, scratch)
}

// A Product is a Gemm with what follows from its shape, which small products
// would notice if it were found twice.
type Product struct{ product }

// Product returns the product with what follows from its shape.
func (g *Gemm) Product() Product { return Product{g.product()} }

// Scratch is that of the Gemm.
func (p *Product) Scratch() int {
	a, b := p.scratch()
	return a + b
}

// Run is that of the Gemm.
func (p *Product) Run(task int, shared, scratch []float32) { p.run(task, shared, scratch) }

func (g *product) run(task int, shared, scratch []float32) {
	rows, columns := g.rows, g.columns
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
	if m <= singleRows && g.M <= singleRows {
		done := g.singles(c, i, j, m, n, blocking)
		if c, j, n = c[done:], j+done, n-done; n == 0 {
			return
		}
	}
	if g.swap {
		g.runSwapped(c, j, n, shared, scratch)
		return
	}
	sizeA, _ := g.scratch()
	packedB := scratch[sizeA:]
	s := strips{g: &g.Gemm, reading: g.reading, shared: shared, scratch: packedB}
	for l := 0; l < g.K; l += g.block {
		k := min(g.block, g.K-l)
		s.has = 0
		t := g.tiles(m, blocking.tile)
		a := g.A[i*t.rowA+l*t.colA:]
		if sizeA > 0 {
			t.pack(scratch[:sizeA], a, m, k)
			a = scratch
		}
		call := tileCall{tiling: t, k: k, rowC: g.LDC, more: l > 0 || g.Accumulate}
		for p := 0; p < n; p += blocking.strip {
			call.c, call.a = c[p:], a
			call.columns = min(blocking.strip, n-p)
			call.b, call.rowB, call.nextB = s.at(l, j+p, k, n-p)
			switch {
			case s.reading == prepared && p+blocking.strip < n:
				call.soon, _, _ = s.at(l, j+p+blocking.strip, k, n)
			case s.reading == prepared && l+k < g.K:
				call.soon, _, _ = s.at(l+k, j, min(g.block, g.K-l-k), n)
			case g.far && t.tall+t.low > 1 && call.columns == blocking.strip:
				call.once(packedB, blocking.strip)
				continue
			case g.far && ahead*call.rowB < len(call.b):
				call.soon = call.b[ahead*call.rowB:]
				call.tiles(0, 1, 4*call.rowB)
				call.tiles(1, t.tall+t.low, 0)
				continue
			default:
				call.tiles(0, t.tall+t.low, 0)
				continue
			}
			call.tiles(0, t.tall+t.low, (64+t.tall+t.low-1)/(t.tall+t.low))
		}
	}
}

// A tileCall is the product of a block of A and a strip of B.
type tileCall struct {
	tiling
	c, a, b, soon     []float32
	columns, k        int
	first             int // of the columns of a that take part
	rowC, rowB, nextB int
	more              bool
}

// once reads a strip of B once, in blocks of k of which the first tile leaves a
// copy to the others.
func (t *tileCall) once(packed []float32, strip int) {
	u := *t
	for l := 0; l < t.k; l += blockK {
		u.first, u.k = l, min(blockK, t.k-l)
		b := t.b[l*t.rowB:]
		soon, pace := b, 0
		if ahead*t.rowB < len(b) {
			soon, pace = b[ahead*t.rowB:], 4*t.rowB
		}
		gemmPackingTile(t.c, t.a[l*u.colA:], b, soon, packed, pace, t.tiling.rows, u.k, t.rowC, t.rowA, t.colA, t.rowB, u.more)
		u.b, u.rowB, u.nextB = packed, strip, panel
		u.tiles(1, t.tall+t.low, 0)
		u.more = true
	}
}

// tiles computes tiles lo to hi. Meanwhile the cache fetches what is at soon
// and, with each step of k, pace bytes on.
func (t *tileCall) tiles(lo, hi, pace int) {
	soon := t.soon
	if pace == 0 {
		soon = t.b
	}
	if n := min(hi, t.tall) - lo; n > 0 {
		gemmTiles(t.c[lo*t.rows*t.rowC:], t.a[lo*t.rows*t.nextA+t.first*t.colA:], t.b, soon, pace, n, t.tiling.rows, t.columns, t.k,
			t.rowC, t.rowA, t.colA, t.rows*t.nextA, t.rowB, t.nextB, t.more)
		soon = soon[min(pace*t.k*n/4, len(soon)-1):]
	}
	if n := hi - max(lo, t.tall); n > 0 {
		rows := t.rows - 1
		done := t.tall*t.rows + (max(lo, t.tall)-t.tall)*rows
		gemmTiles(t.c[done*t.rowC:], t.a[done*t.nextA+t.first*t.colLow:], t.b, soon, pace, n, rows, t.columns, t.k,
			t.rowC, t.rowA, t.colLow, rows*t.nextA, t.rowB, t.nextB, t.more)
	}
}

// singles computes rows of A that are too few for tiles, one by one, and
// returns how many columns it did. B is read where it is.
func (g *Gemm) singles(c []float32, i, j, m, n int, blocking *blocking) (done int) {
	rowA, colA := g.LDA, 1
	if g.TransA {
		rowA, colA = 1, g.LDA
	}
	along := false
	switch {
	case g.TransB:
		done = n / blocking.dots * blocking.dots
	case n >= 2*blocking.rowColumns:
		done, along = n, true
	default:
		done = n / blocking.rowColumns * blocking.rowColumns
	}
	if done == 0 {
		return 0
	}
	if g.TransB {
		for p := 0; p < done; p += blocking.dots {
			for r := range m {
				g.dots(c[r*g.LDC+p:][:blocking.dots], g.A[(i+r)*rowA:], g.B[(j+p)*g.LDB:], colA)
			}
		}
		return done
	}
	for l := 0; l < g.K; l += alongK {
		k := min(alongK, g.K-l)
		more := l > 0 || g.Accumulate
		for r := range m {
			c, a, b := c[r*g.LDC:][:done], g.A[(i+r)*rowA+l*colA:], g.B[l*g.LDB+j:]
			if along {
				for p := 0; p < done; p += alongColumns {
					gemmAlong(c[p:min(p+alongColumns, done)], a, b[p:], k, colA, g.LDB, more)
				}
			} else {
				gemmRow(c, a, b, done, k, colA, g.LDB, panel, more)
			}
		}
	}
	return done
}

// dots multiplies a row of A and rows of a transposed B.
func (g *Gemm) dots(c, a, b []float32, colA int) {
	for l := 0; l < g.K; l += dotsK {
		k := min(dotsK, g.K-l)
		whole := k &^ 3
		gemmDots(c, a[l*colA:], b[l:], len(c), whole, colA, g.LDB, l > 0 || g.Accumulate)
		if whole < k {
			gemmDotsGeneric(c, a[(l+whole)*colA:], b[l+whole:], len(c), k-whole, colA, g.LDB, true)
		}
	}
}

// tiling says how a block of A is cut into tiles and where their numbers are.
type tiling struct {
	rows      int // of a tall tile; the low ones, which follow, have one less
	tall, low int // their numbers
	trans     bool
	row       int // the distance between rows in memory

	// Distances of what the kernel reads: between rows; between columns, in
	// tall and in low tiles; and, by row, between tiles.
	rowA, colA, colLow, nextA int
}

// tiles deals m rows evenly to tiles of at most most.
func (g *Gemm) tiles(m, most int) tiling {
	n := (m + most - 1) / most
	t := tiling{rows: (m + n - 1) / n, trans: g.TransA, row: g.LDA}
	t.low = n*t.rows - m
	t.tall = n - t.low
	if g.TransA {
		t.rowA, t.colA, t.colLow, t.nextA = 1, g.LDA, g.LDA, 1
	} else {
		t.rowA, t.colA, t.colLow, t.nextA = g.LDA, 1, 1, g.LDA
	}
	return t
}

// pack copies m rows and k columns of A to dst: row after row a little apart,
// or, of a transposed A, tile after tile.
func (t *tiling) pack(dst, a []float32, m, k int) {
	if !t.trans {
		t.rowA = apart(k)
		t.nextA = t.rowA
		for r := range m {
			copy(dst[r*t.rowA:][:k], a[r*t.row:])
		}
		return
	}
	t.colA, t.colLow, t.nextA = t.rows, t.rows-1, k
	if t.tall > 0 {
		packBlock(dst, a, k, t.tall, t.rows, t.row, t.rows, t.rows*k)
	}
	if t.low > 0 {
		done := t.tall * t.rows
		packBlock(dst[done*k:], a[done:], k, t.low, t.rows-1, t.row, t.rows-1, (t.rows-1)*k)
	}
}

// strips gives a task its strips of B.
type strips struct {
	g               *Gemm
	reading         reading
	shared, scratch []float32
	first, has      int // columns that are in scratch: the first, and how many are to come
}

// at returns k rows of B from row l and column j on, where n columns are to
// come, and the distances between rows and between panels.
func (s *strips) at(l, j, k, n int) (b []float32, rowB, nextB int) {
	g := s.g
	switch s.reading {
	case straight:
		return g.B[l*g.LDB+j:], g.LDB, panel
	case prepared:
		return s.shared[g.start(l)+j/panel*apartPanels(k):], panel, apartPanels(k)
	}
	if s.has == 0 {
		s.first, s.has = j, min(n, g.pieceColumns())
		if g.TransB {
			packColumns(s.scratch, g.B[j*g.LDB+l:], g.LDB, s.has, k, apartPanels(k))
		} else {
			packRows(s.scratch, g.B[l*g.LDB+j:], g.LDB, s.has, k, apartPanels(k))
		}
	}
	at := j - s.first
	s.has = max(s.has-blockings[active].strip, 0)
	return s.scratch[at/panel*apartPanels(k):], panel, apartPanels(k)
}

// packRows copies n columns and rows rows of x into panels of 16 columns, next
// apart.
func packRows(dst, x []float32, row, n, rows, next int) {
	whole := n / panel
	if whole > 0 {
		packBlock(dst, x, rows, whole, panel, row, panel, next)
	}
	if part := n % panel; part > 0 {
		packBlock(dst[whole*next:], x[whole*panel:], rows, 1, part, row, panel, 0)
	}
}

// packBlock is packParts in calls that a garbage collection can wait for.
func packBlock(dst, x []float32, rows, parts, n, row, apart, next int) {
	for p := 0; p < parts; p += partsAtOnce {
		some := min(partsAtOnce, parts-p)
		block := atOnce / (panel * some)
		for r := 0; r < rows; r += block {
			packParts(dst[p*next+r*apart:], x[p*n+r*row:], min(block, rows-r), some, n, row, apart, next)
		}
	}
}

const partsAtOnce = 256

// packColumns copies n rows and k columns of x into panels of 16 rows,
// transposed, next apart.
func packColumns(dst, x []float32, row, n, k, next int) {
	for p := 0; p < n; p += panel {
		done := 0
		if n-p >= panel {
			done = k &^ 3
			packTransposed(dst, x, row, panel, done)
		}
		for j := range min(panel, n-p) {
			at := done*panel + j
			for _, v := range x[j*row+done:][:k-done] {
				dst[at] = v
				at += panel
			}
		}
		dst, x = dst[min(next, len(dst)):], x[min(panel*row, len(x)):]
	}
}
