package cpu

import (
	"slices"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// What follows a convolution, or the gradient by its images, is computed by its
// tasks, block by block, while the block is in the caches of a core: a chain of
// element-wise nodes of its shape, such as bias and activation, and of what
// comes of it the maxima of windows that lie side by side.

// A tail is what follows, in a unit of which the convolution is the first node.
type tail struct {
	host  *graph.Node
	chain []*graph.Node
	pools []*graph.Node // Pool and MaxPlace
	last  []*graph.Node // a chain after one of the pools,
	of    *graph.Node   // this one
}

// keeps reports whether a task holds a whole block of a value: what the
// convolution computes, what maxima are taken of, and they.
func (t *tail) keeps(n *graph.Node) bool {
	return n == t.host || slices.Contains(t.pools, n) || slices.ContainsFunc(t.pools, func(p *graph.Node) bool { return p.In[0] == n })
}

// attachTails joins to convolutions the units that can follow them.
func (pl *plan) attachTails() {
	for _, u := range slices.Clone(pl.units) {
		h := u.nodes[0]
		_, forward := h.Op.(graph.Convolution)
		_, backward := h.Op.(graph.ConvolutionInput)
		if !forward && !backward {
			continue
		}
		t := &tail{host: h}
		t.chain = pl.chainAfter(h, u)
		for _, v := range slices.Clone(pl.units) {
			if n := v.nodes[0]; forward && pl.pools(n, u) && t.asHigh(n) {
				t.pools = append(t.pools, n)
				pl.join(u, v)
			}
		}
		for _, n := range t.pools {
			if _, ok := n.Op.(graph.Pool); ok && t.last == nil {
				t.last, t.of = pl.chainAfter(n, u), n
			}
		}
		if len(u.nodes) > 1 {
			u.tail = t
		}
	}
}

// asHigh reports whether the windows of n are as high as those of the pools that
// there are, so that a block of rows has whole ones of all.
func (t *tail) asHigh(n *graph.Node) bool {
	if len(t.pools) == 0 {
		return true
	}
	p, _ := poolingOf(n)
	q, _ := poolingOf(t.pools[0])
	return p.kh == q.kh
}

// chainAfter joins to u a chain that can be computed block by block with h, a
// node of u, and returns its nodes.
func (pl *plan) chainAfter(h *graph.Node, u *unit) []*graph.Node {
	for _, v := range pl.units {
		if v.fused && v != u && pl.chains(v, h, u) {
			nodes := v.nodes
			pl.join(u, v)
			return nodes
		}
	}
	return nil
}

// chains reports whether v reads h, shape for shape, nothing else of u, and
// nothing that needs u finished.
func (pl *plan) chains(v *unit, h *graph.Node, u *unit) bool {
	reads := false
	for _, n := range v.nodes {
		for _, x := range n.In {
			if rootOf(x) == h {
				reads = true
			}
			if pl.unitOf[rootOf(x).ID] == u && (rootOf(x) != h || !x.Shape().Equal(h.Shape())) {
				return false
			}
		}
	}
	if !reads || !v.nodes[0].Shape().Equal(h.Shape()) {
		return false
	}
	for d := range v.after {
		if d != u && reaches(d, u, map[*unit]bool{}) {
			return false
		}
	}
	return true
}

// pools reports whether n takes maxima of what u has computed, in windows that
// lie side by side.
func (pl *plan) pools(n *graph.Node, u *unit) bool {
	p, ok := poolingOf(n)
	if !ok || pl.unitOf[n.In[0].ID] != u || !n.In[0].Shape().Equal(u.nodes[0].Shape()) {
		return false
	}
	return p.window == graph.Window{StrideH: p.kh, StrideW: p.kw}
}

// poolingOf returns how a node takes maxima or their places.
func poolingOf(n *graph.Node) (p pooling, ok bool) {
	switch op := n.Op.(type) {
	case graph.Pool:
		return pooling{op.Window, op.KH, op.KW, n.In[0], n}, op.Kind == graph.OpPoolMax
	case graph.MaxPlace:
		return pooling{op.Window, op.KH, op.KW, n.In[0], n}, true
	}
	return p, false
}

// join makes v a part of u.
func (pl *plan) join(u, v *unit) {
	u.nodes = append(u.nodes, v.nodes...)
	for _, n := range v.nodes {
		pl.unitOf[n.ID] = u
	}
	for d := range v.after {
		u.after[d] = true
	}
	for _, w := range pl.units {
		if w.after[v] {
			delete(w.after, v)
			w.after[u] = true
		}
	}
	delete(u.after, u)
	pl.units = slices.DeleteFunc(pl.units, func(w *unit) bool { return w == v })
}

// complete turns a unit's tail into what the convolution's step runs, and tells
// it of what it spreads.
func (pl *plan) complete(u *unit, c *convolution) error {
	if pl.spread[c.y] {
		op := c.y.Op.(graph.MaxSpread)
		c.spread = &maxSpreadStep{pooling{op.Window, op.KH, op.KW, c.y, c.y.In[0]}, c.y.In[1]}
	}
	if u.tail == nil {
		return nil
	}
	c.kept = u.held
	for _, part := range []struct {
		nodes []*graph.Node
		step  **fusedStep
	}{{u.tail.chain, &c.chain}, {u.tail.last, &c.last}} {
		if len(part.nodes) == 0 {
			continue
		}
		f, err := pl.lowerChain(u, part.nodes)
		if err != nil {
			return err
		}
		*part.step = f
	}
	for _, n := range u.tail.pools {
		p, _ := poolingOf(n)
		if n == u.tail.of {
			c.after = len(c.pools)
		}
		c.pools = append(c.pools, p)
		c.multiple = p.kh
	}
	return nil
}

// following is what a step of a convolution does beside it.
type following struct {
	kept     []*graph.Node // in blocks
	chain    *fusedStep
	pools    []pooling
	last     *fusedStep // a chain after the one of the pools
	after    int        // with this number
	multiple int        // of rows that pools take
}

// blockFloats is about how large a block is, so that it stays near.
const blockFloats = 8 << 10

// rows is how many rows of a width a block has.
func (f *following) rows(width int) int {
	m := max(f.multiple, 1)
	return max(m, blockFloats/max(width, 1)/m*m)
}

// floats is the scratch memory for blocks of so many elements.
func (f *following) floats(size int) int {
	n := len(f.kept) * size
	registers := 0
	for _, c := range []*fusedStep{f.chain, f.last} {
		if c != nil {
			registers = max(registers, c.floats())
		}
	}
	return n + registers
}

// target is where the convolution leaves elements from lo on.
func (f *following) target(in *instance, result *graph.Node, lo int, b *block) []float32 {
	if i := slices.Index(f.kept, result); i >= 0 {
		return b.values[i*b.size:]
	}
	return in.words[result.ID][lo:]
}

// begin starts to fetch where elements lo to hi of what follows will lie, while
// the convolution is computed: a store that waits for memory waits long.
func (f *following) begin(in *instance, lo, hi int) {
	if f.chain == nil {
		return
	}
	for i := range f.chain.code {
		if n := f.chain.code[i].store; n != nil && lo < hi {
			kernel.FetchRows(in.words[n.ID][lo:hi], first[:], 0, hi-lo)
		}
	}
}

var first [1]int32

// finish does what follows with rows i0 to i1 of image n, elements lo to hi.
func (f *following) finish(in *instance, regs []float32, n, i0, i1, lo, hi int, b *block) {
	if f.chain != nil {
		f.chain.over(in, regs, lo, hi, *b)
	}
	for i, next := 0, 0; i < len(f.pools); i = next {
		p := &f.pools[i]
		if next = i + 1; next < len(f.pools) && p.with(&f.pools[next]) { // both at once
			next++
		}
		k := p.of(in.rows)
		x := in.words[p.images.ID]
		if j := slices.Index(f.kept, p.images); j >= 0 {
			x = b.values[j*b.size:]
		} else {
			x = x[lo:]
		}
		w0, w1 := i0/p.kh, min(i1/p.kh, k.OutHeight)
		if w0 >= w1 {
			continue
		}
		// The rows of the block are an image of their own.
		k.Height, k.OutHeight = (w1-w0)*p.kh, w1-w0
		size := k.OutWidth * k.Channels
		var y []float32
		var place []int32
		for _, q := range f.pools[i:next] {
			result := q.pooled
			if l := slices.Index(f.kept, result); l >= 0 {
				y = b.values[l*b.size:][:(w1-w0)*size]
			} else if out := in.image(result, n)[w0*size : w1*size]; result.Type.DType == tensor.Int32 {
				place = tensor.Ints(out)
			} else {
				y = out
			}
		}
		k.Max(y, place, x, 0, w1-w0)
		if f.last != nil && i <= f.after && f.after < next {
			begin := (n*p.pooled.Shape()[1].N + w0) * size
			f.last.over(in, regs, begin, begin+(w1-w0)*size, block{b.values, b.size, begin})
		}
	}
}

// with reports whether q finds the places of p's maxima, or the other way round.
func (p *pooling) with(q *pooling) bool {
	return p.window == q.window && p.images == q.images && p.pooled.Type.DType != q.pooled.Type.DType
}

// spreads are gradients of maxima that only the gradients of convolutions read:
// those spread an image at a time in the scratch memory of their tasks.
func spreads(p *graph.Program) map[*graph.Node]bool {
	all := map[*graph.Node]bool{}
	for _, n := range p.Nodes {
		op, ok := n.Op.(graph.MaxSpread)
		if ok && op.Window == (graph.Window{StrideH: op.KH, StrideW: op.KW}) {
			all[n] = true
		}
	}
	for _, n := range p.Nodes {
		for i, x := range n.In {
			_, input := n.Op.(graph.ConvolutionInput)
			_, weights := n.Op.(graph.ConvolutionKernel)
			if x != rootOf(x) || !(input && i == 0 || weights && i == 1) {
				delete(all, rootOf(x))
			}
		}
	}
	for _, o := range p.Outputs {
		delete(all, rootOf(o.Node))
	}
	for _, w := range p.Writes {
		delete(all, rootOf(w.Node))
	}
	return all
}

// inputs are what a node reads: of a gradient that is spread for it, what that
// is made of.
func (pl *plan) inputs(n *graph.Node) []*graph.Node {
	var in []*graph.Node
	for _, x := range n.In {
		if pl.spread[x] {
			in = append(in, x.In...)
		} else {
			in = append(in, x)
		}
	}
	return in
}
