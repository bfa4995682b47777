package nn

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// convolution is a dense layer of the patch under a window.
type convolution struct {
	dense
	window
	line bool // Conv1D
}

// window is how a kernel, or a pool, of kh by kw goes over an image.
type window struct {
	kh, kw int
	graph.Window
	same bool
}

// A ConvOption is an option of Conv2D and Conv1D: those of Dense, Stride, Pad or
// Same.
type ConvOption interface{ convolution(*convolution) }

func (f denseOption) convolution(c *convolution) { f(&c.dense) }

func (a Activation) convolution(c *convolution) { c.activation = a }

// A WindowOption is an option of layers that go over an image with a window:
// Stride, Pad or Same.
type WindowOption func(*window)

func (f WindowOption) convolution(c *convolution) { f(&c.window) }

// Stride sets by how many rows and columns a window moves. The default is 1 for
// convolutions and the window itself for pools.
func Stride(h, w int) WindowOption {
	return func(o *window) { o.StrideH, o.StrideW = h, w }
}

// Pad borders the image with h rows and w columns on each side: of zeros for
// convolutions; of nothing for pools, which then count what lies on the image.
func Pad(h, w int) WindowOption {
	return func(o *window) { o.Top, o.Bottom, o.Left, o.Right = h, h, w, w }
}

// Same borders the image so that ⌈size/stride⌉ places come of it, with an odd
// one below and right, as in TensorFlow and Keras.
func Same() WindowOption { return func(o *window) { o.same = true } }

// over returns how the window goes over an image of that shape.
func (o *window) over(s graph.Shape) graph.Window {
	if o.same {
		return graph.Same(s[1].N, s[2].N, o.kh, o.kw, o.StrideH, o.StrideW)
	}
	return o.Window
}

// Conv2D convolves images [rows h w channels] with a kernel of kh by kw:
// activation(x∗kernel + bias), [rows oh ow filters]. Without Same or Pad the
// kernel stays inside the image, as in Keras and PyTorch. Its variables are
// kernel [kh kw channels filters] and bias [filters], which starts at 0.
func Conv2D(filters, kh, kw int, opts ...ConvOption) Layer {
	return newConvolution(filters, kh, kw, false, opts)
}

// Conv1D is Conv2D along one dimension: [rows length channels] becomes
// [rows places filters]. Its kernel is [size channels filters].
func Conv1D(filters, size int, opts ...ConvOption) Layer {
	return newConvolution(filters, 1, size, true, opts)
}

func newConvolution(filters, kh, kw int, line bool, opts []ConvOption) Layer {
	l := &convolution{dense: dense{units: filters, init: GlorotUniform}, line: line}
	l.window = window{kh: kh, kw: kw, Window: graph.Window{StrideH: 1, StrideW: 1}}
	for _, o := range opts {
		o.convolution(l)
	}
	return l
}

// Apply implements Layer.
func (l *convolution) Apply(c *Context, x *graph.Node) *graph.Node {
	kind := "conv2d"
	if l.line {
		kind = "conv1d"
	}
	return c.layer(kind, x, func(c *Context) *graph.Node { return l.build(c, kind, x) })
}

func (l *convolution) build(c *Context, kind string, x *graph.Node) *graph.Node {
	images, ok := asImages(c, kind, x, l.line)
	if !ok {
		return x
	}
	if l.units < 1 || l.kh < 1 || l.kw < 1 {
		return c.B.Fail(kind, fmt.Errorf("%d filters of %d by %d, expected 1 or more of each", l.units, l.kh, l.kw))
	}
	shape := []int{l.kh, l.kw, images.Shape()[3].N, l.units}
	if l.line {
		shape = shape[1:]
	}
	kernel := c.Param("kernel", shape, l.init)
	if c.B.Err() != nil {
		return x
	}
	full := graph.Fixed(l.kh, l.kw, images.Shape()[3].N, l.units)
	y := l.finish(c, kind, graph.Conv2D(images, graph.Reshape(kernel, full...), l.over(images.Shape())), kernel)
	if l.line {
		y = asLine(c, y)
	}
	return y
}

// asImages gives [rows length channels] a height of 1. Images are themselves.
func asImages(c *Context, kind string, x *graph.Node, line bool) (*graph.Node, bool) {
	s, want, rank := x.Shape(), "[rows height width channels]", 4
	if line {
		want, rank = "[rows length channels]", 3
	}
	if x.Type.DType != tensor.Float32 || len(s) != rank {
		c.B.Fail(kind, fmt.Errorf("input is %v, expected float32 %s", x.Type, want))
		return x, false
	}
	if line {
		x = graph.Reshape(x, s[0], graph.N(1), s[1], s[2])
	}
	return x, c.B.Err() == nil
}

func asLine(c *Context, y *graph.Node) *graph.Node {
	if c.B.Err() != nil {
		return y
	}
	s := y.Shape()
	return graph.Reshape(y, s[0], s[2], s[3])
}

// MaxPool takes the maximum of every window of kh by kw, for each channel:
// [rows h w channels] becomes [rows oh ow channels]. Windows lie side by side
// unless Stride says otherwise; what is left over at the end is dropped.
func MaxPool(kh, kw int, opts ...WindowOption) Layer {
	return pool("max_pool", kh, kw, false, graph.MaxPool, opts)
}

// AvgPool takes the mean of every window, as MaxPool.
func AvgPool(kh, kw int, opts ...WindowOption) Layer {
	return pool("avg_pool", kh, kw, false, graph.AveragePool, opts)
}

// MaxPool1D is MaxPool along one dimension: [rows length channels] becomes
// [rows places channels].
func MaxPool1D(size int, opts ...WindowOption) Layer {
	return pool("max_pool1d", 1, size, true, graph.MaxPool, opts)
}

// AvgPool1D is AvgPool along one dimension, as MaxPool1D.
func AvgPool1D(size int, opts ...WindowOption) Layer {
	return pool("avg_pool1d", 1, size, true, graph.AveragePool, opts)
}

func pool(kind string, kh, kw int, line bool, of func(x *graph.Node, kh, kw int, o graph.Window) *graph.Node, opts []WindowOption) Layer {
	return leaf(kind, func(c *Context, x *graph.Node) *graph.Node {
		images, ok := asImages(c, kind, x, line)
		if !ok {
			return x
		}
		o := window{kh: kh, kw: kw, Window: graph.Window{StrideH: kh, StrideW: kw}}
		for _, f := range opts {
			f(&o)
		}
		y := of(images, kh, kw, o.over(images.Shape()))
		if line {
			y = asLine(c, y)
		}
		return y
	})
}

// GlobalAvgPool is the mean over all places: [rows … channels] becomes
// [rows channels].
func GlobalAvgPool() Layer { return global("global_avg_pool", graph.Mean) }

// GlobalMaxPool is the maximum over all places, as GlobalAvgPool.
func GlobalMaxPool() Layer { return global("global_max_pool", graph.ReduceMax) }

func global(kind string, reduce func(x *graph.Node, axes ...int) *graph.Node) Layer {
	return leaf(kind, func(c *Context, x *graph.Node) *graph.Node {
		n := len(x.Shape())
		if n < 3 || x.Type.DType != tensor.Float32 {
			return c.B.Fail(kind, fmt.Errorf("input is %v, expected float32 [rows … channels]", x.Type))
		}
		var axes []int
		for i := 1; i < n-1; i++ {
			axes = append(axes, i)
		}
		return reduce(x, axes...)
	})
}
