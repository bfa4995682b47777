package nn

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// AttentionOptions are the options of MultiHeadAttention.
type AttentionOptions struct {
	Heads  int
	Causal bool // a place sees itself and those before it alone
	// Init is how the kernels are initialised, and Last the one of the projection;
	// the zero ones are GlorotUniform for queries, keys and values together and
	// FanInUniform for the projection, as in PyTorch.
	Init, Last Initializer
	LoRA       LoRA
}

// LoRA is a correction of low rank to the products that make queries and values (Hu
// et al. 2022, section 4.1, on W_q and W_v as in section 7.1), to be trained in place
// of these: with x·W goes Alpha/Rank · (x·A)·B, where B starts at 0. Its variables are
// lora_in [width 2·Rank], lora_query and lora_value [Rank width]. Rank 0 is none.
type LoRA struct {
	Rank  int
	Alpha float64
}

// add adds the correction to qkv.
func (l LoRA) add(c *Context, x, qkv *graph.Node, width int) *graph.Node {
	if l.Rank == 0 || c.B.Err() != nil {
		return qkv
	}
	if l.Rank < 0 || l.Rank > width || !(l.Alpha > 0) {
		return c.B.Fail("attention", fmt.Errorf("a correction of rank %d and alpha %g of a width of %d, expected 1 to the width, and more than 0", l.Rank, l.Alpha, width))
	}
	a := c.Param("lora_in", []int{width, 2 * l.Rank}, FanInUniform)
	query := c.Param("lora_query", []int{l.Rank, width}, Zeros)
	value := c.Param("lora_value", []int{l.Rank, width}, Zeros)
	none := func(times int) *graph.Node {
		return c.B.Constant(tensor.Zeros(l.Rank, times*width))
	}
	b := graph.Concat(0, graph.Concat(1, query, none(2)), graph.Concat(1, none(2), value))
	length := x.Shape()[1].N
	low := graph.MatMul(graph.Reshape(x, graph.Dim{N: length, PerRow: true}, graph.N(width)), graph.Scale(a, l.Alpha/float64(l.Rank)))
	return graph.Add(qkv, graph.Reshape(graph.MatMul(low, b), qkv.Shape()...))
}

// MultiHeadAttention lets every place of a sequence look at the others (Vaswani
// et al. 2017, section 3.2.2): [rows length width] stays [rows length width].
// Where the context has Lengths, what is filled up is not looked at.
//
// Its variables are those of two dense layers: dense_1 makes queries, keys and
// values beside each other, dense_2 joins the heads.
func MultiHeadAttention(o AttentionOptions) Layer {
	return leaf("attention", func(c *Context, x *graph.Node) *graph.Node {
		width, ok := sequence(c, "attention", x)
		if !ok {
			return x
		}
		if o.Heads < 1 || width%o.Heads != 0 {
			return c.B.Fail("attention", fmt.Errorf("%d heads of a width of %d, expected a number that divides it", o.Heads, width))
		}
		adapted := *c // whose corrections are trained where the rest is not
		if o.LoRA.Rank != 0 {
			adapted.Fixed = false
		}
		qkv := o.LoRA.add(&adapted, x, Dense(3*width, Init(or(o.Init, GlorotUniform))).Apply(c, x), width)
		y := graph.SelfAttention(qkv, graph.AttentionOptions{Heads: o.Heads, Causal: o.Causal, Lengths: c.Lengths})
		return Dense(width, Init(or(o.Last, FanInUniform))).Apply(c, y)
	})
}

func or(i, otherwise Initializer) Initializer {
	if i.draw == nil {
		return otherwise
	}
	return i
}

// sequence returns the width of x [rows length width], or says that it is none.
func sequence(c *Context, kind string, x *graph.Node) (width int, ok bool) {
	s := x.Shape()
	if len(s) != 3 || s[1].PerRow || s[2].PerRow || x.Type.DType != tensor.Float32 {
		c.B.Fail(kind, fmt.Errorf("input is %v, expected float32 [rows length width]", x.Type))
		return 0, false
	}
	if n := c.Lengths; n != nil && (n.Type.DType != tensor.Int32 || !n.Shape().Equal(s[:1])) {
		c.B.Fail(kind, fmt.Errorf("the context's lengths are %v, expected int32%v", n.Type, s[:1]))
		return 0, false
	}
	return s[2].N, true
}

// TransformerOptions are the options of TransformerBlock.
type TransformerOptions struct {
	Heads      int
	Hidden     int        // width of the feed-forward network
	Activation Activation // within it; the zero one is ReLU
	Causal     bool
	NormFirst  bool // normalise what goes into each part, as GPT-2, not the sum that comes out
	RMS        bool // RMSNorm in place of LayerNorm
	Dropout    float64
	SumsOnly   bool // dropout applies to what is added alone, as in BERT
	Norm       []NormOption
	// Init is how the kernels are initialised, and Last those that end in a sum;
	// zero ones are PyTorch's. GPT-2 has Normal(0.02), and Normal(0.02/√(2·blocks)).
	Init, Last Initializer
	LoRA       LoRA
}

// TransformerBlock is one layer of a transformer (Vaswani et al. 2017, section 3;
// with NormFirst as Radford et al. 2019): attention and a feed-forward network of
// two dense layers, each added to what goes into it. [rows length width] stays
// [rows length width]. Dropout applies to what is added and within the
// feed-forward network, not to the weights of attention.
func TransformerBlock(o TransformerOptions) Layer {
	norm := LayerNorm(o.Norm...)
	if o.RMS {
		norm = RMSNorm(o.Norm...)
	}
	if o.Activation.f == nil {
		o.Activation = ReLU
	}
	inner := o.Dropout
	if o.SumsOnly {
		inner = 0
	}
	return leaf("transformer", func(c *Context, x *graph.Node) *graph.Node {
		width, ok := sequence(c, "transformer", x)
		if !ok {
			return x
		}
		parts := [][]Layer{
			{MultiHeadAttention(AttentionOptions{Heads: o.Heads, Causal: o.Causal, Init: o.Init, Last: o.Last, LoRA: o.LoRA})},
			{
				Dense(o.Hidden, Init(or(o.Init, FanInUniform)), o.Activation), Dropout(inner),
				Dense(width, Init(or(o.Last, FanInUniform))),
			},
		}
		for _, p := range parts {
			p = append(p, Dropout(o.Dropout))
			if o.NormFirst {
				p = append([]Layer{norm}, p...)
			}
			x = graph.Add(x, Sequential(p...).Apply(c, x))
			if !o.NormFirst {
				x = norm.Apply(c, x)
			}
		}
		return x
	})
}

// Positions adds a learned vector to each place of a sequence: [rows length
// width] stays [rows length width], for a length of up to most. Its variable is
// table [most width], which starts normal with a deviation of 0.02, as in GPT-2.
func Positions(most int) Layer {
	return leaf("positions", func(c *Context, x *graph.Node) *graph.Node {
		width, ok := sequence(c, "positions", x)
		if !ok {
			return x
		}
		n := x.Shape()[1].N
		if n > most {
			return c.B.Fail("positions", fmt.Errorf("a length of %d, expected at most %d, for which there are vectors", n, most))
		}
		table := c.Param("table", []int{most, width}, Normal(0.02))
		if n < most {
			table = graph.Slice(table, 0, 0, n)
		}
		return graph.Add(x, table)
	})
}

// MeanPool returns the mean of each row's places: [rows length width] → [rows
// width]. Where the context has Lengths, it is that of so many; of none, zeros.
func MeanPool() Layer {
	return leaf("mean_pool", func(c *Context, x *graph.Node) *graph.Node {
		width, ok := sequence(c, "mean_pool", x)
		if !ok {
			return x
		}
		if c.Lengths == nil {
			return graph.Mean(x, 1)
		}
		places := graph.Within(c.Lengths, x.Shape()[1].N)
		count := graph.Reshape(graph.Max(graph.Sum(places, 1), c.B.Scalar(1)), graph.Rows, graph.N(1))
		weights := graph.Div(places, count)
		sum := graph.MatMulStack(graph.Reshape(weights, graph.Rows, graph.N(1), x.Shape()[1]), x, false, false)
		return graph.Reshape(sum, graph.Rows, graph.N(width))
	})
}

// FirstPlace returns the first place of each row, as of a token that stands for
// the whole: [rows length width] → [rows width].
func FirstPlace() Layer {
	return leaf("first_place", func(c *Context, x *graph.Node) *graph.Node {
		width, ok := sequence(c, "first_place", x)
		if !ok {
			return x
		}
		return graph.Reshape(graph.Slice(x, 1, 0, 1), graph.Rows, graph.N(width))
	})
}
