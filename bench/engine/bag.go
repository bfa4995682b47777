package main

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

// A Bag is a classifier of hashed n-grams: the mean of the vectors of a row's
// n-grams, and a dense layer.
type Bag struct {
	Buckets int `json:"buckets"`
	Width   int `json:"width"`
	Length  int `json:"length"` // n-grams of a row
	Classes int `json:"classes"`
}

// torchDenseName is PyTorch with gradients as large as the table, and Adam.
const torchDenseName = "torch.dense"

func bagCase() *Case {
	return &Case{Group: "M7", Name: "a step, batch 64", Kind: "train", Loss: "classes", Rate: 1e-3, Rows: 8192, Batch: 64,
		Bag: &Bag{Buckets: 2_000_000, Width: 64, Length: 30, Classes: 77}, peers: []string{torchName, torchDenseName, jaxName}, settle: 400 * time.Millisecond}
}

// Inputs declares the n-grams.
func (t *Bag) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("x", tensor.Int32, graph.Rows, graph.N(t.Length))}
}

// Targets declares the class.
func (t *Bag) Targets(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("y", tensor.Int32, graph.Rows)}
}

// Forward returns the logits.
func (t *Bag) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	x := nn.EmbeddingBag(t.Buckets, t.Width, nn.BagMean).Apply(c, in[0])
	return []*graph.Node{nn.Dense(t.Classes).Apply(c, x)}
}

// Loss is the cross-entropy.
func (t *Bag) Loss(_ *nn.Context, out, targets []*graph.Node) *graph.Node {
	return loss.SparseCategoricalCrossEntropy.FromLogits().Of(out[0], targets[0])
}

// rows draws the buckets and the classes of rows. Of a row's n-grams a third are
// among twenty of its class; the others are of 100,000, few of which are frequent,
// as in a language. A quarter of the classes are told by chance.
func (t *Bag) rows(r *rand.Rand, n int) (grams, classes []int32) {
	bucket := func(gram uint64) int32 { // a multiplicative hash
		return int32((gram * 0x9e3779b97f4a7c15) >> 32 % uint64(t.Buckets))
	}
	for range n {
		class := r.Uint64N(uint64(t.Classes))
		for i := range t.Length {
			if u := r.Float64(); i%3 == 0 {
				grams = append(grams, bucket(1_000_000+20*class+uint64(20*u)))
			} else {
				grams = append(grams, bucket(uint64(100_000*u*u*u)))
			}
		}
		if r.Float64() < 0.25 {
			class = r.Uint64N(uint64(t.Classes))
		}
		classes = append(classes, int32(class))
	}
	return grams, classes
}

func (t *Bag) write(c *Case) error {
	grams, classes := t.rows(rand.New(rand.NewPCG(1, 2)), c.Rows)
	return errors.Join(c.save("x", words(grams)), c.save("y", words(classes)))
}

func (t *Bag) tensors(c *Case) ([]*tensor.Tensor, error) {
	x, err := c.read(tensor.Int32, "x", c.Rows, t.Length)
	if err != nil {
		return nil, err
	}
	y, err := c.read(tensor.Int32, "y", c.Rows)
	return []*tensor.Tensor{x, y}, err
}

// work is of a step: the dense layer's products, and of the vectors that the
// first batch touches, with their two moments, the reading and the writing. It
// makes no network, whose table the program that starts the others must not have.
func (t *Bag) work(c *Case) work {
	grams, _ := t.rows(rand.New(rand.NewPCG(1, 2)), c.Batch)
	touched := map[int32]bool{}
	for _, g := range grams {
		touched[g] = true
	}
	return work{
		flops: 3 * 2 * float64(c.Batch*t.Width*t.Classes),
		held:  3 * 4 * t.Width * len(touched), times: 2, fresh: true,
		params: (t.Buckets+t.Classes)*t.Width + t.Classes,
	}
}
