package kernel

// A Convolution is that of images X [Rows Height Width In] with a kernel
// K [KH KW In Out], giving Y [Rows OutHeight OutWidth Out]:
//
//	y[n i j o] = Σ x[n, i·StrideH+p−Top, j·StrideW+q−Left, c] · k[p q c o]
//
// Forward computes Y, Backward X from Y (the transposed convolution, which is
// the gradient), and Weights K from X and Y (the other gradient). Images are
// handed to them one by one.
//
// No patches are put together in memory. The patch under a row of the kernel is
// KW·In neighbours of X, and that of the next pixel begins StrideW·In further on.
// So a row of pixels is a matrix whose rows overlap, and its product with the
// kernel is blocks of k, one for each row of the kernel, of a single chain
// (blockTiles). The same holds, transposed, where pixels are what is summed over.
//
// Every element of Y is one chain of fused multiply-adds, from 0, in ascending
// (p, q, c); of X one in ascending order of the pixels of Y and then o, which is
// that of descending (p, q). Pixels beyond the image are left out. An element of
// K is such a chain in ascending (n, i, j) for every group of neighbouring n (see
// groups), where pixels of X above and below the image are left out and those
// beyond its sides take part as zeros; the groups' sums are added in ascending
// order.
//
// As with a Gemm, the tasks of a preparation come first and share memory with
// those that follow. What a task does is decided by the shape alone.
type Convolution struct {
	Rows, Height, Width, In     int
	KH, KW, Out                 int
	StrideH, StrideW, Top, Left int
	OutHeight, OutWidth         int
	K                           []float32

	// A task of Forward has a multiple of so many rows, of which only the last of an
	// image may fall short. 0 is 1.
	Multiple int
}

// call bounds the multiply-adds of one call into assembly.
const call = 1 << 20

// A correlation is what Forward and each part of Backward is: Rows of images
// under a kernel, packed, without zeros between its columns.
type correlation struct {
	h, w, in         int // of an image
	kh, kw, out      int
	strideH, strideW int
	top, left        int // where the first window begins is −top, −left; they may be below 0
	oh, ow           int // windows
	pixel, row, at   int // distances in the result between windows and rows of windows; where the first is
	panels           int // where the packed kernel begins in shared memory
}

func (c *Convolution) forward() correlation {
	return correlation{
		h: c.Height, w: c.Width, in: c.In, kh: c.KH, kw: c.KW, out: c.Out,
		strideH: c.StrideH, strideW: c.StrideW, top: c.Top, left: c.Left, oh: c.OutHeight, ow: c.OutWidth,
		pixel: c.Out, row: c.OutWidth * c.Out,
	}
}

// phases is how many parts Backward has: with a stride, pixels of X in every
// so many rows and columns meet the same rows and columns of the kernel.
func (c *Convolution) phases() int { return c.StrideH * c.StrideW }

// backward returns part i, and the first row and column of the kernel that it
// meets; others follow in steps of the strides.
func (c *Convolution) backward(i int) (r correlation, p, q int) {
	panels := 0
	for j := range i {
		before, _, _ := c.part(j)
		panels += before.packed()
	}
	r, p, q = c.part(i)
	r.panels = panels
	return r, p, q
}

func (c *Convolution) part(i int) (r correlation, p, q int) {
	one := func(phase, stride, before, k, size int) (first, taps, start, windows int) {
		first = (phase + before) % stride
		taps = max(0, (k-first+stride-1)/stride)
		return first, taps, taps - 1 - (phase+before-first)/stride, max(0, (size-phase+stride-1)/stride)
	}
	a, b := i/c.StrideW, i%c.StrideW
	r = correlation{
		h: c.OutHeight, w: c.OutWidth, in: c.Out, out: c.In, strideH: 1, strideW: 1,
		pixel: c.StrideW * c.In, row: c.StrideH * c.Width * c.In, at: (a*c.Width + b) * c.In,
	}
	p, r.kh, r.top, r.oh = one(a, c.StrideH, c.Top, c.KH, c.Height)
	q, r.kw, r.left, r.ow = one(b, c.StrideW, c.Left, c.KW, c.Width)
	return r, p, q
}

// k is the length of a chain.
func (r *correlation) k() int { return r.kh * r.kw * r.in }

// packed is the size of the packed kernel.
func (r *correlation) packed() int { return (r.out + panel - 1) / panel * apartPanels(r.k()) }

// bordered is the width of what a row of windows covers.
func (r *correlation) bordered() int { return (r.ow-1)*r.strideW + r.kw }

// inside reports whether no window goes beyond the image's sides.
func (r *correlation) inside() bool { return r.left <= 0 && r.bordered()-r.left <= r.w }

// A cut says how many images, and how many rows of windows of one, a task has.
type cut struct{ images, rows int }

// cut divides images of so many rows of windows, of so many multiply-adds each.
func (c *Convolution) cut(rows, work int) cut {
	work = max(work, 1)
	target := min(max(c.Rows*rows*work/shares, minTask), maxTask)
	if n := target / work; n < rows {
		n = max(n, 1)
		parts := (rows + n - 1) / n
		m := max(c.Multiple, 1)
		return cut{1, ((rows+parts-1)/parts + m - 1) / m * m}
	}
	n := max(1, min(target/(rows*work), c.Rows))
	parts := (c.Rows + n - 1) / n
	return cut{max(1, (c.Rows+parts-1)/max(parts, 1)), rows}
}

func (k cut) tasks(images, rows int) int {
	return max(1, (images+k.images-1)/k.images) * ((rows + k.rows - 1) / k.rows)
}

// A Part is what a task has: rows I0 to I1 of windows of images N0 to N1.
type Part struct{ N0, N1, I0, I1 int }

func (k cut) of(task, images, rows int) Part {
	across := (rows + k.rows - 1) / k.rows
	n, i := task/across, task%across
	return Part{n * k.images, min((n+1)*k.images, images), i * k.rows, min((i+1)*k.rows, rows)}
}

func (c *Convolution) forwardCut() cut {
	return c.cut(c.OutHeight, c.OutWidth*c.KH*c.KW*c.In*c.Out)
}

// backwardRows is the number of rows of windows of the first part of Backward,
// which has the most.
func (c *Convolution) backwardRows() int { return (c.Height + c.StrideH - 1) / c.StrideH }

func (c *Convolution) backwardCut() cut {
	return c.cut(c.backwardRows(), c.Width*c.KH*c.KW*c.In*c.Out/c.StrideW)
}

// ForwardShared returns how many float32s of memory the tasks of Forward share,
// which those of PrepareForward fill.
func (c *Convolution) ForwardShared() int {
	r := c.forward()
	return r.packed()
}

// ForwardPreparations returns the number of tasks of PrepareForward.
func (c *Convolution) ForwardPreparations() int { return c.KH }

// PrepareForward packs a row of the kernel.
func (c *Convolution) PrepareForward(p int, shared []float32) {
	r := c.forward()
	n := c.KW * c.In
	packRows(shared[p*n*panel:], c.K[p*n*c.Out:], c.Out, c.Out, n, apartPanels(r.k()))
}

// ForwardTasks returns the number of tasks of Forward.
func (c *Convolution) ForwardTasks() int { return c.forwardCut().tasks(c.Rows, c.OutHeight) }

// ForwardPart returns a task's images and rows of Y.
func (c *Convolution) ForwardPart(task int) Part {
	return c.forwardCut().of(task, c.Rows, c.OutHeight)
}

// ForwardRows computes rows i0 to i1 of an image of Y, y, from an image of X.
func (c *Convolution) ForwardRows(y, x, shared []float32, i0, i1 int) {
	r := c.forward()
	r.run(y, x, shared, i0, i1)
}

// BackwardShared is as ForwardShared.
func (c *Convolution) BackwardShared() int {
	last, _, _ := c.backward(c.phases() - 1)
	return last.panels + last.packed()
}

// BackwardPreparations returns the number of tasks of PrepareBackward.
func (c *Convolution) BackwardPreparations() int { return c.KH * c.KW }

// PrepareBackward packs one pixel of the kernel, transposed.
func (c *Convolution) PrepareBackward(task int, shared []float32) {
	p, q := task/c.KW, task%c.KW
	// The part whose pixels meet row p and column q.
	a, b := ((p-c.Top)%c.StrideH+c.StrideH)%c.StrideH, ((q-c.Left)%c.StrideW+c.StrideW)%c.StrideW
	r, p0, q0 := c.backward(a*c.StrideW + b)
	i, j := r.kh-1-(p-p0)/c.StrideH, r.kw-1-(q-q0)/c.StrideW
	packColumns(shared[r.panels+(i*r.kw+j)*c.Out*panel:], c.K[task*c.In*c.Out:], c.Out, c.In, c.Out, apartPanels(r.k()))
}

// BackwardTasks returns the number of tasks of Backward.
func (c *Convolution) BackwardTasks() int { return c.backwardCut().tasks(c.Rows, c.backwardRows()) }

// BackwardPart returns a task's images and rows of X, in units of StrideH.
func (c *Convolution) BackwardPart(task int) Part {
	return c.backwardCut().of(task, c.Rows, c.backwardRows())
}

// BackwardRows computes rows i0·StrideH to i1·StrideH of an image of X, x, from
// an image of Y, of which it reads rows from i0−KH to i1+KH at most.
func (c *Convolution) BackwardRows(x, y, shared []float32, i0, i1 int) {
	for i := range c.phases() {
		r, _, _ := c.backward(i)
		r.run(x, y, shared, i0, i1)
	}
}

// run computes rows i0 to i1 of windows of one image, at y and on. Windows that
// lie on the image from side to side are computed row by row; those that do not
// column by column, as they all leave out the same columns of the kernel.
func (r *correlation) run(y, x, shared []float32, i0, i1 int) {
	rows := i0 // the first at y
	i1 = min(i1, r.oh)
	if i0 >= i1 || r.ow == 0 {
		return
	}
	y = y[r.at:]
	if r.k() == 0 {
		r.clear(y, i1-i0)
		return
	}
	blocking := &blockings[active]
	line := r.w * r.in
	// Windows with all rows of the kernel, and with all its columns.
	ia, ib := middle(r.top, r.strideH, r.kh, r.h, r.oh)
	ja, jb := middle(r.left, r.strideW, r.kw, r.w, r.ow)
	ia, ib = min(max(ia, i0), i1), min(max(ib, i0), i1)
	across := (&Gemm{LDA: r.strideW * r.in}).tiles(max(jb-ja, 1), blocking.tile)
	down := (&Gemm{LDA: r.strideH * line}).tiles(max(ib-ia, 1), blocking.tile)
	one := (&Gemm{LDA: 1}).tiles(1, blocking.tile)
	for j := 0; j < r.out; j += blocking.strip {
		s := strip{r, x, shared[r.panels+j/panel*apartPanels(r.k()):], min(blocking.strip, r.out-j)}
		for i := i0; i < i1 && ja < jb; i++ {
			s.product(&across, y[(i-rows)*r.row+ja*r.pixel+j:], i, ja, jb-ja, r.pixel)
		}
		for q := 0; q < r.ow; q++ {
			if q == ja {
				q = max(q, jb)
				if q == r.ow {
					break
				}
			}
			if ia < ib {
				s.product(&down, y[(ia-rows)*r.row+q*r.pixel+j:], ia, q, ib-ia, r.row)
			}
			for i := i0; i < i1; i++ {
				if i == ia && ia < ib {
					if i = ib; i == i1 {
						break
					}
				}
				s.product(&one, y[(i-rows)*r.row+q*r.pixel+j:], i, q, 1, 0)
			}
		}
	}
}

// middle returns the windows, of n, that lie on an image of a size: from begin
// to end.
func middle(before, stride, k, size, n int) (begin, end int) {
	begin = min((max(before, 0)+stride-1)/stride, n)
	end = min(max((size-k+before+stride)/stride, 0), n)
	return begin, max(begin, end)
}

// A strip is some columns of the kernel, which a correlation goes over an image
// with.
type strip struct {
	r    *correlation
	x, b []float32
	n    int
}

// product computes windows like that of row i and column j, count of them.
func (s *strip) product(t *tiling, c []float32, i, j, count, apart int) {
	r := s.r
	row, column := i*r.strideH-r.top, j*r.strideW-r.left // of the image
	p0, p1 := max(0, -row), min(r.kh, r.h-row)
	q0, q1 := max(0, -column), min(r.kw, r.w-column)
	if p0 >= p1 || q0 >= q1 {
		for w := range count {
			clear(c[w*apart:][:s.n])
		}
		return
	}
	line, k := r.w*r.in, (q1-q0)*r.in
	most := max(1, call/(t.rows*s.n*k)) // rows of the kernel at once
	for p := p0; p < p1; p += most {
		tileBlocks(t, c, s.x[(row+p)*line+(column+q0)*r.in:], s.b[(p*r.kw+q0)*r.in*panel:],
			s.n, k, min(most, p1-p), apart, 1, 1, line, panel, apartPanels(r.k()), r.kw*r.in*panel, p > p0)
	}
}

// clear sets pixels to 0, which no pixel meets.
func (r *correlation) clear(y []float32, rows int) {
	for i := range rows {
		for j := range r.ow {
			clear(y[i*r.row+j*r.pixel:][:r.out])
		}
	}
}

// border copies rows lo to hi of an image with zeros at their sides.
func (r *correlation) border(dst, x []float32, lo, hi int) {
	wide := r.bordered() * r.in
	from := max(0, -r.left)                            // the first column that is copied,
	before := max(0, r.left) * r.in                    // zeros before it,
	n := (min(r.w, r.bordered()-r.left) - from) * r.in // and how many numbers
	n = max(0, n)
	before = min(before, wide)
	for i := lo; i < hi; i++ {
		row := dst[(i-lo)*wide:][:wide]
		clear(row[:before])
		if n > 0 {
			copy(row[before:], x[(i*r.w+from)*r.in:][:n])
		}
		clear(row[before+n:])
	}
}

// tileBlocks computes the tiles of a row of windows, in calls that a garbage
// collection can wait for.
func tileBlocks(t *tiling, c, a, b []float32, n, k, blocks, rowC, colA, colLow, blockA, rowB, nextB, blockB int, more bool) {
	some := max(1, call/(t.rows*n*k*blocks))
	for i := 0; i < t.tall; i += some {
		blockTiles(c[i*t.rows*rowC:], a[i*t.rows*t.nextA:], b, min(some, t.tall-i), t.rows, n, k, blocks,
			rowC, t.rowA, colA, t.rows*t.nextA, blockA, rowB, nextB, blockB, more)
	}
	rows := t.rows - 1
	for i := 0; i < t.low; i += some {
		done := t.tall*t.rows + i*rows
		blockTiles(c[done*rowC:], a[done*t.nextA:], b, min(some, t.low-i), rows, n, k, blocks,
			rowC, t.rowA, colLow, rows*t.nextA, blockA, rowB, nextB, blockB, more)
	}
}

// A weighing is how the work of Weights is divided: the images into groups of
// so many, whose sums are apart in memory, and each group's part of K into
// blocks of rows of the kernel and of channels.
type weighing struct {
	images, groups  int
	lines, channels int
	across, down    int // blocks
}

const (
	mostGroups = 16
	groupsSize = 1 << 20 // float32s of the sums of all groups, about
)

// groups is decided by the shape alone: as many as give every thread some work,
// as long as their sums are small.
func (c *Convolution) groups() weighing {
	size := max(1, c.KH*c.KW*c.In*c.Out)
	n := max(1, min(mostGroups, groupsSize/size, c.Rows))
	w := weighing{images: max(1, (c.Rows+n-1)/n)}
	w.groups = max(1, (c.Rows+w.images-1)/w.images)
	want := func(parts int) int { return (mostGroups + parts - 1) / parts }
	down := min(c.KH, want(w.groups))
	w.lines = (c.KH + down - 1) / down
	w.down = (c.KH + w.lines - 1) / w.lines
	strips := (c.Out + maxStrip - 1) / maxStrip
	across := min(strips, want(w.groups*w.down))
	w.channels = (strips + across - 1) / across * maxStrip
	w.across = (c.Out + w.channels - 1) / w.channels
	return w
}

const maxStrip = 32 // columns of the widest tile

// WeightsShared returns how many float32s of memory hold the groups' sums, from
// Weights to FinishWeights.
func (c *Convolution) WeightsShared() int {
	if g := c.groups(); g.groups > 1 {
		return g.groups * c.KH * c.KW * c.In * c.Out
	}
	return 0
}

// WeightsTasks returns the number of tasks of Weights.
func (c *Convolution) WeightsTasks() int {
	g := c.groups()
	return g.groups * g.down * g.across
}

// WeightsScratch returns how many float32s of scratch memory a task needs.
func (c *Convolution) WeightsScratch() int {
	r := c.forward()
	if r.inside() {
		return 0
	}
	return r.h * r.bordered() * r.in
}

const (
	pixelsAtOnce = 128 // rows of a strip of Y that stay in the first-level cache
	pixelsLine   = 512 // so many of one row of windows
)

// A WeightsPart is what a task of Weights has: images N0 to N1, and of K rows p0
// to p1 and channels j0 to j1.
type WeightsPart struct {
	N0, N1                int
	group, p0, p1, j0, j1 int
}

// WeightsPart returns what a task has.
func (c *Convolution) WeightsPart(task int) WeightsPart {
	g := c.groups()
	w := WeightsPart{group: task / (g.down * g.across), p0: task / g.across % g.down * g.lines, j0: task % g.across * g.channels}
	w.N0, w.N1 = w.group*g.images, min((w.group+1)*g.images, c.Rows)
	w.p1, w.j1 = min(w.p0+g.lines, c.KH), min(w.j0+g.channels, c.Out)
	return w
}

// Sums returns the sums of a task's group, of which those of its part are 0
// again: K if there is one group.
func (c *Convolution) Sums(w WeightsPart, shared []float32) []float32 {
	size := c.KH * c.KW * c.In * c.Out
	sums := c.K
	if c.groups().groups > 1 {
		sums = shared[w.group*size:][:size]
	}
	taps := c.KW * c.In
	for l := w.p0 * taps; l < w.p1*taps; l++ {
		clear(sums[l*c.Out+w.j0 : l*c.Out+w.j1])
	}
	return sums
}

// AddWeights adds what an image of X and one of Y give to a part of the sums.
func (c *Convolution) AddWeights(w WeightsPart, sums, x, y, scratch []float32) {
	r := c.forward()
	p0, p1, j0, j1 := w.p0, w.p1, w.j0, w.j1
	taps := c.KW * c.In
	blocking := &blockings[active]
	t := (&Gemm{TransA: true}).tiles(taps, blocking.tile)
	column := c.StrideW * c.In
	begin, line := -(r.top*r.w+r.left)*r.in, r.w*r.in
	if !r.inside() {
		r.border(scratch, x, 0, r.h)
		x, line = scratch, r.bordered()*r.in
		begin = -r.top * line
	}
	rows := max(1, pixelsAtOnce/c.OutWidth)
	for i := 0; i < c.OutHeight; i += rows {
		for q := 0; q < c.OutWidth; q += pixelsLine {
			pixels := min(pixelsLine, c.OutWidth-q)
			for j := j0; j < j1; j += blocking.strip {
				for p := p0; p < p1; p++ {
					// The rows of windows of which row p of the kernel lies on the image.
					lo := max(i, (r.top-p+c.StrideH-1)/c.StrideH)
					hi := min(i+rows, c.OutHeight, (r.h-1+r.top-p+c.StrideH)/c.StrideH)
					if lo >= hi {
						continue
					}
					tileBlocks(&t, sums[p*taps*c.Out+j:], x[begin+(lo*c.StrideH+p)*line+q*column:], y[(lo*c.OutWidth+q)*c.Out+j:],
						min(blocking.strip, j1-j), pixels, hi-lo, c.Out, column, column, c.StrideH*line, c.Out, panel, c.OutWidth*c.Out, true)
				}
			}
		}
	}

}

// finish is how many numbers of K a task of FinishWeights adds up.
const finish = 4 << 10

// WeightsFinishes returns the number of tasks of FinishWeights.
func (c *Convolution) WeightsFinishes() int {
	if c.groups().groups == 1 {
		return 0
	}
	return (c.KH*c.KW*c.In*c.Out + finish - 1) / finish
}

// FinishWeights adds up the groups' sums of a part of K.
func (c *Convolution) FinishWeights(task int, shared []float32) {
	size := c.KH * c.KW * c.In * c.Out
	lo := task * finish
	hi := min(lo+finish, size)
	copy(c.K[lo:hi], shared[lo:hi])
	for g := 1; g < c.groups().groups; g++ {
		Add(c.K[lo:hi], c.K[lo:hi], shared[g*size+lo:g*size+hi])
	}
}
