package optim

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
)

// SGDOptions are the options of gradient descent, plain or with momentum.
type SGDOptions struct {
	LearningRate float64 `yaml:"learning_rate" json:"learning_rate" default:"0.01" min:"0" doc:"factor on the gradient"`
	Momentum     float64 `yaml:"momentum" json:"momentum" default:"0" min:"0" below:"1" doc:"share of the last step that is kept"`
	Nesterov     bool    `yaml:"nesterov" json:"nesterov" default:"false" doc:"look ahead along the momentum"`
}

// GradientDescent returns p ← p − rate·g. Fed all rows at once it is the
// textbook's batch gradient descent, fed single rows its online form.
func GradientDescent(rate float64) Optimizer { return sgd{SGDOptions{LearningRate: rate}} }

// An SGDOption is an option of SGD: Momentum or Nesterov.
type SGDOption func(*SGDOptions)

// Momentum keeps a share m of the last step (Polyak 1964).
func Momentum(m float64) SGDOption { return func(o *SGDOptions) { o.Momentum = m } }

// Nesterov keeps a share m of the last step and looks ahead along it
// (Sutskever et al. 2013, in PyTorch's form).
func Nesterov(m float64) SGDOption {
	return func(o *SGDOptions) { o.Momentum, o.Nesterov = m, true }
}

// SGD returns stochastic gradient descent: v ← momentum·v + g; p ← p − rate·v,
// with Nesterov p ← p − rate·(g + momentum·v), as PyTorch without dampening.
func SGD(rate float64, opts ...SGDOption) Optimizer {
	o := SGDOptions{LearningRate: rate}
	for _, f := range opts {
		f(&o)
	}
	return o.Build()
}

// Build implements OptimizerOptions.
func (o SGDOptions) Build() Optimizer { return sgd{o} }

type sgd struct{ SGDOptions }

func (sgd) Name() string { return "sgd" }

func (o sgd) LearningRate() float64 { return o.SGDOptions.LearningRate }

func (o sgd) Begin(s *Step) Rule {
	if !(o.LearningRate() >= 0 && o.Momentum >= 0 && o.Momentum < 1) || o.Nesterov && o.Momentum == 0 {
		s.B.Fail("sgd", fmt.Errorf("learning rate is %g and momentum %g, expected a rate of 0 or more and 0 ≤ momentum < 1, with Nesterov more than 0", o.LearningRate(), o.Momentum))
	}
	return func(p Param, g *graph.Node) *graph.Node {
		if o.Momentum > 0 {
			v, set := p.Slot("velocity")
			v = settle(graph.Add(graph.Scale(v, o.Momentum), g), 1e-30)
			set(v)
			if o.Nesterov {
				g = graph.Add(g, graph.Scale(v, o.Momentum))
			} else {
				g = v
			}
		}
		return graph.Sub(p.Value, graph.Mul(p.Rate(s.LR), g))
	}
}

// settle makes values nearer to 0 than least 0, as graph.MovingMean does. What is
// cut off is too small to move a parameter. NaN stays NaN.
func settle(x *graph.Node, least float64) *graph.Node {
	return graph.Mul(x, graph.GreaterEqual(graph.Abs(x), x.Builder().Scalar(least)))
}
