package nn

import (
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn/internal/names"
)

// An Activation is a function that a layer applies to its result, element by
// element (Softmax over the last dimension): a layer of its own, or an option
// of Dense. The zero Activation is Identity.
type Activation struct {
	name string
	f    func(x *graph.Node) *graph.Node
}

// Name returns the name by which ActivationByName finds the activation.
func (a Activation) Name() string { return a.name }

// Apply implements Layer; the result has the shape of x.
func (a Activation) Apply(c *Context, x *graph.Node) *graph.Node {
	if a.f == nil {
		return x
	}
	return c.layer(a.name, x, func(*Context) *graph.Node { return a.f(x) })
}

func (a Activation) dense(d *dense) { d.activation = a }

// The activations.
var (
	Identity  = Activation{"linear", nil}
	ReLU      = Activation{"relu", graph.Relu}
	Sigmoid   = Activation{"sigmoid", graph.Sigmoid}
	Tanh      = Activation{"tanh", graph.Tanh}
	Softplus  = Activation{"softplus", graph.Softplus}
	Softmax   = Activation{"softmax", graph.Softmax}
	LeakyReLU = Activation{"leaky_relu", leakyRelu}     // slope 0.01 below 0, as PyTorch (Keras: 0.3)
	ELU       = Activation{"elu", elu}                  // Clevert et al. 2016, α = 1
	SiLU      = Activation{"silu", graph.Silu}          // x·σ(x), also called swish
	GELU      = Activation{"gelu", graph.Gelu}          // Hendrycks and Gimpel 2016, by erf
	GELUTanh  = Activation{"gelu_tanh", graph.GeluTanh} // their approximation, as in GPT-2
)

func leakyRelu(x *graph.Node) *graph.Node { return graph.Max(x, graph.Scale(x, 0.01)) }

func elu(x *graph.Node) *graph.Node {
	zero := x.Builder().Scalar(0)
	// The exponential is taken of min(x, 0), or it would overflow unused.
	return graph.Select(graph.Greater(x, zero), x, graph.AddScalar(graph.Exp(graph.Min(x, zero)), -1))
}

var activations = map[string]Activation{"swish": SiLU, "none": Identity}

func init() {
	for _, a := range []Activation{Identity, ReLU, Sigmoid, Tanh, Softplus, Softmax, LeakyReLU, ELU, SiLU, GELU, GELUTanh} {
		activations[a.name] = a
	}
}

// ActivationByName returns the activation of a name, such as "relu"; "swish"
// is "silu" and "none" is "linear".
func ActivationByName(name string) (Activation, error) {
	if a, ok := activations[name]; ok {
		return a, nil
	}
	return Activation{}, names.Unknown("activation", name, activations)
}
