package reference

import (
	"fmt"
	"reflect"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// A Value is a row-major array: F holds the elements of a float32 node in
// double precision, I those of an int32 node.
type Value struct {
	Shape []int
	F     []float64
	I     []int32
}

// New returns zeros.
func New(dtype tensor.DType, shape ...int) *Value {
	n, err := tensor.Elements(shape)
	if err != nil {
		panic("reference: " + err.Error()) // programmer error
	}
	v := &Value{Shape: append([]int{}, shape...)}
	if dtype == tensor.Int32 {
		v.I = make([]int32, n)
	} else {
		v.F = make([]float64, n)
	}
	return v
}

// FromTensor returns a copy of t.
func FromTensor(t *tensor.Tensor) *Value {
	v := New(t.DType(), t.Shape()...)
	if t.DType() == tensor.Int32 {
		copy(v.I, t.Ints())
		return v
	}
	for i, x := range t.Floats() {
		v.F[i] = float64(x)
	}
	return v
}

// Tensor returns a copy of v, rounded to float32.
func (v *Value) Tensor() *tensor.Tensor {
	t := tensor.New(v.DType(), v.Shape...)
	if v.I != nil {
		copy(t.Ints(), v.I)
		return t
	}
	for i, x := range v.F {
		t.Floats()[i] = float32(x)
	}
	return t
}

// Clone returns a copy.
func (v *Value) Clone() *Value {
	c := New(v.DType(), v.Shape...)
	copy(c.F, v.F)
	copy(c.I, v.I)
	return c
}

// DType returns the type of the node that the value is of.
func (v *Value) DType() tensor.DType {
	if v.I != nil {
		return tensor.Int32
	}
	return tensor.Float32
}

// size returns the product of dimensions.
func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// A Result is what a run computed.
type Result struct {
	Outputs []*Value                   // in the program's order
	Writes  map[*graph.Variable]*Value // new values; the variables themselves are left alone
	Nodes   map[*graph.Node]*Value     // every node of the program
}

// Eval runs a program on a number of rows. Feeds are in the order of the
// program's inputs. A variable is read from state, or where it is absent
// there, from its own tensor.
func Eval(p *graph.Program, rows int, feeds []*Value, state map[*graph.Variable]*Value) (*Result, error) {
	if len(feeds) != len(p.Inputs) {
		return nil, fmt.Errorf("%d feeds for %d inputs", len(feeds), len(p.Inputs))
	}
	r := &Result{Writes: map[*graph.Variable]*Value{}, Nodes: map[*graph.Node]*Value{}}
	for i, n := range p.Inputs {
		if err := check(n, feeds[i], rows); err != nil {
			return nil, err
		}
		r.Nodes[n] = feeds[i]
	}
	for _, n := range p.Nodes {
		if r.Nodes[n] != nil {
			continue
		}
		if read, ok := n.Op.(*graph.Read); ok && state[read.Variable] != nil {
			r.Nodes[n] = state[read.Variable]
			continue
		}
		in := make([]*Value, len(n.In))
		for i, x := range n.In {
			in[i] = r.Nodes[x]
		}
		v, err := Apply(n, rows, in)
		if err != nil {
			return nil, err
		}
		r.Nodes[n] = v
	}
	for _, o := range p.Outputs {
		r.Outputs = append(r.Outputs, r.Nodes[o.Node])
	}
	for _, w := range p.Writes {
		r.Writes[w.Variable] = r.Nodes[w.Node]
	}
	return r, nil
}

// Apply computes one node from the values of its inputs.
func Apply(n *graph.Node, rows int, in []*Value) (*Value, error) {
	f := functions[reflect.TypeOf(n.Op)]
	if f == nil {
		return nil, fmt.Errorf("%s: the reference has no function for %T", n.Op.Name(), n.Op)
	}
	for i, x := range n.In {
		if err := check(x, in[i], rows); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Op.Name(), err)
		}
	}
	out := New(n.Type.DType, n.Type.Shape.Of(nil, rows)...)
	if err := f(n.Op, in, out, rows); err != nil {
		return nil, fmt.Errorf("%s: %w", n.Op.Name(), err)
	}
	return out, nil
}

// check reports whether v can be the value of n.
func check(n *graph.Node, v *Value, rows int) error {
	want := n.Type.Shape.Of(nil, rows)
	if v == nil || v.DType() != n.Type.DType || !tensor.SameShape(v.Shape, want) || len(v.F)+len(v.I) != size(want) {
		return fmt.Errorf("%s: value %v is not %v with %d rows", n.Op.Name(), v, n.Type, rows)
	}
	return nil
}

// A function fills out, which holds zeros in the shape of the result.
type function func(op graph.Op, in []*Value, out *Value, rows int) error

var functions = map[reflect.Type]function{
	reflect.TypeFor[*graph.Const]():            constant,
	reflect.TypeFor[*graph.Read]():             read,
	reflect.TypeFor[graph.RowCount]():          rowCount,
	reflect.TypeFor[graph.Unary]():             unary,
	reflect.TypeFor[graph.Binary]():            binary,
	reflect.TypeFor[graph.Choose]():            choose,
	reflect.TypeFor[*graph.Expand]():           expand,
	reflect.TypeFor[graph.LogisticLoss]():      logisticLoss,
	reflect.TypeFor[graph.Product]():           product,
	reflect.TypeFor[graph.Convolution]():       convolution,
	reflect.TypeFor[graph.ConvolutionInput]():  convolutionInput,
	reflect.TypeFor[graph.ConvolutionKernel](): convolutionKernel,
	reflect.TypeFor[graph.Pool]():              pool,
	reflect.TypeFor[graph.MaxPlace]():          maxPlace,
	reflect.TypeFor[graph.MaxSpread]():         maxSpread,
	reflect.TypeFor[graph.AverageSpread]():     averageSpread,
	reflect.TypeFor[graph.Reduce]():            reduce,
	reflect.TypeFor[graph.Normalize]():         normalize,
	reflect.TypeFor[graph.CrossEntropy]():      crossEntropy,
	reflect.TypeFor[graph.CrossEntropyGrad]():  crossEntropyGrad,
	reflect.TypeFor[*graph.View]():             view,
	reflect.TypeFor[graph.Swap]():              swap,
	reflect.TypeFor[graph.Join]():              join,
	reflect.TypeFor[graph.Cut]():               cut,
	reflect.TypeFor[graph.Lookup]():            lookup,
	reflect.TypeFor[graph.Unique]():            unique,
	reflect.TypeFor[graph.Collect]():           collect,
	reflect.TypeFor[graph.Put]():               put,
	reflect.TypeFor[graph.Spread]():            spread,
	reflect.TypeFor[graph.Hot]():               hot,
	reflect.TypeFor[*graph.Random]():           random,
	reflect.TypeFor[graph.Products]():          products,
	reflect.TypeFor[graph.Place]():             place,
	reflect.TypeFor[graph.Attend]():            attend,
	reflect.TypeFor[graph.AttendGrad]():        attendGrad,
	reflect.TypeFor[graph.Recurrent]():         recurrent,
	reflect.TypeFor[graph.RecurrentGrad]():     recurrentGrad,
	reflect.TypeFor[graph.Standardize]():       standardize,
	reflect.TypeFor[graph.StandardizeGrad]():   standardizeGrad,
	reflect.TypeFor[graph.StandardizeSums]():   standardizeSums,
	reflect.TypeFor[graph.Derivative]():        derivative,
}

func constant(op graph.Op, _ []*Value, out *Value, _ int) error {
	*out = *FromTensor(op.(*graph.Const).Value)
	return nil
}

func read(op graph.Op, _ []*Value, out *Value, _ int) error {
	*out = *FromTensor(op.(*graph.Read).Variable.Value)
	return nil
}

func rowCount(_ graph.Op, _ []*Value, out *Value, rows int) error {
	out.F[0] = float64(rows)
	return nil
}
