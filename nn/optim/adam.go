package optim

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
)

// AdamOptions are the options of Adam.
type AdamOptions struct {
	LearningRate   float64 `yaml:"learning_rate" json:"learning_rate" default:"0.003" min:"0" doc:"size of a step"`
	Beta1          float64 `yaml:"beta1" json:"beta1" default:"0.9" min:"0" below:"1" doc:"share of the mean gradient that is kept"`
	Beta2          float64 `yaml:"beta2" json:"beta2" default:"0.999" min:"0" below:"1" doc:"share of the mean squared gradient that is kept"`
	Epsilon        float64 `yaml:"epsilon" json:"epsilon" default:"1e-8" above:"0" doc:"added to the root of the mean squared gradient"`
	BiasCorrection bool    `yaml:"bias_correction" json:"bias_correction" default:"true" doc:"make up for the means starting at 0"`
}

// AdamWOptions are the options of AdamW.
type AdamWOptions struct {
	AdamOptions `yaml:",inline"`
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay" default:"0.01" min:"0" doc:"share of a weight, times the learning rate, that every step takes away"`
	DecayAll    bool    `yaml:"decay_all" json:"decay_all" default:"false" doc:"decay biases and gains too, not only matrices"`
}

// An AdamOption is an option of Adam or AdamW.
type AdamOption func(*AdamWOptions)

// Betas sets the shares of the mean gradient and the mean squared gradient
// that are kept; the defaults are 0.9 and 0.999.
func Betas(beta1, beta2 float64) AdamOption {
	return func(o *AdamWOptions) { o.Beta1, o.Beta2 = beta1, beta2 }
}

// Epsilon sets what is added to the root of the mean squared gradient; the
// default is 1e-8.
func Epsilon(e float64) AdamOption { return func(o *AdamWOptions) { o.Epsilon = e } }

// BiasCorrection says whether to make up for the moments starting at 0; the
// default is true.
func BiasCorrection(on bool) AdamOption { return func(o *AdamWOptions) { o.BiasCorrection = on } }

// DecayAll makes AdamW decay biases and gains too, not only matrices; it is
// what PyTorch does unless parameters are grouped.
func DecayAll() AdamOption { return func(o *AdamWOptions) { o.DecayAll = true } }

// Adam returns the optimiser of Kingma and Ba 2015, algorithm 1:
//
//	m ← β₁·m + (1−β₁)·g    v ← β₂·v + (1−β₂)·g²
//	p ← p − rate · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)
func Adam(rate float64, opts ...AdamOption) Optimizer { return newAdam("adam", rate, 0, opts) }

// AdamW returns Adam with decoupled weight decay (Loshchilov and Hutter 2019,
// algorithm 2, as PyTorch): p ← p − rate·decay·p before the step. It applies
// to matrices; with DecayAll to biases and gains too.
func AdamW(rate, decay float64, opts ...AdamOption) Optimizer {
	return newAdam("adamw", rate, decay, opts)
}

func newAdam(name string, rate, decay float64, opts []AdamOption) Optimizer {
	o := adam{AdamWOptions{AdamOptions{rate, 0.9, 0.999, 1e-8, true}, decay, false}, name}
	for _, f := range opts {
		f(&o.AdamWOptions)
	}
	return o
}

// Build implements OptimizerOptions.
func (o AdamOptions) Build() Optimizer { return adam{AdamWOptions{AdamOptions: o}, "adam"} }

// Build implements OptimizerOptions.
func (o AdamWOptions) Build() Optimizer { return adam{o, "adamw"} }

type adam struct {
	AdamWOptions
	name string
}

func (o adam) Name() string { return o.name }

func (o adam) LearningRate() float64 { return o.AdamOptions.LearningRate }

func (o adam) check() error {
	if !(o.LearningRate() >= 0 && o.Beta1 >= 0 && o.Beta1 < 1 && o.Beta2 >= 0 && o.Beta2 < 1 && o.Epsilon > 0 && o.WeightDecay >= 0) {
		return fmt.Errorf("learning rate is %g, betas %g and %g, epsilon %g, weight decay %g; expected 0 or more, betas below 1 and epsilon above 0",
			o.LearningRate(), o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
	}
	return nil
}

func (o adam) Begin(s *Step) Rule {
	if err := o.check(); err != nil {
		s.B.Fail(o.name, err)
	}
	rate, root := s.LR, s.B.Scalar(1)
	if o.BiasCorrection {
		// 1−βᵗ is the moment of a gradient of constant 1. Kept as such it has
		// the roundings of the moments that it divides, and the first step is
		// exact.
		correction := func(name string, beta float64) *graph.Node {
			old, set := s.Scalar(name)
			c := moment(old, s.B.Scalar(1), beta)
			set(c)
			return c
		}
		rate = graph.Div(rate, correction("correction1", o.Beta1))
		root = graph.Rsqrt(correction("correction2", o.Beta2))
	}
	return func(p Param, g *graph.Node) *graph.Node {
		m, setM := p.Slot("m")
		v, setV := p.Slot("v")
		m, v = graph.MovingMean(m, g, o.Beta1, 1e-30, false), graph.MovingMean(v, g, o.Beta2, 1e-35, true)
		setM(m)
		setV(v)
		value := p.Value
		if o.WeightDecay > 0 && (o.DecayAll || p.Matrix()) {
			value = graph.Sub(value, graph.Mul(value, graph.Scale(p.Rate(s.LR), o.WeightDecay)))
		}
		return graph.AdamStep(value, m, v, p.Rate(rate), root, o.Epsilon)
	}
}

// moment returns β·old + (1−β)·x.
func moment(old, x *graph.Node, beta float64) *graph.Node {
	return graph.Add(graph.Scale(old, beta), graph.Scale(x, 1-beta))
}
