package graph

import "fmt"

// A Gradient is the derivative of a scalar with respect to a node: dense, of
// the node's type; or, for a table of which few rows were gathered, sparse:
// Rows holds indices into the node's first dimension (−1 for none, repeats
// add up) and Values one row of values for each, or, of bags of k indices, one
// for k of them in turn. The zero Gradient is zero.
type Gradient struct {
	Dense   *Node
	Rows    *Node // int32 [n]
	Values  *Node // float32 [n …] or [n/k …]
	Weights *Node // float32 [n], factors on the rows of values; nil: 1
}

// IsZero reports whether no gradient flows.
func (g Gradient) IsZero() bool { return g.Dense == nil && g.Rows == nil }

// Sparse reports whether the gradient is held by rows.
func (g Gradient) Sparse() bool { return g.Rows != nil }

// dense wraps dense gradients; nil becomes the zero gradient.
func dense(nodes ...*Node) []Gradient {
	gs := make([]Gradient, len(nodes))
	for i, n := range nodes {
		gs[i].Dense = n
	}
	return gs
}

// ToDense returns the gradient as a tensor shaped like n, the node it is for.
func (g Gradient) ToDense(n *Node) *Node {
	switch {
	case g.Dense != nil:
		return g.Dense
	case g.Rows != nil:
		return ScatterAdd(g.Rows, g.each(), n.Shape()[0].N)
	}
	return BroadcastTo(n.b.Scalar(0), n.Shape())
}

// each returns the values with a row for every index.
func (g Gradient) each() *Node {
	if g.Values.b.err != nil {
		return g.Values
	}
	n, v := g.Rows.Shape()[0], g.Values
	s := append(Shape{v.Shape()[0], N(1)}, v.Shape()[1:]...)
	if s[0] != n {
		s[1].N = n.N / s[0].N
		v = BroadcastTo(Reshape(v, append(Shape{s[0], N(1)}, s[2:]...)...), s)
		v = Reshape(v, append(Shape{n}, s[2:]...)...)
	}
	if g.Weights != nil {
		w := Shape{n}
		for range s[2:] {
			w = append(w, N(1))
		}
		v = Mul(v, Reshape(g.Weights, w...))
	}
	return v
}

// plus adds two gradients of n. Sparse ones are joined and stay sparse,
// unless one has its rows per row of the run and the other not.
func (g Gradient) plus(h Gradient, n *Node) Gradient {
	switch {
	case g.IsZero():
		return h
	case h.IsZero():
		return g
	case g.Sparse() && h.Sparse() && g.Rows.Shape()[0].PerRow == h.Rows.Shape()[0].PerRow:
		return Gradient{Rows: Concat(0, g.Rows, h.Rows), Values: Concat(0, g.each(), h.each())}
	}
	return Gradient{Dense: Add(g.ToDense(n), h.ToDense(n))}
}

// Gradients returns the derivative of loss, a scalar, with respect to each of
// wrt, by reverse-mode differentiation: it adds nodes to the program and
// changes none.
func Gradients(loss *Node, wrt []*Node) []Gradient {
	b := loss.b
	out := make([]Gradient, len(wrt))
	if b.err != nil {
		return out
	}
	if len(loss.Shape()) != 0 {
		b.Fail("gradients", fmt.Errorf("the loss must be a scalar, it is %v: reduce it with Sum or Mean", loss.Type))
		return out
	}
	// A node takes part when it depends on something in wrt.
	last := loss.ID
	active := make([]bool, last+1)
	for i, n := range wrt {
		switch {
		case n == nil || n.b != b:
			b.Fail("gradients", fmt.Errorf("number %d of the nodes to differentiate with respect to is not of this program", i))
			return out
		case n.ID <= last: // what comes after the loss has no part in it
			active[n.ID] = true
		}
	}
	for _, n := range b.nodes[:last+1] {
		for _, x := range n.In {
			if active[x.ID] {
				active[n.ID] = true
			}
		}
	}
	grads := make([]Gradient, last+1)
	grads[last].Dense = b.Scalar(1)
	for id := last; id >= 0; id-- {
		n, g := b.nodes[id], grads[id]
		if !active[id] || g.IsZero() || len(n.In) == 0 {
			continue
		}
		d, ok := n.Op.(Differentiable)
		if !ok { // parts of an optimiser's update, second derivatives of fused ops
			b.Fail("gradients", fmt.Errorf("%s has no gradient, and the loss depends on a parameter through it: put StopGradient before it, or build it from other ops", n.Op.Name()))
			return out
		}
		for i, gi := range d.Gradient(n, g.ToDense(n)) {
			x := n.In[i]
			if gi.IsZero() || !active[x.ID] {
				continue
			}
			grads[x.ID] = grads[x.ID].plus(gi, x)
		}
		if b.err != nil {
			return out
		}
	}
	for i, n := range wrt {
		if n.ID <= last {
			out[i] = grads[n.ID]
		}
	}
	return out
}
