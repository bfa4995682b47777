package cpu

import (
	"math/bits"
	"slices"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

func init() {
	register(func(_ graph.Bag, n *graph.Node) (step, error) {
		s := &bagStep{table: n.In[0], idx: n.In[1], y: n, width: n.In[0].Shape()[1:].Size(), k: lastDim(n.In[1])}
		if len(n.In) > 2 {
			s.weights = n.In[2]
		}
		return s, nil
	})
	register(func(_ graph.Filled, n *graph.Node) (step, error) {
		return &filledStep{n.In[0], n, lastDim(n.In[0])}, nil
	})
	register(func(_ graph.Unique, n *graph.Node) (step, error) { return &uniqueStep{n.In[0], n}, nil })
	register(func(_ graph.Collect, n *graph.Node) (step, error) {
		s := &collectStep{unique: n.In[0], idx: n.In[1], values: n.In[2], y: n, width: n.Shape()[1:].Size()}
		if len(n.In) > 3 {
			s.weights = n.In[3]
		}
		return s, nil
	})
}

// bagStep sums the rows of a table by bags.
type bagStep struct {
	table, idx, weights, y *graph.Node
	width                  graph.Size // of a row
	k                      int        // indices of a bag
}

func (s *bagStep) perTask(rows int) int {
	return max(1, taskWork/max(1, s.k*s.width.Of(rows)))
}

func (s *bagStep) bags(rows int) int {
	idx := s.idx.Shape()
	return idx[:len(idx)-1].Size().Of(rows)
}

func (s *bagStep) tasks(rows int) int { return chunks(s.bags(rows), s.perTask(rows)) }

func (s *bagStep) run(in *instance, task int, _ *worker) {
	table, idx, y, n := in.floats(s.table), in.ints(s.idx), in.floats(s.y), s.table.Shape()[0].N
	width := s.width.Of(in.rows)
	lo, hi := chunk(s.bags(in.rows), s.perTask(in.rows), task)
	kernel.FetchRows(table, idx[lo*s.k:min(lo+1, hi)*s.k], width, width)
	for i := lo; i < hi; i++ {
		kernel.FetchRows(table, filled(idx[(i+1)*s.k:min(i+2, max(hi, i+1))*s.k]), width, width)
		dst, at := y[i*width:(i+1)*width], filled(idx[i*s.k:(i+1)*s.k])
		for _, v := range at {
			if v < -1 || int(v) >= n {
				in.outOfRange(s.y, int(v), n)
				return
			}
		}
		var scale []float32
		if s.weights != nil {
			scale = in.floats(s.weights)[i*s.k:][:len(at)]
		}
		kernel.SumAt(dst, table, at, scale, width)
	}
}

// filled is a bag without what is none at its end.
func filled(at []int32) []int32 {
	for len(at) > 0 && at[len(at)-1] == -1 {
		at = at[:len(at)-1]
	}
	return at
}

type filledStep struct {
	idx, y *graph.Node
	k      int
}

func (s *filledStep) tasks(int) int { return 1 }

func (s *filledStep) run(in *instance, _ int, _ *worker) {
	idx := in.ints(s.idx)
	for i := range in.floats(s.y) {
		n := 0
		for _, v := range idx[i*s.k : (i+1)*s.k] {
			if v >= 0 {
				n++
			}
		}
		in.floats(s.y)[i] = float32(n)
	}
}

// digit is how many bits of an index inOrder sorts by at a time.
const digit = 11

// inOrder returns the places of the indices that are not negative, sorted by
// index, those of equal ones in ascending order: a radix sort from the lowest
// digit. It works in two slices as long as idx and one of 1<<digit; the result is
// one of the two.
func inOrder(idx, places, other, count []int32) []int32 {
	n, most := 0, int32(0)
	for i, v := range idx {
		if v >= 0 {
			places[n] = int32(i)
			n++
			most = max(most, v)
		}
	}
	places, other = places[:n], other[:n]
	for shift := 0; shift < bits.Len32(uint32(most)); shift += digit {
		clear(count)
		for _, p := range places {
			count[idx[p]>>shift&(1<<digit-1)]++
		}
		sum := int32(0)
		for i, c := range count {
			count[i] = sum
			sum += c
		}
		for _, p := range places {
			d := idx[p] >> shift & (1<<digit - 1)
			other[count[d]] = p
			count[d]++
		}
		places, other = other, places
	}
	return places
}

// ordered is inOrder in a worker's memory.
func (w *worker) ordered(idx []int32) []int32 {
	n := len(idx)
	s := tensor.Ints(w.floats(2*n + 1<<digit))
	return inOrder(idx, s[:n], s[n:2*n], s[2*n:])
}

type uniqueStep struct{ idx, y *graph.Node }

func (s *uniqueStep) tasks(int) int { return 1 }

func (s *uniqueStep) run(in *instance, _ int, w *worker) {
	y, idx := in.ints(s.y), in.ints(s.idx)
	places := w.ordered(idx)
	in.sorted[s.y.ID] = append(in.sorted[s.y.ID][:0], places...)
	n := 0
	for _, p := range places {
		if n == 0 || y[n-1] != idx[p] {
			y[n] = idx[p]
			n++
		}
	}
	for i := n; i < len(y); i++ {
		y[i] = -1
	}
}

// collectStep sums rows of values by their index, for each of the unique ones.
type collectStep struct {
	unique, idx, values, weights, y *graph.Node
	width                           graph.Size
	// dropped: who reads the sums looks at no place without an index, so that these
	// need none.
	dropped bool
}

// planned implements planned.
func (s *collectStep) planned(pl *plan) {
	r := pl.root[s.y.ID].ID
	s.dropped = !pl.kept[r] && !slices.ContainsFunc(pl.users[r], func(u *unit) bool {
		return u.rows != s.unique || !pl.alone(u)
	})
}

// perTask is how many unique indices make a task; few have many rows.
func (s *collectStep) perTask(rows int) int { return max(1, taskWork/4/max(1, s.width.Of(rows))) }

func (s *collectStep) tasks(rows int) int {
	return chunks(s.unique.Shape()[0].Of(rows), s.perTask(rows))
}

// before implements preparing.
func (s *collectStep) before() step { return groupStep{s} }

func (s *collectStep) run(in *instance, task int, _ *worker) {
	g := groupsIn(in, s)
	values, y := in.floats(s.values), in.floats(s.y)
	width := s.width.Of(in.rows)
	lo, hi := chunk(len(g.from), s.perTask(in.rows), task)
	for i := lo; i < hi; i++ {
		from, to := g.from[i], g.to[i]
		if s.dropped && from == to {
			return // those that follow have none either
		}
		var scale []float32
		if s.weights != nil {
			scale = g.scale[from:to]
		}
		kernel.SumAt(y[i*width:(i+1)*width], values, g.rows[from:to], scale, width)
	}
}

// groups says which rows of values have which unique index: for number i those
// of rows[from[i]:to[i]], with factors in scale if there are weights.
type groups struct {
	rows, from, to []int32
	scale          []float32
}

func groupsIn(in *instance, s *collectStep) groups {
	n, m := s.idx.Shape()[0].Of(in.rows), s.unique.Shape()[0].Of(in.rows)
	words := tensor.Ints(in.common)
	g := groups{rows: words[:n], from: words[n : n+m], to: words[n+m : n+2*m]}
	if s.weights != nil {
		g.scale = in.common[n+2*m : 2*n+2*m]
	}
	return g
}

// A groupStep fills the groups of a collectStep.
type groupStep struct{ of *collectStep }

func (s groupStep) tasks(int) int { return 1 }

func (s groupStep) commonFloats(rows int) int {
	return 2*(s.of.idx.Shape()[0].Of(rows)+s.of.unique.Shape()[0].Of(rows)) + 1
}

func (s groupStep) run(in *instance, _ int, w *worker) {
	g := groupsIn(in, s.of)
	idx, unique := in.ints(s.of.idx), in.ints(s.of.unique)
	k := 1 // indices of a row of values
	if v := s.of.values.Shape()[0].Of(in.rows); v > 0 {
		k = len(idx) / v
	}
	places := in.sorted[s.of.unique.ID]
	if _, ok := s.of.unique.Op.(graph.Unique); !ok || s.of.unique.In[0] != s.of.idx {
		places = w.ordered(idx)
	}
	at := int32(0)
	for i, u := range unique {
		for u >= 0 && int(at) < len(places) && idx[places[at]] < u {
			at++
		}
		g.from[i] = at
		for int(at) < len(places) && idx[places[at]] == u {
			p := places[at]
			g.rows[at] = p / int32(k)
			if s.of.weights != nil {
				g.scale[at] = in.floats(s.of.weights)[p]
			}
			at++
		}
		g.to[i] = at
	}
}
