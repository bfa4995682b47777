package graph

import (
	"cmp"
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// A Window says how a small window, such as a convolution's kernel, goes over
// an image: by steps of Stride, over a border of as many places as told on each
// side. The zero of a stride is 1.
type Window struct {
	StrideH, StrideW         int
	Top, Bottom, Left, Right int
}

// Same returns the window that makes ⌈h/strideH⌉ by ⌈w/strideW⌉ places of h by
// w, with the border's odd place below and right, as in TensorFlow and Keras.
func Same(h, w, kh, kw, strideH, strideW int) Window {
	border := func(n, k, stride int) (before, after int) {
		stride = max(stride, 1)
		all := max(((n+stride-1)/stride-1)*stride+k-n, 0)
		return all / 2, all - all/2
	}
	o := Window{StrideH: strideH, StrideW: strideW}
	o.Top, o.Bottom = border(h, kh, strideH)
	o.Left, o.Right = border(w, kw, strideW)
	return o
}

func (o Window) strides() Window {
	o.StrideH, o.StrideW = cmp.Or(o.StrideH, 1), cmp.Or(o.StrideW, 1)
	return o
}

// out returns how many places a window of kh by kw has on an image of h by w.
func (o Window) out(h, w, kh, kw int) (oh, ow int, err error) {
	if o.StrideH < 1 || o.StrideW < 1 || min(o.Top, o.Bottom, o.Left, o.Right) < 0 {
		return 0, 0, fmt.Errorf("strides are %d and %d and the border %d, %d, %d, %d, expected strides of 1 or more and a border of 0 or more", o.StrideH, o.StrideW, o.Top, o.Bottom, o.Left, o.Right)
	}
	if kh < 1 || kw < 1 {
		return 0, 0, fmt.Errorf("the window is %d by %d, expected 1 or more", kh, kw)
	}
	if max(o.Top, o.Bottom) >= kh || max(o.Left, o.Right) >= kw {
		return 0, 0, fmt.Errorf("the border is %d, %d, %d, %d, expected less than the window, which is %d by %d", o.Top, o.Bottom, o.Left, o.Right, kh, kw)
	}
	fullH, fullW := h+o.Top+o.Bottom, w+o.Left+o.Right
	if h < 1 || w < 1 || fullH < kh || fullW < kw {
		return 0, 0, fmt.Errorf("the image is %d by %d with its border, smaller than the window of %d by %d: use a smaller window or a border", fullH, fullW, kh, kw)
	}
	return (fullH-kh)/o.StrideH + 1, (fullW-kw)/o.StrideW + 1, nil
}

// images checks the shape [n h w channels] of float32, all but n constant.
func images(what string, t Type) (n Dim, h, w, channels int, err error) {
	s := t.Shape
	if t.DType != tensor.Float32 || len(s) != 4 || s[1].PerRow || s[2].PerRow || s[3].PerRow || s[3].N < 1 {
		return n, 0, 0, 0, fmt.Errorf("%s %v, expected float32 [rows height width channels]", what, t)
	}
	return s[0], s[1].N, s[2].N, s[3].N, nil
}

// Convolution is the op of Conv2D.
type Convolution struct{ Window }

// Name returns "conv2d".
func (Convolution) Name() string { return "conv2d" }

// Infer returns [n oh ow out] for x [n h w in] and kernel [kh kw in out].
func (o Convolution) Infer(in []Type) (Type, error) {
	n, h, w, channels, err := images("x is", in[0])
	if err != nil {
		return Type{}, err
	}
	kh, kw, from, to, err := kernelOf(in[1])
	if err != nil {
		return Type{}, err
	}
	if from != channels {
		return Type{}, fmt.Errorf("x is %v and the kernel %v: %d channels against %d", in[0], in[1], channels, from)
	}
	oh, ow, err := o.out(h, w, kh, kw)
	if err != nil {
		return Type{}, fmt.Errorf("x is %v: %w", in[0], err)
	}
	return floats(Shape{n, N(oh), N(ow), N(to)}), nil
}

func kernelOf(t Type) (kh, kw, in, out int, err error) {
	s := t.Shape
	if t.DType != tensor.Float32 || len(s) != 4 || s[0].PerRow || s[1].PerRow || s[2].PerRow || s[3].PerRow || s[2].N < 1 || s[3].N < 1 {
		return 0, 0, 0, 0, fmt.Errorf("the kernel is %v, expected float32 [height width in out]", t)
	}
	return s[0].N, s[1].N, s[2].N, s[3].N, nil
}

// Gradient returns those of x and of the kernel.
func (o Convolution) Gradient(n, dy *Node) []Gradient {
	x, k := n.In[0], n.In[1]
	return dense(
		Apply(ConvolutionInput{o.Window, x.Shape()[1].N, x.Shape()[2].N}, dy, k),
		Apply(ConvolutionKernel{o.Window, k.Shape()[0].N, k.Shape()[1].N}, x, dy))
}

// Conv2D returns the convolution (without a flip, as all libraries of neural
// networks understand it) of images x [rows h w in] with a kernel
// [kh kw in out]: [rows oh ow out]. Beyond the image lie zeros, as far as the
// window's border goes.
//
// Every element is one chain of fused multiply-adds in ascending order of the
// kernel's row, column and input channel, of those that lie on the image.
func Conv2D(x, kernel *Node, o Window) *Node { return Apply(Convolution{o.strides()}, x, kernel) }

// ConvolutionInput is the op of the gradient of Conv2D with respect to its
// images of H by W, which is the transposed convolution.
type ConvolutionInput struct {
	Window
	H, W int
}

// Name returns "conv2d_input".
func (ConvolutionInput) Name() string { return "conv2d_input" }

// Infer returns [n H W in] for dy [n oh ow out] and kernel [kh kw in out].
func (o ConvolutionInput) Infer(in []Type) (Type, error) {
	n, h, w, channels, err := images("dy is", in[0])
	if err != nil {
		return Type{}, err
	}
	kh, kw, from, to, err := kernelOf(in[1])
	if err != nil {
		return Type{}, err
	}
	oh, ow, err := o.out(o.H, o.W, kh, kw)
	if err != nil {
		return Type{}, err
	}
	if oh != h || ow != w || to != channels {
		return Type{}, fmt.Errorf("dy is %v, expected [%v %d %d %d], as the kernel %v makes it of %d by %d", in[0], n, oh, ow, to, in[1], o.H, o.W)
	}
	return floats(Shape{n, N(o.H), N(o.W), N(from)}), nil
}

// Gradient returns those of dy and of the kernel.
func (o ConvolutionInput) Gradient(n, dx *Node) []Gradient {
	dy, k := n.In[0], n.In[1]
	return dense(
		Apply(Convolution{o.Window}, dx, k),
		Apply(ConvolutionKernel{o.Window, k.Shape()[0].N, k.Shape()[1].N}, dx, dy))
}

// ConvolutionKernel is the op of the gradient of Conv2D with respect to its
// kernel of KH by KW.
type ConvolutionKernel struct {
	Window
	KH, KW int
}

// Name returns "conv2d_kernel".
func (ConvolutionKernel) Name() string { return "conv2d_kernel" }

// Infer returns [KH KW in out] for x [n h w in] and dy [n oh ow out].
func (o ConvolutionKernel) Infer(in []Type) (Type, error) {
	n, h, w, from, err := images("x is", in[0])
	if err != nil {
		return Type{}, err
	}
	n2, gh, gw, to, err := images("dy is", in[1])
	if err != nil {
		return Type{}, err
	}
	oh, ow, err := o.out(h, w, o.KH, o.KW)
	if err != nil {
		return Type{}, err
	}
	if n != n2 || oh != gh || ow != gw {
		return Type{}, fmt.Errorf("dy is %v, expected [%v %d %d out], as a kernel of %d by %d makes it of %v", in[1], n, oh, ow, o.KH, o.KW, in[0])
	}
	return floats(Fixed(o.KH, o.KW, from, to)), nil
}

// Gradient returns those of x and of dy.
func (o ConvolutionKernel) Gradient(n, dk *Node) []Gradient {
	x, dy := n.In[0], n.In[1]
	return dense(
		Apply(ConvolutionInput{o.Window, x.Shape()[1].N, x.Shape()[2].N}, dy, dk),
		Apply(Convolution{o.Window}, x, dk))
}
