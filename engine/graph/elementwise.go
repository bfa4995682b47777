package graph

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/tensor"
)

// An Elementwise op computes each element of its result from the elements at
// the same place of its inputs, which are broadcast to the result's shape. A
// backend may fuse chains of them into one pass.
type Elementwise interface {
	Op
	elementwise()
}

// UnaryKind names an element-wise function of one input.
type UnaryKind uint8

// The functions of one input. All are float32 to float32.
const (
	OpNeg UnaryKind = iota
	OpAbs
	OpSign // −1, 0 or 1
	OpSquare
	OpSqrt
	OpRsqrt // 1/√x
	OpRecip // 1/x
	OpExp
	OpLog
	OpLog1p // log(1+x)
	OpTanh
	OpSigmoid
	OpErf
	OpSin // of an angle in radians
	OpCos
	OpSoftplus // log(1+eˣ)
	OpRelu     // max(x, 0)
	OpGelu     // x·Φ(x), Φ the normal distribution
	OpGeluTanh // x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2
	OpSilu     // x/(1+e⁻ˣ)
	OpIdentity // x, through which no gradient flows (StopGradient)
)

// unaries gives each kind its name and the gradient with respect to x: the
// function of x, the result y and the gradient dy.
var unaries = [...]struct {
	name string
	grad func(x, y, dy *Node) *Node
}{
	OpNeg:      {"neg", func(x, y, dy *Node) *Node { return Neg(dy) }},
	OpAbs:      {"abs", func(x, y, dy *Node) *Node { return Mul(dy, Sign(x)) }},
	OpSign:     {"sign", nil},
	OpSquare:   {"square", func(x, y, dy *Node) *Node { return Mul(dy, Scale(x, 2)) }},
	OpSqrt:     {"sqrt", func(x, y, dy *Node) *Node { return Div(Scale(dy, 0.5), y) }},
	OpRsqrt:    {"rsqrt", func(x, y, dy *Node) *Node { return Mul(dy, Scale(Mul(y, Square(y)), -0.5)) }},
	OpRecip:    {"recip", func(x, y, dy *Node) *Node { return Neg(Mul(dy, Square(y))) }},
	OpExp:      {"exp", func(x, y, dy *Node) *Node { return Mul(dy, y) }},
	OpLog:      {"log", func(x, y, dy *Node) *Node { return Div(dy, x) }},
	OpLog1p:    {"log1p", func(x, y, dy *Node) *Node { return Div(dy, AddScalar(x, 1)) }},
	OpTanh:     {"tanh", func(x, y, dy *Node) *Node { return Mul(dy, OneMinus(Square(y))) }},
	OpSigmoid:  {"sigmoid", func(x, y, dy *Node) *Node { return Mul(dy, Mul(y, OneMinus(y))) }},
	OpErf:      {"erf", func(x, y, dy *Node) *Node { return Mul(dy, Scale(Exp(Neg(Square(x))), 2/math.Sqrt(math.Pi))) }},
	OpSin:      {"sin", func(x, y, dy *Node) *Node { return Mul(dy, Cos(x)) }},
	OpCos:      {"cos", func(x, y, dy *Node) *Node { return Neg(Mul(dy, Sin(x))) }},
	OpSoftplus: {"softplus", func(x, y, dy *Node) *Node { return Mul(dy, Sigmoid(x)) }},
	OpRelu:     {"relu", func(x, y, dy *Node) *Node { return Gate(y, dy) }},
	OpGelu:     {"gelu", derivative(OpGelu)},
	OpGeluTanh: {"gelu_tanh", derivative(OpGeluTanh)},
	OpSilu:     {"silu", derivative(OpSilu)},
	OpIdentity: {"identity", nil},
}

// Unary is the op of an element-wise function of one input.
type Unary struct{ Kind UnaryKind }

func (Unary) elementwise() {}

// Name returns the function's name.
func (o Unary) Name() string { return unaries[o.Kind].name }

// Infer returns the input's type; the input must be float32.
func (o Unary) Infer(in []Type) (Type, error) {
	if in[0].DType != tensor.Float32 {
		return Type{}, fmt.Errorf("input is %v, expected float32", in[0])
	}
	return in[0], nil
}

// Gradient follows the table above.
func (o Unary) Gradient(n, dy *Node) []Gradient {
	if g := unaries[o.Kind].grad; g != nil {
		return dense(g(n.In[0], n, dy))
	}
	return dense(nil)
}

func unary(k UnaryKind, x *Node) *Node { return Apply(Unary{k}, x) }

// Neg returns −x.
func Neg(x *Node) *Node { return unary(OpNeg, x) }

// Abs returns |x|; its gradient at 0 is 0.
func Abs(x *Node) *Node { return unary(OpAbs, x) }

// Sign returns −1, 0 or 1.
func Sign(x *Node) *Node { return unary(OpSign, x) }

// Square returns x².
func Square(x *Node) *Node { return unary(OpSquare, x) }

// Sqrt returns √x.
func Sqrt(x *Node) *Node { return unary(OpSqrt, x) }

// Rsqrt returns 1/√x.
func Rsqrt(x *Node) *Node { return unary(OpRsqrt, x) }

// Recip returns 1/x.
func Recip(x *Node) *Node { return unary(OpRecip, x) }

// Exp returns eˣ.
func Exp(x *Node) *Node { return unary(OpExp, x) }

// Log returns the natural logarithm of x.
func Log(x *Node) *Node { return unary(OpLog, x) }

// Log1p returns log(1+x), exact for small x.
func Log1p(x *Node) *Node { return unary(OpLog1p, x) }

// Tanh returns the hyperbolic tangent.
func Tanh(x *Node) *Node { return unary(OpTanh, x) }

// Sigmoid returns 1/(1+e⁻ˣ).
func Sigmoid(x *Node) *Node { return unary(OpSigmoid, x) }

// Erf returns the error function.
func Erf(x *Node) *Node { return unary(OpErf, x) }

// Sin returns the sine of x in radians. Beyond ±2²⁸, where neighbouring
// numbers are whole periods apart, backends may take x for 0.
func Sin(x *Node) *Node { return unary(OpSin, x) }

// Cos returns the cosine of x in radians, with the bounds of Sin.
func Cos(x *Node) *Node { return unary(OpCos, x) }

// Softplus returns log(1+eˣ) without overflow.
func Softplus(x *Node) *Node { return unary(OpSoftplus, x) }

// Relu returns max(x, 0); its gradient at 0 is 0.
func Relu(x *Node) *Node { return unary(OpRelu, x) }

// Gelu returns x·Φ(x), Φ the normal distribution (Hendrycks and Gimpel 2016,
// section 2).
func Gelu(x *Node) *Node { return unary(OpGelu, x) }

// GeluTanh returns x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, which comes near to
// Gelu (in the same place).
func GeluTanh(x *Node) *Node { return unary(OpGeluTanh, x) }

// Silu returns x/(1+e⁻ˣ), also called swish.
func Silu(x *Node) *Node { return unary(OpSilu, x) }

// Derivative is the op of dy times the derivative of a function of one input, of
// those that compute theirs in one piece: from x and dy.
type Derivative struct{ Of UnaryKind }

func (Derivative) elementwise() {}

// Name returns the function's name and "_grad".
func (o Derivative) Name() string { return unaries[o.Of].name + "_grad" }

// Infer returns the type of x.
func (Derivative) Infer(in []Type) (Type, error) { return in[0], nil }

func derivative(kind UnaryKind) func(x, y, dy *Node) *Node {
	return func(x, _, dy *Node) *Node { return Apply(Derivative{kind}, x, dy) }
}

// StopGradient returns x; no gradient flows through it.
func StopGradient(x *Node) *Node { return unary(OpIdentity, x) }

// Scale returns s·x for a constant s.
func Scale(x *Node, s float64) *Node { return Mul(x, x.b.Scalar(s)) }

// AddScalar returns x+s for a constant s.
func AddScalar(x *Node, s float64) *Node { return Add(x, x.b.Scalar(s)) }

// OneMinus returns 1−x.
func OneMinus(x *Node) *Node { return Sub(x.b.Scalar(1), x) }

// BinaryKind names an element-wise function of two inputs.
type BinaryKind uint8

// The functions of two inputs, which are broadcast against each other.
const (
	OpAdd BinaryKind = iota
	OpSub
	OpMul
	OpDiv
	OpMax
	OpMin
	OpGreater      // 1 where a > b, else 0
	OpGreaterEqual // 1 where a ≥ b, else 0
	OpEqual        // 1 where a = b, else 0
	OpGate         // b where a > 0, else 0
)

// binaries gives each kind its name and the gradients with respect to a and
// b before they are summed over broadcast dimensions; nil is no gradient.
var binaries = [...]struct {
	name string
	grad func(a, b, y, dy *Node) (*Node, *Node)
}{
	OpAdd: {"add", func(a, b, y, dy *Node) (*Node, *Node) { return dy, dy }},
	OpSub: {"sub", func(a, b, y, dy *Node) (*Node, *Node) { return dy, Neg(dy) }},
	OpMul: {"mul", func(a, b, y, dy *Node) (*Node, *Node) { return Mul(dy, b), Mul(dy, a) }},
	OpDiv: {"div", func(a, b, y, dy *Node) (*Node, *Node) { return Div(dy, b), Neg(Div(Mul(dy, y), b)) }},
	OpMax: {"max", func(a, b, y, dy *Node) (*Node, *Node) {
		c, zero := GreaterEqual(a, b), a.b.Scalar(0)
		return Select(c, dy, zero), Select(c, zero, dy)
	}},
	OpMin: {"min", func(a, b, y, dy *Node) (*Node, *Node) {
		c, zero := GreaterEqual(b, a), a.b.Scalar(0)
		return Select(c, dy, zero), Select(c, zero, dy)
	}},
	OpGreater:      {"greater", nil},
	OpGreaterEqual: {"greater_equal", nil},
	OpEqual:        {"equal", nil},
	OpGate:         {"gate", func(a, b, y, dy *Node) (*Node, *Node) { return nil, Gate(a, dy) }},
}

// Binary is the op of an element-wise function of two inputs.
type Binary struct{ Kind BinaryKind }

func (Binary) elementwise() {}

// Name returns the function's name.
func (o Binary) Name() string { return binaries[o.Kind].name }

// Infer returns the broadcast shape; both inputs must be float32.
func (o Binary) Infer(in []Type) (Type, error) { return inferBroadcast(in) }

// Gradient follows the table above. Where a equals b, Max and Min give the
// whole gradient to a.
func (o Binary) Gradient(n, dy *Node) []Gradient {
	g := binaries[o.Kind].grad
	if g == nil {
		return dense(nil, nil)
	}
	da, db := g(n.In[0], n.In[1], n, dy)
	return dense(sumTo(da, n.In[0].Shape()), sumTo(db, n.In[1].Shape()))
}

func inferBroadcast(in []Type) (Type, error) {
	shape := Shape{}
	for _, t := range in {
		if t.DType != tensor.Float32 {
			return Type{}, fmt.Errorf("an input is %v, expected float32", t)
		}
		var err error
		if shape, err = broadcast(shape, t.Shape); err != nil {
			return Type{}, err
		}
	}
	return floats(shape), nil
}

func binary(k BinaryKind, a, b *Node) *Node { return Apply(Binary{k}, a, b) }

// Add returns a+b.
func Add(a, b *Node) *Node { return binary(OpAdd, a, b) }

// Sub returns a−b.
func Sub(a, b *Node) *Node { return binary(OpSub, a, b) }

// Mul returns a·b, element by element.
func Mul(a, b *Node) *Node { return binary(OpMul, a, b) }

// Div returns a/b.
func Div(a, b *Node) *Node { return binary(OpDiv, a, b) }

// Max returns the larger of a and b.
func Max(a, b *Node) *Node { return binary(OpMax, a, b) }

// Min returns the smaller of a and b.
func Min(a, b *Node) *Node { return binary(OpMin, a, b) }

// Greater returns 1 where a > b, else 0. No gradient flows.
func Greater(a, b *Node) *Node { return binary(OpGreater, a, b) }

// GreaterEqual returns 1 where a ≥ b, else 0. No gradient flows.
func GreaterEqual(a, b *Node) *Node { return binary(OpGreaterEqual, a, b) }

// Equal returns 1 where a = b, else 0. No gradient flows.
func Equal(a, b *Node) *Node { return binary(OpEqual, a, b) }

// Gate returns b where a > 0, else 0, even if b is NaN: the gradient of Relu. None
// flows to a.
func Gate(a, b *Node) *Node { return binary(OpGate, a, b) }

// Choose is the op of Select.
type Choose struct{}

func (Choose) elementwise() {}

// Name returns "select".
func (Choose) Name() string { return "select" }

// Infer returns the shape to which all three inputs broadcast.
func (Choose) Infer(in []Type) (Type, error) { return inferBroadcast(in) }

// Gradient passes dy to the input that was chosen.
func (Choose) Gradient(n, dy *Node) []Gradient {
	c, zero := n.In[0], n.b.Scalar(0)
	return dense(nil,
		sumTo(Select(c, dy, zero), n.In[1].Shape()),
		sumTo(Select(c, zero, dy), n.In[2].Shape()))
}

// Select returns a where cond is not 0, and b elsewhere; what is not chosen
// does not matter, even if it is NaN.
func Select(cond, a, b *Node) *Node { return Apply(Choose{}, cond, a, b) }

// Expand is the op of BroadcastTo.
type Expand struct{ Shape Shape }

func (*Expand) elementwise() {}

// Name returns "broadcast".
func (*Expand) Name() string { return "broadcast" }

// Infer returns the wanted shape, to which the input must broadcast.
func (o *Expand) Infer(in []Type) (Type, error) {
	if in[0].DType != tensor.Float32 {
		return Type{}, fmt.Errorf("input is %v, expected float32", in[0])
	}
	s, err := broadcast(in[0].Shape, o.Shape)
	if err != nil {
		return Type{}, err
	}
	if !s.Equal(o.Shape) {
		return Type{}, fmt.Errorf("shape %v does not broadcast to %v", in[0].Shape, o.Shape)
	}
	return floats(s), nil
}

// Gradient sums dy over the repeated dimensions.
func (o *Expand) Gradient(n, dy *Node) []Gradient { return dense(sumTo(dy, n.In[0].Shape())) }

// BroadcastTo repeats x to the shape.
func BroadcastTo(x *Node, shape Shape) *Node {
	if x.Shape().Equal(shape) {
		return x
	}
	return Apply(&Expand{append(Shape(nil), shape...)}, x)
}

// sumTo sums g over the dimensions along which a value of that shape was
// broadcast; nil stays nil.
func sumTo(g *Node, shape Shape) *Node {
	if g == nil || g.b.err != nil || g.Shape().Equal(shape) {
		return g
	}
	from := g.Shape()
	skip := len(from) - len(shape)
	var axes []int
	for i, d := range from {
		if i < skip || (shape[i-skip] == N(1) && d != N(1)) {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 { // g itself has yet to be broadcast up
		return BroadcastTo(g, shape)
	}
	return Reshape(Sum(g, axes...), shape...)
}
