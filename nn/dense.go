package nn

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
)

type dense struct {
	units      int
	activation Activation
	init       Initializer
	noBias     bool
	l1, l2     float64
}

// A DenseOption is an option of Dense, and of convolutions: an Activation, Init,
// NoBias, L1 or L2.
type DenseOption interface {
	ConvOption
	dense(*dense)
}

type denseOption func(*dense)

func (f denseOption) dense(d *dense) { f(d) }

// Init sets how a kernel is initialised; the default is GlorotUniform. Before
// a ReLU, HeUniform and HeNormal keep the variance.
func Init(i Initializer) DenseOption { return denseOption(func(d *dense) { d.init = i }) }

// NoBias leaves the bias out.
func NoBias() DenseOption { return denseOption(func(d *dense) { d.noBias = true }) }

// L1 adds s·Σ|w| of the kernel to what training minimises.
func L1(s float64) DenseOption { return denseOption(func(d *dense) { d.l1 = s }) }

// L2 adds s·Σw² of the kernel to what training minimises, as Keras.
func L2(s float64) DenseOption { return denseOption(func(d *dense) { d.l2 = s }) }

// Dense returns a fully connected layer: activation(x·kernel + bias), on the
// last dimension: [rows … n] → [rows … units]. Its variables are kernel
// [n units] and bias [units], which starts at 0.
func Dense(units int, opts ...DenseOption) Layer {
	d := &dense{units: units, init: GlorotUniform}
	for _, o := range opts {
		o.dense(d)
	}
	return d
}

// Apply implements Layer.
func (d *dense) Apply(c *Context, x *graph.Node) *graph.Node {
	return c.layer("dense", x, func(c *Context) *graph.Node { return d.build(c, x) })
}

func (d *dense) build(c *Context, x *graph.Node) *graph.Node {
	s := x.Shape()
	last := len(s) - 1
	if d.units < 1 || last < 1 || s[last].PerRow {
		return c.B.Fail("dense", fmt.Errorf("%d units on %v, expected at least one unit on float32 [rows … n]", d.units, x.Type))
	}
	n := s[last].N
	kernel := c.Param("kernel", []int{n, d.units}, d.init)
	outer := s[:last].Size()
	x = graph.Reshape(x, graph.Dim{N: outer.Factor, PerRow: outer.Power > 0}, graph.N(n))
	shape := append(append(graph.Shape(nil), s[:last]...), graph.N(d.units))
	if d.noBias {
		return d.activate(c, "dense", graph.Reshape(graph.MatMul(x, kernel), shape...), kernel)
	}
	// The bias and the most usual activation are part of the product.
	e := *d
	relu := d.activation.name == ReLU.name
	if relu {
		e.activation = Activation{}
	}
	return e.activate(c, "dense", graph.Reshape(graph.Linear(x, kernel, c.Param("bias", []int{d.units}, Zeros), relu), shape...), kernel)
}

// finish adds the bias to y [… units] and activates it.
func (d *dense) finish(c *Context, kind string, y, kernel *graph.Node) *graph.Node {
	if !d.noBias {
		y = graph.Add(y, c.Param("bias", []int{d.units}, Zeros))
	}
	return d.activate(c, kind, y, kernel)
}

// activate applies the activation; penalties are those of the kernel.
func (d *dense) activate(c *Context, kind string, y, kernel *graph.Node) *graph.Node {
	if d.l1 < 0 || d.l2 < 0 {
		return c.B.Fail(kind, fmt.Errorf("penalties are L1 %g and L2 %g, expected 0 or more", d.l1, d.l2))
	}
	if c.Training && d.l1 > 0 {
		c.Penalty(graph.Scale(graph.Sum(graph.Abs(kernel)), d.l1))
	}
	if c.Training && d.l2 > 0 {
		c.Penalty(graph.Scale(graph.Sum(graph.Square(kernel)), d.l2))
	}
	if d.activation.f == nil {
		return y
	}
	return d.activation.f(y)
}
