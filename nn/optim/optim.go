package optim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// Prefix is what the names of all variables begin with that optimisers add to
// a state.
const Prefix = "optim/"

// ModelVariables returns the variables of a state that belong to the network,
// as against those that optimisers added.
func ModelVariables(s *graph.State) []*graph.Variable {
	var out []*graph.Variable
	for _, v := range s.Variables() {
		if !strings.HasPrefix(v.Name, Prefix) {
			out = append(out, v)
		}
	}
	return out
}

// An Optimizer turns gradients into new values of parameters.
type Optimizer interface {
	Name() string
	// LearningRate is the base rate, which a schedule multiplies.
	LearningRate() float64
	// Begin adds what is computed once per step, such as bias corrections, and
	// returns the rule by which each parameter is updated.
	Begin(s *Step) Rule
}

// A Rule returns the new value of p, given its gradient g of the same shape:
// both are whole tensors, or the same rows of them.
type Rule func(p Param, g *graph.Node) *graph.Node

// OptimizerOptions are an optimiser's options as a configuration gives them.
type OptimizerOptions interface {
	// Build returns the optimiser. Numbers out of range are reported when a
	// program is built with it.
	Build() Optimizer
}

// Optimizers returns the optimisers by their names in a configuration, with
// fresh options, whose defaults are in their tags.
func Optimizers() map[string]OptimizerOptions {
	return map[string]OptimizerOptions{"sgd": &SGDOptions{}, "adam": &AdamOptions{}, "adamw": &AdamWOptions{}}
}

// A Step is the update of all parameters that is being built.
type Step struct {
	B     *graph.Builder
	State *graph.State
	LR    *graph.Node // float32 scalar

	optimizer string
	leader    string // name of the first parameter that is updated
}

// Param is a parameter being updated.
type Param struct {
	Value    *graph.Node // its value, or the touched rows of it
	Variable *graph.Variable
	step     *Step
	rows     *graph.Node // nil if whole
}

// Matrix reports whether the parameter is a matrix or has more dimensions:
// not a bias or a gain, to which weight decay and penalties do not apply.
func (p Param) Matrix() bool { return len(p.Variable.Value.Shape()) > 1 }

// Rate returns a learning rate as it is for the parameter: times the variable's
// own.
func (p Param) Rate(rate *graph.Node) *graph.Node {
	if own := p.Variable.Rate; own != 0 && own != 1 {
		return graph.Scale(rate, own)
	}
	return rate
}

// Slot returns the value of a variable shaped like the parameter, zero at
// first, or the touched rows of it, and what sets its new value.
func (p Param) Slot(name string) (value *graph.Node, set func(*graph.Node)) {
	return p.slot(p.step.optimizer+"/"+name+"/"+p.Variable.Name, tensor.Zeros(p.Variable.Value.Shape()...))
}

func (p Param) slot(name string, first *tensor.Tensor) (value *graph.Node, set func(*graph.Node)) {
	s := p.step
	v := s.variable(name, first)
	whole := s.B.Read(v)
	if p.rows == nil {
		return whole, func(n *graph.Node) { s.B.Write(v, n) }
	}
	return graph.Gather(whole, p.rows), func(n *graph.Node) { s.B.Write(v, graph.ScatterSet(whole, p.rows, n)) }
}

// Scalar returns the value of a scalar variable of the optimiser, zero at
// first, and what sets its new value. It belongs to the parameters that are
// updated together and bears the name of the first.
func (s *Step) Scalar(name string) (value *graph.Node, set func(*graph.Node)) {
	v := s.variable(s.optimizer+"/"+name+"/"+s.leader, tensor.Scalar(0))
	return s.B.Read(v), func(n *graph.Node) { s.B.Write(v, n) }
}

// variable returns the variable of that name under Prefix, which it adds with
// its first value unless it is there; nil once the program has an error.
func (s *Step) variable(name string, first *tensor.Tensor) *graph.Variable {
	name = Prefix + name
	if v := s.State.Lookup(name); v != nil || s.B.Err() != nil {
		return v
	}
	v, err := s.State.Add(name, first, false)
	if err != nil {
		s.B.Fail("optimizer", err)
	}
	return v
}

// Options are what Apply does to gradients beside the optimiser's own work, in
// this order. The zero value does nothing.
type Options struct {
	L1, L2        float64 // added to the gradient of matrices: L1·sign(w) and L2·w (PyTorch's weight_decay; nn.L2 of half as much)
	ClipValue     float64 // bound on each element
	ClipParameter float64 // bound on the norm of each parameter's gradient
	ClipNorm      float64 // bound on the norm of all gradients together (Pascanu et al. 2013)

	// Average, where it is above 0, keeps an average of each parameter's values
	// over the updates, of which every update keeps this share at most; see
	// SwapAverages.
	Average float64
}

func (o Options) check() error {
	if !(o.L1 >= 0 && o.L2 >= 0 && o.ClipValue >= 0 && o.ClipParameter >= 0 && o.ClipNorm >= 0) {
		return errors.New("a penalty or a bound on gradients is negative, expected 0 (none) or more")
	}
	if !(o.Average >= 0 && o.Average <= 1) {
		return fmt.Errorf("the share of the average of weights is %g, expected 0 (no average) to 1", o.Average)
	}
	return nil
}

// gradients returns the derivative of loss with respect to each parameter, or
// nil once the program has an error.
func gradients(loss *graph.Node, params []*graph.Variable) []graph.Gradient {
	b := loss.Builder()
	nodes := make([]*graph.Node, len(params))
	for i, v := range params {
		nodes[i] = b.Read(v)
	}
	g := graph.Gradients(loss, nodes)
	if b.Err() != nil {
		return nil
	}
	return g
}

// Apply adds to the program the gradients of loss, a scalar, with respect to
// the parameters, and their update. lr is a float32 scalar. Parameters on
// which the loss does not depend stay as they are.
func Apply(opt Optimizer, state *graph.State, loss, lr *graph.Node, params []*graph.Variable, opts Options) {
	update(opt, state, lr, params, gradients(loss, params), opts)
}

// touched is a parameter with its gradient, both whole or both by rows.
type touched struct {
	Param
	grad *graph.Node
}

// update writes the new values of the parameters, given their gradients.
func update(opt Optimizer, state *graph.State, lr *graph.Node, params []*graph.Variable, grads []graph.Gradient, opts Options) {
	b := lr.Builder()
	if b.Err() != nil {
		return
	}
	if err := opts.check(); err != nil {
		b.Fail("optimizer", err)
		return
	}
	s := &Step{B: b, State: state, LR: lr, optimizer: opt.Name()}
	var all []touched
	for i, v := range params {
		g := grads[i]
		if g.IsZero() {
			continue
		}
		t := touched{Param{Value: b.Read(v), Variable: v, step: s}, g.Dense}
		if g.Sparse() {
			t.rows = graph.UniqueRows(g.Rows)
			t.Value = graph.Gather(t.Value, t.rows)
			t.grad = graph.SumByRow(t.rows, g.Rows, g.Values, g.Weights)
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		b.Fail("optimizer", errors.New("the loss depends on none of the parameters"))
		return
	}
	opts.treat(all)
	s.leader = all[0].Variable.Name
	rule := opt.Begin(s)
	follow := opts.follow(s)
	for _, t := range all {
		n := rule(t.Param, t.grad)
		follow(t.Param, n)
		if t.rows != nil {
			n = graph.ScatterSet(b.Read(t.Variable), t.rows, n)
		}
		b.Write(t.Variable, n)
	}
}

// treat adds penalties to the gradients and clips them.
func (o Options) treat(all []touched) {
	b := all[0].Value.Builder()
	for i := range all {
		t := &all[i]
		if o.L1 > 0 && t.Matrix() {
			t.grad = graph.Add(t.grad, graph.Scale(graph.Sign(t.Value), o.L1))
		}
		if o.L2 > 0 && t.Matrix() {
			t.grad = graph.Add(t.grad, graph.Scale(t.Value, o.L2))
		}
		if o.ClipValue > 0 {
			t.grad = graph.Max(graph.Min(t.grad, b.Scalar(o.ClipValue)), b.Scalar(-o.ClipValue))
		}
		if o.ClipParameter > 0 {
			clip(all[i:i+1], o.ClipParameter)
		}
	}
	if o.ClipNorm > 0 {
		clip(all, o.ClipNorm)
	}
}

// clip multiplies gradients by min(1, bound/norm), norm being that of all of
// them as one vector.
func clip(all []touched, bound float64) {
	b := all[0].Value.Builder()
	squares := b.Scalar(0)
	for _, t := range all {
		squares = graph.Add(squares, graph.Sum(graph.Square(t.grad)))
	}
	// A norm of 0 makes bound/norm infinite, and the factor 1.
	factor := graph.Min(b.Scalar(1), graph.Div(b.Scalar(bound), graph.Sqrt(squares)))
	for i := range all {
		all[i].grad = graph.Mul(all[i].grad, factor)
	}
}
