package graph

import (
	"errors"
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/tensor"
)

// Attend is the op of Attention and, with Packed, of SelfAttention. Its inputs
// are queries, keys and values, or one of all three; and with Lengths the
// numbers of keys.
type Attend struct {
	Heads           int
	Scale           float32
	Causal          bool
	Packed, Lengths bool
}

// Name returns "attention".
func (Attend) Name() string { return "attention" }

// values is how many of the inputs are numbers.
func (o Attend) values() int {
	if o.Packed {
		return 1
	}
	return 3
}

// Widths returns the numbers of queries and keys and the width of one query of
// all heads, of inputs that Infer has accepted.
func (o Attend) Widths(in []*Node) (queries, keys, width int) {
	s := in[0].Shape()
	queries, width = s[len(s)-2].N, s[len(s)-1].N
	if o.Packed {
		return queries, queries, width / 3
	}
	return queries, in[1].Shape()[len(s)-2].N, width
}

// Infer returns the shape of the queries, with a width of one third if packed.
func (o Attend) Infer(in []Type) (Type, error) {
	want := o.values()
	if o.Lengths {
		want++
	}
	if len(in) != want {
		return Type{}, fmt.Errorf("%d inputs, expected %d", len(in), want)
	}
	out := append(Shape(nil), in[0].Shape...)
	last := len(out) - 1
	if last < 1 || out[last].PerRow || out[last-1].PerRow || out[:last-1].Size().Power > 1 {
		return Type{}, fmt.Errorf("queries are %v, expected float32 [… length width] with a constant length and width", in[0])
	}
	if o.Packed {
		if out[last].N%3 != 0 {
			return Type{}, fmt.Errorf("the input is %v, expected queries, keys and values of the same width beside each other", in[0])
		}
		out[last].N /= 3
	}
	for i, t := range in[:o.values()] {
		s := t.Shape
		if t.DType != tensor.Float32 || len(s) != len(out) || !s[:last-1].Equal(out[:last-1]) || s[last-1].PerRow ||
			!o.Packed && s[last] != out[last] || i == 2 && s[last-1] != in[1].Shape[last-1] {
			return Type{}, fmt.Errorf("input %d is %v, expected float32 %v, keys and values of one length", i, t, out)
		}
	}
	if o.Heads < 1 || out[last].N%o.Heads != 0 {
		return Type{}, fmt.Errorf("%d heads of a width of %d, expected a number that divides it", o.Heads, out[last].N)
	}
	if o.Causal && !o.Packed && in[1].Shape[last-1].N < out[last-1].N {
		return Type{}, fmt.Errorf("%v queries and %v keys, expected at least as many keys where queries see those before them alone", out[last-1], in[1].Shape[last-1])
	}
	if n := in[len(in)-1]; o.Lengths && (n.DType != tensor.Int32 || !n.Shape.Equal(out[:last-1])) {
		return Type{}, fmt.Errorf("lengths are %v, expected int32%v", n, out[:last-1])
	}
	return floats(out), nil
}

// Gradient is an op of its own, of all inputs at once.
func (o Attend) Gradient(n, dy *Node) []Gradient {
	g := Apply(AttendGrad{o}, append(append([]*Node(nil), n.In...), n, dy)...)
	grads := make([]*Node, len(n.In))
	if n.b.err != nil {
		return dense(grads...)
	}
	if o.Packed {
		grads[0] = g
		return dense(grads...)
	}
	lo := 0
	for i, x := range n.In[:3] {
		hi := lo + flatten(x.Shape()).N
		grads[i] = Reshape(Slice(g, 0, lo, hi), x.Shape()...)
		lo = hi
	}
	return dense(grads...)
}

// AttendGrad is the op of the gradient of an Attend with respect to queries,
// keys and values, from its inputs, its result and dy: in the shape of the
// packed input, or a vector of all three one after the other.
type AttendGrad struct{ Of Attend }

// Name returns "attention_grad".
func (AttendGrad) Name() string { return "attention_grad" }

// Infer returns the packed input's type, or a vector's.
func (o AttendGrad) Infer(in []Type) (Type, error) {
	if o.Of.Packed {
		return in[0], nil
	}
	all := flatten(in[0].Shape)
	for _, t := range in[1:3] {
		all.N += flatten(t.Shape).N
	}
	return floats(Shape{all}), nil
}

// AttentionOptions are the options of Attention. The zero value but for Heads
// lets every query see all keys.
type AttentionOptions struct {
	Heads  int
	Causal bool // query i of n sees keys up to that of its own place, the last query all
	// Lengths, unless nil, are int32 […]: so many keys count, the others are
	// filled up and have no part in anything.
	Lengths *Node
	Scale   float64 // of the products; 0 is 1/√(width of a head)
}

func (o AttentionOptions) op(width int, packed bool) Attend {
	if o.Scale == 0 && o.Heads > 0 {
		o.Scale = 1 / math.Sqrt(float64(width)/float64(o.Heads))
	}
	return Attend{Heads: o.Heads, Scale: float32(o.Scale), Causal: o.Causal, Packed: packed, Lengths: o.Lengths != nil}
}

func (o AttentionOptions) inputs(in ...*Node) []*Node {
	if o.Lengths != nil {
		in = append(in, o.Lengths)
	}
	return in
}

// Attention returns softmax(scale·q·kᵀ)·v (Vaswani et al. 2017, section 3.2) of
// each head, for queries [… n width] and keys and values [… m width] of which
// every head has width/heads neighbouring columns: [… n width]. Scores are never
// in memory as a whole, in the gradient either (Dao et al. 2022, FlashAttention).
// A query that sees no key gets zeros. With Causal, values are to be finite.
func Attention(q, k, v *Node, o AttentionOptions) *Node {
	if q.b.err != nil {
		return q.b.inert
	}
	s := q.Shape()
	if len(s) == 0 {
		return q.b.Fail("attention", errors.New("queries are a scalar, expected [… length width]"))
	}
	return Apply(o.op(s[len(s)-1].N, false), o.inputs(q, k, v)...)
}

// SelfAttention is Attention of queries, keys and values that lie beside each
// other, [… n 3·width], as one product makes them: [… n width].
func SelfAttention(qkv *Node, o AttentionOptions) *Node {
	if qkv.b.err != nil {
		return qkv.b.inert
	}
	s := qkv.Shape()
	if len(s) == 0 {
		return qkv.b.Fail("attention", errors.New("the input is a scalar, expected [… length 3·width]"))
	}
	return Apply(o.op(s[len(s)-1].N/3, true), o.inputs(qkv)...)
}

// Place is the op of Within.
type Place struct{ N int }

// Name returns "within".
func (Place) Name() string { return "within" }

// Infer returns the lengths' shape with the places as last dimension.
func (o Place) Infer(in []Type) (Type, error) {
	if in[0].DType != tensor.Int32 || o.N < 0 {
		return Type{}, fmt.Errorf("lengths are %v for %d places, expected int32 and 0 places or more", in[0], o.N)
	}
	return floats(append(append(Shape(nil), in[0].Shape...), N(o.N))), nil
}

// Within returns 1 for each of n places that is below the length, else 0, with
// the places as last dimension.
func Within(lengths *Node, n int) *Node { return Apply(Place{n}, lengths) }
