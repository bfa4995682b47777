package kernel

// A Convolution is that of images X [Rows Height Width In] with a kernel
// K [KH KW In Out], giving Y [Rows OutHeight OutWidth Out]:
//
//	y[n i j o] = Σ x[n, i·StrideH+p−Top, j·StrideW+q−Left, c] · k[p q c o]
//
// Forward computes Y, Backward X from Y (the transposed convolution, which is
// the gradient), and Weights K from X and Y (the other gradient). In each the
// third array is the result.
//
// No patches are put together in memory. The patch under a row of the kernel is
// KW·In neighbours of X, and that of the next pixel begins StrideW·In further on.
// So a row of pixels is a matrix whose rows overlap, and its product with the
// kernel is blocks of k, one for each row of the kernel, of a single chain
// (blockTiles). The same holds, transposed, where pixels are what is summed over.
//
// Every element of Y is one chain of fused multiply-adds, from 0, in ascending
// (p, q, c); of X one in ascending order of the pixels of Y and then o, which is
// that of descending (p, q). Rows of pixels beyond the image are left out; pixels
// beyond its sides take part as zeros. An element of K is such a chain in
// ascending (n, i, j) for every group of neighbouring n (see groups); the groups'
// sums are added in ascending order.
//
// As with a Gemm, the tasks of a preparation come first and share memory with
// those that follow. What a task does is decided by the shape alone.
type Convolution struct {
	Rows, Height, Width, In     int
	KH, KW, Out                 int
	StrideH, StrideW, Top, Left int
	OutHeight, OutWidth         int
	X, K, Y                     []float32
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

// lines is how many rows of an image so many rows of windows cover at most.
func (r *correlation) lines(windows int) int { return min(r.h, (windows-1)*r.strideH+r.kh) }

// A cut says how many images, and how many rows of windows of one, a task has.
type cut struct{ images, rows int }

// cut divides images of so many rows of windows, of so many multiply-adds each.
func (c *Convolution) cut(rows, work int) cut {
	work = max(work, 1)
	target := min(max(c.Rows*rows*work/shares, minTask), maxTask)
	if n := target / work; n < rows {
		n = max(n, 1)
		parts := (rows + n - 1) / n
		return cut{1, (rows + parts - 1) / parts}
	}
	n := max(1, min(target/(rows*work), c.Rows))
	parts := (c.Rows + n - 1) / n
	return cut{max(1, (c.Rows+parts-1)/max(parts, 1)), rows}
}

func (k cut) tasks(images, rows int) int {
	return max(1, (images+k.images-1)/k.images) * ((rows + k.rows - 1) / k.rows)
}

// of returns the images and rows of a task.
func (k cut) of(task, images, rows int) (n0, n1, i0, i1 int) {
	across := (rows + k.rows - 1) / k.rows
	n, i := task/across, task%across
	return n * k.images, min((n+1)*k.images, images), i * k.rows, min((i+1)*k.rows, rows)
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

// ForwardScratch returns how many float32s of scratch memory a task needs.
func (c *Convolution) ForwardScratch() int {
	r := c.forward()
	return r.scratch(c.forwardCut().rows)
}

// Forward computes one task's part of Y. The contents of scratch do not matter.
func (c *Convolution) Forward(task int, shared, scratch []float32) {
	r := c.forward()
	n0, n1, i0, i1 := c.forwardCut().of(task, c.Rows, c.OutHeight)
	for n := n0; n < n1; n++ {
		r.run(c.Y[n*c.OutHeight*c.OutWidth*c.Out:], c.X[n*c.Height*c.Width*c.In:], shared, scratch, i0, i1)
	}
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

// BackwardScratch is as ForwardScratch.
func (c *Convolution) BackwardScratch() int {
	most, rows := 0, c.backwardCut().rows
	for i := range c.phases() {
		r, _, _ := c.backward(i)
		most = max(most, r.scratch(rows))
	}
	return most
}

// Backward computes one task's part of X.
func (c *Convolution) Backward(task int, shared, scratch []float32) {
	n0, n1, i0, i1 := c.backwardCut().of(task, c.Rows, c.backwardRows())
	for i := range c.phases() {
		r, _, _ := c.backward(i)
		for n := n0; n < n1; n++ {
			r.run(c.X[n*c.Height*c.Width*c.In:], c.Y[n*c.OutHeight*c.OutWidth*c.Out:], shared, scratch, i0, i1)
		}
	}
}

func (r *correlation) scratch(windows int) int {
	if r.inside() || r.k() == 0 {
		return 0
	}
	return r.lines(windows) * r.bordered() * r.in
}

// run computes rows i0 to i1 of windows of one image.
func (r *correlation) run(y, x, shared, scratch []float32, i0, i1 int) {
	i1 = min(i1, r.oh)
	if i0 >= i1 || r.ow == 0 {
		return
	}
	y = y[r.at:]
	if r.k() == 0 {
		r.clear(y, i0, i1)
		return
	}
	// Where the window of row 0 and column 0 would begin, and the distance of rows.
	begin, line := -(r.top*r.w+r.left)*r.in, r.w*r.in
	if !r.inside() {
		lo := min(max(0, i0*r.strideH-r.top), r.h)
		hi := min(r.h, (i1-1)*r.strideH-r.top+r.kh)
		r.border(scratch, x, lo, hi)
		x, line = scratch, r.bordered()*r.in
		begin = -(r.top + lo) * line
	}
	blocking := &blockings[active]
	t := (&Gemm{LDA: r.strideW * r.in}).tiles(r.ow, blocking.tile)
	k := r.kw * r.in
	next := apartPanels(r.k())
	for j := 0; j < r.out; j += blocking.strip {
		n := min(blocking.strip, r.out-j)
		b := shared[r.panels+j/panel*next:]
		for i := i0; i < i1; i++ {
			first := i*r.strideH - r.top // row of the image
			p0, p1 := max(0, -first), min(r.kh, r.h-first)
			c := y[i*r.row+j:]
			if p0 >= p1 {
				for q := range r.ow {
					clear(c[q*r.pixel:][:n])
				}
				continue
			}
			most := max(1, call/(blocking.tile*n*k)) // rows of the kernel at once
			for p := p0; p < p1; p += most {
				blocks := min(most, p1-p)
				tileBlocks(&t, c, x[begin+(i*r.strideH+p)*line:], b[p*k*panel:], n, k, blocks, r.pixel, 1, 1, line, panel, next, k*panel, p > p0)
			}
		}
	}
}

// clear sets pixels to 0, which no pixel meets.
func (r *correlation) clear(y []float32, i0, i1 int) {
	for i := i0; i < i1; i++ {
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

// Weights computes a part of the sums of a group, in K if there is one group.
func (c *Convolution) Weights(task int, shared, scratch []float32) {
	g := c.groups()
	r := c.forward()
	size := c.KH * c.KW * c.In * c.Out
	sums := c.K
	group := task / (g.down * g.across)
	if g.groups > 1 {
		sums = shared[group*size:][:size]
	}
	p0 := task / g.across % g.down * g.lines
	p1 := min(p0+g.lines, c.KH)
	j0 := task % g.across * g.channels
	j1 := min(j0+g.channels, c.Out)
	taps := c.KW * c.In
	for l := p0 * taps; l < p1*taps; l++ {
		clear(sums[l*c.Out+j0 : l*c.Out+j1])
	}
	blocking := &blockings[active]
	t := (&Gemm{TransA: true}).tiles(taps, blocking.tile)
	column := c.StrideW * c.In
	for n := group * g.images; n < min((group+1)*g.images, c.Rows); n++ {
		x, y := c.X[n*c.Height*c.Width*c.In:], c.Y[n*c.OutHeight*c.OutWidth*c.Out:]
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
