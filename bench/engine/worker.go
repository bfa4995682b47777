package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/train"
)

// hone is a competitor like the others: a process of its own, which answers the
// same requests. This is its side; peers.py is the peers'.

// A request asks a competitor for one thing. prepare makes a case ready, runs
// the first Steps steps and answers their losses; time runs Steps steps and
// answers how long they took, or each of them where Each is set. More are
// for hone alone: write makes the case's files, ceilings measures the machine,
// allocations counts them over Steps steps, and read answers how long reading Steps
// numbers takes. They need memory, which the program that starts the competitors must
// not have: the system counts it as a new process's own.
type request struct {
	Do    string `json:"do"`
	Case  *Case  `json:"case,omitempty"`
	Steps int    `json:"steps"`
	Each  bool   `json:"each,omitempty"`
	// Exact leaves dropout out, so that losses can be compared.
	Exact   bool  `json:"exact,omitempty"`
	Threads []int `json:"threads,omitempty"` // of ceilings and read
}

// A reply answers a request, the first one the start.
type reply struct {
	Version string    `json:"version,omitempty"`
	Values  []float64 `json:"values,omitempty"`  // prepare: losses, or results
	Seconds []float64 `json:"seconds,omitempty"` // time: of all steps together, or of each
	Error   string    `json:"error,omitempty"`

	Ceilings *cpu.Ceilings `json:"ceilings,omitempty"`
}

// serve answers requests until there are no more.
func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	answer := json.NewEncoder(out)
	if err := answer.Encode(reply{Version: "hone"}); err != nil {
		return err
	}
	var step func() (float64, error)
	for lines.Scan() {
		var q request
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		r, err := handle(&q, &step)
		if err != nil {
			r = reply{Error: err.Error()}
		}
		if err := answer.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

func handle(q *request, step *func() (float64, error)) (r reply, err error) {
	switch q.Do {
	case "ceilings":
		c := cpu.MeasureCeilings(q.Threads)
		return reply{Ceilings: &c}, nil
	case "read":
		return reply{Seconds: []float64{float64(4*q.Steps) / cpu.ReadSpeed(q.Steps, q.Threads[0])}}, nil
	case "write":
		return r, q.Case.write()
	case "prepare":
		*step = nil
		runtime.GC() // the case before
		*step, r.Values, err = q.Case.ready(q.Exact, q.Steps)
		return r, err
	}
	if *step == nil {
		return r, fmt.Errorf("no case is prepared")
	}
	if q.Do == "allocations" {
		r.Values, err = allocations(*step, q.Steps)
		return r, err
	}
	began := time.Now()
	last := began
	for range q.Steps {
		if _, err := (*step)(); err != nil {
			return r, err
		}
		if q.Each {
			now := time.Now()
			r.Seconds = append(r.Seconds, now.Sub(last).Seconds())
			last = now
		}
	}
	if !q.Each {
		r.Seconds = []float64{time.Since(began).Seconds()}
	}
	return r, nil
}

// allocations are the heap allocations of a step, and their bytes.
func allocations(step func() (float64, error), steps int) ([]float64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range steps {
		if _, err := step(); err != nil {
			return nil, err
		}
	}
	runtime.ReadMemStats(&after)
	n := float64(steps)
	return []float64{float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n}, nil
}

// ready makes hone ready for a case. It returns one step, and the losses of the
// first steps, or of a product or a prediction some of its numbers.
func (c *Case) ready(exact bool, steps int) (step func() (float64, error), values []float64, err error) {
	switch c.Kind {
	case "product":
		return c.readyRun(c.product)
	case "predict":
		return c.readyRun(c.predict)
	}
	if exact && c.Table != nil {
		t := *c.Table
		t.Dropout = 0
		plain := *c
		plain.Table = &t
		c = &plain
	}
	if step, err = c.training(); err != nil {
		return nil, nil, err
	}
	for range steps {
		loss, err := step()
		if err != nil {
			return nil, nil, err
		}
		values = append(values, loss)
	}
	return step, values, nil
}

// shown is how many numbers of a result are compared.
const shown = 64

func (c *Case) readyRun(make func() (graph.Executable, []*tensor.Tensor, error)) (func() (float64, error), []float64, error) {
	run, feeds, err := make()
	if err != nil {
		return nil, nil, err
	}
	out := []*tensor.Tensor{tensor.Zeros(0)}
	step := func() (float64, error) { return 0, run.Run(feeds, out) }
	if _, err := step(); err != nil {
		return nil, nil, err
	}
	var values []float64
	for _, v := range out[0].Floats()[:min(shown, out[0].Len())] {
		values = append(values, float64(v))
	}
	return step, values, nil
}

func (c *Case) product() (graph.Executable, []*tensor.Tensor, error) {
	stored := func(name string, rows, columns int, trans bool) (*tensor.Tensor, error) {
		if trans {
			rows, columns = columns, rows
		}
		return c.read(tensor.Float32, name, rows, columns)
	}
	a, err := stored("a", c.M, c.K, c.TransA)
	if err != nil {
		return nil, nil, err
	}
	b, err := stored("b", c.K, c.N, c.TransB)
	if err != nil {
		return nil, nil, err
	}
	g := graph.New("product")
	x := g.Input("a", tensor.Float32, graph.Fixed(a.Shape()...)...)
	y := g.Input("b", tensor.Float32, graph.Fixed(b.Shape()...)...)
	g.Output("c", graph.Apply(graph.Product{TransA: c.TransA, TransB: c.TransB}, x, y))
	p, err := g.Program()
	if err != nil {
		return nil, nil, err
	}
	run, err := cpu.Compile(p)
	return run, []*tensor.Tensor{a, b}, err
}

func (c *Case) predict() (graph.Executable, []*tensor.Tensor, error) {
	data, err := c.network().tensors(c)
	if err != nil {
		return nil, nil, err
	}
	p, state, err := c.program()
	if err != nil {
		return nil, nil, err
	}
	if err := c.load(state); err != nil {
		return nil, nil, err
	}
	run, err := cpu.Compile(p)
	return run, []*tensor.Tensor{data[0].Rows(0, c.Batch)}, err
}

// load gives the parameters their first values.
func (c *Case) load(s *graph.State) error {
	for _, v := range s.Trainable() {
		if err := c.readInto(v.Value, parameterFile(v)); err != nil {
			return err
		}
	}
	return nil
}

// training is a step as train.Run makes it: the batch gathered, the program run
// with gradients and update, the loss read.
func (c *Case) training() (func() (float64, error), error) {
	p, state, err := c.program()
	if err != nil {
		return nil, err
	}
	if err := c.load(state); err != nil {
		return nil, err
	}
	return c.trainingOf(p)
}

// trainingOf is a step of a training program.
func (c *Case) trainingOf(p *graph.Program) (func() (float64, error), error) {
	run, err := cpu.Compile(p)
	if err != nil {
		return nil, err
	}
	data, err := c.network().tensors(c)
	if err != nil {
		return nil, err
	}
	rows, err := train.NewMemory(data, nil, c.Batch, true, shuffle)
	if err != nil {
		return nil, err
	}
	var batch train.Batch
	rate, seed, count := tensor.Scalar(float32(c.Rate)), tensor.New(tensor.Int32, 2), tensor.New(tensor.Int32)
	results := []*tensor.Tensor{tensor.Zeros(), tensor.Zeros()}
	var feeds []*tensor.Tensor
	return func() (float64, error) {
		err := rows.Next(&batch)
		if err == io.EOF {
			if err = rows.Seek(0, 0); err == nil { // the same order again, as the peers
				err = rows.Next(&batch)
			}
		}
		if err != nil {
			return 0, err
		}
		feeds = append(append(feeds[:0], batch.Tensors...), batch.Weights, rate, seed, count)
		if err := run.Run(feeds, results); err != nil {
			return 0, err
		}
		count.Ints()[0]++
		return float64(results[0].Floats()[0] / results[1].Floats()[0]), nil
	}, nil
}

// column is column j of a matrix, in a shape of its own.
func column(x *tensor.Tensor, j int, shape ...int) *tensor.Tensor {
	t := tensor.New(x.DType(), shape...)
	for i := range t.Raw() {
		t.Raw()[i] = x.Raw()[i*x.Shape()[1]+j]
	}
	return t
}
