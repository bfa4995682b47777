package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// RecurrentKind names a kind of recurrent layer.
type RecurrentKind uint8

// The kinds of recurrent layers.
const (
	OpGRU RecurrentKind = iota
	OpLSTM
)

// gates is how many parts of the width of a state go into a step.
func (k RecurrentKind) gates() int { return [...]int{OpGRU: 3, OpLSTM: 4}[k] }

// States is how many numbers of each unit go from a step to the next.
func (k RecurrentKind) States() int { return [...]int{OpGRU: 1, OpLSTM: 2}[k] }

// Recurrent is the op of GRU and LSTM: the whole way through sequences, of inputs x,
// a kernel and lengths.
type Recurrent struct {
	Kind    RecurrentKind
	Reverse bool // from the last place to the first
}

// Name returns the layer's name.
func (o Recurrent) Name() string { return [...]string{OpGRU: "gru", OpLSTM: "lstm"}[o.Kind] }

// Infer returns [n length states·units] for x [n length gates·units], a kernel
// [units gates·units] and lengths [n].
func (o Recurrent) Infer(in []Type) (Type, error) {
	x, kernel, lengths := in[0], in[1], in[2]
	g := o.Kind.gates()
	s := x.Shape
	if x.DType != tensor.Float32 || len(s) != 3 || s[1].PerRow || s[2].PerRow || s[2].N%g != 0 || s[2].N == 0 {
		return Type{}, fmt.Errorf("x is %v, expected float32 [n length %d·units]", x, g)
	}
	units := s[2].N / g
	if want := floats(Fixed(units, s[2].N)); kernel.DType != want.DType || !kernel.Shape.Equal(want.Shape) {
		return Type{}, fmt.Errorf("the kernel is %v, expected %v", kernel, want)
	}
	if lengths.DType != tensor.Int32 || !lengths.Shape.Equal(s[:1]) {
		return Type{}, fmt.Errorf("lengths are %v, expected int32%v", lengths, s[:1])
	}
	return floats(Shape{s[0], s[1], N(units * o.Kind.States())}), nil
}

// Gradient goes the way back in an op of its own; what can be done for all places at
// once, the products with the states before each, is done outside of it.
func (o Recurrent) Gradient(n, dy *Node) []Gradient {
	x, kernel, lengths := n.In[0], n.In[1], n.In[2]
	s, units := n.Shape(), kernel.Shape()[0].N
	length := s[1].N
	before := BroadcastTo(n.b.Scalar(0), Shape{s[0], N(1), N(units)}) // the first place's
	if length > 1 {
		states := Slice(n, 2, 0, units)
		if o.Reverse {
			before = Concat(1, Slice(states, 1, 1, length), before)
		} else {
			before = Concat(1, before, Slice(states, 1, 0, length-1))
		}
	}
	flat := func(x *Node) *Node { return Reshape(x, flatten(x.Shape()[:2]), x.Shape()[2]) }
	products := Reshape(MatMul(flat(before), kernel), x.Shape()...)
	d := Apply(RecurrentGrad{o}, x, products, Transpose(kernel), lengths, n, dy)
	dx, dp := d, d
	if o.Kind == OpGRU {
		dx, dp = Slice(d, 2, 0, 3*units), Slice(d, 2, units, 4*units)
	}
	return dense(dx, matmul(flat(before), flat(dp), true, false), nil)
}

// RecurrentGrad is the op of the gradient of a Recurrent with respect to what goes
// into its gates, from x, the products of the states before with the kernel, the
// kernel transposed, lengths, the result and dy. It has four parts of the width of
// a state: of an LSTM one for each gate; of a GRU those of x and then, for the
// candidate, that of the product, so that the last three are the products'.
type RecurrentGrad struct{ Of Recurrent }

// Name returns gru_grad or lstm_grad.
func (o RecurrentGrad) Name() string { return o.Of.Name() + "_grad" }

// Infer returns [n length 4·units].
func (o RecurrentGrad) Infer(in []Type) (Type, error) {
	s := in[0].Shape
	return floats(Shape{s[0], s[1], N(4 * in[2].Shape[1].N)}), nil
}

// GRU returns the states of a gated recurrent unit (Cho et al. 2014, section 2.3,
// with the reset gate after the product, as in cuDNN) at all places of sequences of
// the given lengths, int32 [n]: [n length units], 0 beyond. X [n length 3·units] is
// what the inputs give to candidate, reset and update gate, biases included; the
// kernel [units 3·units] makes of a state what it gives to reset gate, update gate
// and candidate:
//
//	r = σ(x_r + h·U_r)   z = σ(x_z + h·U_z)   n = tanh(x_n + r·(h·U_n))
//	h ← n + z·(h − n)
//
// With reverse the last place comes first. What stands beyond a length has no part
// in anything.
func GRU(x, kernel, lengths *Node, reverse bool) *Node {
	return Apply(Recurrent{OpGRU, reverse}, x, kernel, lengths)
}

// LSTM returns the states h of a long short-term memory (Hochreiter and Schmidhuber
// 1997; with the forget gate of Gers et al. 2000) as GRU does. X [n length 4·units]
// and the kernel [units 4·units] give to input gate, forget gate, candidate and
// output gate, in this order:
//
//	c ← σ(f)·c + σ(i)·tanh(g)   h = σ(o)·tanh(c)
func LSTM(x, kernel, lengths *Node, reverse bool) *Node {
	y := Apply(Recurrent{OpLSTM, reverse}, x, kernel, lengths)
	if y.b.err != nil {
		return y
	}
	return Slice(y, 2, 0, y.Shape()[2].N/2)
}
