package model

import (
	"context"
	"fmt"
	"sync"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/train"
)

// A Gradienter is a Predictor that can tell how what it predicts changes along the
// way from one row to another. A live endpoint is none.
type Gradienter interface {
	Predictor
	// Path returns the way between rows for an output, from 0.
	Path(output int) (*Path, error)
}

var _ Gradienter = (*Model)(nil)

// A Path is the straight way from a base to a row, in what the network reads of
// them: numbers, dates, booleans and pixels as they are scaled, the weights of
// n-grams, of any other input what its encoder makes of it (a category's vector).
// It is safe for concurrent use.
type Path struct {
	m      *Model
	output int
	inputs []stretch
	mu     sync.Mutex
	exes   map[int]graph.Executable // by size of sequences
}

// A stretch is how one input goes from base to row.
type stretch struct {
	kind  stretchKind
	specs []feature.Spec
}

// parts is how many numbers of a row have a share of their own, for sequences of up
// to a length.
func (s stretch) parts(length int) int {
	n := 1
	switch s.kind {
	case bagged:
		n = 2 * s.specs[0].At(length).Row[0]
	case straight:
		for _, d := range s.specs[0].Row {
			n *= d
		}
	}
	return n
}

type stretchKind uint8

const (
	straight stretchKind = iota // a tensor of numbers
	bagged                      // places and weights: those of the row and those of the base side by side
	encoded                     // the values of an encoder
)

// stretchOf returns how an input goes.
func stretchOf(f feature.Input) stretch {
	s := stretch{kind: encoded, specs: f.Specs()}
	if t, ok := f.(*feature.Text); ok {
		if _, ok := t.FittedText.(*feature.NGrams); ok {
			s.kind = bagged
		}
	} else if _, ok := f.(feature.Sequence); !ok && len(s.specs) == 1 && s.specs[0].DType == tensor.Float32 {
		s.kind = straight
	}
	return s
}

// Path implements Gradienter.
func (m *Model) Path(output int) (*Path, error) {
	if n := len(m.Outputs()); output < 0 || output >= n {
		return nil, fmt.Errorf("model: output %d of %d", output, n)
	}
	p := &Path{m: m, output: output, exes: map[int]graph.Executable{}}
	for _, in := range m.Inputs {
		p.inputs = append(p.inputs, stretchOf(in.Feature))
	}
	return p, nil
}

// of is what the path explains.
func (p *Path) of() feature.Output { return p.m.Outputs()[p.output].Feature }

// program returns the program for a size of sequences. It takes of each row its share
// of the way and how much each class counts, then for each input its tensors, and
// returns the prediction of each row and its gradient by each input's numbers; of an
// encoder's values, the gradient times how far they go.
func (p *Path) program(size int) (graph.Executable, error) {
	if exe := p.exes[size]; exe != nil {
		return exe, nil
	}
	m, of, length := p.m, p.of(), train.SizeLength(size)
	b := graph.New("gradient")
	share := b.Input("share of the row", tensor.Float32, graph.Rows, graph.N(1))
	class := b.Input("class", tensor.Float32, graph.Rows, graph.N(of.Width()))
	declare := func(name string, s feature.Spec, times int) *graph.Node {
		if s = s.At(length); times > 1 && len(s.Row) > 0 {
			s.Row = []int{s.Row[0] * times}
		}
		dtype, dims := s.Type()
		return b.Input(name, dtype, dims...)
	}
	var rows, bases [][]*graph.Node
	for i, in := range m.Inputs {
		s := p.inputs[i]
		var row, base []*graph.Node
		for k, spec := range s.specs {
			name := fmt.Sprintf("%d %s %d", i, in.Column, k)
			switch s.kind {
			case bagged:
				row = append(row, declare(name, spec, 2))
			case straight:
				row = append(row, declare(name, spec, 1))
			default:
				row, base = append(row, declare(name, spec, 1)), append(base, declare(name+" of the base", spec, 1))
			}
		}
		rows, bases = append(rows, row), append(bases, base)
	}
	// The networks of a bag encode each for itself: what lies between two encodings
	// has a gradient in each.
	var value *graph.Node
	between := make([][]*graph.Node, len(m.Inputs)) // of an input, in each network
	change := make([][]*graph.Node, len(m.Inputs))
	t := m.Task().At(size).(*Task)
	for _, c := range t.networks(&nn.Context{B: b, State: m.State}) {
		var parts []*graph.Node
		for i := range m.Inputs {
			x := t.encode(c, i, rows[i])
			if p.inputs[i].kind == encoded {
				from := t.encode(c, i, bases[i])
				step := graph.Sub(x, from)
				x = graph.Add(from, graph.Mul(share, step))
				between[i], change[i] = append(between[i], x), append(change[i], step)
			}
			parts = append(parts, x)
		}
		y := t.heads(c, t.hidden(c, parts))[p.output]
		if f, ok := of.(*feature.NumberOutput); ok {
			y = f.Unscale(y)
		}
		y = correct(m.calibration(p.output).Map, y, len(of.Classes()))
		if value == nil {
			value = y
		} else {
			value = graph.Add(value, y)
		}
	}
	value = graph.Sum(graph.Mul(graph.Scale(value, 1/float64(max(1, m.Members))), class), 1)
	b.Output("value", value)
	var wrt []*graph.Node
	for i, s := range p.inputs {
		if s.kind == encoded {
			wrt = append(wrt, between[i]...)
		} else {
			wrt = append(wrt, rows[i][s.at()])
		}
	}
	grads := graph.Gradients(graph.Sum(value), wrt)
	if b.Err() == nil {
		for i, s := range p.inputs {
			if s.kind != encoded {
				b.Output("gradient", grads[0].ToDense(wrt[0]))
				grads, wrt = grads[1:], wrt[1:]
				continue
			}
			var sum *graph.Node
			for k := range between[i] {
				one := graph.Sum(graph.Mul(grads[k].ToDense(wrt[k]), change[i][k]), 1)
				if k > 0 {
					one = graph.Add(sum, one)
				}
				sum = one
			}
			b.Output("gradient", sum)
			grads, wrt = grads[len(between[i]):], wrt[len(between[i]):]
		}
	}
	program, err := b.Program()
	if err != nil {
		return nil, err
	}
	p.exes[size], err = cpu.Compile(program)
	return p.exes[size], err
}

// at is which of an input's tensors holds the numbers that go.
func (s stretch) at() int {
	if s.kind == bagged {
		return 1
	}
	return 0
}

// correct is what calibrate.Map.Apply makes of probabilities, as part of a program.
func correct(c *calibrate.Map, y *graph.Node, classes int) *graph.Node {
	if c == nil || y.Builder().Err() != nil {
		return y
	}
	b := y.Builder()
	logs := func(p *graph.Node) *graph.Node { return graph.Log(graph.Max(p, b.Scalar(0x1p-52))) }
	switch {
	case c.Method == calibrate.Temperature && classes == 2:
		return graph.Sigmoid(graph.Scale(graph.Sub(logs(y), logs(graph.OneMinus(y))), 1/c.Temperature))
	case c.Method == calibrate.Temperature:
		return graph.Softmax(graph.Scale(logs(y), 1/c.Temperature))
	}
	low := b.Scalar(1 / float64(c.Rows+2))
	var curves []*graph.Node
	for k, curve := range c.Curves {
		curves = append(curves, graph.Max(height(curve, graph.Slice(y, 1, k, k+1)), low))
	}
	if classes == 2 {
		return graph.Min(curves[0], graph.OneMinus(low))
	}
	y = graph.Concat(1, curves...)
	return graph.Div(y, graph.Reshape(graph.Sum(y, 1), graph.Rows, graph.N(1)))
}

// height is a curve's height at x [rows 1].
func height(c calibrate.Curve, x *graph.Node) *graph.Node {
	b, n := x.Builder(), len(c.X)-1
	base := b.Scalar(c.Y[0])
	if n == 0 {
		return graph.Add(graph.Scale(x, 0), base)
	}
	start, scale, rise := tensor.Zeros(1, n), tensor.Zeros(1, n), tensor.Zeros(1, n)
	for i := range n {
		start.Floats()[i], rise.Floats()[i] = float32(c.X[i]), float32(c.Y[i+1]-c.Y[i])
		scale.Floats()[i] = float32(1 / max(1e-9, c.X[i+1]-c.X[i]))
	}
	share := graph.Mul(graph.Sub(x, b.Constant(start)), b.Constant(scale))
	share = graph.Min(graph.Max(share, b.Scalar(0)), b.Scalar(1))
	return graph.Add(graph.Reshape(graph.Sum(graph.Mul(share, b.Constant(rise)), 1), graph.Rows, graph.N(1)), base)
}

// encode returns the tensors of tables of one row each, all of them with sequences of
// the least size that holds the longest, and that size.
func (p *Path) encode(tables ...*data.Table) (all [][]*tensor.Tensor, size int, err error) {
	var sequences [][]*feature.Sequences // nil where an input has none
	for k, t := range tables {
		if tables[k], err = data.CleanValues(p.m.Clean, t); err != nil {
			return nil, 0, err
		}
		var of []*feature.Sequences
		for _, in := range p.m.Inputs {
			c := tables[k].Column(in.Column)
			if c == nil {
				return nil, 0, fmt.Errorf("the table has no column %q, which the model reads", in.Column)
			}
			f, ok := in.Feature.(feature.Sequence)
			if !ok {
				of = append(of, nil)
				continue
			}
			s, err := f.Sequences(c)
			if err != nil {
				return nil, 0, err
			}
			unit := f.Specs()[0].Unit
			of, size = append(of, s), max(size, train.LengthSize((s.Offsets[1]+unit-1)/unit))
		}
		sequences = append(sequences, of)
	}
	for k, t := range tables {
		var out []*tensor.Tensor
		for i, in := range p.m.Inputs {
			var ts []*tensor.Tensor
			for _, s := range in.Feature.Specs() {
				ts = append(ts, s.At(train.SizeLength(size)).New(1))
			}
			if s := sequences[k][i]; s != nil {
				for v := range s.Values {
					s.Fill(v, 0, ts[v], 0)
				}
				ts[len(ts)-1] = s.Lengths()
			} else if err := in.Feature.Transform(t.Column(in.Column), ts); err != nil {
				return nil, 0, err
			}
			out = append(out, ts...)
		}
		all = append(all, out)
	}
	return all, size, nil
}

// A Walk is what a path says between a base and a row.
type Walk struct {
	// Value is what is predicted at the row's end of the path: the probability of a
	// class, or a number in the target's unit.
	Value, Base float64
	// Values and Slopes are the prediction at each point and its derivative along the
	// way, the sum of derivative × difference over all inputs.
	Values, Slopes []float64
	// Parts holds, for each input, the part that each of its numbers has in Value −
	// Base: the sum of weights × derivative × difference.
	Parts [][]float64
	// Places holds, for each input that is a bag of n-grams, the n-gram that each
	// number stands for, those of the row and then those of the base, −1 for none.
	Places [][]int32
}

// walkRows and walkParts bound the memory of gradients, which hold every value of a
// network for each row, and of n-grams a vector each.
const (
	walkRows  = 16
	walkParts = 1 << 16
)

// Walk adds up the derivatives of the probability of a class (of a number, of the
// value: class is 0) at points of the way from base to row, tables of one row each:
// at[i], from 0 to 1, counts weight[i].
func (p *Path) Walk(ctx context.Context, row, base *data.Table, class int, at, weight []float64) (*Walk, error) {
	tensors, size, err := p.encode(row, base)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	exe, err := p.program(size)
	if err != nil {
		return nil, err
	}
	to, from, length := tensors[0], tensors[1], train.SizeLength(size)
	w := &Walk{
		Values: make([]float64, len(at)), Slopes: make([]float64, len(at)),
		Parts: make([][]float64, len(p.inputs)), Places: make([][]int32, len(p.inputs)),
	}
	out := []*tensor.Tensor{tensor.Zeros(0)}
	var step [][]float64 // how far each number goes
	k, block := 0, walkRows
	for i, s := range p.inputs {
		w.Parts[i], out = make([]float64, s.parts(length)), append(out, tensor.Zeros(0))
		step, block = append(step, s.step(to[k:], from[k:], len(w.Parts[i]))), min(block, max(2, walkParts/len(w.Parts[i])))
		k += len(s.specs)
	}
	// Two classes have one number, the probability of the second.
	width, sign, constant := p.of().Width(), float32(1), 0.0
	if len(p.of().Classes()) == 2 && width == 1 {
		if class == 0 {
			sign, constant = -1, 1
		}
		class = 0
	}
	for lo := -2; lo < len(at); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// First the two ends, which count nothing.
		points := []float64{0, 1}
		if lo >= 0 {
			points = at[lo:min(lo+block, len(at))]
		}
		n := len(points)
		shares, classes := tensor.Zeros(n, 1), tensor.Zeros(n, width)
		for r, a := range points {
			shares.Floats()[r], classes.Floats()[r*width+class] = float32(a), sign
		}
		feeds := []*tensor.Tensor{shares, classes}
		k = 0
		for _, s := range p.inputs {
			feeds = append(feeds, s.feed(to[k:k+len(s.specs)], from[k:k+len(s.specs)], points, length)...)
			k += len(s.specs)
		}
		if err := exe.Run(feeds, out); err != nil {
			return nil, err
		}
		if lo < 0 {
			w.Base, w.Value = constant+float64(out[0].Floats()[0]), constant+float64(out[0].Floats()[1])
			lo = 0
			continue
		}
		for i := range p.inputs {
			g, parts := out[i+1].Floats(), w.Parts[i]
			for r := range n {
				for j := range parts {
					v := float64(float64(g[r*len(parts)+j]) * step[i][j])
					parts[j] += float64(weight[lo+r] * v)
					w.Slopes[lo+r] += v
				}
				w.Values[lo+r] = constant + float64(out[0].Floats()[r])
			}
		}
		lo += n
	}
	k = 0
	for i, s := range p.inputs {
		if s.kind == bagged {
			w.Places[i] = append(append([]int32{}, to[k].Ints()...), from[k].Ints()...)
		}
		k += len(s.specs)
	}
	return w, nil
}

// feed returns the tensors of an input at points of the way.
func (s stretch) feed(to, from []*tensor.Tensor, points []float64, length int) []*tensor.Tensor {
	n, parts := len(points), s.parts(length)
	switch s.kind {
	case straight:
		x, a, b := s.specs[0].New(n), to[0].Floats(), from[0].Floats()
		for r, share := range points {
			dst := x.Floats()[r*parts:][:parts]
			for j := range dst {
				dst[j] = float32(float64(share*float64(a[j])) + float64((1-share)*float64(b[j])))
			}
		}
		return []*tensor.Tensor{x}
	case bagged:
		places, weights, lengths, l := tensor.New(tensor.Int32, n, parts), tensor.Zeros(n, parts), tensor.New(tensor.Int32, n), parts/2
		for r, share := range points {
			copy(places.Ints()[r*parts:], to[0].Ints())
			copy(places.Ints()[r*parts+l:], from[0].Ints())
			lengths.Ints()[r] = int32(parts)
			dst := weights.Floats()[r*parts:]
			for j := range l {
				dst[j] = float32(share * float64(to[1].Floats()[j]))
				dst[l+j] = float32((1 - share) * float64(from[1].Floats()[j]))
			}
		}
		return []*tensor.Tensor{places, weights, lengths}
	}
	var out []*tensor.Tensor
	for k, spec := range s.specs {
		for _, one := range []*tensor.Tensor{to[k], from[k]} {
			t := spec.At(length).New(n)
			for r := range n {
				copy(t.Raw()[r*len(one.Raw()):], one.Raw())
			}
			out = append(out, t)
		}
	}
	return out
}

// step returns how far each number of an input goes; a program counts itself how far
// encodings do.
func (s stretch) step(to, from []*tensor.Tensor, parts int) []float64 {
	out := make([]float64, parts)
	for j := range out {
		switch l := parts / 2; {
		case s.kind == encoded:
			out[j] = 1
		case s.kind == straight:
			out[j] = float64(to[0].Floats()[j]) - float64(from[0].Floats()[j])
		case j < l:
			out[j] = float64(to[1].Floats()[j])
		default:
			out[j] = -float64(from[1].Floats()[j-l])
		}
	}
	return out
}
