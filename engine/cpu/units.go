package cpu

import (
	"slices"

	"github.com/hone-ml/hone/engine/graph"
)

// A unit is what one step computes: a single node, or a chain of element-wise
// nodes of one shape that run as one pass.
type unit struct {
	nodes []*graph.Node
	fused bool
	tail  *tail          // of a convolution, else nil
	held  []*graph.Node  // of a tail: values that a task holds in blocks
	rows  *graph.Node    // indices of the rows of tables that it works on; see mergeRows
	after map[*unit]bool // units that must run before this one
	place int            // in the final order

	rank rank // while units are made, and while writes are placed
}

// plan is the program taken apart: units in order, and for every node where
// its value lives.
type plan struct {
	program *graph.Program
	units   []*unit
	unitOf  []*unit // by node ID; nil for inputs, constants, reads and views
	root    []*graph.Node
	users   [][]*unit // by root ID: the units that read the value
	kept    []bool    // by root ID: read when all units have run
	inPlace map[*graph.Variable]*graph.Node
	writes  []graph.Write        // the rest, which are copied at the end
	storage []storage            // by node ID
	over    map[int]*graph.Node  // by node ID: the value in whose place it is computed
	spread  map[*graph.Node]bool // see spreads
	arena   [maxPower + 1]int
	asked   int           // see follows
	before  map[step]bool // steps that come before a unit's own
}

// rootOf follows views to the node that owns the storage.
func rootOf(n *graph.Node) *graph.Node {
	for {
		if _, view := n.Op.(*graph.View); !view {
			return n
		}
		n = n.In[0]
	}
}

func isLeaf(n *graph.Node) bool {
	switch n.Op.(type) {
	case *graph.Input, *graph.Const, *graph.Read:
		return true
	}
	return false
}

// makeUnits groups element-wise nodes: a node joins the latest group of its
// shape unless one of its inputs needs that group finished first.
func makeUnits(p *graph.Program) *plan {
	last := p.Nodes[len(p.Nodes)-1].ID
	pl := &plan{
		program: p,
		unitOf:  make([]*unit, last+1),
		root:    make([]*graph.Node, last+1),
		users:   make([][]*unit, last+1),
		kept:    make([]bool, last+1),
		inPlace: map[*graph.Variable]*graph.Node{},
		over:    map[int]*graph.Node{},
		before:  map[step]bool{},
		spread:  spreads(p),
	}
	open := map[string]*unit{} // the latest group by shape
	for _, n := range p.Nodes {
		pl.root[n.ID] = rootOf(n)
	}
	for _, n := range p.Nodes {
		if isLeaf(n) || pl.root[n.ID] != n || pl.spread[n] {
			continue
		}
		needs := map[*unit]bool{}
		for _, x := range pl.inputs(n) {
			if u := pl.unitOf[rootOf(x).ID]; u != nil {
				needs[u] = true
			}
		}
		var u *unit
		if _, ok := n.Op.(graph.Elementwise); ok {
			key := n.Shape().String()
			if g := open[key]; g != nil && len(g.nodes) < maxFused && !pl.needsFinished(needs, g) && aligned(n, g, pl) {
				u = g
				delete(needs, g)
			} else {
				u = &unit{fused: true, after: map[*unit]bool{}}
				open[key] = u
			}
		} else {
			u = &unit{after: map[*unit]bool{}}
		}
		if len(u.nodes) == 0 {
			pl.units = append(pl.units, u)
		}
		u.nodes = append(u.nodes, n)
		for d := range needs {
			u.follow(d)
		}
		pl.unitOf[n.ID] = u
	}
	pl.attachTails()
	for _, n := range p.Nodes {
		if u := pl.unitOf[n.ID]; u != nil {
			for _, x := range pl.inputs(n) {
				r := pl.root[x.ID].ID
				if !slices.Contains(pl.users[r], u) {
					pl.users[r] = append(pl.users[r], u)
				}
			}
		}
	}
	for _, o := range p.Outputs {
		pl.kept[pl.root[o.Node.ID].ID] = true
	}
	return pl
}

// maxFused bounds a group, so that its registers fit the first-level cache.
const maxFused = 96

// aligned reports whether what n reads from inside the group has the group's
// shape: a value of another shape (a view, a broadcast) must be finished first.
func aligned(n *graph.Node, g *unit, pl *plan) bool {
	for _, x := range n.In {
		if pl.unitOf[rootOf(x).ID] == g && !(x == rootOf(x) || x.Shape().Equal(n.Shape())) {
			return false
		}
	}
	return true
}

// needsFinished reports whether a unit other than g among needs depends on g.
func (pl *plan) needsFinished(needs map[*unit]bool, g *unit) bool {
	for u := range needs {
		if u != g && pl.follows(u, g) {
			return true
		}
	}
	return false
}

// reaches reports whether u must run after target, by searching all that it follows:
// for plans whose levels (rank.go) are not kept.
func reaches(u, target *unit, seen map[*unit]bool) bool {
	if u == target {
		return true
	}
	if seen[u] {
		return false
	}
	seen[u] = true
	for d := range u.after {
		if reaches(d, target, seen) {
			return true
		}
	}
	return false
}

// placeWrites decides which variables take their new value where it is
// computed: the value must be computed by a unit that can run after all that
// read the old value, and nothing may need the old value at the end.
func (pl *plan) placeWrites() {
	pl.rankUnits()
	reads := map[*graph.Variable]*graph.Node{}
	for _, n := range pl.program.Nodes {
		if r, ok := n.Op.(*graph.Read); ok {
			reads[r.Variable] = n
		}
	}
	for _, w := range pl.program.Writes {
		if n := pl.root[w.Node.ID]; isLeaf(n) {
			pl.kept[n.ID] = true // b takes a's old value: a keeps it to the end
		}
	}
	taken := map[*graph.Node]bool{}
	for _, w := range pl.program.Writes {
		n := pl.root[w.Node.ID]
		if !pl.canWriteInPlace(n, reads[w.Variable], taken) {
			pl.writes = append(pl.writes, w)
			pl.kept[n.ID] = true
			continue
		}
		taken[n] = true
		pl.inPlace[w.Variable] = n
	}
}

func (pl *plan) canWriteInPlace(n, read *graph.Node, taken map[*graph.Node]bool) bool {
	u := pl.unitOf[n.ID]
	if u == nil || taken[n] {
		return false
	}
	if read == nil {
		return true
	}
	if pl.kept[read.ID] {
		return false
	}
	for _, reader := range pl.users[read.ID] {
		switch {
		case reader != u:
			if pl.follows(reader, u) {
				return false
			}
		case u.fused:
			// Each element is read before it is written, as long as it is
			// read in the place where it stands.
			for _, m := range u.nodes {
				for _, x := range m.In {
					if pl.root[x.ID] == read && !x.Shape().Equal(n.Shape()) {
						return false
					}
				}
			}
		default:
			if _, ok := n.Op.(graph.Put); !ok || pl.root[n.In[0].ID] != read ||
				pl.root[n.In[1].ID] == read || pl.root[n.In[2].ID] == read {
				return false
			}
		}
	}
	for _, reader := range pl.users[read.ID] {
		if reader != u {
			u.follow(reader)
		}
	}
	return true
}

// order sorts the units so that each follows what it needs, keeping the
// program's order otherwise.
func (pl *plan) order() {
	var sorted []*unit
	state := map[*unit]bool{}
	var visit func(*unit)
	visit = func(u *unit) {
		if state[u] {
			return
		}
		state[u] = true
		needs := make([]*unit, 0, len(u.after))
		for d := range u.after {
			needs = append(needs, d)
		}
		slices.SortFunc(needs, func(a, b *unit) int { return a.nodes[0].ID - b.nodes[0].ID })
		for _, d := range needs {
			visit(d)
		}
		u.place = len(sorted)
		sorted = append(sorted, u)
	}
	for _, u := range pl.units {
		visit(u)
	}
	pl.units = sorted
}
