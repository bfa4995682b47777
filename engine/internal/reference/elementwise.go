package reference

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
)

var unaries = map[graph.UnaryKind]func(x float64) float64{
	graph.OpNeg:  func(x float64) float64 { return -x },
	graph.OpAbs:  math.Abs,
	graph.OpSign: sign,
	graph.OpSquare: func(x float64) float64 {
		return x * x
	},
	graph.OpSqrt:     math.Sqrt,
	graph.OpRsqrt:    func(x float64) float64 { return 1 / math.Sqrt(x) },
	graph.OpRecip:    func(x float64) float64 { return 1 / x },
	graph.OpExp:      math.Exp,
	graph.OpLog:      math.Log,
	graph.OpLog1p:    math.Log1p,
	graph.OpTanh:     math.Tanh,
	graph.OpSigmoid:  sigmoid,
	graph.OpErf:      math.Erf,
	graph.OpSin:      math.Sin,
	graph.OpCos:      math.Cos,
	graph.OpSoftplus: softplus,
	graph.OpRelu:     func(x float64) float64 { return max(x, 0) },
	graph.OpGelu:     func(x float64) float64 { return x * (1 + math.Erf(x/math.Sqrt2)) / 2 },
	graph.OpGeluTanh: func(x float64) float64 { return x * sigmoid(geluInner(x)) },
	graph.OpSilu:     func(x float64) float64 { return x * sigmoid(x) },
	graph.OpIdentity: func(x float64) float64 { return x },
}

// geluInner is u where gelu_tanh is x·(1+tanh(u/2))/2 = x/(1+e⁻ᵘ).
func geluInner(x float64) float64 { return math.Sqrt(8/math.Pi) * (x + 0.044715*x*x*x) }

var derivatives = map[graph.UnaryKind]func(x float64) float64{
	graph.OpGelu: func(x float64) float64 {
		return (1+math.Erf(x/math.Sqrt2))/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	},
	graph.OpGeluTanh: func(x float64) float64 {
		s := sigmoid(geluInner(x))
		return s + x*s*(1-s)*math.Sqrt(8/math.Pi)*(1+3*0.044715*x*x)
	},
	graph.OpSilu: func(x float64) float64 {
		s := sigmoid(x)
		return s + x*s*(1-s)
	},
}

func derivative(op graph.Op, in []*Value, out *Value, _ int) error {
	f := derivatives[op.(graph.Derivative).Of]
	if f == nil {
		return fmt.Errorf("the reference has no derivative of function number %d", op.(graph.Derivative).Of)
	}
	for i, x := range in[0].F {
		out.F[i] = f(x) * in[1].F[i]
	}
	return nil
}

// sign of NaN is NaN, and of a zero that zero.
func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

var binaries = map[graph.BinaryKind]func(a, b float64) float64{
	graph.OpAdd:          func(a, b float64) float64 { return a + b },
	graph.OpSub:          func(a, b float64) float64 { return a - b },
	graph.OpMul:          func(a, b float64) float64 { return a * b },
	graph.OpDiv:          func(a, b float64) float64 { return a / b },
	graph.OpMax:          func(a, b float64) float64 { return max(a, b) },
	graph.OpMin:          func(a, b float64) float64 { return min(a, b) },
	graph.OpGreater:      func(a, b float64) float64 { return indicator(a > b) },
	graph.OpGreaterEqual: func(a, b float64) float64 { return indicator(a >= b) },
	graph.OpEqual:        func(a, b float64) float64 { return indicator(a == b) },
	graph.OpGate: func(a, b float64) float64 {
		if a > 0 {
			return b
		}
		return 0
	},
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// at returns the element of v that is broadcast to place i of a result of
// that shape.
func at(v *Value, shape []int, i int) float64 {
	place, stride := 0, 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		k := i % shape[axis]
		i /= shape[axis]
		if a := axis - len(shape) + len(v.Shape); a >= 0 {
			if v.Shape[a] != 1 {
				place += k * stride
			}
			stride *= v.Shape[a]
		}
	}
	return v.F[place]
}

func unary(op graph.Op, in []*Value, out *Value, _ int) error {
	f := unaries[op.(graph.Unary).Kind]
	if f == nil {
		return fmt.Errorf("the reference has no function of one input number %d", op.(graph.Unary).Kind)
	}
	for i, x := range in[0].F {
		out.F[i] = f(x)
	}
	return nil
}

func binary(op graph.Op, in []*Value, out *Value, _ int) error {
	f := binaries[op.(graph.Binary).Kind]
	if f == nil {
		return fmt.Errorf("the reference has no function of two inputs number %d", op.(graph.Binary).Kind)
	}
	for i := range out.F {
		out.F[i] = f(at(in[0], out.Shape, i), at(in[1], out.Shape, i))
	}
	return nil
}

func choose(_ graph.Op, in []*Value, out *Value, _ int) error {
	for i := range out.F {
		if at(in[0], out.Shape, i) != 0 {
			out.F[i] = at(in[1], out.Shape, i)
		} else {
			out.F[i] = at(in[2], out.Shape, i)
		}
	}
	return nil
}

func expand(_ graph.Op, in []*Value, out *Value, _ int) error {
	for i := range out.F {
		out.F[i] = at(in[0], out.Shape, i)
	}
	return nil
}

func logisticLoss(_ graph.Op, in []*Value, out *Value, _ int) error {
	for i, x := range in[0].F {
		out.F[i] = softplus(x) - in[1].F[i]*x
	}
	return nil
}
