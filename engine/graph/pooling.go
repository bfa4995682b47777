package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// PoolKind names a kind of pooling.
type PoolKind uint8

// The kinds of pooling.
const (
	OpPoolMax PoolKind = iota
	OpPoolAverage
)

// Pool is the op of MaxPool and AveragePool: of every channel, over windows of
// KH by KW.
type Pool struct {
	Kind   PoolKind
	KH, KW int
	Window
}

// Name returns the pooling's name.
func (o Pool) Name() string {
	return [...]string{OpPoolMax: "max_pool", OpPoolAverage: "average_pool"}[o.Kind]
}

// Infer returns [n oh ow channels] for [n h w channels].
func (o Pool) Infer(in []Type) (Type, error) { return pooled(o.Window, o.KH, o.KW, in[0]) }

func pooled(o Window, kh, kw int, x Type) (Type, error) {
	n, h, w, channels, err := images("input is", x)
	if err != nil {
		return Type{}, err
	}
	oh, ow, err := o.out(h, w, kh, kw)
	if err != nil {
		return Type{}, fmt.Errorf("input is %v: %w", x, err)
	}
	return floats(Shape{n, N(oh), N(ow), N(channels)}), nil
}

// Gradient gives dy to the first maximum of a window, or divides it evenly.
func (o Pool) Gradient(n, dy *Node) []Gradient {
	x := n.In[0]
	h, w := x.Shape()[1].N, x.Shape()[2].N
	if o.Kind == OpPoolAverage {
		return dense(Apply(AverageSpread{o.KH, o.KW, o.Window, h, w}, dy))
	}
	return dense(Apply(MaxSpread{o.KH, o.KW, o.Window, h, w}, dy, Apply(MaxPlace{o.KH, o.KW, o.Window}, x)))
}

// MaxPool returns the maxima of windows of kh by kw: [rows oh ow channels] of
// [rows h w channels]. The border has no part in them. The gradient goes to the
// first maximum of a window, in ascending order of row and column.
//
// The maximum of what Relu returns is taken before it, which is the same number
// with less work; and with the same gradient, but with respect to what Relu
// returned itself, of which such a maximum no longer comes.
func MaxPool(x *Node, kh, kw int, o Window) *Node {
	op := Pool{OpPoolMax, kh, kw, o.strides()}
	if u, ok := x.Op.(Unary); ok && u.Kind == OpRelu {
		return Relu(Apply(op, x.In[0]))
	}
	return Apply(op, x)
}

// AveragePool returns the means of windows of kh by kw, as MaxPool. A window
// that goes beyond the image is divided by its places inside, as in Keras and
// TensorFlow; PyTorch calls that count_include_pad=False.
func AveragePool(x *Node, kh, kw int, o Window) *Node {
	return Apply(Pool{OpPoolAverage, kh, kw, o.strides()}, x)
}

// MaxPlace is the op that says where the first maximum of each window is:
// KW·row + column within the window.
type MaxPlace struct {
	KH, KW int
	Window
}

// Name returns "max_place".
func (MaxPlace) Name() string { return "max_place" }

// Infer returns int32 [n oh ow channels].
func (o MaxPlace) Infer(in []Type) (Type, error) {
	t, err := pooled(o.Window, o.KH, o.KW, in[0])
	t.DType = tensor.Int32
	return t, err
}

// MaxSpread is the op of the gradient of MaxPool with respect to images of H by
// W: of dy and the places of the maxima. Its Sum over all but the channels is
// that of dy.
type MaxSpread struct {
	KH, KW int
	Window
	H, W int
}

// Name returns "max_spread".
func (MaxSpread) Name() string { return "max_spread" }

// Infer returns [n H W channels] for dy and places [n oh ow channels].
func (o MaxSpread) Infer(in []Type) (Type, error) {
	if in[1].DType != tensor.Int32 || !in[1].Shape.Equal(in[0].Shape) {
		return Type{}, fmt.Errorf("dy is %v and the places %v, expected places of int32 for every element", in[0], in[1])
	}
	return spreadOver(o.Window, o.KH, o.KW, o.H, o.W, in[0])
}

func spreadOver(o Window, kh, kw, h, w int, dy Type) (Type, error) {
	n, gh, gw, channels, err := images("dy is", dy)
	if err != nil {
		return Type{}, err
	}
	oh, ow, err := o.out(h, w, kh, kw)
	if err != nil {
		return Type{}, err
	}
	if oh != gh || ow != gw {
		return Type{}, fmt.Errorf("dy is %v, expected [%v %d %d %d], as a window of %d by %d makes it of %d by %d", dy, n, oh, ow, channels, kh, kw, h, w)
	}
	return floats(Shape{n, N(h), N(w), N(channels)}), nil
}

// AverageSpread is the op of the gradient of AveragePool with respect to images
// of H by W.
type AverageSpread struct {
	KH, KW int
	Window
	H, W int
}

// Name returns "average_spread".
func (AverageSpread) Name() string { return "average_spread" }

// Infer returns [n H W channels] for dy [n oh ow channels].
func (o AverageSpread) Infer(in []Type) (Type, error) {
	return spreadOver(o.Window, o.KH, o.KW, o.H, o.W, in[0])
}

// Gradient is the mean again.
func (o AverageSpread) Gradient(_, dx *Node) []Gradient {
	return dense(Apply(Pool{OpPoolAverage, o.KH, o.KW, o.Window}, dx))
}
