package optim

import (
	"math"
	"strings"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

const (
	averages       = "average/"
	averageUpdates = "average_updates"
	// averageWarmUp sets how much of the past the average spans while its share
	// still rises: about one update in so many.
	averageWarmUp = 9
)

// follow returns what lets a parameter's average follow its new value:
//
//	a ← s·a + (1−s)·p    with s = min(o.Average, t/(t+9)) in update t from 0
//
// As long as the share rises this is polynomial-decay averaging (Shamir and
// Zhang 2013, section 4): the average spans about the last tenth of the updates,
// however many these are. Afterwards it is an exponential moving average.
// Rows of a table that an update does not touch keep their average, and t is the
// number of updates of the row: what is seldom touched would else stay near the
// value it began with.
func (o Options) follow(s *Step) func(p Param, value *graph.Node) {
	if o.Average == 0 {
		return func(Param, *graph.Node) {}
	}
	v := s.variable(averageUpdates, tensor.Scalar(0))
	if s.B.Err() != nil {
		return func(Param, *graph.Node) {}
	}
	share := func(t *graph.Node) *graph.Node {
		return graph.Min(s.B.Scalar(o.Average), graph.Div(t, graph.AddScalar(t, averageWarmUp)))
	}
	t := s.B.Read(v)
	s.B.Write(v, graph.AddScalar(t, 1))
	all := share(t)
	return func(p Param, value *graph.Node) {
		kept := all
		if p.rows != nil {
			kept = share(p.touches())
		}
		a, set := p.slot(averages+p.Variable.Name, p.Variable.Value.Clone())
		set(graph.Add(value, graph.Mul(graph.Sub(a, value), kept)))
	}
}

// touches counts the updates of the rows of a table: those before this one of the
// rows that it touches, [m 1 …].
func (p Param) touches() *graph.Node {
	b, n := p.step.B, p.Variable.Value.Shape()
	v := p.step.variable(averageUpdates+"/"+p.Variable.Name, tensor.Zeros(n[0]))
	if b.Err() != nil {
		return p.Value
	}
	t := graph.Gather(b.Read(v), p.rows)
	b.Write(v, graph.ScatterSet(b.Read(v), p.rows, graph.AddScalar(t, 1)))
	shape := append(graph.Shape(nil), t.Shape()...)
	for range len(n) - 1 {
		shape = append(shape, graph.N(1))
	}
	return graph.Reshape(t, shape...)
}

// AverageStatistics lets the averages of running statistics, such as those of batch
// normalisation, follow what the program writes into them so far: those of averaged
// weights are of activations that the weights of one moment do not give. Share is of
// an update, of which a batch is one of so many.
func AverageStatistics(b *graph.Builder, s *graph.State, share float64, batches int) {
	var moved []graph.Write
	for _, w := range b.Writes() {
		if !w.Variable.Trainable && !strings.HasPrefix(w.Variable.Name, Prefix) && w.Variable.Value.DType() == tensor.Float32 {
			moved = append(moved, w)
		}
	}
	if share == 0 || len(moved) == 0 {
		return
	}
	step := &Step{B: b, State: s}
	count := step.variable(averages+"batches", tensor.Scalar(0))
	if b.Err() != nil {
		return
	}
	t := b.Read(count)
	b.Write(count, graph.AddScalar(t, 1))
	n := float64(batches)
	kept := graph.Min(b.Scalar(math.Pow(share, 1/n)), graph.Div(t, graph.AddScalar(t, averageWarmUp*n)))
	for _, w := range moved {
		v := step.variable(averages+w.Variable.Name, w.Variable.Value.Clone())
		if b.Err() != nil {
			return
		}
		a := b.Read(v)
		b.Write(v, graph.Add(w.Node, graph.Mul(graph.Sub(a, w.Node), kept)))
	}
}

// SwapAverages exchanges the values of the network's variables with their averages,
// so that whatever runs next sees those; a second call puts them back. Variables
// without an average keep their values. No program may run meanwhile.
func SwapAverages(s *graph.State) {
	for _, v := range ModelVariables(s) {
		if a := s.Lookup(Prefix + averages + v.Name); a != nil {
			v.Value, a.Value = a.Value, v.Value
		}
	}
}
