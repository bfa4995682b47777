package cpu

import (
	"fmt"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

// chunkLen is how many elements a fused unit carries through all its
// instructions before it goes on: 4 KiB a register, so that a dozen registers
// stay in the first-level cache.
const chunkLen = 1024

// taskWork is about how many element-instructions make a task worth sharing
// and short enough not to hold up a garbage collection: 10 to 40 µs.
const taskWork = 64 << 10

// An operand is where an instruction finds a chunk of an input.
type operand struct {
	kind operandKind
	reg  int         // of inRegister and expanded
	node *graph.Node // of direct and scalar
}

type operandKind uint8

const (
	inRegister operandKind = iota
	inBlock                // of a convolution's task
	direct                 // the chunk's range of a value of the same shape
	scalar                 // one element
	row                    // a value that the last dimensions of the shape repeat
)

// An instr is one kernel over a chunk: dst = f(a, b, c).
type instr struct {
	unary   func(dst, a []float32)
	binary  func(dst, a, b []float32)
	scalarB func(dst, a []float32, s float32)
	choose  bool
	expand  *expansion
	period  int // of an expansion that repeats itself in every chunk, or 0
	rows    *rowMove
	adam    *graph.Adam // of a, b and c, with the numbers d and e
	pass    *adamPass   // of a
	a, b, c operand
	d, e    operand
	target
}

// A target is where an instruction puts what it computes.
type target struct {
	dst    int         // register
	keep   bool        // dst is a block of a convolution's task
	store  *graph.Node // write straight into its words instead of dst
	copyTo *graph.Node // copied there from dst when the chunk is done
}

func (t *target) slice(in *instance, regs []float32, lo, hi int, b *block) []float32 {
	if t.store != nil {
		return in.words[t.store.ID][lo:hi]
	}
	if t.keep {
		return b.slice(t.dst, lo, hi)
	}
	return regs[t.dst*chunkLen:][:hi-lo]
}

// finish copies what must not be written before the chunk is done.
func (t *target) finish(in *instance, regs []float32, lo, hi int) {
	if t.copyTo != nil {
		copy(in.words[t.copyTo.ID][lo:hi], regs[t.dst*chunkLen:])
	}
}

// fusedStep runs a group of element-wise nodes over chunks.
type fusedStep struct {
	code []instr
	size graph.Size
	regs int
	rows *rowsOf // nil: of a whole value
}

func (f *fusedStep) perTask() int {
	return max(1, taskWork/(chunkLen*len(f.code))) * chunkLen
}

func (f *fusedStep) tasks(rows int) int { return chunks(f.size.Of(rows), f.perTask()) }

func (f *fusedStep) run(in *instance, task int, w *worker) {
	size := f.size.Of(in.rows)
	if f.rows != nil {
		size = f.rows.used(in, size)
	}
	lo, end := chunk(size, f.perTask(), task)
	f.over(in, w.floats(f.floats()), lo, end, block{})
}

// floats is how much scratch memory the registers are.
func (f *fusedStep) floats() int { return f.regs * chunkLen }

// A block is what a task of a convolution holds of values that no other step
// needs: of each size elements, from element base on.
type block struct {
	values     []float32
	size, base int
}

func (b *block) slice(i, lo, hi int) []float32 {
	return b.values[i*b.size+lo-b.base : i*b.size+hi-b.base]
}

// over computes elements lo to end.
func (f *fusedStep) over(in *instance, regs []float32, lo, end int, b block) {
	f.fetch(in, lo, min(lo+chunkLen, end))
	for first := lo; lo < end; lo += chunkLen {
		hi := min(lo+chunkLen, end)
		f.fetch(in, hi, min(hi+chunkLen, end))
		for i := range f.code {
			c := &f.code[i]
			dst := c.target.slice(in, regs, lo, hi, &b)
			switch {
			case c.unary != nil:
				c.unary(dst, c.a.slice(in, regs, lo, hi, &b))
			case c.b.kind == row:
				c.byRow(dst, c.a.slice(in, regs, lo, hi, &b), in.words[c.b.node.ID], lo)
			case c.binary != nil:
				c.binary(dst, c.a.slice(in, regs, lo, hi, &b), c.b.slice(in, regs, lo, hi, &b))
			case c.scalarB != nil:
				c.scalarB(dst, c.a.slice(in, regs, lo, hi, &b), in.words[c.b.node.ID][0])
			case c.choose:
				kernel.Select(dst, c.a.slice(in, regs, lo, hi, &b), c.b.slice(in, regs, lo, hi, &b), c.c.slice(in, regs, lo, hi, &b))
			case c.rows != nil:
				if c.rows.put {
					dst = c.a.slice(in, regs, lo, hi, &b)
				}
				c.rows.move(in, f.rows, dst, lo)
			case c.pass != nil:
				c.adamPass(in, regs, dst, lo, hi, &b)
			case c.adam != nil:
				kernel.Adam(dst, c.a.slice(in, regs, lo, hi, &b), c.b.slice(in, regs, lo, hi, &b), c.c.slice(in, regs, lo, hi, &b),
					c.d.number(in, regs, lo, hi, &b), c.e.number(in, regs, lo, hi, &b), c.adam.Epsilon)
			case c.expand != nil:
				if c.period == 0 || lo == first || lo%c.period != 0 {
					c.expand.fill(dst, in.words[c.a.node.ID], lo, in.rows)
				}
			}
		}
		for i := range f.code {
			c := &f.code[i]
			c.finish(in, regs, lo, hi)
			if c.pass != nil {
				c.pass.m.finish(in, regs, lo, hi)
				c.pass.v.finish(in, regs, lo, hi)
			}
		}
	}
}

// byRow computes elements from lo on, of which each row has the same b.
func (c *instr) byRow(dst, a, b []float32, lo int) {
	for off := lo % len(b); len(dst) > 0; off = 0 {
		n := min(len(b)-off, len(dst))
		c.binary(dst[:n], a[:n], b[off:])
		dst, a = dst[n:], a[n:]
	}
}

func (o *operand) slice(in *instance, regs []float32, lo, hi int, b *block) []float32 {
	switch o.kind {
	case inRegister:
		return regs[o.reg*chunkLen:][:hi-lo]
	case inBlock:
		return b.slice(o.reg, lo, hi)
	}
	return in.words[o.node.ID][lo:hi]
}

// number is the value of an operand that is one number.
func (o *operand) number(in *instance, regs []float32, lo, hi int, b *block) float32 {
	if o.kind == scalar {
		return in.words[o.node.ID][0]
	}
	return o.slice(in, regs, lo, hi, b)[0]
}

// unaryKernels and binaryKernels give each element-wise function its kernel;
// scalarKernels those whose second input is one number for the whole chunk.
var unaryKernels = [...]func(dst, x []float32){
	graph.OpNeg:      kernel.Neg,
	graph.OpAbs:      kernel.Abs,
	graph.OpSign:     kernel.Sign,
	graph.OpSquare:   kernel.Square,
	graph.OpSqrt:     kernel.Sqrt,
	graph.OpRsqrt:    kernel.Rsqrt,
	graph.OpRecip:    kernel.Recip,
	graph.OpExp:      kernel.Exp,
	graph.OpLog:      kernel.Log,
	graph.OpLog1p:    kernel.Log1p,
	graph.OpTanh:     kernel.Tanh,
	graph.OpSigmoid:  kernel.Sigmoid,
	graph.OpErf:      kernel.Erf,
	graph.OpSin:      kernel.Sin,
	graph.OpCos:      kernel.Cos,
	graph.OpSoftplus: kernel.Softplus,
	graph.OpRelu:     kernel.Relu,
	graph.OpGelu:     kernel.Gelu,
	graph.OpGeluTanh: kernel.GeluTanh,
	graph.OpSilu:     kernel.Silu,
	graph.OpIdentity: kernel.Copy,
}

var derivativeKernels = map[graph.UnaryKind]func(dst, x, dy []float32){
	graph.OpGelu:     kernel.GeluGrad,
	graph.OpGeluTanh: kernel.GeluTanhGrad,
	graph.OpSilu:     kernel.SiluGrad,
}

var binaryKernels = [...]func(dst, a, b []float32){
	graph.OpAdd:          kernel.Add,
	graph.OpSub:          kernel.Sub,
	graph.OpMul:          kernel.Mul,
	graph.OpDiv:          kernel.Div,
	graph.OpMax:          kernel.Max,
	graph.OpMin:          kernel.Min,
	graph.OpGreater:      kernel.Greater,
	graph.OpGreaterEqual: kernel.GreaterEqual,
	graph.OpEqual:        kernel.Equal,
	graph.OpGate:         kernel.Gate,
}

// The scalar on the right, and on the left.
var scalarKernels = map[graph.BinaryKind][2]func(dst, a []float32, s float32){
	graph.OpAdd: {kernel.AddS, kernel.AddS},
	graph.OpSub: {kernel.SubS, kernel.RSubS},
	graph.OpMul: {kernel.MulS, kernel.MulS},
	graph.OpDiv: {kernel.DivS, kernel.RDivS},
	graph.OpMax: {kernel.MaxS, kernel.MaxS},
	graph.OpMin: {kernel.MinS, kernel.MinS},
}

// fuser turns the nodes of a unit into instructions.
type fuser struct {
	pl    *plan
	u     *unit
	nodes []*graph.Node // of the unit
	shape graph.Shape
	step  *fusedStep
	at    map[*graph.Node]operand // values at hand
	last  map[*graph.Node]int     // index in the unit of the last node that uses it
	free  []int                   // registers

	passes map[*graph.Node]*graph.Node // moments and Adam steps that one instruction computes: to the step
}

func (pl *plan) lowerFused(u *unit) (*fusedStep, error) { return pl.lowerChain(u, u.nodes) }

// lowerChain turns nodes of a unit that are a chain into a step.
func (pl *plan) lowerChain(u *unit, nodes []*graph.Node) (*fusedStep, error) {
	f := &fuser{
		pl: pl, u: u, nodes: nodes, shape: nodes[0].Shape(),
		step: &fusedStep{size: nodes[0].Shape().Size()},
		at:   map[*graph.Node]operand{}, last: map[*graph.Node]int{},
	}
	for i, n := range u.held {
		f.at[n] = operand{kind: inBlock, reg: i}
	}
	for i, n := range nodes {
		for _, x := range n.In {
			f.last[f.key(x)] = i
		}
	}
	f.findPasses()
	if u.rows != nil {
		f.step.rows = &rowsOf{idx: u.rows, width: f.shape[1:].Size(), alone: pl.alone(u)}
	}
	for i, n := range nodes {
		if err := f.emit(i, n); err != nil {
			return nil, err
		}
		for _, x := range n.In { // registers whose value is used up
			k := f.key(x)
			if o, ok := f.at[k]; ok && o.kind == inRegister && f.last[k] == i {
				delete(f.at, k)
				f.free = append(f.free, o.reg)
			}
		}
	}
	return f.step, nil
}

// key is the node under which a value is remembered: a view of a value of the
// unit is that value.
func (f *fuser) key(x *graph.Node) *graph.Node {
	if r := rootOf(x); f.pl.unitOf[r.ID] == f.u {
		return r
	}
	return x
}

func (f *fuser) register() int {
	if k := len(f.free); k > 0 {
		r := f.free[k-1]
		f.free = f.free[:k-1]
		return r
	}
	f.step.regs++
	return f.step.regs - 1
}

// input returns where to find x as a chunk of the unit's shape, adding an
// instruction that repeats it if it has to be broadcast. With scalarOK a
// single element may stay one.
func (f *fuser) input(x *graph.Node, scalarOK bool) operand {
	k := f.key(x)
	if o, ok := f.at[k]; ok {
		return o
	}
	if x.Shape().Equal(f.shape) {
		o := operand{kind: direct, node: x}
		f.at[k] = o
		return o
	}
	if scalarOK && x.Shape().Size() == (graph.Size{Factor: 1}) {
		return operand{kind: scalar, node: x}
	}
	c := instr{expand: newExpansion(x.Shape(), f.shape), a: operand{kind: direct, node: x}}
	if n := x.Shape().Size().Factor; f.repeats(x) && chunkLen%n == 0 {
		c.period = n
		c.dst = f.step.regs // of its own
		f.step.regs++
		f.last[k] = len(f.nodes)
	} else {
		c.dst = f.register()
	}
	f.step.code = append(f.step.code, c)
	o := operand{kind: inRegister, reg: c.dst}
	f.at[k] = o
	return o
}

// emit adds the instructions of node n, the i-th of the unit.
func (f *fuser) emit(i int, n *graph.Node) error {
	switch f.passes[n] {
	case nil:
	case n:
		f.add(f.pass(i, n), n, i)
		return nil
	default:
		return nil // when its Adam step is
	}
	var c instr
	switch op := n.Op.(type) {
	case graph.Unary:
		c = instr{unary: unaryKernels[op.Kind], a: f.input(n.In[0], false)}
	case graph.Binary:
		c = f.binary(op.Kind, n.In[0], n.In[1])
	case graph.Derivative:
		c = instr{binary: derivativeKernels[op.Of], a: f.input(n.In[0], false), b: f.input(n.In[1], false)}
	case graph.Choose:
		c = instr{choose: true, a: f.input(n.In[0], false), b: f.input(n.In[1], false), c: f.input(n.In[2], false)}
	case *graph.Expand:
		c = instr{unary: kernel.Copy, a: f.input(n.In[0], false)}
	case graph.Lookup:
		c = instr{rows: &rowMove{table: n.In[0]}}
	case graph.Put:
		f.step.code = append(f.step.code, instr{rows: &rowMove{n.In[0], true}, a: f.input(n.In[2], false)})
		return nil
	case graph.Moment:
		mean := kernel.Moment
		if op.Square {
			mean = kernel.MomentSquare
		}
		c = instr{a: f.input(n.In[0], false), b: f.input(n.In[1], false), binary: func(dst, old, x []float32) {
			mean(dst, old, x, op.Keep, op.Take, op.Least)
		}}
	case graph.Adam:
		c = instr{adam: &op, a: f.input(n.In[0], false), b: f.input(n.In[1], false), c: f.input(n.In[2], false),
			d: f.input(n.In[3], true), e: f.input(n.In[4], true)}
	case graph.LogisticLoss: // max(x, 0) − t·x + log(1+e^−|x|)
		x, t := f.input(n.In[0], false), f.input(n.In[1], false)
		p, q := f.register(), f.register()
		P, Q := operand{reg: p}, operand{reg: q}
		f.step.code = append(f.step.code,
			instr{unary: kernel.Abs, a: x, target: target{dst: p}},
			instr{unary: kernel.Neg, a: P, target: target{dst: p}},
			instr{unary: kernel.Exp, a: P, target: target{dst: p}},
			instr{unary: kernel.Log1p, a: P, target: target{dst: p}},
			instr{unary: kernel.Relu, a: x, target: target{dst: q}},
			instr{binary: kernel.Add, a: Q, b: P, target: target{dst: p}},
			instr{binary: kernel.Mul, a: t, b: x, target: target{dst: q}},
		)
		f.free = append(f.free, p, q)
		c = instr{binary: kernel.Sub, a: P, b: Q}
	default:
		return fmt.Errorf("no element-wise kernel for %s (%T)", n.Op.Name(), n.Op)
	}
	f.add(c, n, i)
	return nil
}

// add adds the instruction that computes node n, the i-th of the unit.
func (f *fuser) add(c instr, n *graph.Node, i int) {
	c.target = f.target(n, i)
	f.step.code = append(f.step.code, c)
}

// target decides where node n, the i-th of the unit, goes.
func (f *fuser) target(n *graph.Node, i int) (t target) {
	if o, ok := f.at[n]; ok { // in a block
		return target{dst: o.reg, keep: true}
	}
	if f.pl.storage[n.ID].place == nowhere {
		t.dst = f.register()
		f.at[n] = operand{kind: inRegister, reg: t.dst}
		return t
	}
	if f.overwritesLater(n, i) {
		t.dst = f.register()
		t.copyTo = n
		f.at[n] = operand{kind: inRegister, reg: t.dst}
		f.last[n] = len(f.nodes) // the register is kept to the end
		return t
	}
	t.store = n
	f.at[n] = operand{kind: direct, node: n}
	return t
}

func (f *fuser) binary(kind graph.BinaryKind, a, b *graph.Node) instr {
	if (kind == graph.OpAdd || kind == graph.OpMul) && f.isRow(a) {
		a, b = b, a
	}
	if f.isRow(b) && !f.isRow(a) {
		return instr{binary: binaryKernels[kind], a: f.input(a, false), b: operand{kind: row, node: b}}
	}
	if s, ok := scalarKernels[kind]; ok {
		y := f.input(b, true)
		if y.kind == scalar {
			if x := f.input(a, true); x.kind != scalar {
				return instr{scalarB: s[0], a: x, b: y}
			}
		} else if x := f.input(a, true); x.kind == scalar {
			return instr{scalarB: s[1], a: y, b: x}
		}
	}
	return instr{binary: binaryKernels[kind], a: f.input(a, false), b: f.input(b, false)}
}

// isRow reports whether x is the same for every row of the unit, such as a bias,
// and long enough to be read where it is.
func (f *fuser) isRow(x *graph.Node) bool {
	if _, ok := f.at[f.key(x)]; ok {
		return false
	}
	n := x.Shape().Size().Factor
	return f.repeats(x) && (n >= longRow || n >= shortRow && chunkLen%n != 0)
}

// repeats reports whether x is a row of the last dimensions.
func (f *fuser) repeats(x *graph.Node) bool {
	s := x.Shape()
	z := s.Size()
	return len(s) < len(f.shape) && s.Equal(f.shape[len(f.shape)-len(s):]) && z.Power == 0 && z.Factor > 0
}

const (
	shortRow = 16  // elements of a row that are worth a call of a kernel
	longRow  = 256 // fewer, if chunks have them whole times, are laid out once a task
)

// overwritesLater reports whether n is computed in place of a variable whose
// old value a later node of the unit still reads.
func (f *fuser) overwritesLater(n *graph.Node, i int) bool {
	v := f.pl.storage[n.ID].v
	if v == nil {
		return false
	}
	for _, m := range f.nodes[i+1:] {
		for _, x := range m.In {
			if r, ok := rootOf(x).Op.(*graph.Read); ok && r.Variable == v {
				return true
			}
		}
	}
	return false
}

// expansion repeats a smaller value over the unit's shape. Its runs are the
// shape's dimensions, neighbours merged where they are alike, with the stride
// in the source: 0 where it is repeated.
type expansion struct {
	dims     [8]graph.Size
	repeated [8]bool
	n        int
}

func newExpansion(from, to graph.Shape) *expansion {
	e := &expansion{}
	skip := len(to) - len(from)
	for i, d := range to {
		if d == graph.N(1) {
			continue
		}
		repeated := i < skip || from[i-skip] != d
		if e.n > 0 && e.repeated[e.n-1] == repeated {
			e.dims[e.n-1].Factor *= d.N
			if d.PerRow {
				e.dims[e.n-1].Power++
			}
			continue
		}
		e.dims[e.n] = graph.Shape{d}.Size()
		e.repeated[e.n] = repeated
		e.n++
	}
	return e
}

// fill sets dst to elements lo, lo+1, … of src repeated.
func (e *expansion) fill(dst, src []float32, lo, rows int) {
	if len(dst) == 0 {
		return
	}
	if e.n == 0 || (e.n == 1 && e.repeated[0]) {
		kernel.Fill(dst, src[0])
		return
	}
	var size, stride, index [8]int
	s := 1
	rest := lo
	for i := e.n - 1; i >= 0; i-- {
		size[i] = e.dims[i].Of(rows)
		index[i] = rest % size[i]
		rest /= size[i]
		if !e.repeated[i] {
			stride[i] = s
			s *= size[i]
		}
	}
	inner := e.n - 1
	for len(dst) > 0 {
		at := 0
		for i := range inner {
			at += index[i] * stride[i]
		}
		n := min(size[inner]-index[inner], len(dst))
		if e.repeated[inner] {
			kernel.Fill(dst[:n], src[at])
		} else {
			copy(dst[:n], src[at+index[inner]:])
		}
		dst = dst[n:]
		index[inner] = 0
		for i := inner - 1; i >= 0; i-- {
			if index[i]++; index[i] < size[i] {
				break
			}
			index[i] = 0
		}
	}
}
