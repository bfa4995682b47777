package feature

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerText("gru", textEncoder{
		options: func() TextEncoderOptions { return &TextGRUOptions{} },
		fitted:  func() FittedText { return &TextRNN{kind: "gru"} },
	})
	registerText("lstm", textEncoder{
		options: func() TextEncoderOptions { return &TextLSTMOptions{} },
		fitted:  func() FittedText { return &TextRNN{kind: "lstm"} },
	})
}

// TextRNNOptions are the options of a recurrent network over tokens.
type TextRNNOptions struct {
	TokenOptions  `yaml:",inline"`
	Units         int  `yaml:"units" default:"128" min:"1" max:"4096" doc:"numbers of a state, in each direction"`
	Layers        int  `yaml:"layers" default:"1" min:"1" max:"16" doc:"layers, each over the states of the one before"`
	Bidirectional bool `yaml:"bidirectional" default:"true" doc:"also from the end of the text to its beginning"`
}

// TextGRUOptions are those of gated recurrent units.
type TextGRUOptions struct {
	TextRNNOptions `yaml:",inline"`
}

// TextLSTMOptions are those of long short-term memories.
type TextLSTMOptions struct {
	TextRNNOptions `yaml:",inline"`
}

// TextRNN is a fitted recurrent network over tokens, of whose states the mean is
// kept.
type TextRNN struct {
	tokens
	Units         int  `json:"units"`
	Layers        int  `json:"layers"`
	Bidirectional bool `json:"bidirectional"`

	kind string
}

// Fit implements TextEncoderOptions.
func (o *TextGRUOptions) Fit(texts []string) (FittedText, error) { return o.fit(texts, "gru") }

// Fit implements TextEncoderOptions.
func (o *TextLSTMOptions) Fit(texts []string) (FittedText, error) { return o.fit(texts, "lstm") }

func (o *TextRNNOptions) fit(texts []string, kind string) (FittedText, error) {
	t, err := o.TokenOptions.fit(texts)
	if err != nil {
		return nil, err
	}
	return &TextRNN{*t, o.Units, o.Layers, o.Bidirectional, kind}, nil
}

func (f *TextRNN) valid() error {
	if f.Units < 1 || f.Units > 1<<16 || f.Layers < 1 || f.Layers > 64 {
		return fmt.Errorf("%d layers of %d units, expected 1 or more", f.Layers, f.Units)
	}
	return f.tokens.valid()
}

// Type implements FittedText.
func (f *TextRNN) Type() string { return f.kind }

// Encode implements FittedText: [rows units], or of both directions [rows 2·units].
func (f *TextRNN) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	if linear {
		return f.bag(c, in[0])
	}
	var layers []nn.Layer
	for range f.Layers {
		if f.kind == "gru" {
			layers = append(layers, nn.GRU(f.Units, f.Bidirectional))
		} else {
			layers = append(layers, nn.LSTM(f.Units, f.Bidirectional))
		}
	}
	layers = append(layers, nn.MeanPool(), nn.Dropout(f.Dropout))
	return nn.Sequential(layers...).Apply(c, f.vectors(c, in[0], nn.TableInit(nn.Normal(0.1))))
}

// Describe implements FittedText.
func (f *TextRNN) Describe() string {
	ways := ""
	if f.Bidirectional {
		ways = " in both directions"
	}
	return fmt.Sprintf("%s of %d units%s, %s", f.kind, f.Units, ways, f.describe())
}
