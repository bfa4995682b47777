package cpu

import (
	"slices"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

// An adamPass is the instruction for an Adam step and the two moments that only
// it, and what comes after it, reads.
type adamPass struct {
	m, v          target // where the moments go
	oldM, oldV, g operand
	keepM, keepV  graph.Moment
	rate, root    operand
	epsilon       float32
}

func (c *instr) adamPass(in *instance, regs, dst []float32, lo, hi int, b *block) {
	a := c.pass
	kernel.AdamPass(dst, a.m.slice(in, regs, lo, hi, b), a.v.slice(in, regs, lo, hi, b),
		c.a.slice(in, regs, lo, hi, b), a.oldM.slice(in, regs, lo, hi, b), a.oldV.slice(in, regs, lo, hi, b), a.g.slice(in, regs, lo, hi, b),
		&kernel.AdamNumbers{
			KeepM: a.keepM.Keep, TakeM: a.keepM.Take, LeastM: a.keepM.Least,
			KeepV: a.keepV.Keep, TakeV: a.keepV.Take, LeastV: a.keepV.Least,
			Rate: a.rate.number(in, regs, lo, hi, b), Root: a.root.number(in, regs, lo, hi, b), Epsilon: a.epsilon,
		})
}

// findPasses notes the Adam steps of the unit that can be computed together with
// their moments, where the step stands. What the moments read is kept until then.
func (f *fuser) findPasses() {
	f.passes = map[*graph.Node]*graph.Node{}
	for i, n := range f.nodes {
		if _, ok := n.Op.(graph.Adam); !ok || !f.whole(n.In[:3]...) {
			continue
		}
		m, v := n.In[1], n.In[2]
		keepM, okM := m.Op.(graph.Moment)
		keepV, okV := v.Op.(graph.Moment)
		if !okM || !okV || m == v || keepM.Square || !keepV.Square || m.In[1] != v.In[1] || !f.whole(m.In...) || !f.whole(v.In...) ||
			f.pl.unitOf[m.ID] != f.u || f.pl.unitOf[v.ID] != f.u || f.passes[m] != nil || f.passes[v] != nil || f.readBefore(i, m, v) {
			continue
		}
		f.passes[m], f.passes[v], f.passes[n] = n, n, n
		for _, x := range []*graph.Node{m.In[0], v.In[0], m.In[1]} {
			f.last[f.key(x)] = max(f.last[f.key(x)], i)
		}
	}
}

// whole reports whether nodes have the unit's shape.
func (f *fuser) whole(nodes ...*graph.Node) bool {
	return !slices.ContainsFunc(nodes, func(n *graph.Node) bool { return !n.Shape().Equal(f.shape) })
}

// readBefore reports whether a node of the unit before number i reads m or v.
func (f *fuser) readBefore(i int, m, v *graph.Node) bool {
	return slices.ContainsFunc(f.nodes[:i], func(n *graph.Node) bool {
		return slices.ContainsFunc(n.In, func(x *graph.Node) bool { return rootOf(x) == m || rootOf(x) == v })
	})
}

// pass is the instruction for Adam step n, the i-th of the unit, and its moments.
func (f *fuser) pass(i int, n *graph.Node) instr {
	m, v := n.In[1], n.In[2]
	a := &adamPass{
		oldM: f.input(m.In[0], false), oldV: f.input(v.In[0], false), g: f.input(m.In[1], false),
		keepM: m.Op.(graph.Moment), keepV: v.Op.(graph.Moment),
		rate: f.input(n.In[3], true), root: f.input(n.In[4], true), epsilon: n.Op.(graph.Adam).Epsilon,
	}
	c := instr{pass: a, a: f.input(n.In[0], false)}
	a.m, a.v = f.target(m, i), f.target(v, i)
	return c
}
