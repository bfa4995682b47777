package feature

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/hone-ml/hone/embed"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerText("pretrained", textEncoder{
		options: func() TextEncoderOptions { return &PretrainedOptions{} },
		fitted:  func() FittedText { return &Pretrained{} },
	})
}

// PretrainedOptions are the options of an encoder that others have trained.
type PretrainedOptions struct {
	From      string  `yaml:"from" doc:"folder of an encoder as Hugging Face's libraries write it (config.json, model.safetensors, tokenizer.json), or a bundle that has one"`
	Tune      string  `yaml:"tune" default:"none" enum:"none,all,last_n,lora" doc:"what is trained further: nothing, all, the last blocks, or corrections of low rank"`
	Blocks    int     `yaml:"blocks" default:"2" min:"1" max:"1000" doc:"of tune: last_n, how many of the last blocks are trained"`
	Rank      int     `yaml:"rank" default:"8" min:"1" max:"1024" doc:"of tune: lora, rank of the corrections"`
	Alpha     float64 `yaml:"alpha" default:"16" above:"0" doc:"of tune: lora, what the corrections are multiplied by, times 1/rank"`
	Rate      float64 `yaml:"rate" default:"0.1" above:"0" max:"100" doc:"the encoder's learning rate as a share of the optimizer's"`
	Decay     float64 `yaml:"rate_decay" default:"1" above:"0" max:"1" doc:"each block's learning rate as a share of that of the block above it"`
	Dropout   float64 `yaml:"dropout" default:"0.1" min:"0" max:"0.95" doc:"share silenced in training, of what each block adds and of the text's vector"`
	MaxLength int     `yaml:"max_length" default:"0" min:"0" max:"100000" doc:"tokens of a text at most, of more the first; 0: as many as the encoder was made for"`
	Prefix    string  `yaml:"prefix" doc:"what every text begins with, as \"query: \" for E5; by default what the folder says"`

	at     string // From, from the configuration's folder
	mu     sync.Mutex
	loaded *vectors
}

// Validate finds options that make no sense together.
func (o *PretrainedOptions) Validate() error {
	if o.From == "" {
		return errors.New("from is missing, expected the folder of an encoder, as in from: models/all-MiniLM-L6-v2")
	}
	return nil
}

// Locate implements Located.
func (o *PretrainedOptions) Locate(resolve func(string) string) { o.at = resolve(o.From) }

// load reads the encoder, once for all that is fitted with the options.
func (o *PretrainedOptions) load() (*vectors, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.loaded != nil {
		return o.loaded, nil
	}
	at := o.at
	if at == "" {
		at = o.From
	}
	e, err := embed.Load(at)
	if err != nil {
		return nil, fmt.Errorf("is read by a pre-trained encoder (from): %w", err)
	}
	if o.Prefix != "" {
		e.Model.Prefix = o.Prefix
	}
	if o.MaxLength > 0 {
		if err := e.Model.Cut(o.MaxLength); err != nil {
			return nil, fmt.Errorf("is read by a pre-trained encoder: max_length: %w", err)
		}
	}
	o.loaded = &vectors{Embedder: e, known: map[string][]float32{}}
	return o.loaded, nil
}

// vectors remembers the vectors of texts, which training asks for several times.
type vectors struct {
	*embed.Embedder
	mu    sync.Mutex
	known map[string][]float32
}

// mostKnown bounds the memory of what is remembered, in numbers.
const mostKnown = 1 << 26

func (v *vectors) of(texts []string) ([][]float32, error) {
	if v.known == nil { // of a bundle, which is asked about ever new texts
		return v.Embed(texts)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var fresh []string
	for _, t := range texts {
		if _, ok := v.known[t]; !ok {
			v.known[t] = nil
			fresh = append(fresh, t)
		}
	}
	made, err := v.Embed(fresh)
	for i, t := range fresh {
		if delete(v.known, t); err == nil {
			v.known[t] = made[i]
		}
	}
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = v.known[t]
	}
	if len(v.known)*v.Width() > mostKnown {
		clear(v.known)
	}
	return out, nil
}

// Pretrained is an encoder that others have trained, as BERT (Devlin et al. 2019) or
// a sentence encoder (Reimers and Gurevych 2019), frozen or trained further.
type Pretrained struct {
	Model   *embed.Model `json:"model"`
	Tune    string       `json:"tune"`
	Blocks  int          `json:"blocks,omitempty"`
	Rank    int          `json:"rank,omitempty"`
	Alpha   float64      `json:"alpha,omitempty"`
	Rate    float64      `json:"rate,omitempty"`
	Decay   float64      `json:"rate_decay,omitempty"`
	Dropout float64      `json:"dropout,omitempty"`

	vectors *vectors // of a frozen one
}

// Fit implements TextEncoderOptions.
func (o *PretrainedOptions) Fit(texts []string) (FittedText, error) {
	if !slices.ContainsFunc(texts, func(t string) bool { return t != "" }) {
		return nil, errors.New("has no text in the training rows: leave it out of inputs")
	}
	v, err := o.load()
	if err != nil {
		return nil, err
	}
	f := &Pretrained{Model: v.Model, Tune: o.Tune, Dropout: o.Dropout}
	switch o.Tune {
	case "none":
		f.vectors = v
		return f, nil
	case "last_n":
		f.Blocks = o.Blocks
	case "lora":
		f.Rank, f.Alpha = o.Rank, o.Alpha
	}
	f.Rate, f.Decay = o.Rate, o.Decay
	return f, f.valid()
}

// valid checks what was read.
func (f *Pretrained) valid() error {
	switch {
	case f.Model == nil:
		return errors.New("it has no model")
	case !slices.Contains([]string{"none", "all", "last_n", "lora"}, f.Tune):
		return fmt.Errorf("tune is %q, this version knows none, all, last_n and lora", f.Tune)
	case !(f.Dropout >= 0 && f.Dropout < 1):
		return fmt.Errorf("dropout is %g, expected 0 or more and below 1", f.Dropout)
	case f.Tune == "none":
		return nil
	case !(f.Rate > 0) || !(f.Decay > 0 && f.Decay <= 1):
		return fmt.Errorf("rate is %g and rate_decay %g, expected more than 0, and the latter up to 1", f.Rate, f.Decay)
	case f.Tune == "last_n" && (f.Blocks < 1 || f.Blocks > f.Model.Encoder.Depth):
		return fmt.Errorf("%d of the last blocks are to be trained, expected 1 to %d, which the encoder has", f.Blocks, f.Model.Encoder.Depth)
	case f.Tune == "lora" && (f.Rank < 1 || f.Rank > f.Model.Encoder.Width || !(f.Alpha > 0)):
		return fmt.Errorf("rank is %d and alpha %g, expected 1 to %d, the encoder's width, and more than 0", f.Rank, f.Alpha, f.Model.Encoder.Width)
	}
	return nil
}

// Type implements FittedText.
func (*Pretrained) Type() string { return "pretrained" }

// Specs implements FittedText: tokens, or the vector of a frozen encoder as a
// sequence of one.
func (f *Pretrained) Specs() []Spec {
	if f.Tune == "none" {
		return []Spec{{tensor.Float32, []int{1, f.Model.Width()}, 1}}
	}
	return []Spec{{tensor.Int32, []int{f.Model.Length}, 1}}
}

// Sequences implements FittedText.
func (f *Pretrained) Sequences(texts []string) (*Sequences, error) {
	if f.Tune != "none" {
		ids, err := f.Model.IDs(texts)
		if err != nil {
			return nil, err
		}
		return newSequences(ids), nil
	}
	if f.vectors == nil {
		return nil, errors.New("the encoder has no weights")
	}
	rows, err := f.vectors.of(texts)
	if err != nil {
		return nil, err
	}
	width := f.Model.Width()
	s := &Sequences{Offsets: make([]int, len(rows)+1), Values: []*tensor.Tensor{tensor.Zeros(len(rows), width)}}
	for i, r := range rows {
		s.Offsets[i+1] = i + 1
		copy(s.Values[0].Floats()[i*width:], r)
	}
	return s, nil
}

// Encode implements FittedText. A linear model gets the vector of a frozen encoder,
// else learns a vector for each token.
func (f *Pretrained) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	var x *graph.Node
	switch {
	case f.Tune == "none":
		x = graph.Reshape(in[0], graph.Rows, graph.N(f.Model.Width()))
	case linear:
		return graph.BagMean(c.Param("table", []int{f.Model.Encoder.Vocabulary, linearDimension}, nn.Uniform(0.05)), in[0])
	default:
		x = f.Model.Build(c, in[0], c.Lengths, embed.Options{Dropout: f.Dropout, Rates: f.rates(), LoRA: nn.LoRA{Rank: f.Rank, Alpha: f.Alpha}})
	}
	if f.Model.Pooling.Normalize { // numbers of about 1, as other inputs
		x = graph.Scale(x, math.Sqrt(float64(f.Model.Width())))
	}
	if linear {
		return x
	}
	return nn.Dropout(f.Dropout).Apply(c, x)
}

// rates are the factors of the learning rate of the encoder's vectors and blocks.
func (f *Pretrained) rates() []float64 {
	depth := f.Model.Encoder.Depth
	rates := make([]float64, 1+depth)
	for i := range rates {
		rates[i] = f.Rate * math.Pow(f.Decay, float64(depth-i))
		if f.Tune == "last_n" && i <= depth-f.Blocks {
			rates[i] = 0
		}
	}
	return rates
}

// Describe implements FittedText.
func (f *Pretrained) Describe() string {
	e := f.Model.Encoder
	how := map[string]string{
		"none": "frozen", "all": "trained further", "last_n": fmt.Sprintf("the last %d trained further", f.Blocks),
		"lora": fmt.Sprintf("corrections of rank %d trained", f.Rank),
	}[f.Tune]
	return fmt.Sprintf("%s of %d blocks, %s, up to %d tokens, vectors of %d", e.Type, e.Depth, how, f.Model.Length, f.Model.Width())
}

// Weights implements Weighted.
func (f *Pretrained) Weights() map[string]*tensor.Tensor {
	if f.Tune != "none" {
		return nil
	}
	return f.Model.Values
}

// SetWeights implements Weighted.
func (f *Pretrained) SetWeights(values map[string]*tensor.Tensor) error {
	if f.Tune != "none" {
		if len(values) > 0 {
			return errors.New("there are weights of a frozen encoder, and the encoder is not frozen")
		}
		return nil
	}
	f.Model.Values = values
	f.vectors = &vectors{Embedder: embed.New(f.Model)}
	return f.Model.CheckValues()
}

// Digest implements Weighted.
func (f *Pretrained) Digest() string { return f.Model.Digest() }
