package embed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/huggingface"
	"github.com/hone-ml/hone/format/safetensors"
	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/text"
)

// A Model is an encoder of texts: its network, its tokenizer and how one vector is
// made of those of the tokens. It marshals to JSON, without Values.
type Model struct {
	Encoder   huggingface.Encoder
	Pooling   huggingface.Pooling
	Dense     []Dense
	Prefix    string // what every text begins with
	Query     string // what a text begins with that searches, and
	Passage   string // one that is searched
	Length    int    // the most tokens of a text
	Tokenizer *text.Tokenizer
	// Values are the weights by the names that the network gives them.
	Values map[string]*tensor.Tensor
}

// Dense is a dense layer behind the pooling.
type Dense struct {
	Units      int    `json:"units"`
	Activation string `json:"activation"`
}

// FromFolder makes a model of what a folder holds.
func FromFolder(f *huggingface.Folder) *Model {
	m := &Model{Encoder: f.Encoder, Pooling: f.Pooling, Prefix: f.Prompt, Query: f.Query, Passage: f.Passage, Tokenizer: f.Tokenizer, Length: f.Tokenizer.Spec().Truncation.MaxLength}
	w := f.Weights
	v := map[string]*tensor.Tensor{"encoder/embedding_1/table": w.Tokens, "encoder/positions": w.Positions}
	affine := func(name, kernel, bias string, a huggingface.Affine) {
		v[name+"/"+kernel], v[name+"/"+bias] = a.Kernel, a.Bias
	}
	dense := func(name string, a huggingface.Affine) { affine(name, "kernel", "bias", a) }
	norm := func(name string, a huggingface.Affine) { affine(name, "gain", "shift", a) }
	if w.Types != nil {
		v["encoder/types"] = w.Types
	}
	norm("encoder/layer_norm_1", w.Norm)
	if f.Encoder.Factor > 0 {
		dense("encoder/dense_1", w.Project)
	}
	for i, b := range w.Blocks {
		at := fmt.Sprintf("encoder/block_%d/transformer_1/", i+1)
		dense(at+"attention_1/dense_1", huggingface.Affine{
			Kernel: beside(b.Query.Kernel, b.Key.Kernel, b.Value.Kernel), Bias: beside(b.Query.Bias, b.Key.Bias, b.Value.Bias),
		})
		dense(at+"attention_1/dense_2", b.Joined)
		norm(at+"layer_norm_1", b.AttentionNorm)
		dense(at+"dense_1", b.Inner)
		dense(at+"dense_2", b.Outer)
		norm(at+"layer_norm_2", b.OuterNorm)
	}
	for i, d := range f.Dense {
		dense(fmt.Sprintf("pooled/dense_%d", i+1), d.Affine)
		m.Dense = append(m.Dense, Dense{d.Kernel.Shape()[1], d.Activation})
	}
	m.Values = v
	return m
}

// beside joins tensors of the same rows along their last dimension.
func beside(ts ...*tensor.Tensor) *tensor.Tensor {
	shape := slices.Clone(ts[0].Shape())
	last := len(shape) - 1
	width := shape[last]
	shape[last] *= len(ts)
	out := tensor.Zeros(shape...)
	for i, t := range ts {
		for row := range t.Len() / width {
			copy(out.Floats()[(row*len(ts)+i)*width:], t.Floats()[row*width:][:width])
		}
	}
	return out
}

// Width is the length of a text's vector.
func (m *Model) Width() int {
	if n := len(m.Dense); n > 0 {
		return m.Dense[n-1].Units
	}
	return m.Encoder.Width * len(m.Pooling.Modes)
}

// IDs returns the tokens of texts: Prefix, text and special tokens, cut to Length.
func (m *Model) IDs(texts []string) ([][]int32, error) { return m.ids(m.Prefix, texts) }

func (m *Model) ids(prefix string, texts []string) ([][]int32, error) {
	if prefix != "" {
		texts = slices.Clone(texts)
		for i := range texts {
			texts[i] = prefix + texts[i]
		}
	}
	return m.Tokenizer.IDsBatch(texts)
}

// Options are what a network of the model can have otherwise.
type Options struct {
	Dropout float64   // within the encoder, in training
	Rates   []float64 // see nn.EncoderOptions
	LoRA    nn.LoRA
}

// Hidden adds the encoder to a program: the vectors of tokens [rows length width],
// of ids int32 [rows length], −1 behind the lengths int32 [rows]. Its parameters
// begin with Values.
func (m *Model) Hidden(c *nn.Context, ids, lengths *graph.Node, o Options) *graph.Node {
	c = c.Given(m.Values)
	c.Lengths = lengths
	e := m.Encoder
	activation, err := nn.ActivationByName(e.Activation)
	if err != nil {
		return c.B.Fail("encoder", err)
	}
	return nn.Encoder(nn.EncoderOptions{
		Vocabulary: e.Vocabulary, Positions: e.Positions, First: e.First, Types: e.Types, Factor: e.Factor, Width: e.Width,
		Depth: e.Depth, Heads: e.Heads, Hidden: e.Hidden, Activation: activation, Epsilon: e.Epsilon,
		Dropout: o.Dropout, Rates: o.Rates, LoRA: o.LoRA,
	}).Apply(c, ids)
}

// Build adds the encoder and its pooling: the vectors of texts [rows Width].
func (m *Model) Build(c *nn.Context, ids, lengths *graph.Node, o Options) *graph.Node {
	hidden := m.Hidden(c, ids, lengths, o)
	c = c.Given(m.Values)
	c.Lengths = lengths
	if n := len(o.Rates); n > 0 {
		c.Rate, c.Fixed = o.Rates[n-1], o.Rates[n-1] == 0 || o.LoRA.Rank > 0
	}
	var parts []*graph.Node
	for _, mode := range m.Pooling.Modes {
		pool, ok := map[string]nn.Layer{"cls": nn.FirstPlace(), "mean": nn.MeanPool(), "max": nn.MaxPlace()}[mode]
		if !ok {
			return c.B.Fail("pooling", fmt.Errorf("mode %q is not known, expected cls, mean or max", mode))
		}
		parts = append(parts, pool.Apply(c, hidden))
	}
	x := graph.Concat(-1, parts...)
	after := c.Sub("pooled")
	for _, d := range m.Dense {
		activation, err := nn.ActivationByName(d.Activation)
		if err != nil {
			return c.B.Fail("pooling", err)
		}
		x = nn.Dense(d.Units, activation).Apply(after, x)
	}
	if m.Pooling.Normalize {
		x = nn.UnitLength().Apply(c, x)
	}
	return x
}

// saved is a model as JSON.
type saved struct {
	Encoder   huggingface.Encoder `json:"encoder"`
	Pooling   huggingface.Pooling `json:"pooling"`
	Dense     []Dense             `json:"dense,omitempty"`
	Prefix    string              `json:"prefix,omitempty"`
	Length    int                 `json:"length"`
	Tokenizer json.RawMessage     `json:"tokenizer"` // tokenizer.json
}

// MarshalJSON writes all but the weights.
func (m *Model) MarshalJSON() ([]byte, error) {
	t, err := tokenizer.Format(m.Tokenizer)
	if err != nil {
		return nil, err
	}
	return json.Marshal(saved{m.Encoder, m.Pooling, m.Dense, m.Prefix, m.Length, t})
}

// UnmarshalJSON reads what MarshalJSON wrote. Query and Passage are Prefix then: the
// weights may have been trained on, with it.
func (m *Model) UnmarshalJSON(raw []byte) error {
	var s saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if err := s.Encoder.Check(); err != nil {
		return err
	}
	t, err := tokenizer.Parse(s.Tokenizer)
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	cut := t.Spec().Truncation
	switch {
	case s.Length < 1 || s.Length > s.Encoder.Length() || cut == nil || cut.MaxLength != s.Length:
		return fmt.Errorf("texts have %d tokens at most, expected 1 to %d, to which the tokenizer cuts them", s.Length, s.Encoder.Length())
	case t.Size() > s.Encoder.Vocabulary:
		return fmt.Errorf("the tokenizer has %d tokens, there are vectors for %d", t.Size(), s.Encoder.Vocabulary)
	case len(s.Pooling.Modes) == 0 || len(s.Pooling.Modes) > 3 || len(s.Dense) > 100:
		return fmt.Errorf("%d ways of pooling and %d layers behind it, expected 1 to 3 and at most 100", len(s.Pooling.Modes), len(s.Dense))
	}
	*m = Model{Encoder: s.Encoder, Pooling: s.Pooling, Dense: s.Dense, Prefix: s.Prefix, Query: s.Prefix, Passage: s.Prefix, Length: s.Length, Tokenizer: t}
	return nil
}

// Cut bounds the tokens of a text further.
func (m *Model) Cut(length int) error {
	if length < 3 || length > m.Encoder.Length() {
		return fmt.Errorf("texts of %d tokens, expected 3 to %d, for which the encoder has places", length, m.Encoder.Length())
	}
	t, err := huggingface.Cut(m.Tokenizer, length)
	if err != nil {
		return err
	}
	m.Tokenizer, m.Length = t, length
	return nil
}

// CheckValues holds Values against what the network needs.
func (m *Model) CheckValues() error {
	b := graph.New("check")
	c := &nn.Context{B: b, State: graph.NewState(), Fixed: true}
	c.Blank()
	m.Build(c, b.Input("tokens", tensor.Int32, graph.Rows, graph.N(1)), b.Input("lengths", tensor.Int32, graph.Rows), Options{})
	if err := b.Err(); err != nil {
		return err
	}
	for _, v := range c.State.Variables() {
		t := m.Values[v.Name]
		if t == nil {
			return fmt.Errorf("the encoder lacks the weights %q", v.Name)
		}
		if !tensor.SameShape(t.Shape(), v.Value.Shape()) || t.DType() != tensor.Float32 {
			return fmt.Errorf("the encoder's weights %q are %v, expected %v", v.Name, t, v.Value)
		}
	}
	if n := len(c.State.Variables()); len(m.Values) != n {
		return fmt.Errorf("the encoder has %d weights, expected %d", len(m.Values), n)
	}
	return nil
}

// Digest is of all that makes a text's vector: the weights, the tokenizer, the
// pooling and the rest.
func (m *Model) Digest() string {
	h := sha256.New()
	raw, err := json.Marshal(m)
	if err != nil {
		raw = []byte(err.Error()) // a bundle of it fails with the same error
	}
	fmt.Fprintf(h, "%s\n", raw)
	for _, name := range slices.Sorted(maps.Keys(m.Values)) {
		t := m.Values[name]
		e := safetensors.FromTensor(name, t)
		fmt.Fprintln(h, name, t.Shape())
		h.Write(e.Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
