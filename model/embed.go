package model

import (
	"context"
	"fmt"
	"sync"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

// An Embedder makes vectors of rows: what a model's network hands to its heads,
// the numbers by which it tells rows apart. Those of several networks or members
// stand one after the other. It is safe for concurrent use.
type Embedder struct {
	m    *Model
	mu   sync.Mutex
	exes map[int]graph.Executable // by size of sequences
}

// Embedder compiles a program that makes vectors.
func (m *Model) Embedder() (*Embedder, error) {
	e := &Embedder{m: m, exes: map[int]graph.Executable{}}
	_, err := e.program(0)
	return e, err
}

// program returns the program for a size of sequences.
func (e *Embedder) program(size int) (graph.Executable, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if exe := e.exes[size]; exe != nil {
		return exe, nil
	}
	b := graph.New("embed")
	t := e.m.Task().At(size).(*Task)
	c := &nn.Context{B: b, State: e.m.State}
	nodes := t.Inputs(b)
	for _, one := range t.networks(c) {
		b.Output("vector", t.hidden(one, t.encoded(one, nodes)))
	}
	p, err := b.Program()
	if err != nil {
		return nil, err
	}
	exe, err := cpu.Compile(p)
	if err == nil {
		e.exes[size] = exe
	}
	return exe, err
}

// Embed returns the vector of each row, all of one width. A row has the same
// vector in any table.
func (e *Embedder) Embed(ctx context.Context, t *data.Table) ([][]float32, error) {
	vectors := make([][]float32, t.Rows)
	err := e.m.batches(ctx, t, func(size int, feeds []*tensor.Tensor, rows []int) error {
		exe, err := e.program(size)
		if err != nil {
			return err
		}
		out := make([]*tensor.Tensor, max(1, e.m.Members))
		for i := range out {
			out[i] = tensor.Zeros(0)
		}
		if err := exe.Run(feeds, out); err != nil {
			return err
		}
		for _, o := range out {
			width := len(o.Floats()) / len(rows)
			for i, row := range rows {
				vectors[row] = append(vectors[row], o.Floats()[i*width:][:width]...)
			}
		}
		return nil
	})
	return vectors, err
}

// EmbedTexts makes vectors of texts with a model whose only input is a text.
func (e *Embedder) EmbedTexts(ctx context.Context, texts []string) ([][]float32, error) {
	if len(e.m.Inputs) != 1 || e.m.Inputs[0].Feature.Type() != "text" {
		var reads []string
		for _, in := range e.m.Inputs {
			reads = append(reads, fmt.Sprintf("%s (%s)", in.Column, in.Feature.Type()))
		}
		return nil, fmt.Errorf("%s reads %v, expected a model whose only input is a text", e.m.Name, reads)
	}
	c := &data.Column{Name: e.m.Inputs[0].Column, Type: data.Text, Dict: texts}
	for i := range texts {
		c.Codes = append(c.Codes, int32(i))
	}
	return e.Embed(ctx, &data.Table{Columns: []*data.Column{c}, Rows: len(texts)})
}
