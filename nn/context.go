package nn

import (
	"errors"
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// A Context is where a network is being built: the program, the state that
// holds its parameters, and the place within the network, which names them.
// Make one per program.
type Context struct {
	B        *graph.Builder
	State    *graph.State
	Training bool        // dropout drops, batch norm measures its batch
	Seed     *graph.Node // int32 [2], and
	Step     *graph.Node // int32 scalar: of dropout; needed in training only
	InitSeed uint64      // of initial values
	Lengths  *graph.Node // int32 [rows]: of sequences that are filled up to one length, or nil
	Member   int         // of a bag of networks, from 0: parts may differ by it

	// Rate multiplies the learning rate of the parameters that are made here; 0
	// stands for 1. Fixed ones are not trained at all.
	Rate  float64
	Fixed bool

	path   string
	given  map[string]*tensor.Tensor // first values by name, behind
	base   int                       // so much of the path
	counts map[string]int            // layers of each kind so far
	part   int                       // index of the layer being built, if any
	*record
}

// record is what the contexts of one program share.
type record struct {
	parts     []Part
	penalties []*graph.Node
	blank     bool      // parameters stay zero: only shapes matter
	zeros     []float32 // what all blank parameters share
}

// A Part is a layer as it was built.
type Part struct {
	Name       string     // within the network, as dense_1
	Output     graph.Type // of its result
	Parameters int        // trainable numbers of its own
}

func (c *Context) init() {
	if c.record == nil {
		c.record = &record{}
		c.part = -1
	}
}

// Blank leaves parameters at zero instead of drawing them, for a program of
// which only the shapes matter. They share their storage, so that a network
// too large for the machine can be described: its state is not for running.
func (c *Context) Blank() {
	c.init()
	c.blank = true
}

// Sub returns the context of a part of that name: the variables of its layers
// are named name/…. The same name again is the same part: a network applied
// twice under it shares its parameters.
func (c *Context) Sub(name string) *Context {
	c.init()
	d := *c
	d.path += name + "/"
	d.counts = nil
	d.part = -1
	return &d
}

// Given returns the context with first values for parameters, by their names from
// here on; others are drawn. Parameters that are not trained share the tensor, which
// nobody may change, others begin as copies.
func (c *Context) Given(values map[string]*tensor.Tensor) *Context {
	c.init()
	d := *c
	d.given, d.base = values, len(d.path)
	return &d
}

// layer builds the next layer of a kind, dense_1, dense_2, …, in a context of
// its own. It does nothing once the program has an error, so that build may
// rely on the shape of x.
func (c *Context) layer(kind string, x *graph.Node, build func(c *Context) *graph.Node) *graph.Node {
	c.init()
	if c.B.Err() != nil {
		return x
	}
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[kind]++
	name := fmt.Sprintf("%s_%d", kind, c.counts[kind])
	d := c.Sub(name)
	d.part = len(c.parts)
	c.parts = append(c.parts, Part{Name: c.path + name})
	y := build(d)
	c.parts[d.part].Output = y.Type
	return y
}

// Parts returns the layers built so far, outer ones before those they hold.
func (c *Context) Parts() []Part {
	c.init()
	return c.parts
}

// Param returns the value of a trainable variable of the current part, of a
// fixed shape. It is created with init on first use; a second program over the
// same state finds it. The initial values depend on InitSeed, the full name and
// the shape alone.
func (c *Context) Param(name string, shape []int, init Initializer) *graph.Node {
	c.init()
	v := c.variable(name, shape, init, true)
	if v == nil {
		return c.B.Fail("parameter "+c.path+name, errors.New("it could not be made"))
	}
	if c.part >= 0 && v.Trainable {
		c.parts[c.part].Parameters += v.Value.Len()
	}
	return c.B.Read(v)
}

// Stat returns a variable that training programs write but no optimiser
// changes, such as a running mean; nil once the program has an error.
func (c *Context) Stat(name string, shape []int, init Initializer) *graph.Variable {
	c.init()
	return c.variable(name, shape, init, false)
}

// maxElements bounds a single variable: 8 GiB.
const maxElements = 1 << 31

func (c *Context) variable(name string, shape []int, init Initializer, trainable bool) *graph.Variable {
	if c.B.Err() != nil {
		return nil
	}
	full := c.path + name
	fail := func(format string, args ...any) *graph.Variable {
		c.B.Fail("variable "+full, fmt.Errorf(format, args...))
		return nil
	}
	if v := c.State.Lookup(full); v != nil {
		if !tensor.SameShape(v.Value.Shape(), shape) || v.Value.DType() != tensor.Float32 {
			return fail("the state has it as %v, this network needs float32%v: the state belongs to another network", v.Value, shape)
		}
		return v
	}
	n, err := tensor.Elements(shape)
	if err != nil || n > maxElements {
		return fail("a variable of shape %v has more than 2³¹ numbers: use smaller layers", shape)
	}
	if init.draw == nil {
		return fail("its initialiser is the zero Initializer, expected one such as nn.GlorotUniform")
	}
	var t *tensor.Tensor
	if c.blank && len(shape) > 0 {
		if len(c.zeros) < n {
			c.zeros = make([]float32, n)
		}
		t, err = tensor.FromFloats(c.zeros[:n], shape...)
	} else if given := c.given[full[c.base:]]; given != nil {
		if !tensor.SameShape(given.Shape(), shape) || given.DType() != tensor.Float32 {
			return fail("its first value is %v, this network needs float32%v", given, shape)
		}
		if t = given; trainable && !c.Fixed {
			t = given.Clone()
		}
	} else {
		t = tensor.Zeros(shape...)
		init.fill(t, c.InitSeed, full)
	}
	if err != nil {
		return fail("%w", err)
	}
	v, err := c.State.Add(full, t, trainable && !c.Fixed)
	if err != nil {
		return fail("%w", err)
	}
	v.Rate = c.Rate
	return v
}

// Penalty adds a scalar to what training minimises beside the loss.
func (c *Context) Penalty(n *graph.Node) {
	c.init()
	c.penalties = append(c.penalties, n)
}

// Penalties returns the sum of all penalties, or nil without any.
func (c *Context) Penalties() *graph.Node {
	c.init()
	var sum *graph.Node
	for _, n := range c.penalties {
		if sum == nil {
			sum = n
		} else {
			sum = graph.Add(sum, n)
		}
	}
	return sum
}

// A Layer builds its part of a network on x and returns the result. A layer
// holds no parameters: they belong to the state, under the name of the place
// where the layer is applied.
type Layer interface {
	Apply(c *Context, x *graph.Node) *graph.Node
}

// layerFunc is a layer without options.
type layerFunc func(c *Context, x *graph.Node) *graph.Node

func (f layerFunc) Apply(c *Context, x *graph.Node) *graph.Node { return f(c, x) }

// Func makes a layer of a function, for what no layer here does. It is not
// called once the program has an error, so that it may rely on the shape of x.
func Func(f func(c *Context, x *graph.Node) *graph.Node) Layer {
	return layerFunc(func(c *Context, x *graph.Node) *graph.Node {
		if c.B.Err() != nil {
			return x
		}
		return f(c, x)
	})
}
