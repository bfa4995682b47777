package nn

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// EncoderOptions are the options of Encoder.
type EncoderOptions struct {
	Vocabulary int // tokens that have a vector
	Positions  int // places that have a vector
	First      int // the place of the first token; RoBERTa's is 2
	Types      int // vectors of token types, of which the first is used; 0: none
	Factor     int // length of those vectors where a dense layer makes Width of it; 0: they have Width
	Width      int
	Depth      int // blocks
	Heads      int
	Hidden     int // width within the feed-forward network
	Activation Activation
	Epsilon    float64 // of the normalisations
	Dropout    float64
	LoRA       LoRA // of a rank, it alone is trained

	// Rates are the factors of the learning rate of the vectors, then of each block; 0
	// trains nothing of it. Nil: 1 for all.
	Rates []float64
}

// Encoder reads tokens from both sides, as BERT does (Devlin et al. 2019, section 3):
// the vectors of tokens, places and types are added and normalised and go through
// blocks of attention, whose sums are normalised: int32 [rows length] → [rows length
// width]. The context's Lengths say how many tokens a row has. A token of −1, as
// behind a row's length, has a vector of zeros.
//
// Its variables are embedding_1/table, positions, types, layer_norm_1/…, with Factor
// dense_1/…, and transformer_1/… for each block.
func Encoder(o EncoderOptions) Layer {
	return layerFunc(func(c *Context, x *graph.Node) *graph.Node {
		if c.B.Err() != nil {
			return x
		}
		c = c.Sub("encoder")
		s := x.Shape()
		rates := o.Rates
		switch {
		case len(s) != 2 || s[1].PerRow || x.Type.DType != tensor.Int32:
			return c.B.Fail("encoder", fmt.Errorf("input is %v, expected int32 [rows length]", x.Type))
		case s[1].N < 1 || s[1].N > o.Positions-o.First || o.First < 0:
			return c.B.Fail("encoder", fmt.Errorf("a length of %d, expected 1 to %d, for which there are vectors", s[1].N, o.Positions-o.First))
		case rates != nil && len(rates) != 1+o.Depth:
			return c.B.Fail("encoder", fmt.Errorf("%d rates for %d blocks, expected one more", len(rates), o.Depth))
		}
		// part is the context of the vectors, or of a block.
		part := func(i int) *Context {
			d := *c
			if rates != nil {
				d.Rate, d.Fixed = rates[i], rates[i] == 0
			}
			d.Fixed = d.Fixed || o.LoRA.Rank > 0
			return &d
		}
		width := o.Width
		if o.Factor > 0 {
			width = o.Factor
		}
		at := part(0)
		y := Embedding(o.Vocabulary, width, TableInit(Normal(0.02))).Apply(at, x)
		places := graph.Slice(at.Param("positions", []int{o.Positions, width}, Normal(0.02)), 0, o.First, o.First+s[1].N)
		if o.Types > 0 {
			places = graph.Add(places, graph.Slice(at.Param("types", []int{o.Types, width}, Normal(0.02)), 0, 0, 1))
		}
		y = LayerNorm(Epsilon(o.Epsilon)).Apply(at, graph.Add(y, places))
		if o.Factor > 0 {
			y = Dense(o.Width).Apply(at, y)
		}
		y = Dropout(o.Dropout).Apply(at, y)
		block := TransformerBlock(TransformerOptions{
			Heads: o.Heads, Hidden: o.Hidden, Activation: o.Activation, Dropout: o.Dropout, SumsOnly: true, Norm: []NormOption{Epsilon(o.Epsilon)}, LoRA: o.LoRA,
		})
		for i := range o.Depth {
			d := *c.Sub(fmt.Sprintf("block_%d", i+1))
			d.Rate, d.Fixed = part(i+1).Rate, part(i+1).Fixed
			y = block.Apply(&d, y)
		}
		return y
	})
}

// MaxPlace returns the largest of each row's
// places: [rows length width] → [rows width]. Where the context has Lengths, of so
// many; of none, zeros.
func MaxPlace() Layer {
	return leaf("max_place", func(c *Context, x *graph.Node) *graph.Node {
		if _, ok := sequence(c, "max_place", x); !ok {
			return x
		}
		if c.Lengths == nil {
			return graph.ReduceMax(x, 1)
		}
		length := x.Shape()[1]
		within := graph.Reshape(graph.Within(c.Lengths, length.N), graph.Rows, length, graph.N(1))
		largest := graph.ReduceMax(graph.Select(graph.BroadcastTo(within, x.Shape()), x, c.B.Scalar(-math.MaxFloat32)), 1)
		some := graph.Reshape(graph.Within(c.Lengths, 1), graph.Rows, graph.N(1))
		return graph.Select(graph.BroadcastTo(some, largest.Shape()), largest, c.B.Scalar(0))
	})
}

// UnitLength divides each row of [rows width] by its length (of at least 1e-12).
func UnitLength() Layer {
	return layerFunc(func(c *Context, x *graph.Node) *graph.Node {
		if c.B.Err() != nil {
			return x
		}
		squares := graph.Reshape(graph.Sum(graph.Square(x), 1), graph.Rows, graph.N(1))
		return graph.Mul(x, graph.Rsqrt(graph.Max(squares, c.B.Scalar(1e-24))))
	})
}
