package kernel

// A Pooling goes over images [Rows Height Width Channels] with windows of KH by
// KW, [Rows OutHeight OutWidth Channels] of them. What lies beyond the image has
// no part in a window.
type Pooling struct {
	Rows, Height, Width, Channels int
	KH, KW                        int
	StrideH, StrideW, Top, Left   int
	OutHeight, OutWidth           int
}

// poolAtOnce bounds the numbers of one call into assembly, as a garbage
// collection has to wait for its end.
const poolAtOnce = 64 << 10

// A windowRun is neighbouring windows of row i with the same places inside the image.
type windowRun struct {
	count       int
	row, column int // of the image, where the first begins
	kh, kw      int // places inside
	first, skip int // the first of them, and how many of a row are not
}

// from returns the longest run of one call that begins with window j of row i.
func (p *Pooling) from(i, j int) windowRun {
	top := i*p.StrideH - p.Top
	p0, p1 := max(0, -top), min(p.KH, p.Height-top)
	q0, q1 := p.inside(j)
	n := 1
	if q0 == 0 && q1 == p.KW { // in the middle, where most are
		n = min((p.Width-p.KW+p.Left)/p.StrideW+1, p.OutWidth) - j
		n = min(n, max(1, poolAtOnce/(p.Channels*p.KH*p.KW)))
	}
	return windowRun{n, top + p0, j*p.StrideW - p.Left + q0, p1 - p0, q1 - q0, p0*p.KW + q0, p.KW - (q1 - q0)}
}

// inside returns the columns of window j that lie on the image.
func (p *Pooling) inside(j int) (q0, q1 int) {
	left := j*p.StrideW - p.Left
	return max(0, -left), min(p.KW, p.Width-left)
}

func (p *Pooling) at(row, column int) int { return (row*p.Width + column) * p.Channels }

// Max sets rows i0 to i1 of windows of an image, y, to their maxima, NaN where
// a window has one, and place to where the first is: KW·row + column in the
// window.
func (p *Pooling) Max(y []float32, place []int32, x []float32, i0, i1 int) {
	for i := i0; i < i1; i++ {
		for j := 0; j < p.OutWidth; {
			r := p.from(i, j)
			at := (i*p.OutWidth + j) * p.Channels
			poolMax(y[min(at, len(y)):], place[min(at, len(place)):], x[p.at(r.row, r.column):],
				r.count, p.Channels, r.kh, r.kw, p.StrideW*p.Channels, p.Width*p.Channels, r.first, r.skip)
			j += r.count
		}
	}
}

// MaxSpread sets an image to zeros, to which every window adds its dy at the
// place of its maximum, in ascending order.
func (p *Pooling) MaxSpread(dx, dy []float32, place []int32) {
	clear(dx[:p.at(p.Height, 0)])
	for i := range p.OutHeight {
		for j := 0; j < p.OutWidth; {
			r := p.from(i, j)
			at := (i*p.OutWidth + j) * p.Channels
			maxSpread(dx[p.at(r.row, r.column):], dy[at:], place[at:],
				r.count, p.Channels, r.kh, r.kw, p.StrideW*p.Channels, p.Width*p.Channels, r.first, r.skip)
			j += r.count
		}
	}
}

// Average sets rows i0 to i1 of windows of an image, y, to their means: places
// are added in ascending order, and the sum is divided by their number.
func (p *Pooling) Average(y, x []float32, i0, i1 int) {
	for i := i0; i < i1; i++ {
		for j := range p.OutWidth {
			r := p.from(i, j)
			sum := y[(i*p.OutWidth+j)*p.Channels:][:p.Channels]
			clear(sum)
			for a := range r.kh {
				for b := range r.kw {
					Add(sum, sum, x[p.at(r.row+a, r.column+b):])
				}
			}
			DivS(sum, sum, float32(r.kh*r.kw))
		}
	}
}

// AverageSpread sets an image to zeros, to whose places every window adds its
// dy divided by their number, in ascending order. scratch has the length of the
// channels.
func (p *Pooling) AverageSpread(dx, dy, scratch []float32) {
	clear(dx[:p.at(p.Height, 0)])
	for i := range p.OutHeight {
		for j := range p.OutWidth {
			r := p.from(i, j)
			share := scratch[:p.Channels]
			DivS(share, dy[(i*p.OutWidth+j)*p.Channels:], float32(r.kh*r.kw))
			for a := range r.kh {
				for b := range r.kw {
					at := p.at(r.row+a, r.column+b)
					Add(dx[at:at+p.Channels], dx[at:], share)
				}
			}
		}
	}
}
