package cpu

import (
	"slices"
	"sort"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

// The update of a table by few of its rows reads them, computes, and puts them
// back: a Lookup at unique rows, a group of element-wise nodes, a Put at the same
// rows. mergeRows makes one unit of the three where it can, so that each row is
// read from memory once, and no copy of the rows exists but a chunk of them in the
// first-level cache.
func (pl *plan) mergeRows() {
	for _, u := range slices.Clone(pl.units) {
		if !u.fused {
			continue
		}
		var before, after []*unit
		for _, o := range pl.units {
			switch {
			case o == u || o.fused:
			case pl.gathersFor(o, u):
				u.rows = o.nodes[0].In[1]
				before = append(before, o)
			}
		}
		for _, o := range pl.units {
			if o != u && !o.fused && u.rows != nil && pl.putsFrom(o, u) {
				after = append(after, o)
			}
		}
		for _, o := range before {
			pl.merge(o, u, func(n *graph.Node) { u.nodes = slices.Insert(u.nodes, 0, n) })
		}
		for _, o := range after {
			pl.merge(o, u, func(n *graph.Node) { u.nodes = append(u.nodes, n) })
		}
	}
}

// gathersFor reports whether unit o looks up rows for u alone, each once, and may
// run when u does.
func (pl *plan) gathersFor(o, u *unit) bool {
	n := o.nodes[0]
	if _, ok := n.Op.(graph.Lookup); !ok || !uniqueRows(n.In[1]) || u.rows != nil && u.rows != n.In[1] ||
		!n.Shape().Equal(u.nodes[0].Shape()) || pl.kept[n.ID] || len(pl.users[n.ID]) != 1 || pl.users[n.ID][0] != u {
		return false
	}
	for _, y := range pl.units { // who must run between the two
		if y != u && y.after[o] && reaches(u, y, map[*unit]bool{}) {
			return false
		}
	}
	return true
}

// putsFrom reports whether unit o puts what u computes into rows of a variable,
// in place, and may run when u does.
func (pl *plan) putsFrom(o, u *unit) bool {
	n := o.nodes[0]
	if _, ok := n.Op.(graph.Put); !ok || n.In[1] != u.rows || pl.unitOf[n.In[2].ID] != u {
		return false
	}
	for v, m := range pl.inPlace {
		if m != n {
			continue
		}
		if r, ok := n.In[0].Op.(*graph.Read); !ok || r.Variable != v {
			return false
		}
		for d := range o.after {
			if d != u && reaches(d, u, map[*unit]bool{}) {
				return false
			}
		}
		return true
	}
	return false
}

// uniqueRows reports whether a node has distinct indices, filled up with −1.
func uniqueRows(n *graph.Node) bool {
	_, ok := n.Op.(graph.Unique)
	return ok
}

// merge makes the node of unit o one of u.
func (pl *plan) merge(o, u *unit, add func(*graph.Node)) {
	n := o.nodes[0]
	add(n)
	pl.unitOf[n.ID] = u
	for d := range o.after {
		if d != u {
			u.after[d] = true
		}
	}
	delete(u.after, o)
	pl.units = slices.DeleteFunc(pl.units, func(x *unit) bool { return x == o })
	for _, x := range pl.units {
		if x.after[o] {
			delete(x.after, o)
			if x != u {
				x.after[u] = true
			}
		}
	}
	for _, x := range n.In {
		r := pl.root[x.ID].ID
		pl.users[r] = slices.DeleteFunc(pl.users[r], func(x *unit) bool { return x == o })
		if !slices.Contains(pl.users[r], u) {
			pl.users[r] = append(pl.users[r], u)
		}
	}
}

// A rowMove is between a chunk of a unit and rows of a table.
type rowMove struct {
	table *graph.Node
	put   bool
}

// rowsOf are the rows of a unit that works on some of a table's.
type rowsOf struct {
	idx   *graph.Node
	width graph.Size
	// alone: nothing is stored but rows, so that places without one need no
	// computing.
	alone bool
}

// alone reports whether a unit stores nothing but rows of tables.
func (pl *plan) alone(u *unit) bool {
	return u.rows != nil && !slices.ContainsFunc(u.nodes, func(n *graph.Node) bool {
		_, put := n.Op.(graph.Put)
		return !put && pl.storage[n.ID].place != nowhere
	})
}

// used is how many elements there are before the first row that is none.
func (r *rowsOf) used(in *instance, size int) int {
	if !r.alone {
		return size
	}
	idx := in.ints(r.idx)
	return sort.Search(len(idx), func(i int) bool { return idx[i] < 0 }) * r.width.Of(in.rows)
}

// fetch begins to fetch the rows of the elements lo to hi.
func (f *fusedStep) fetch(in *instance, lo, hi int) {
	if f.rows == nil || lo >= hi {
		return
	}
	idx, width := in.ints(f.rows.idx), f.rows.width.Of(in.rows)
	at := idx[lo/width : (hi-1)/width+1]
	for i := range f.code {
		if m := f.code[i].rows; m != nil && !m.put {
			kernel.FetchRows(in.floats(m.table), at, width, width)
		}
	}
}

// move copies the elements from lo on between x and the rows of the table. The
// rows that are none are zeros, and are put nowhere.
func (m *rowMove) move(in *instance, r *rowsOf, x []float32, lo int) {
	table, idx, width := in.floats(m.table), in.ints(r.idx), r.width.Of(in.rows)
	n := m.table.Shape()[0].N
	at, off := lo/width, lo%width
	for len(x) > 0 {
		part := x[:min(width-off, len(x))]
		switch k := int(idx[at]); {
		case k >= n:
			in.outOfRange(m.table, k, n)
			clear(part)
		case k < 0:
			if !m.put {
				clear(part)
			}
		case m.put:
			copy(table[k*width+off:], part)
		default:
			copy(part, table[k*width+off:])
		}
		x, at, off = x[len(part):], at+1, 0
	}
}
