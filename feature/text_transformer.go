package feature

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerText("transformer", textEncoder{
		options: func() TextEncoderOptions { return &TextTransformerOptions{} },
		fitted:  func() FittedText { return &TextTransformer{} },
	})
}

// TextTransformerOptions are the options of a transformer over tokens.
type TextTransformerOptions struct {
	TokenOptions `yaml:",inline"`
	Depth        int `yaml:"depth" default:"2" min:"1" max:"64" doc:"blocks"`
	Heads        int `yaml:"heads" default:"4" min:"1" max:"64" doc:"heads of attention, a divisor of dimension"`
	// Within is apart from Dropout, which is for what comes out.
	Within float64 `yaml:"block_dropout" default:"0.1" min:"0" max:"0.95" doc:"share that is silenced in training in each block"`
}

// Validate finds heads that do not divide the dimension.
func (o *TextTransformerOptions) Validate() error {
	if o.Dimension%o.Heads != 0 {
		return fmt.Errorf("%d heads of a dimension of %d, expected a number that divides it", o.Heads, o.Dimension)
	}
	return nil
}

// TextTransformer is a fitted transformer over tokens (Vaswani et al. 2017, section
// 3.1, normalised first): blocks of attention look at all tokens, of whose vectors
// the mean is kept.
type TextTransformer struct {
	tokens
	Depth  int     `json:"depth"`
	Heads  int     `json:"heads"`
	Within float64 `json:"block_dropout"`
}

// Fit implements TextEncoderOptions.
func (o *TextTransformerOptions) Fit(texts []string) (FittedText, error) {
	t, err := o.fit(texts)
	if err != nil {
		return nil, err
	}
	return &TextTransformer{*t, o.Depth, o.Heads, o.Within}, nil
}

func (f *TextTransformer) valid() error {
	if f.Depth < 1 || f.Depth > 64 || f.Heads < 1 || f.Dimension%f.Heads != 0 || !(f.Within >= 0 && f.Within < 1) {
		return fmt.Errorf("depth %d, %d heads of a dimension of %d, dropout %v: at least one is impossible", f.Depth, f.Heads, f.Dimension, f.Within)
	}
	return f.tokens.valid()
}

// Type implements FittedText.
func (*TextTransformer) Type() string { return "transformer" }

// Encode implements FittedText: [rows dimension].
func (f *TextTransformer) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	if linear {
		return f.bag(c, in[0])
	}
	layers := []nn.Layer{nn.Positions(f.Length), nn.Dropout(f.Within)}
	for range f.Depth {
		layers = append(layers, nn.TransformerBlock(nn.TransformerOptions{Heads: f.Heads, Hidden: 4 * f.Dimension, Activation: nn.GELU, NormFirst: true, Dropout: f.Within}))
	}
	layers = append(layers, nn.LayerNorm(), nn.MeanPool(), nn.Dropout(f.Dropout))
	return nn.Sequential(layers...).Apply(c, f.vectors(c, in[0], nn.TableInit(nn.Normal(0.1))))
}

// Describe implements FittedText.
func (f *TextTransformer) Describe() string {
	return fmt.Sprintf("transformer of %d blocks, %s", f.Depth, f.describe())
}
