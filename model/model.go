package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/train"
)

// An Input is a column and the feature fitted on it.
type Input struct {
	Column  string
	Feature feature.Input
}

// A Model is fitted features, a network and its weights. It is safe for
// concurrent use once trained.
type Model struct {
	Name   string
	Inputs []Input
	Target string // the output's column
	Output feature.Output
	// Others are further columns that the same network predicts, each by a head of
	// its own; none for most models.
	Others  []Output
	Network Network
	Schema  data.Schema // the types of the input columns and the targets
	State   *graph.State
	// Clean are the steps of data.clean, in their order. A model applies those that
	// change values to every table that is not marked as clean; those that choose
	// rows are for whoever measures it.
	Clean []data.Step
	// LossWeights are what the losses of Output and of Others, in this order, count
	// in training; nil: 1 each. They are not saved.
	LossWeights []float64
	// Weight is the column of the weights of rows that the model was trained by, and
	// is measured by; "" for none. It is not an input.
	Weight string
	// Members is the number of networks in State whose predictions are averaged
	// (see [Bag]); 0 is one network by itself.
	Members int
	// Abstain says for outputs of classes, by column, from which confidence on they
	// are told as sure; without an entry nothing is said.
	Abstain map[string]*Abstention
	// Member is the number, from 0, that this network will have in a bag. It is not
	// saved.
	Member int
	// Calibration is what validation rows taught of each output; nil: of none. The maps
	// of probabilities are applied to each member of a bag.
	Calibration []Calibration

	mu   sync.Mutex
	exes map[int]graph.Executable // by size of sequences
}

// Inputs and targets as tensors, for training.

// Encode returns the tensors of all inputs for the rows of a table, in the
// order in which the task declares them.
func (m *Model) Encode(t *data.Table) ([]*tensor.Tensor, error) {
	out, _, err := m.encode(t, nil)
	return out, err
}

// EncodeStreamed is Encode that leaves tensors nil which sources make, in their
// order, when a batch needs them. In training, rows of these are changed at random.
func (m *Model) EncodeStreamed(t *data.Table, training bool) ([]*tensor.Tensor, []train.Source, error) {
	training = training && !m.Network.Plain()
	return m.encode(t, &training)
}

// encode is both: streamed is nil, or whether it is for training.
func (m *Model) encode(t *data.Table, streamed *bool) ([]*tensor.Tensor, []train.Source, error) {
	t, err := data.CleanValues(m.Clean, t)
	if err != nil {
		return nil, nil, err
	}
	var out []*tensor.Tensor
	var sources []train.Source
	for _, in := range m.Inputs {
		c := t.Column(in.Column)
		if c == nil {
			return nil, nil, fmt.Errorf("the table has no column %q, which the model reads", in.Column)
		}
		if f, ok := in.Feature.(feature.Sequence); ok && streamed != nil {
			s, err := f.Sequences(c)
			if err != nil {
				return nil, nil, err
			}
			lengths := s.Lengths()
			for k, v := range s.Values {
				spec := f.Specs()[k]
				out, sources = append(out, nil), append(sources, train.Source{
					DType: spec.DType, Row: spec.Row, Lengths: lengths.Ints(), Unit: spec.Unit, Bytes: v.DType().Size() * v.Len(),
					Fill: func(row int, _ uint64, to *tensor.Tensor, at int) error {
						s.Fill(k, row, to, at)
						return nil
					},
				})
			}
			out = append(out, lengths)
			continue
		}
		if f, ok := in.Feature.(feature.Streamed); ok && streamed != nil {
			fill, err := f.Stream(c, *streamed)
			if err != nil {
				return nil, nil, err
			}
			s := f.Specs()[0]
			out, sources = append(out, nil), append(sources, train.Source{DType: s.DType, Row: s.Row, Fill: fill})
			continue
		}
		var ts []*tensor.Tensor
		for _, s := range in.Feature.Specs() {
			ts = append(ts, s.New(t.Rows))
		}
		if err := in.Feature.Transform(c, ts); err != nil {
			return nil, nil, err
		}
		out = append(out, ts...)
	}
	return out, sources, nil
}

// places bounds the pixels that a block of rows has, since what a network makes of
// each takes many times its memory.
const places = 400_000

// BlockRows is how many rows are best predicted at a time, in memory that does not
// depend on the size of a row.
func (m *Model) BlockRows() int {
	rows := blockRows
	for _, in := range m.Inputs {
		for _, s := range in.Feature.Specs() {
			if len(s.Row) == 3 {
				rows = min(rows, max(8, places/(s.Row[0]*s.Row[1])))
			}
		}
	}
	return rows
}

// Targets returns the tensor of targets and the targets as metrics take them.
func (m *Model) Targets(t *data.Table) (*tensor.Tensor, []float64, error) {
	c, err := m.target(t, m.Target)
	if err != nil {
		return nil, nil, err
	}
	out := m.Output.Spec().New(t.Rows)
	values, err := m.Output.Targets(c, out)
	return out, values, err
}

// target returns a column of targets, cleaned.
func (m *Model) target(t *data.Table, name string) (*data.Column, error) {
	c := t.Column(name)
	if c == nil {
		return nil, fmt.Errorf("the table has no column %q, the target", name)
	}
	cleaned, err := data.CleanValues(m.Clean, &data.Table{Columns: []*data.Column{c}, Rows: t.Rows, Cleaned: t.Cleaned})
	if err != nil {
		return nil, err
	}
	return cleaned.Columns[0], nil
}

// Task returns what package train trains: the model's network on its inputs,
// sequences as long as they can be.
func (m *Model) Task() *Task { return &Task{m, math.MaxInt32} }

// Task implements train.Sized for a model.
type Task struct {
	m      *Model
	length int // of sequences, or the most that they can be if that is less
}

var _ train.Sized = (*Task)(nil)

// At implements train.Sized.
func (t *Task) At(size int) train.Task { return &Task{t.m, train.SizeLength(size)} }

// Inputs implements train.Task.
func (t *Task) Inputs(b *graph.Builder) []*graph.Node {
	var nodes []*graph.Node
	for k, in := range t.m.Inputs {
		for i, s := range in.Feature.Specs() {
			name := t.m.inputName(k)
			if i > 0 {
				name = fmt.Sprintf("%s#%d", name, i)
			}
			dtype, dims := s.At(t.length).Type()
			nodes = append(nodes, b.Input(name, dtype, dims...))
		}
	}
	return nodes
}

// inputName names an input within the network: by its column, and where that is
// read in several ways by which of them it is.
func (m *Model) inputName(i int) string {
	name, n := m.Inputs[i].Column, 1
	for _, in := range m.Inputs[:i] {
		if in.Column == name {
			n++
		}
	}
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s/%d", name, n)
}

// Targets implements train.Task.
func (t *Task) Targets(b *graph.Builder) []*graph.Node {
	var nodes []*graph.Node
	for _, o := range t.m.Outputs() {
		dtype, dims := o.Feature.Spec().Type()
		nodes = append(nodes, b.Input("target "+o.Column, dtype, dims...))
		if len(t.m.Others) > 0 {
			nodes = append(nodes, b.Input("known "+o.Column, tensor.Float32, graph.Rows))
		}
	}
	return nodes
}

// Forward implements train.Task. It returns the predictions of each output, for
// each member in turn.
func (t *Task) Forward(c *nn.Context, nodes []*graph.Node) []*graph.Node {
	var predictions []*graph.Node
	for _, one := range t.networks(c) {
		predictions = append(predictions, t.forward(one, nodes)...)
	}
	return predictions
}

// networks returns the context of each member, or of the one network.
func (t *Task) networks(c *nn.Context) []*nn.Context {
	if t.m.Members == 0 {
		c.Member = t.m.Member
		return []*nn.Context{c}
	}
	var all []*nn.Context
	for i := range t.m.Members {
		one := c.Sub(member(i))
		one.Member = i
		all = append(all, one)
	}
	return all
}

// forward is one network.
func (t *Task) forward(c *nn.Context, nodes []*graph.Node) []*graph.Node {
	return t.heads(c, t.hidden(c, t.encoded(c, nodes)))
}

// encoded is what one network makes of each input.
func (t *Task) encoded(c *nn.Context, nodes []*graph.Node) []*graph.Node {
	var all []*graph.Node
	for i := range t.m.Inputs {
		k := len(t.m.Inputs[i].Feature.Specs())
		all = append(all, t.encode(c, i, nodes[:k]))
		nodes = nodes[k:]
	}
	return all
}

// encode is what one network makes of input i.
func (t *Task) encode(c *nn.Context, i int, nodes []*graph.Node) *graph.Node {
	return t.m.Inputs[i].Feature.Encode(c.Sub("input/"+t.m.inputName(i)), nodes, t.m.Network.Plain())
}

// hidden is what one network hands to the heads.
func (t *Task) hidden(c *nn.Context, encoded []*graph.Node) *graph.Node {
	if len(encoded) == 0 {
		encoded = append(encoded, c.B.Fail("model", fmt.Errorf("no inputs")))
	}
	return t.m.Network.Build(c.Sub("network"), graph.Concat(-1, encoded...))
}

// heads are what a network predicts, a node for each output.
func (t *Task) heads(c *nn.Context, hidden *graph.Node) []*graph.Node {
	var predictions []*graph.Node
	for _, o := range t.m.Outputs() {
		predictions = append(predictions, o.Feature.Head(c.Sub("output/"+o.Column), hidden))
	}
	return predictions
}

// Loss implements train.Task: with several outputs the weighted sum of the losses
// of those whose target the row has.
func (t *Task) Loss(_ *nn.Context, outputs, targets []*graph.Node) *graph.Node {
	if len(t.m.Others) == 0 {
		return t.m.Output.Loss(outputs[0], targets[0])
	}
	var sum *graph.Node
	for i, o := range t.m.Outputs() {
		l := graph.Mul(o.Feature.Loss(outputs[i], targets[2*i]), targets[2*i+1])
		if w := t.m.lossWeight(i); w != 1 {
			l = graph.Scale(l, w)
		}
		if sum == nil {
			sum = l
		} else {
			sum = graph.Add(sum, l)
		}
	}
	return sum
}

// A Predictor predicts the rows of a table.
type Predictor interface {
	Predict(ctx context.Context, t *data.Table) (*Predictions, error)
}

var _ Predictor = (*Model)(nil)

// blockRows bounds the memory of a prediction: longer tables are predicted
// block by block, to the same bits.
const blockRows = 2048

// Compile builds a prediction program. Predict builds those that it needs and has
// not got: models of sequences have one for each size.
func (m *Model) Compile() error {
	_, err := m.program(0)
	return err
}

// program returns the prediction program for a size of sequences.
func (m *Model) program(size int) (graph.Executable, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if exe := m.exes[size]; exe != nil {
		return exe, nil
	}
	b := graph.New("predict")
	t := m.Task().At(size).(*Task)
	c := &nn.Context{B: b, State: m.State}
	for _, prediction := range t.Forward(c, t.Inputs(b)) {
		b.Output("prediction", prediction)
	}
	p, err := b.Program()
	if err != nil {
		return nil, err
	}
	exe, err := cpu.Compile(p)
	if err != nil {
		return nil, err
	}
	if m.exes == nil {
		m.exes = map[int]graph.Executable{}
	}
	m.exes[size] = exe
	return exe, nil
}

// sequences reports whether an input's rows differ in length.
func (m *Model) sequences() bool {
	return slices.ContainsFunc(m.Inputs, func(in Input) bool {
		_, ok := in.Feature.(feature.Sequence)
		return ok
	})
}

// Predict implements Predictor. A row's prediction is the same in any table.
func (m *Model) Predict(ctx context.Context, t *data.Table) (*Predictions, error) {
	all, err := m.PredictAll(ctx, t)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// PredictAll implements MultiPredictor.
func (m *Model) PredictAll(ctx context.Context, t *data.Table) ([]*Predictions, error) {
	if err := m.Compile(); err != nil {
		return nil, err
	}
	all := m.noPredictions()
	var place []int // of each row among the predictions
	err := m.batches(ctx, t, func(size int, feeds []*tensor.Tensor, rows []int) error {
		for n, row := range rows {
			if place == nil && row != all[0].Rows()+n {
				place = make([]int, t.Rows)
				for i := range all[0].Rows() + n {
					place[i] = i
				}
			}
			if place != nil {
				place[row] = all[0].Rows() + n
			}
		}
		return m.run(size, feeds, all)
	})
	if err != nil {
		return nil, err
	}
	for i, o := range m.Outputs() {
		if place != nil {
			all[i] = all[i].Select(place)
		}
		if err := finite(o.Feature, all[i]); err != nil {
			return nil, err
		}
		if a := m.Abstain[o.Column]; a != nil {
			all[i].Sure = a.Sure(all[i])
		}
	}
	return all, nil
}

// batches encodes the rows of a table, block by block, and hands them on with their
// numbers: rows that are sequences with those of the same size, so that each goes
// through the program of its own whatever is beside it.
func (m *Model) batches(ctx context.Context, t *data.Table, do func(size int, feeds []*tensor.Tensor, rows []int) error) error {
	blockRows := m.BlockRows()
	for lo := 0; lo < t.Rows; lo += blockRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := t
		if t.Rows > blockRows {
			block = t.Slice(lo, min(lo+blockRows, t.Rows))
		}
		err := m.block(block, func(size int, feeds []*tensor.Tensor, rows []int) error {
			for i := range rows {
				rows[i] += lo
			}
			return do(size, feeds, rows)
		})
		if err != nil {
			var bad *feature.ImageError
			if errors.As(err, &bad) {
				bad.Row += lo
			}
			return err
		}
	}
	return nil
}

// block is batches of a table that is one block.
func (m *Model) block(t *data.Table, do func(size int, feeds []*tensor.Tensor, rows []int) error) error {
	if !m.sequences() {
		feeds, err := m.Encode(t)
		if err != nil {
			return err
		}
		rows := make([]int, t.Rows)
		for i := range rows {
			rows[i] = i
		}
		return do(0, feeds, rows)
	}
	x, sources, err := m.EncodeStreamed(t, false)
	if err != nil {
		return err
	}
	stream, err := train.NewStream(x, sources, nil, 0, false, 0)
	if err != nil {
		return err
	}
	defer stream.Close()
	var b train.Batch
	for {
		err := stream.Next(&b)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = do(b.Size, b.Tensors, slices.Clone(b.At))
		}
		if err != nil {
			return err
		}
	}
}

// noPredictions returns those of no rows, for each output.
func (m *Model) noPredictions() []*Predictions {
	var all []*Predictions
	for _, o := range m.Outputs() {
		all = append(all, &Predictions{Kind: o.Feature.Kind(), Classes: o.Feature.Classes()})
	}
	return all
}

// run appends the predictions of a batch to those of each output.
func (m *Model) run(size int, feeds []*tensor.Tensor, all []*Predictions) error {
	exe, err := m.program(size)
	if err != nil {
		return err
	}
	outputs := m.Outputs()
	var out []*tensor.Tensor
	for range max(1, m.Members) * len(outputs) {
		out = append(out, tensor.Zeros(0))
	}
	if err := exe.Run(feeds, out); err != nil {
		return err
	}
	for i, o := range outputs {
		var members []*tensor.Tensor
		for k := i; k < len(out); k += len(outputs) {
			members = append(members, out[k])
		}
		all[i].Append(decodeMean(o.Feature, members, m.calibration(i).Map))
	}
	return nil
}

// A RowError says that a row cannot be predicted.
type RowError struct {
	Row     int // from 1
	Problem string
}

func (e *RowError) Error() string { return fmt.Sprintf("row %d: %s", e.Row, e.Problem) }

// UserError marks the error as the user's to mend.
func (e *RowError) UserError() bool { return true }

// finite refuses predictions that are no numbers, which inputs far beyond
// those of training can lead to.
func finite(o feature.Output, p *Predictions) error {
	for values, width := range map[*[]float64]int{&p.Prob: max(1, o.Width()), &p.Value: 1} {
		for i, v := range *values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return &RowError{i/width + 1, "the prediction is no finite number: a value of the row is far beyond those the model was trained on"}
			}
		}
	}
	return nil
}

// Decode turns the network's predictions of Output, as train hands them out,
// into Predictions.
func (m *Model) Decode(pred []float32) *Predictions {
	prob, value := m.Output.Decode(pred)
	return Decide(m.Output, prob, value)
}

// Decide makes predictions of what an output decodes: it chooses the class of each row.
func Decide(o feature.Output, prob, value []float64) *Predictions {
	p := &Predictions{Kind: o.Kind(), Classes: o.Classes(), Prob: prob, Value: value}
	switch p.Kind {
	case metric.Binary:
		threshold := 0.5
		if b, ok := o.(*feature.Binary); ok {
			threshold = b.Threshold
		}
		p.Class = make([]int, len(p.Prob))
		for i, v := range p.Prob {
			if v >= threshold {
				p.Class[i] = 1
			}
		}
	case metric.Multilabel:
		thresholds := make([]float64, len(p.Classes))
		for i := range thresholds {
			thresholds[i] = 0.5
		}
		if s, ok := o.(*feature.Set); ok {
			thresholds, p.Delimiter = s.Thresholds, s.Delimiter
		}
		p.Decide(thresholds)
	case metric.Multiclass:
		k := len(p.Classes)
		p.Class = make([]int, len(p.Prob)/k)
		for i := range p.Class {
			row := p.Prob[i*k : (i+1)*k]
			for j, v := range row {
				if v > row[p.Class[i]] {
					p.Class[i] = j
				}
			}
		}
	}
	return p
}

// Decide chooses the labels of sets: those whose probability reaches their
// threshold.
func (p *Predictions) Decide(thresholds []float64) {
	p.Class = make([]int, len(p.Prob))
	for i, v := range p.Prob {
		if v >= thresholds[i%len(thresholds)] {
			p.Class[i] = 1
		}
	}
}

// Parameters returns the number of trained numbers.
func (m *Model) Parameters() int {
	n := 0
	for _, v := range m.State.Trainable() {
		n += v.Value.Len()
	}
	return n
}

// InputSchema returns the fields that a row to predict must have.
func (m *Model) InputSchema() data.Schema {
	var s data.Schema
	for _, in := range m.Inputs {
		if f := m.Schema.Field(in.Column); f != nil && s.Field(in.Column) == nil {
			s = append(s, *f)
		}
	}
	return s
}

// With returns an untrained model on the same inputs, and with the same Others,
// with another output and network.
func (m *Model) With(output feature.Output, network Network) *Model {
	return &Model{Name: m.Name, Inputs: m.Inputs, Target: m.Target, Output: output, Others: m.Others, LossWeights: m.LossWeights, Network: network, Schema: m.Schema, Clean: m.Clean, Weight: m.Weight, Member: m.Member, State: graph.NewState()}
}

// Describe builds the prediction program over a blank state of its own and
// returns it with that state: what the network is made of, before it is
// trained.
func (m *Model) Describe() (*graph.Program, *graph.State, error) {
	b, s := graph.New("predict"), graph.NewState()
	t, c := m.Task(), &nn.Context{B: b, State: s}
	c.Blank()
	for _, prediction := range t.Forward(c, t.Inputs(b)) {
		b.Output("prediction", prediction)
	}
	p, err := b.Program()
	return p, s, err
}

// ClassProbability returns the probability of a class for a row.
func (p *Predictions) ClassProbability(row, class int) float64 {
	switch {
	case p.Kind != metric.Binary:
		return p.Prob[row*len(p.Classes)+class]
	case class == 1:
		return p.Prob[row]
	}
	return 1 - p.Prob[row]
}
