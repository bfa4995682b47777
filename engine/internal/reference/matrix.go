package reference

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
)

func product(op graph.Op, in []*Value, out *Value, _ int) error {
	o, a, b := op.(graph.Product), in[0], in[1]
	m, n := out.Shape[0], out.Shape[1]
	k := a.Shape[1]
	if o.TransA {
		k = a.Shape[0]
	}
	for i := range m {
		for j := range n {
			sum := 0.0
			for l := range k {
				ai, bi := i*k+l, l*n+j
				if o.TransA {
					ai = l*m + i
				}
				if o.TransB {
					bi = j*k + l
				}
				sum += a.F[ai] * b.F[bi]
			}
			if o.Bias {
				sum += in[2].F[j]
			}
			if o.Relu {
				sum = max(sum, 0)
			}
			out.F[i*n+j] = sum
		}
	}
	return nil
}

func reduce(op graph.Op, in []*Value, out *Value, _ int) error {
	o, x := op.(graph.Reduce), in[0]
	outer, length, inner := size(x.Shape[:o.Lo]), size(x.Shape[o.Lo:o.Hi]), size(x.Shape[o.Hi:])
	for i := range outer {
		for j := range inner {
			sum, top := 0.0, math.Inf(-1)
			for l := range length {
				v := x.F[(i*length+l)*inner+j]
				sum += v
				top = max(top, v)
			}
			switch o.Kind {
			case graph.OpSum:
				out.F[i*inner+j] = sum
			case graph.OpReduceMax:
				out.F[i*inner+j] = top
			default:
				return fmt.Errorf("the reference has no reduction number %d", o.Kind)
			}
		}
	}
	return nil
}

// logSoftmax returns the logarithm of the softmax of one row.
func logSoftmax(row []float64) []float64 {
	top, sum := math.Inf(-1), 0.0
	for _, x := range row {
		top = max(top, x)
	}
	for _, x := range row {
		sum += math.Exp(x - top)
	}
	out := make([]float64, len(row))
	for i, x := range row {
		out[i] = x - top - math.Log(sum)
	}
	return out
}

func normalize(op graph.Op, in []*Value, out *Value, _ int) error {
	k := out.Shape[len(out.Shape)-1]
	for lo := 0; lo < len(out.F); lo += k {
		for i, y := range logSoftmax(in[0].F[lo : lo+k]) {
			if !op.(graph.Normalize).Log {
				y = math.Exp(y)
			}
			out.F[lo+i] = y
		}
	}
	return nil
}

// target returns the distribution that a label stands for, or nil for −1.
func target(label int32, k int, smoothing float64) ([]float64, error) {
	if label < -1 || int(label) >= k {
		return nil, fmt.Errorf("label %d is outside of %d classes", label, k)
	}
	if label < 0 {
		return nil, nil
	}
	t := make([]float64, k)
	for i := range t {
		t[i] = smoothing / float64(k)
	}
	t[label] += 1 - smoothing
	return t, nil
}

func crossEntropy(op graph.Op, in []*Value, out *Value, _ int) error {
	logits, k := in[0], in[0].Shape[len(in[0].Shape)-1]
	for i, label := range in[1].I {
		t, err := target(label, k, float64(op.(graph.CrossEntropy).Smoothing))
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		for j, l := range logSoftmax(logits.F[i*k : (i+1)*k]) {
			out.F[i] -= t[j] * l
		}
	}
	return nil
}

func crossEntropyGrad(op graph.Op, in []*Value, out *Value, _ int) error {
	logits, k := in[0], in[0].Shape[len(in[0].Shape)-1]
	for i, label := range in[1].I {
		t, err := target(label, k, float64(op.(graph.CrossEntropyGrad).Smoothing))
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		for j, l := range logSoftmax(logits.F[i*k : (i+1)*k]) {
			out.F[i*k+j] = (math.Exp(l) - t[j]) * in[2].F[i]
		}
	}
	return nil
}
