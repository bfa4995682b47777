package graph

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/hone-ml/hone/engine/tensor"
)

// An Op is an operation with its attributes, a small comparable struct. It
// states the type of its result; ops that are differentiable are Differentiable
// too.
type Op interface {
	// Name is the lower-case name of the operation, for messages and profiles.
	Name() string
	// Infer returns the type of the result, or an error that names the shapes.
	Infer(in []Type) (Type, error)
}

// Differentiable is an op with a gradient. Gradient gets the node and the
// gradient of the loss with respect to it, and returns one gradient per
// input; the zero Gradient means that none flows there.
type Differentiable interface {
	Op
	Gradient(n, dy *Node) []Gradient
}

// A Node is one value of a program.
type Node struct {
	ID   int
	Op   Op
	In   []*Node
	Type Type
	b    *Builder
}

// Shape returns the shape of the value.
func (n *Node) Shape() Shape { return n.Type.Shape }

// Builder returns the builder that made the node.
func (n *Node) Builder() *Builder { return n.b }

// A Builder makes one program. After the first error every call returns a
// node that is inert, and Program returns the error.
type Builder struct {
	name    string
	nodes   []*Node
	inputs  []*Node
	outputs []Output
	writes  []Write
	reads   map[*Variable]*Node
	written map[*Variable]bool
	streams int32
	err     error
	inert   *Node
}

// Output is a named result of a program.
type Output struct {
	Name string
	Node *Node
}

// Write is a variable that takes a node's value at the end of a run.
type Write struct {
	Variable *Variable
	Node     *Node
}

// A Program is what a backend compiles. Nodes are in an order in which every
// node follows its inputs.
type Program struct {
	Name    string
	Nodes   []*Node
	Inputs  []*Node // in the order in which they were declared; all must be fed
	Outputs []Output
	Writes  []Write
}

// New returns a builder for a program of that name.
func New(name string) *Builder {
	b := &Builder{name: name, reads: map[*Variable]*Node{}, written: map[*Variable]bool{}}
	b.inert = &Node{ID: -1, b: b}
	return b
}

// Err returns the first error, or nil.
func (b *Builder) Err() error { return b.err }

// Fail records an error, unless one is recorded, with the line of the first
// caller outside the packages that build graphs.
func (b *Builder) Fail(op string, err error) *Node {
	if b.err == nil {
		b.err = fmt.Errorf("%s: %s: %w%s", b.name, op, err, callSite())
	}
	return b.inert
}

// callSite names the file and line of the first caller outside graph and nn,
// which is where a user wrote the mistake.
func callSite() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.Contains(f.Function, "/engine/graph.") && !strings.Contains(f.Function, "hone/nn") {
			file := f.File
			if i := strings.LastIndexByte(file, '/'); i >= 0 {
				if j := strings.LastIndexByte(file[:i], '/'); j >= 0 {
					file = file[j+1:]
				}
			}
			return fmt.Sprintf(" (built at %s:%d)", file, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// Apply adds a node that applies op to inputs. The builder functions call it;
// so does who adds an op outside this package. All inputs must come from one
// builder.
func Apply(op Op, in ...*Node) *Node {
	var b *Builder
	for _, x := range in {
		if x != nil {
			b = x.b
			break
		}
	}
	if b == nil {
		panic("graph: " + op.Name() + " has no input that a builder made") // programmer error
	}
	return b.apply(op, in...)
}

func (b *Builder) apply(op Op, in ...*Node) *Node {
	if b.err != nil {
		return b.inert
	}
	types := make([]Type, len(in))
	for i, x := range in {
		if x == nil {
			return b.Fail(op.Name(), fmt.Errorf("input %d is nil", i))
		}
		if x.b != b {
			return b.Fail(op.Name(), fmt.Errorf("input %d belongs to program %q: nodes of two programs do not mix, share a variable instead", i, x.b.name))
		}
		types[i] = x.Type
	}
	t, err := op.Infer(types)
	if err != nil {
		return b.Fail(op.Name(), err)
	}
	if len(t.Shape) > 8 {
		return b.Fail(op.Name(), fmt.Errorf("result %v has more than 8 dimensions", t.Shape))
	}
	for _, d := range t.Shape {
		if d.N < 0 {
			return b.Fail(op.Name(), fmt.Errorf("result %v has a negative dimension", t.Shape))
		}
	}
	n := &Node{ID: len(b.nodes), Op: op, In: in, Type: t, b: b}
	b.nodes = append(b.nodes, n)
	return n
}

// leaf adds a node without inputs.
func (b *Builder) leaf(op Op) *Node { return b.apply(op) }

// Input declares a tensor that is fed at every run.
func (b *Builder) Input(name string, dtype tensor.DType, dims ...Dim) *Node {
	for _, in := range b.inputs {
		if in.Op.(*Input).ID == name {
			return b.Fail("input", fmt.Errorf("two inputs are named %q", name))
		}
	}
	n := b.leaf(&Input{ID: name, T: Type{dtype, append(Shape(nil), dims...)}})
	if b.err == nil {
		b.inputs = append(b.inputs, n)
	}
	return n
}

// Input is the op of a node that is fed.
type Input struct {
	ID string
	T  Type
}

// Name returns "input" and the input's name.
func (o *Input) Name() string { return "input " + o.ID }

// Infer returns the declared type.
func (o *Input) Infer([]Type) (Type, error) { return o.T, nil }

// Read is the op of a node that holds a variable's value from before the run.
type Read struct{ Variable *Variable }

// Name returns "read" and the variable's name.
func (o *Read) Name() string { return "read " + o.Variable.Name }

// Infer returns the variable's type.
func (o *Read) Infer([]Type) (Type, error) {
	v := o.Variable.Value
	return Type{v.DType(), Fixed(v.Shape()...)}, nil
}

// Read returns the variable's value from before the run; reading twice gives
// the same node.
func (b *Builder) Read(v *Variable) *Node {
	if v == nil {
		return b.Fail("read", errors.New("the variable is nil"))
	}
	if n := b.reads[v]; n != nil {
		return n
	}
	n := b.leaf(&Read{v})
	if b.err == nil {
		b.reads[v] = n
	}
	return n
}

// Write makes n the variable's value once the run ends.
func (b *Builder) Write(v *Variable, n *Node) {
	if b.err != nil {
		return
	}
	if v == nil {
		b.Fail("write", errors.New("the variable is nil"))
		return
	}
	want := Type{v.Value.DType(), Fixed(v.Value.Shape()...)}
	switch {
	case n == nil || n.b != b:
		b.Fail("write "+v.Name, errors.New("the value is not a node of this program"))
	case n.Type.DType != want.DType || !n.Type.Shape.Equal(want.Shape):
		b.Fail("write "+v.Name, fmt.Errorf("the variable is %v, the value %v", want, n.Type))
	case b.written[v]:
		b.Fail("write "+v.Name, errors.New("the variable is written twice"))
	default:
		b.written[v] = true
		b.writes = append(b.writes, Write{v, n})
	}
}

// Writes returns what variables take at the end of a run so far.
func (b *Builder) Writes() []Write { return slices.Clone(b.writes) }

// Output names a node as a result of the program. Outputs are returned in
// the order of these calls.
func (b *Builder) Output(name string, n *Node) {
	if b.err != nil {
		return
	}
	if n == nil || n.b != b {
		b.Fail("output "+name, errors.New("the value is not a node of this program"))
		return
	}
	b.outputs = append(b.outputs, Output{name, n})
}

// Program returns the finished program without the nodes that nothing needs,
// or the first error.
func (b *Builder) Program() (*Program, error) {
	if b.err != nil {
		return nil, b.err
	}
	needed := make([]bool, len(b.nodes))
	for _, o := range b.outputs {
		needed[o.Node.ID] = true
	}
	for _, w := range b.writes {
		needed[w.Node.ID] = true
	}
	for i := len(b.nodes) - 1; i >= 0; i-- {
		if needed[i] {
			for _, x := range b.nodes[i].In {
				needed[x.ID] = true
			}
		}
	}
	p := &Program{Name: b.name, Inputs: b.inputs, Outputs: b.outputs, Writes: b.writes}
	for i, n := range b.nodes {
		if needed[i] {
			p.Nodes = append(p.Nodes, n)
		}
	}
	return p, nil
}

// String lists the program, one node a line.
func (p *Program) String() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "program %s\n", p.Name)
	for _, n := range p.Nodes {
		fmt.Fprintf(&sb, "  %%%d = %s(", n.ID, n.Op.Name())
		for i, x := range n.In {
			if i > 0 {
				sb.WriteString(", ")
			}
			fmt.Fprintf(&sb, "%%%d", x.ID)
		}
		fmt.Fprintf(&sb, ") : %v\n", n.Type)
	}
	for _, w := range p.Writes {
		fmt.Fprintf(&sb, "  write %s = %%%d\n", w.Variable.Name, w.Node.ID)
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&sb, "  output %s = %%%d\n", o.Name, o.Node.ID)
	}
	return sb.String()
}

// A Backend compiles programs. engine/cpu is one.
type Backend interface {
	Compile(*Program) (Executable, error)
}

// An Executable runs a compiled program. It may be called from several
// goroutines at once.
type Executable interface {
	// Run feeds one tensor per input, in the program's order, and fills one
	// tensor per output, each resized to its shape (nil skips an output).
	// Writes take effect before it returns. The number of rows follows from
	// the inputs, which must agree on it.
	Run(feeds, outputs []*tensor.Tensor) error
}
