package kernel

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// images is a convolution with its images.
type images struct {
	Convolution
	X, Y []float32
}

func (c *images) ofX(n int) []float32 { return c.X[n*c.Height*c.Width*c.In:] }
func (c *images) ofY(n int) []float32 { return c.Y[n*c.OutHeight*c.OutWidth*c.Out:] }

// step is how many rows of a task are computed at once, of at most so many.
func (c *images) step(rows int) int { return max(1, rows/2) }

func (c *images) Forward(task int, shared, _ []float32) {
	p := c.ForwardPart(task)
	for n := p.N0; n < p.N1; n++ {
		for i := p.I0; i < p.I1; i += c.step(p.I1 - p.I0) {
			y := c.ofY(n)[i*c.OutWidth*c.Out:]
			c.ForwardRows(y, c.ofX(n), shared, i, min(i+c.step(p.I1-p.I0), p.I1))
		}
	}
}

func (c *images) Backward(task int, shared, _ []float32) {
	p := c.BackwardPart(task)
	for n := p.N0; n < p.N1; n++ {
		for i := p.I0; i < p.I1; i += c.step(p.I1 - p.I0) {
			x := c.ofX(n)[i*c.StrideH*c.Width*c.In:]
			c.BackwardRows(x, c.ofY(n), shared, i, min(i+c.step(p.I1-p.I0), p.I1))
		}
	}
}

func (c *images) Weights(task int, shared, scratch []float32) {
	p := c.WeightsPart(task)
	sums := c.Sums(p, shared)
	for n := p.N0; n < p.N1; n++ {
		c.AddWeights(p, sums, c.ofX(n), c.ofY(n), scratch)
	}
}

// naiveForward is the contract of Convolution, word by word, as are those below.
func naiveForward(c *images, y []float32) {
	c.each(func(n, i, j int) {
		for o := range c.Out {
			sum := float32(0)
			for p := range c.KH {
				for q := range c.KW {
					for l := range c.In {
						if v, ok := c.x(n, i*c.StrideH+p-c.Top, j*c.StrideW+q-c.Left, l); ok == inside {
							sum = fma32(v, c.K[((p*c.KW+q)*c.In+l)*c.Out+o], sum)
						}
					}
				}
			}
			y[((n*c.OutHeight+i)*c.OutWidth+j)*c.Out+o] = sum
		}
	})
}

// each goes through the pixels of Y.
func (c *images) each(f func(n, i, j int)) {
	for n := range c.Rows {
		for i := range c.OutHeight {
			for j := range c.OutWidth {
				f(n, i, j)
			}
		}
	}
}

// Where a pixel is.
const (
	inside = iota
	beside // the image
	beyond // above or below it
)

// x is a number of X, or 0 where there is none.
func (c *images) x(n, i, j, l int) (v float32, where int) {
	switch {
	case i < 0 || i >= c.Height:
		return 0, beyond
	case j < 0 || j >= c.Width:
		return 0, beside
	}
	return c.X[((n*c.Height+i)*c.Width+j)*c.In+l], inside
}

func naiveBackward(c *images, x []float32) {
	for n := range c.Rows {
		for i := range c.Height {
			for j := range c.Width {
				for l := range c.In {
					sum := float32(0)
					for p := c.KH - 1; p >= 0; p-- {
						for q := c.KW - 1; q >= 0; q-- {
							oi, oj := i+c.Top-p, j+c.Left-q
							if oi < 0 || oi%c.StrideH != 0 || oi/c.StrideH >= c.OutHeight || oj < 0 || oj%c.StrideW != 0 || oj/c.StrideW >= c.OutWidth {
								continue
							}
							oi, oj = oi/c.StrideH, oj/c.StrideW
							for o := range c.Out {
								sum = fma32(c.Y[((n*c.OutHeight+oi)*c.OutWidth+oj)*c.Out+o], c.K[((p*c.KW+q)*c.In+l)*c.Out+o], sum)
							}
						}
					}
					x[((n*c.Height+i)*c.Width+j)*c.In+l] = sum
				}
			}
		}
	}
}

func naiveWeights(c *images, k []float32) {
	clear(k)
	group := make([]float32, len(k))
	for n0 := 0; n0 < c.Rows; n0 += c.groups().images {
		clear(group)
		part := *c
		part.Rows = min(c.groups().images, c.Rows-n0)
		part.each(func(n, i, j int) {
			n += n0
			for p := range c.KH {
				for q := range c.KW {
					for l := range c.In {
						v, where := c.x(n, i*c.StrideH+p-c.Top, j*c.StrideW+q-c.Left, l)
						for o := range c.Out {
							if at := ((p*c.KW+q)*c.In+l)*c.Out + o; where != beyond {
								group[at] = fma32(v, c.Y[((n*c.OutHeight+i)*c.OutWidth+j)*c.Out+o], group[at])
							}
						}
					}
				}
			}
		})
		for i, v := range group {
			if n0 == 0 {
				k[i] = v
			} else {
				k[i] += v
			}
		}
	}
}

// randomConvolution draws a shape whose kernel fits the image. Sizes bounds
// images, height, width, input channels, kernel and output channels.
func randomConvolution(r *rand.Rand, sizes [7]int, wild bool) (c *images, x, k, y *guarded) {
	d := func(i int) int { return 1 + r.IntN(sizes[i]) }
	c = &images{Convolution: Convolution{Rows: d(0), KH: d(4), KW: d(5), In: d(3), Out: d(6), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), Multiple: r.IntN(4)}}
	if r.IntN(2) == 0 {
		c.StrideH, c.StrideW = 1, 1
	}
	bottom, right := 0, 0
	if r.IntN(2) == 0 {
		c.Top, bottom, c.Left, right = r.IntN(c.KH), r.IntN(c.KH), r.IntN(c.KW), r.IntN(c.KW)
	}
	c.Height, c.Width = max(d(1), c.KH-c.Top-bottom, 1), max(d(2), c.KW-c.Left-right, 1)
	c.OutHeight, c.OutWidth = (c.Height+c.Top+bottom-c.KH)/c.StrideH+1, (c.Width+c.Left+right-c.KW)/c.StrideW+1
	x, k, y = newGuarded(c.Rows*c.Height*c.Width*c.In), newGuarded(c.KH*c.KW*c.In*c.Out), newGuarded(c.Rows*c.OutHeight*c.OutWidth*c.Out)
	for _, g := range []*guarded{x, k, y} {
		for i := range g.x {
			g.x[i] = float32(r.NormFloat64())
			if wild {
				g.x[i] = number(r)
			}
		}
	}
	c.X, c.K, c.Y = x.x, k.x, y.x
	return c, x, k, y
}

// each part of a convolution: what prepares it, its tasks, and what finishes it.
type convolutionPart struct {
	name                                  string
	shared, scratch, before, tasks, after int
	prepare                               func(task int, shared []float32)
	run                                   func(task int, shared, scratch []float32)
	finish                                func(task int, shared []float32)
	result                                *guarded
	naive                                 func(want []float32)
}

func convolutionParts(c *images, x, k, y *guarded) []convolutionPart {
	return []convolutionPart{
		{"forward", c.ForwardShared(), 0, c.ForwardPreparations(), c.ForwardTasks(), 0,
			c.PrepareForward, c.Forward, nil, y, func(want []float32) { naiveForward(c, want) }},
		{"backward", c.BackwardShared(), 0, c.BackwardPreparations(), c.BackwardTasks(), 0,
			c.PrepareBackward, c.Backward, nil, x, func(want []float32) { naiveBackward(c, want) }},
		{"weights", c.WeightsShared(), c.WeightsScratch(), 0, c.WeightsTasks(), c.WeightsFinishes(),
			nil, c.Weights, c.FinishWeights, k, func(want []float32) { naiveWeights(c, want) }},
	}
}

func (p *convolutionPart) all(shared, scratch []float32) {
	for task := range p.before {
		p.prepare(task, shared)
	}
	for task := range p.tasks {
		p.run(task, shared, scratch)
	}
	for task := range p.after {
		p.finish(task, shared)
	}
}

func checkConvolution(t *testing.T, c *images, x, k, y *guarded) {
	t.Helper()
	for _, p := range convolutionParts(c, x, k, y) {
		shape := c.Convolution
		shape.K = nil
		name := fmt.Sprintf("%s of %+v", p.name, shape)
		saved := append([]float32(nil), p.result.x...)
		want := make([]float32, len(saved))
		p.naive(want)
		for i := range p.result.x {
			p.result.x[i] = 12345
		}
		shared, scratch := newGuarded(p.shared), newGuarded(p.scratch)
		for _, g := range []*guarded{shared, scratch} {
			for i := range g.x {
				g.x[i] = nan
			}
		}
		p.all(shared.x, scratch.x)
		checkSame(t, name, p.result.x, want)
		for _, g := range []*guarded{x, k, y, shared, scratch} {
			g.check(t, name)
		}
		copy(p.result.x, saved)
	}
}

func TestConvolution(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 22))
		check := func(sizes [7]int, wild bool) {
			c, x, k, y := randomConvolution(r, sizes, wild)
			checkConvolution(t, c, x, k, y)
		}
		for i := range 200 {
			check([7]int{3, 7, 9, 5, 4, 4, 9}, i%4 == 0)
		}
		for range 10 { // several strips, tiles, tasks and groups
			check([7]int{20, 9, 40, 20, 3, 3, 70}, false)
		}
		// Long rows, long chains and many channels, which are cut into calls.
		check([7]int{2, 1, 1200, 4, 1, 5, 3}, false)
		check([7]int{1, 3, 3, 2000, 3, 3, 3}, false)
	})
}

// TestConvolutionTasksAtOnce: tasks write to disjoint places.
func TestConvolutionTasksAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	c, x, k, y := randomConvolution(r, [7]int{1, 1, 1, 1, 1, 1, 1}, false)
	for c.ForwardTasks() < 3 || c.BackwardTasks() < 3 || c.WeightsTasks() < 3 {
		c, x, k, y = randomConvolution(r, [7]int{30, 12, 40, 20, 3, 3, 70}, false)
	}
	for _, p := range convolutionParts(c, x, k, y) {
		saved, want := append([]float32(nil), p.result.x...), make([]float32, len(p.result.x))
		p.naive(want)
		shared := make([]float32, p.shared)
		var wait sync.WaitGroup
		for task := range p.before {
			wait.Go(func() { p.prepare(task, shared) })
		}
		wait.Wait()
		for task := range p.tasks {
			wait.Go(func() { p.run(task, shared, make([]float32, p.scratch)) })
		}
		wait.Wait()
		for task := range p.after {
			wait.Go(func() { p.finish(task, shared) })
		}
		wait.Wait()
		checkSame(t, p.name, p.result.x, want)
		copy(p.result.x, saved)
	}
}

func TestConvolutionAllocatesNothing(t *testing.T) {
	c, x, k, y := randomConvolution(rand.New(rand.NewPCG(25, 26)), [7]int{4, 8, 8, 8, 3, 3, 40}, false)
	for _, p := range convolutionParts(c, x, k, y) {
		shared, scratch := make([]float32, p.shared), make([]float32, p.scratch)
		if n := testing.AllocsPerRun(5, func() { p.all(shared, scratch) }); n != 0 {
			t.Errorf("%s: %v allocations", p.name, n)
		}
	}
}

func FuzzConvolution(f *testing.F) {
	f.Add(uint64(1), false)
	f.Fuzz(func(t *testing.T, seed uint64, wild bool) {
		onEachPath(t, func(t *testing.T) {
			c, x, k, y := randomConvolution(rand.New(rand.NewPCG(seed, 0)), [7]int{5, 9, 20, 12, 4, 4, 40}, wild)
			checkConvolution(t, c, x, k, y)
		})
	})
}
