package train

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
)

// A mixer makes each row of a training batch a mixture of itself and of another
// row of the batch, and the row's loss the same mixture of both targets' losses.
//
// Mixup (Zhang et al. 2018, equation 1) adds λ of one and 1−λ of the other; CutMix
// (Yun et al. 2019, equation 1) puts a rectangle of the other image, 1−λ of the
// area, into the one. λ is drawn for each row from Beta(α, α). With both, each
// batch draws one of them.
//
// The other row of row i of n is row n−1−i: the order is shuffled already.
type mixer struct {
	mixup, cutmix float64 // the α of each; 0: not used
	seed          uint64
	inputs        int // the first tensors of a batch; the others are targets

	targets []*tensor.Tensor // of the other rows
	weights *tensor.Tensor   // of their losses [rows]
}

// newMixer returns nil where nothing is to be mixed.
func newMixer(o *Options, inputs, targets []*graph.Node) (*mixer, error) {
	if o.Mixup == 0 && o.CutMix == 0 {
		return nil, nil
	}
	for _, in := range inputs {
		if in.Type.DType != tensor.Float32 {
			return nil, fmt.Errorf("train: mixup and cutmix mix the numbers of two rows, which input %q, of %v, does not allow", in.Op.(*graph.Input).ID, in.Type)
		}
		if o.CutMix > 0 && len(in.Shape()) != 4 {
			return nil, fmt.Errorf("train: cutmix puts parts of an image into another; input %q is %v, expected float32[rows height width channels]", in.Op.(*graph.Input).ID, in.Type)
		}
	}
	m := &mixer{mixup: o.Mixup, cutmix: o.CutMix, seed: o.Seed, inputs: len(inputs), weights: tensor.Zeros(0)}
	for _, t := range targets {
		m.targets = append(m.targets, tensor.New(t.Type.DType, make([]int, len(t.Shape()))...))
	}
	return m, nil
}

// mix mixes the rows of a batch in place.
func (m *mixer) mix(b *Batch, epoch, step int) {
	key := splitmix.Finish(m.seed ^ splitmix.Next(uint64(epoch))<<1 ^ splitmix.Next(uint64(step)))
	coin := splitmix.Draws(key)
	cut := m.cutmix > 0 && (m.mixup == 0 || coin.Float() < 0.5)
	for k, t := range m.targets {
		from := b.Tensors[m.inputs+k]
		t.Reset(from.Shape()...)
		n := from.RowLen()
		for i := range b.Rows {
			copy(t.Raw()[i*n:][:n], from.Raw()[(b.Rows-1-i)*n:])
		}
	}
	m.weights.Reset(b.Rows)
	own, others := b.Weights.Floats(), m.weights.Floats()
	clear(others)
	for i, j := 0, b.Rows-1; i < j; i, j = i+1, j-1 {
		d := splitmix.Draws(splitmix.Next(key ^ uint64(i+1)))
		var a, c float64 // what is left of each
		if cut {
			a, c = m.cut(b, i, j, &d)
		} else {
			a, c = beta(m.mixup, &d), beta(m.mixup, &d)
			for _, t := range b.Tensors[:m.inputs] {
				n := t.RowLen()
				x, y := t.Floats()[i*n:][:n], t.Floats()[j*n:][:n]
				for k := range x {
					p, q := float64(x[k]), float64(y[k])
					x[k], y[k] = float32(q+float64(a*(p-q))), float32(p+float64(c*(q-p)))
				}
			}
		}
		wi, wj := float64(own[i]), float64(own[j])
		own[i], others[i] = float32(a*wi), float32((1-a)*wj)
		own[j], others[j] = float32(c*wj), float32((1-c)*wi)
	}
}

// cut exchanges a rectangle of images i and j, the same in both, and returns the
// share of the area that each keeps.
func (m *mixer) cut(b *Batch, i, j int, d *splitmix.Draws) (keptI, keptJ float64) {
	side, x, y := math.Sqrt(1-beta(m.cutmix, d)), d.Float(), d.Float()
	kept := 1.0
	for _, t := range b.Tensors[:m.inputs] {
		h, w, ch := t.Shape()[1], t.Shape()[2], t.Shape()[3]
		x0, x1 := span(x, side, w)
		y0, y1 := span(y, side, h)
		for r := y0; r < y1; r++ {
			p := t.Floats()[((i*h+r)*w+x0)*ch:][:(x1-x0)*ch]
			q := t.Floats()[((j*h+r)*w+x0)*ch:][:(x1-x0)*ch]
			for k := range p {
				p[k], q[k] = q[k], p[k]
			}
		}
		kept = 1 - float64((x1-x0)*(y1-y0))/float64(h*w)
	}
	return kept, kept
}

// span is the part of 0 to n-1 of a share side around a middle, from 0 up to 1.
func span(middle, side float64, n int) (lo, hi int) {
	half := side * float64(n) / 2
	at := middle * float64(n)
	return max(0, int(math.Round(at-half))), min(n, int(math.Round(at+half)))
}

// beta draws from Beta(α, α) (Jöhnk 1964; Devroye 1986, section IX.3.5).
func beta(alpha float64, d *splitmix.Draws) float64 {
	for {
		u, v := math.Pow(d.Float(), 1/alpha), math.Pow(d.Float(), 1/alpha)
		if s := u + v; s > 0 && s <= 1 {
			return u / s
		}
	}
}
