package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func randomPooling(r *rand.Rand) *Pooling {
	d := func(n int) int { return 1 + r.IntN(n) }
	p := &Pooling{Rows: 1, Channels: d(40), KH: d(4), KW: d(4), StrideH: d(4), StrideW: d(4)}
	bottom, right := 0, 0
	if r.IntN(2) == 0 {
		p.Top, bottom, p.Left, right = r.IntN(p.KH), r.IntN(p.KH), r.IntN(p.KW), r.IntN(p.KW)
	}
	p.Height, p.Width = max(d(9), p.KH-p.Top-bottom), max(d(9), p.KW-p.Left-right)
	p.OutHeight, p.OutWidth = (p.Height+p.Top+bottom-p.KH)/p.StrideH+1, (p.Width+p.Left+right-p.KW)/p.StrideW+1
	return p
}

// places calls f for the places of window i, j that lie on the image.
func places(p *Pooling, i, j int, f func(at, place int)) {
	for a := range p.KH {
		for b := range p.KW {
			if row, column := i*p.StrideH-p.Top+a, j*p.StrideW-p.Left+b; row >= 0 && row < p.Height && column >= 0 && column < p.Width {
				f((row*p.Width+column)*p.Channels, a*p.KW+b)
			}
		}
	}
}

func TestPooling(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 32))
		for i := range 300 {
			p := randomPooling(r)
			if i == 0 { // more than one call
				p = &Pooling{Rows: 1, Height: 3, Width: 2 * poolAtOnce / 100, Channels: 30, KH: 3, KW: 2, StrideH: 1, StrideW: 1, OutHeight: 1, OutWidth: 2*poolAtOnce/100 - 1}
			}
			name := fmt.Sprintf("%+v", *p)
			image, windows := p.Height*p.Width*p.Channels, p.OutHeight*p.OutWidth*p.Channels
			x, dy := randomGuarded(r, image), randomGuarded(r, windows)
			if r.IntN(2) == 0 { // ties
				for i := range x.x {
					x.x[i] = float32(r.IntN(3) - 1)
				}
			}
			y, dx, mean, spread, share := newGuarded(windows), newGuarded(image), newGuarded(windows), newGuarded(image), newGuarded(p.Channels)
			place := make([]int32, windows)
			half := r.IntN(p.OutHeight + 1)
			p.Max(y.x, place, x.x, half, p.OutHeight)
			p.Max(y.x, nil, x.x, 0, half)
			p.Max(nil, place, x.x, 0, half)
			p.MaxSpread(dx.x, dy.x, place)
			p.Average(mean.x, x.x, half, p.OutHeight)
			p.Average(mean.x, x.x, 0, half)
			p.AverageSpread(spread.x, dy.x, share.x)

			wantY, wantDX, wantMean, wantSpread := make([]float32, windows), make([]float32, image), make([]float32, windows), make([]float32, image)
			for i := range p.OutHeight {
				for j := range p.OutWidth {
					for c := range p.Channels {
						w := (i*p.OutWidth+j)*p.Channels + c
						best, where, first, sum, n := float32(math.Inf(-1)), 0, -1, float32(0), 0
						places(p, i, j, func(at, place int) {
							v := x.x[at+c]
							if first < 0 {
								where = place
							}
							first = 0
							if v > best || v != v {
								best, where = v, place
							}
							sum += v
							n++
						})
						wantY[w], wantMean[w] = best, sum/float32(n)
						if int(place[w]) != where {
							t.Fatalf("%s: window %d, %d, channel %d: the maximum is at %d, want %d", name, i, j, c, place[w], where)
						}
						share := dy.x[w] / float32(n)
						places(p, i, j, func(at, place int) {
							if place == where {
								wantDX[at+c] += dy.x[w]
							} else {
								wantDX[at+c] += 0
							}
							wantSpread[at+c] += share
						})
					}
				}
			}
			checkSame(t, name+" max", y.x, wantY)
			checkSame(t, name+" max spread", dx.x, wantDX)
			checkSame(t, name+" average", mean.x, wantMean)
			checkSame(t, name+" average spread", spread.x, wantSpread)
			for _, g := range []*guarded{x, y, dx, dy, mean, spread, share} {
				g.check(t, name)
			}
		}
	})
}

func TestPoolingAllocatesNothing(t *testing.T) {
	p := randomPooling(rand.New(rand.NewPCG(33, 34)))
	image, windows := p.Height*p.Width*p.Channels, p.OutHeight*p.OutWidth*p.Channels
	x, y, place, share := make([]float32, image), make([]float32, windows), make([]int32, windows), make([]float32, p.Channels)
	if n := testing.AllocsPerRun(5, func() {
		p.Max(y, place, x, 0, p.OutHeight)
		p.MaxSpread(x, y, place)
		p.Average(y, x, 0, p.OutHeight)
		p.AverageSpread(x, y, share)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
