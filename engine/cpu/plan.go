package cpu

import (
	"fmt"
	"slices"

	"github.com/hone-ml/hone/engine/graph"
)

// maxPower is the highest power of the number of rows in a value's size: a
// matrix of rows by rows has two.
const maxPower = 2

// Where a value lives.
type place uint8

const (
	nowhere    place = iota // in registers of a fused unit only
	inArena                 // offset is a factor of rows^power
	inFeed                  // offset is the feed's index
	inVariable              // in the variable's own tensor
	inConstant
)

// line is how many words a line of the cache has. Values start at one, as
// vectors that straddle two lines cost twice.
const line = 16

// storage says where a node's value lives.
type storage struct {
	place  place
	power  int
	offset int
	size   graph.Size
	words  []float32 // of a constant
	v      *graph.Variable
}

// placeValues gives every node its storage. Values in the arena whose
// lifetimes do not overlap share memory: the largest is placed first, each at
// the lowest offset that is free while it lives.
func (pl *plan) placeValues() error {
	p := pl.program
	pl.storage = make([]storage, len(pl.root))
	type span struct {
		node      *graph.Node
		from, to  int
		size, off int
	}
	var spans [maxPower + 1][]*span
	for i, in := range p.Inputs {
		if in.ID < len(pl.storage) { // else it is after all nodes that are needed
			pl.storage[in.ID] = storage{place: inFeed, offset: i, size: in.Shape().Size()}
		}
	}
	spanOf := map[int]*span{}
	owner := map[*graph.Node]*graph.Variable{}
	for v, n := range pl.inPlace {
		owner[n] = v
	}
	for _, n := range p.Nodes {
		s := &pl.storage[n.ID]
		s.size = n.Shape().Size()
		if s.size.Power > maxPower {
			return fmt.Errorf("cpu: %s: %s is %v, which grows with more than the square of the rows", p.Name, n.Op.Name(), n.Type)
		}
		switch op := n.Op.(type) {
		case *graph.Input:
			continue
		case *graph.Const:
			s.place, s.words = inConstant, op.Value.Raw()
			continue
		case *graph.Read:
			s.place, s.v = inVariable, op.Variable
			continue
		}
		if pl.root[n.ID] != n || pl.spread[n] {
			continue // filled in below, or never there
		}
		if v := owner[n]; v != nil {
			s.place, s.v = inVariable, v
			continue
		}
		u := pl.unitOf[n.ID]
		to := u.place
		outside := pl.kept[n.ID]
		for _, user := range pl.users[n.ID] {
			to = max(to, user.place)
			outside = outside || user != u
		}
		if (u.fused || u.tail != nil) && !outside {
			if u.tail != nil && u.tail.keeps(n) {
				u.held = append(u.held, n)
			}
			continue // nowhere: it never leaves the unit
		}
		if pl.kept[n.ID] {
			to = len(pl.units)
		}
		s.place, s.power = inArena, s.size.Power
		if x := pl.overwritten(n); x != nil && spanOf[x.ID] != nil && owner[x] == nil {
			o := spanOf[x.ID]
			pl.over[n.ID] = o.node
			o.to = max(o.to, to)
			spanOf[n.ID] = o
			continue
		}
		spanOf[n.ID] = &span{node: n, from: u.place, to: to, size: (s.size.Factor + line - 1) / line * line}
		spans[s.power] = append(spans[s.power], spanOf[n.ID])
	}
	for power, list := range spans {
		slices.SortStableFunc(list, func(a, b *span) int { return b.size - a.size })
		for i, s := range list {
			// Offsets taken by values that live at the same time.
			var taken []*span
			for _, o := range list[:i] {
				if o.from <= s.to && s.from <= o.to {
					taken = append(taken, o)
				}
			}
			slices.SortFunc(taken, func(a, b *span) int { return a.off - b.off })
			for _, o := range taken {
				if s.off+s.size <= o.off {
					break
				}
				s.off = max(s.off, o.off+o.size)
			}
			pl.storage[s.node.ID].offset = s.off
			pl.arena[power] = max(pl.arena[power], s.off+s.size)
		}
	}
	for id, x := range pl.over {
		pl.storage[id].offset = pl.storage[x.ID].offset
	}
	for _, n := range p.Nodes {
		if r := pl.root[n.ID]; r != n {
			pl.storage[n.ID] = pl.storage[r.ID]
		}
	}
	return nil
}

// overwritten returns the value in whose place n's may be computed, as nobody
// reads it afterwards, or nil. The gradient of a cross-entropy goes row by row
// over logits of its shape, which of a language model are most of the memory.
func (pl *plan) overwritten(n *graph.Node) *graph.Node {
	if _, ok := n.Op.(graph.CrossEntropyGrad); !ok {
		return nil
	}
	x := pl.root[n.In[0].ID]
	if isLeaf(x) || pl.kept[x.ID] || pl.root[n.In[2].ID] == x {
		return nil
	}
	for _, user := range pl.users[x.ID] {
		if user.place > pl.unitOf[n.ID].place {
			return nil
		}
	}
	return x
}
