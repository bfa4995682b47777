package main

import (
	"errors"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

// A Transformer is an encoder that classifies sequences (after Vaswani et al.
// 2017: sums are normalised, ReLU), or without classes a decoder-only language
// model (after Radford et al. 2019: what goes in is normalised, GELU by tanh, the
// table of tokens also makes the logits). Gradients of tables are dense: every
// competitor updates all of it at every step.
type Transformer struct {
	Vocabulary int `json:"vocabulary"`
	Length     int `json:"length"`
	Width      int `json:"width"`
	Heads      int `json:"heads"`
	Layers     int `json:"layers"`
	Hidden     int `json:"hidden"`
	Classes    int `json:"classes"`
}

func transformerCases() []*Case {
	encoder := &Transformer{Vocabulary: 8000, Length: 64, Width: 128, Heads: 4, Layers: 2, Hidden: 512, Classes: 10}
	language := &Transformer{Vocabulary: 8000, Length: 256, Width: 256, Heads: 8, Layers: 4, Hidden: 1024}
	trained, asked := []string{torchName, compiledName, jaxName}, []string{onnxName, torchName, compiledName}
	return []*Case{
		{Group: "M4", Name: "a step, batch 32", Kind: "transformer", Transformer: encoder, Rate: 1e-4, Rows: 2048, Batch: 32, peers: trained},
		{Group: "M5", Name: "a step, batch 8", Kind: "transformer", Transformer: language, Rate: 3e-4, Rows: 256, Batch: 8, peers: trained},
		{Group: "P4", Name: "predict M4, batch 1", Kind: "predict", Transformer: encoder, Rows: 64, Batch: 1, latency: true, peers: asked},
		{Group: "P4", Name: "predict M4, batch 64", Kind: "predict", Transformer: encoder, Rows: 64, Batch: 64, peers: asked},
	}
}

// Inputs declares the tokens.
func (t *Transformer) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("tokens", tensor.Int32, graph.Rows, graph.N(t.Length))}
}

// Targets declares the class, or the token that follows each.
func (t *Transformer) Targets(b *graph.Builder) []*graph.Node {
	if t.Classes > 0 {
		return []*graph.Node{b.Input("class", tensor.Int32, graph.Rows)}
	}
	return []*graph.Node{b.Input("next", tensor.Int32, graph.Rows, graph.N(t.Length))}
}

// Forward returns the logits.
func (t *Transformer) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	small := nn.Normal(0.02)
	o := nn.TransformerOptions{Heads: t.Heads, Hidden: t.Hidden}
	if t.Classes == 0 {
		o.Causal, o.NormFirst, o.Activation, o.Init = true, true, nn.GELUTanh, small
	}
	table := c.Param("table", []int{t.Vocabulary, t.Width}, small)
	x := nn.Positions(t.Length).Apply(c, graph.GatherDense(table, in[0]))
	for range t.Layers {
		x = nn.TransformerBlock(o).Apply(c, x)
	}
	if t.Classes > 0 {
		return []*graph.Node{nn.Sequential(nn.MeanPool(), nn.Dense(t.Classes)).Apply(c, x)}
	}
	x = nn.LayerNorm().Apply(c, x)
	places := graph.Dim{N: t.Length, PerRow: true}
	logits := graph.Apply(graph.Product{TransB: true}, graph.Reshape(x, places, graph.N(t.Width)), table)
	return []*graph.Node{graph.Reshape(logits, graph.Rows, graph.N(t.Length), graph.N(t.Vocabulary))}
}

// Loss is the cross-entropy, of a language model the mean over places.
func (t *Transformer) Loss(_ *nn.Context, out, targets []*graph.Node) *graph.Node {
	return loss.SparseCategoricalCrossEntropy.FromLogits().Of(out[0], targets[0])
}

// write writes tokens, of which some are frequent, and what is to be
// learnt of them, half of it by chance: the class that most tokens stand for, or
// a successor of each token.
func (t *Transformer) write(c *Case) error {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() int32 {
		u := r.Float64()
		return int32(u * u * float64(t.Vocabulary))
	}
	var tokens, targets []int32
	for range c.Rows {
		votes := make([]int, max(t.Classes, 1))
		token := draw()
		for range t.Length {
			tokens = append(tokens, token)
			next := draw()
			if t.Classes > 0 {
				votes[int(token)%t.Classes]++
			} else {
				if r.IntN(2) == 0 {
					next = (7*token + 3) % int32(t.Vocabulary)
				}
				targets = append(targets, next)
			}
			token = next
		}
		if t.Classes > 0 {
			best := 0
			for i, n := range votes {
				if n > votes[best] {
					best = i
				}
			}
			if r.IntN(2) == 0 {
				best = r.IntN(t.Classes)
			}
			targets = append(targets, int32(best))
		}
	}
	return errors.Join(c.save("tokens", words(tokens)), c.save("targets", words(targets)))
}

func (t *Transformer) tensors(c *Case) ([]*tensor.Tensor, error) {
	tokens, err := c.read(tensor.Int32, "tokens", c.Rows, t.Length)
	if err != nil {
		return nil, err
	}
	shape := []int{c.Rows, t.Length}
	if t.Classes > 0 {
		shape = shape[:1]
	}
	targets, err := c.read(tensor.Int32, "targets", shape...)
	return []*tensor.Tensor{tokens, targets}, err
}

// attended counts the operations of attention: two products forward and four
// back, of what is seen alone. That its gradient computes scores again is not
// counted.
func (c *Case) attended(n *graph.Node) float64 {
	products, of := 2.0, n
	op, ok := n.Op.(graph.Attend)
	if !ok {
		grad, ok := n.Op.(graph.AttendGrad)
		if !ok {
			return 0
		}
		products, op, of = 4, grad.Of, n.In[len(n.In)-2]
	}
	queries, keys, width := op.Widths(of.In)
	seen := float64(queries * keys)
	if op.Causal {
		seen -= float64(queries*(queries-1)) / 2
	}
	rows := 1.0
	for _, d := range of.Shape()[:len(of.Shape())-2] {
		rows *= c.extent(d)
	}
	return products * 2 * rows * seen * float64(width)
}
