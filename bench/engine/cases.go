package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

// A Case is one piece of work as every competitor is told it. Which fields count
// depends on Kind. Data and first weights lie in files under Dir as plain
// little-endian numbers, float32 or int32, row after row, so that all have the
// same.
type Case struct {
	Group string `json:"group"` // G, M1, …
	Name  string `json:"name"`
	Kind  string `json:"kind"` // product, train, predict, table or transformer
	Dir   string `json:"dir"`

	// A product C[m n] = op(A)·op(B) with k terms. With TransA, A is stored as
	// [k m]; with TransB, B as [n k].
	M      int  `json:"m,omitempty"`
	N      int  `json:"n,omitempty"`
	K      int  `json:"k,omitempty"`
	TransA bool `json:"trans_a,omitempty"`
	TransB bool `json:"trans_b,omitempty"`

	// train and predict: a network of dense layers with ReLU between them, after
	// convolutions where Images are told. Loss is
	// binary (one logit) or classes. Rows are trained on in the order of the file
	// "order", Batch at a time, epoch after epoch.
	Widths []int   `json:"widths,omitempty"` // inputs first, outputs last
	Loss   string  `json:"loss,omitempty"`
	Rate   float64 `json:"rate,omitempty"` // of Adam
	Rows   int     `json:"rows,omitempty"`
	Batch  int     `json:"batch,omitempty"`

	Table       *Table       `json:"table,omitempty"`
	Bag         *Bag         `json:"bag,omitempty"`
	Images      *Images      `json:"images,omitempty"`
	Transformer *Transformer `json:"transformer,omitempty"`

	peers []string // who takes part beside hone
	// rowsPerEpoch, if above 0, asks for seconds an epoch instead of a step.
	rowsPerEpoch int
	// settle is how long each turn goes before it is timed: memory that has rested
	// for seconds may come back page by page.
	settle  time.Duration
	latency bool // one call at a time: the 99th percentile is told too
}

// A Table is the default tabular network on a table's shape: numbers with
// piecewise-linear embeddings, categories with vectors, TabM.
type Table struct {
	Edges      [][]float64 `json:"edges"`      // of every number
	Dimension  int         `json:"dimension"`  // of a number's vector
	Categories [][2]int    `json:"categories"` // values, of which the first two stand for unseen and missing ones; length of the vector
	Members    int         `json:"members"`
	Widths     []int       `json:"widths"`
	Dropout    float64     `json:"dropout"`
	Decay      float64     `json:"decay"` // of AdamW, on matrices
}

const (
	torchName    = "torch"
	compiledName = "torch.compile"
	jaxName      = "jax"
	onnxName     = "onnxruntime"
	numpyName    = "numpy"
)

// allCases are the cases of the groups in the order of the report.
func allCases() []*Case {
	var cases []*Case
	product := func(m, k, n int, ta, tb bool) {
		name := fmt.Sprintf("%d×%d×%d", m, k, n)
		if m == k && k == n {
			name = fmt.Sprintf("%d³", m)
		}
		if ta {
			name += " Aᵀ"
		}
		if tb {
			name += " Bᵀ"
		}
		cases = append(cases, &Case{Group: "G", Name: name, Kind: "product", M: m, N: n, K: k, TransA: ta, TransB: tb,
			peers: []string{numpyName, torchName, jaxName}})
	}
	for _, n := range []int{512, 1024, 2048} {
		product(n, n, n, false, false)
	}
	product(1024, 1024, 1024, true, false)
	product(1024, 1024, 1024, false, true)
	product(1024, 1024, 1024, true, true)
	for _, m := range []int{1, 8, 32} {
		for _, n := range []int{64, 512, 4096} {
			product(m, n, n, false, false)
		}
		product(m, 512, 512, false, true)
	}
	trained := []string{torchName, compiledName, jaxName}
	m2 := []int{784, 512, 256, 10}
	cases = append(cases,
		&Case{Group: "M1", Name: "a step, batch 32", Kind: "train", Widths: []int{20, 128, 64, 1}, Loss: "binary", Rate: 1e-3, Rows: 65536, Batch: 32, peers: append(trained, kerasName, kerasBatchName)},
		&Case{Group: "M2", Name: "a step, batch 128", Kind: "train", Widths: m2, Loss: "classes", Rate: 1e-3, Rows: 16384, Batch: 128, peers: trained},
		&Case{Group: "M6", Name: "an epoch of 102 steps, batch 256", Kind: "table", Rate: 0.003, Rows: 102 * 256, Batch: 256, rowsPerEpoch: 102 * 256, Table: adult(), peers: []string{torchName, compiledName}},
		bagCase(),
		&Case{Group: "P2", Name: "predict M2, batch 1", Kind: "predict", Widths: m2, Loss: "classes", Rows: 64, Batch: 1, latency: true, peers: []string{onnxName, torchName, compiledName}},
		&Case{Group: "P2", Name: "predict M2, batch 64", Kind: "predict", Widths: m2, Loss: "classes", Rows: 64, Batch: 64, peers: []string{onnxName, torchName, compiledName}},
	)
	return append(append(cases, convolutionCases()...), transformerCases()...)
}

// adult is the shape of the table adult as `hone init` and `hone plan` tell it of
// its train file: pieces of each number, values and vector of each category.
func adult() *Table {
	t := &Table{Dimension: 16, Members: 8, Widths: []int{128, 128}, Dropout: 0.1, Decay: 0.01}
	for _, pieces := range []int{72, 128, 14, 54, 63, 51} {
		edges := make([]float64, pieces+1)
		for i := range edges {
			edges[i] = -2.5 + 5*float64(i)/float64(pieces)
		}
		t.Edges = append(t.Edges, edges)
	}
	for _, values := range []int{8, 16, 7, 14, 6, 5, 2, 40} {
		n := values + 2
		t.Categories = append(t.Categories, [2]int{n, int(math.Ceil(1.6 * math.Pow(float64(n), 0.56)))})
	}
	return t
}

// write makes the folder of the case's data, the same in every run.
func (c *Case) write() error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	if c.Kind == "product" {
		r := rand.New(rand.NewPCG(1, 2))
		return errors.Join(c.save("a", normal(r, c.M*c.K)), c.save("b", normal(r, c.K*c.N)))
	}
	return errors.Join(c.network().write(c), c.writeStart())
}

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// write writes numbers and what is to be learnt of them.
func (t mlp) write(c *Case) error {
	r := rand.New(rand.NewPCG(1, 2))
	numbers := c.inputs()
	x := normal(r, c.Rows*numbers)
	// By the sums of some of the inputs, a quarter by chance: what can be learnt by
	// heart leaves gradients of subnormal numbers, whose slow arithmetic would be
	// what is measured.
	label := make([]int32, c.Rows)
	for i := range label {
		row, best := x[i*numbers:][:numbers], float32(0)
		for class := range max(2, c.outputs()) {
			var sum float32
			for j := class; j < numbers; j += 11 {
				sum += row[j]
			}
			if class == 0 || sum > best {
				label[i], best = int32(class), sum
			}
		}
		if r.Float64() < 0.25 {
			label[i] = r.Int32N(int32(max(2, c.outputs())))
		}
	}
	errs := []error{c.save("x", x)}
	if c.Loss == "classes" {
		errs = append(errs, c.save("y", words(label)))
	} else {
		y := make([]float32, len(label))
		for i, v := range label {
			y[i] = float32(v)
		}
		errs = append(errs, c.save("y", y))
	}
	if c.Table != nil {
		codes := make([]int32, 0, c.Rows*len(c.Table.Categories))
		for range c.Rows {
			for _, k := range c.Table.Categories {
				u := r.Float64()
				codes = append(codes, int32(2+u*u*float64(k[0]-2))) // some values are frequent
			}
		}
		errs = append(errs, c.save("codes", words(codes)))
	}
	return errors.Join(errs...)
}

func (t mlp) tensors(c *Case) ([]*tensor.Tensor, error) {
	x, err := c.features()
	if err != nil {
		return nil, err
	}
	var y *tensor.Tensor
	if c.Loss == "classes" {
		y, err = c.read(tensor.Int32, "y", c.Rows)
	} else {
		y, err = c.read(tensor.Float32, "y", c.Rows, 1)
	}
	return []*tensor.Tensor{x, y}, err
}

func parameterFile(v *graph.Variable) string { return strings.ReplaceAll(v.Name, "/", ".") }

func words(x []int32) []float32 {
	t := tensor.New(tensor.Int32, len(x))
	copy(t.Ints(), x)
	return t.Raw()
}

// save writes numbers as they lie in memory, which is little-endian on what hone
// has kernels for.
func (c *Case) save(name string, x []float32) error {
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	return os.WriteFile(filepath.Join(c.Dir, name), raw, 0o644)
}

// read returns numbers that save wrote, as many as a shape has.
func (c *Case) read(dtype tensor.DType, name string, shape ...int) (*tensor.Tensor, error) {
	t := tensor.New(dtype, shape...)
	return t, c.readInto(t, name)
}

func (c *Case) readInto(t *tensor.Tensor, name string) error {
	f, err := os.Open(filepath.Join(c.Dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return err
	} else if info.Size() != int64(4*t.Len()) {
		return fmt.Errorf("%s has %d bytes, expected those of %v", name, info.Size(), t)
	}
	_, err = io.ReadFull(f, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(t.Raw()))), 4*t.Len()))
	return err
}

func (c *Case) inputs() int {
	if c.Table != nil {
		return len(c.Table.Edges)
	}
	if c.Images != nil {
		return c.Images.numbers()
	}
	return c.Widths[0]
}

func (c *Case) outputs() int {
	if c.Table != nil {
		return 1
	}
	return c.Widths[len(c.Widths)-1]
}

// shuffle is the seed of the order of rows.
const shuffle = 3

// order is that of the rows in hone's first epoch.
func (c *Case) order() ([]int32, error) {
	index := tensor.New(tensor.Int32, c.Rows)
	for i := range index.Ints() {
		index.Ints()[i] = int32(i)
	}
	m, err := train.NewMemory([]*tensor.Tensor{index}, nil, c.Rows, true, shuffle)
	if err != nil {
		return nil, err
	}
	var b train.Batch
	if err := m.Next(&b); err != nil {
		return nil, err
	}
	return b.Tensors[0].Ints(), nil
}

func (c *Case) optimizer() optim.Optimizer {
	if c.Table != nil {
		return optim.AdamW(c.Rate, c.Table.Decay)
	}
	return optim.Adam(c.Rate)
}

// mlp is a network of dense layers, after convolutions where there are images.
type mlp struct{ c *Case }

func (t mlp) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("x", tensor.Float32, append(graph.Shape{graph.Rows}, graph.Fixed(t.c.shape()...)...)...)}
}

func (t mlp) Targets(b *graph.Builder) []*graph.Node {
	if t.c.Loss == "classes" {
		return []*graph.Node{b.Input("y", tensor.Int32, graph.Rows)}
	}
	return []*graph.Node{b.Input("y", tensor.Float32, graph.Rows, graph.N(1))}
}

func (t mlp) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	x := in[0]
	if t.c.Images != nil {
		x = t.c.Images.layers().Apply(c, x)
	}
	for i, w := range t.c.Widths[1:] {
		options := []nn.DenseOption{nn.ReLU}
		if i == len(t.c.Widths)-2 {
			options = nil
		}
		x = nn.Dense(w, options...).Apply(c, x)
	}
	return []*graph.Node{x}
}

func (t mlp) Loss(_ *nn.Context, out, targets []*graph.Node) *graph.Node {
	l := loss.BinaryCrossEntropy
	if t.c.Loss == "classes" {
		l = loss.SparseCategoricalCrossEntropy
	}
	return l.FromLogits().Of(out[0], targets[0])
}

// model is the network that `hone run` makes of such a table, not fitted on one.
func (t *Table) model() *model.Model {
	network := &model.TabM{Members: t.Members, Widths: t.Widths, Activation: "relu", Dropout: t.Dropout}
	m := &model.Model{Name: "table", Target: "y", Network: network, Output: &feature.Binary{Negative: "0", Positive: "1", Threshold: 0.5}}
	for i, edges := range t.Edges {
		n := &feature.Number{Deviation: 1, Scale: 1, Edges: edges, Dimension: t.Dimension}
		m.Inputs = append(m.Inputs, model.Input{Column: fmt.Sprintf("number_%d", i), Feature: n})
	}
	for i, k := range t.Categories {
		values := make([]string, k[0]-2)
		m.Inputs = append(m.Inputs, model.Input{Column: fmt.Sprintf("category_%d", i), Feature: &feature.Category{Values: values, Dimension: k[1]}})
	}
	return m
}

// defaultTable reports where a table's network is not the default of this tree.
func (t *Table) defaultTable() error {
	var o model.TabM
	if err := config.Defaults(&o); err != nil {
		return err
	}
	mine := model.TabM{Members: t.Members, Widths: t.Widths, Activation: "relu", Dropout: t.Dropout}
	if got, want := fmt.Sprintf("%+v", mine), fmt.Sprintf("%+v", o); got != want {
		return fmt.Errorf("the network measured is %s, hone's default %s", got, want)
	}
	return nil
}

// A work is what one step costs at least.
type work struct {
	flops  float64
	held   int     // bytes that every step goes through again
	times  float64 // how often in a step
	fresh  bool    // they are other bytes in every step, which no cache has
	params int
}

// work counts the multiply-adds of matrix products and convolutions, two operations each, and the
// bytes that a step must go through: a product's operands and its result, the
// parameters of a prediction, in training the parameters and Adam's two moments,
// read and written. Activations and gradients are not counted.
func (c *Case) work() (work, error) {
	w := work{times: 1}
	if c.Kind == "product" {
		w.flops = 2 * float64(c.M) * float64(c.N) * float64(c.K)
		w.held = 4 * (c.M*c.K + c.K*c.N + c.M*c.N)
		return w, nil
	}
	if n, ok := c.network().(counted); ok {
		return n.work(c), nil
	}
	program, state, err := c.program()
	if err != nil {
		return w, err
	}
	w.params = state.Parameters()
	for _, n := range program.Nodes {
		w.flops += c.convolutionFlops(n)
		w.flops += c.attended(n)
		if op, ok := n.Op.(graph.Product); ok {
			k := n.In[0].Shape()[1]
			if op.TransA {
				k = n.In[0].Shape()[0]
			}
			s := n.Shape()
			w.flops += 2 * c.extent(s[0]) * c.extent(s[1]) * c.extent(k)
		}
	}
	w.held = 4 * w.params
	if c.Kind != "predict" {
		w.held, w.times = 12*w.params, 2
	}
	return w, nil
}

func (c *Case) extent(d graph.Dim) float64 {
	if d.PerRow {
		return float64(d.N * c.Batch)
	}
	return float64(d.N)
}

// steps is how many a result stands for.
func (c *Case) steps() float64 {
	if c.rowsPerEpoch > 0 {
		return float64(c.rowsPerEpoch) / float64(c.Batch)
	}
	return 1
}

// program is that of a step of hone, with its state.
func (c *Case) program() (*graph.Program, *graph.State, error) {
	if c.Kind != "predict" {
		return train.Program(c.network(), train.Options{Optimizer: c.optimizer(), Seed: 1})
	}
	b, state := graph.New("predict"), graph.NewState()
	task := c.network()
	b.Output("y", task.Forward(&nn.Context{B: b, State: state, InitSeed: 1}, task.Inputs(b))[0])
	p, err := b.Program()
	return p, state, err
}

// floor is the time in seconds below which no result can be, where held bytes are
// read in so many seconds. They count where they are more than twice the
// second-level caches hold, or are others in every step. A product may read while it computes; in training the
// optimiser's traffic comes after the arithmetic.
func (c *Case) floor(w work, m cpu.Ceilings, threads int, read float64) float64 {
	arithmetic, traffic := w.flops/(float64(threads)*m.PeakGFLOPS*1e9), 0.0
	if w.held > 2*threads*m.CacheKB<<10 {
		traffic = w.times * read
	}
	if w.fresh {
		traffic = w.times * float64(w.held) / (m.Read[threads] * 1e9)
	}
	if c.Kind == "product" || c.Kind == "predict" {
		return c.steps() * max(arithmetic, traffic)
	}
	return c.steps() * (arithmetic + traffic)
}
