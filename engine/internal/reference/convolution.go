package reference

import (
	"math"

	"github.com/hone-ml/hone/engine/graph"
)

// overlaps calls f for every place of every window of kh by kw that lies on an
// image: image n, window i, j, the window's row p and column q, and the image's
// row r and column c.
func overlaps(images int, o graph.Window, h, w, kh, kw, oh, ow int, f func(n, i, j, p, q, r, c int)) {
	for n := range images {
		for i := range oh {
			for j := range ow {
				for p := range kh {
					for q := range kw {
						r, c := i*o.StrideH-o.Top+p, j*o.StrideW-o.Left+q
						if r >= 0 && r < h && c >= 0 && c < w {
							f(n, i, j, p, q, r, c)
						}
					}
				}
			}
		}
	}
}

// convolve goes through the products of a convolution: elements of x, of the
// kernel and of y.
func convolve(o graph.Window, x, k, y *Value, f func(x, k, y *float64)) {
	h, w, from, kh, kw, to, oh, ow := x.Shape[1], x.Shape[2], x.Shape[3], k.Shape[0], k.Shape[1], k.Shape[3], y.Shape[1], y.Shape[2]
	overlaps(x.Shape[0], o, h, w, kh, kw, oh, ow, func(n, i, j, p, q, r, c int) {
		for a := range from {
			for b := range to {
				f(&x.F[((n*h+r)*w+c)*from+a], &k.F[((p*kw+q)*from+a)*to+b], &y.F[((n*oh+i)*ow+j)*to+b])
			}
		}
	})
}

func convolution(op graph.Op, in []*Value, out *Value, _ int) error {
	convolve(op.(graph.Convolution).Window, in[0], in[1], out, func(x, k, y *float64) { *y += *x * *k })
	return nil
}

func convolutionInput(op graph.Op, in []*Value, out *Value, _ int) error {
	convolve(op.(graph.ConvolutionInput).Window, out, in[1], in[0], func(x, k, y *float64) { *x += *y * *k })
	return nil
}

func convolutionKernel(op graph.Op, in []*Value, out *Value, _ int) error {
	convolve(op.(graph.ConvolutionKernel).Window, in[0], out, in[1], func(x, k, y *float64) { *k += *x * *y })
	return nil
}

// windows goes through the places of a pooling's windows: of x and y, for every
// channel.
func windows(o graph.Window, kh, kw int, x, y []int, f func(x, y, place int)) {
	h, w, channels, oh, ow := x[1], x[2], x[3], y[1], y[2]
	overlaps(x[0], o, h, w, kh, kw, oh, ow, func(n, i, j, p, q, r, c int) {
		for l := range channels {
			f(((n*h+r)*w+c)*channels+l, ((n*oh+i)*ow+j)*channels+l, p*kw+q)
		}
	})
}

// counts is how many places each window has.
func counts(o graph.Window, kh, kw int, x, y []int) []float64 {
	n := make([]float64, size(y))
	windows(o, kh, kw, x, y, func(_, i, _ int) { n[i]++ })
	return n
}

func pool(op graph.Op, in []*Value, out *Value, _ int) error {
	o, x := op.(graph.Pool), in[0]
	if o.Kind == graph.OpPoolMax {
		for i := range out.F {
			out.F[i] = math.Inf(-1)
		}
		windows(o.Window, o.KH, o.KW, x.Shape, out.Shape, func(i, j, _ int) { out.F[j] = max(out.F[j], x.F[i]) })
		return nil
	}
	n := counts(o.Window, o.KH, o.KW, x.Shape, out.Shape)
	windows(o.Window, o.KH, o.KW, x.Shape, out.Shape, func(i, j, _ int) { out.F[j] += x.F[i] / n[j] })
	return nil
}

func maxPlace(op graph.Op, in []*Value, out *Value, _ int) error {
	o, x := op.(graph.MaxPlace), in[0]
	seen, best := make([]bool, len(out.I)), make([]float64, len(out.I))
	windows(o.Window, o.KH, o.KW, x.Shape, out.Shape, func(i, j, place int) {
		if !seen[j] || x.F[i] > best[j] {
			seen[j], best[j], out.I[j] = true, x.F[i], int32(place)
		}
	})
	return nil
}

func maxSpread(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(graph.MaxSpread)
	windows(o.Window, o.KH, o.KW, out.Shape, in[0].Shape, func(i, j, place int) {
		if int(in[1].I[j]) == place {
			out.F[i] += in[0].F[j]
		}
	})
	return nil
}

func averageSpread(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(graph.AverageSpread)
	n := counts(o.Window, o.KH, o.KW, out.Shape, in[0].Shape)
	windows(o.Window, o.KH, o.KW, out.Shape, in[0].Shape, func(i, j, _ int) { out.F[i] += in[0].F[j] / n[j] })
	return nil
}
