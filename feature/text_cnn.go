package feature

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerText("cnn", textEncoder{
		options: func() TextEncoderOptions { return &TextCNNOptions{} },
		fitted:  func() FittedText { return &TextCNN{} },
	})
}

// TextCNNOptions are the options of a convolutional network over tokens.
type TextCNNOptions struct {
	TokenOptions `yaml:",inline"`
	Widths       []int `yaml:"widths" default:"[2, 3, 4, 5]" min:"1" max:"32" doc:"tokens that a filter looks at, of each group of filters"`
	Filters      int   `yaml:"filters" default:"128" min:"1" max:"4096" doc:"filters of each width"`
}

// Validate finds a network of nothing.
func (o *TextCNNOptions) Validate() error {
	if len(o.Widths) == 0 {
		return errors.New("widths is empty, expected how many tokens filters look at, as in [2, 3, 4, 5]")
	}
	return nil
}

// TextCNN is a fitted convolutional network over tokens (Kim 2014, Convolutional
// neural networks for sentence classification, section 2): filters of several
// widths go over the tokens' vectors, and the largest that each finds is kept.
type TextCNN struct {
	tokens
	Widths  []int `json:"widths"`
	Filters int   `json:"filters"`
}

// Fit implements TextEncoderOptions.
func (o *TextCNNOptions) Fit(texts []string) (FittedText, error) {
	t, err := o.fit(texts)
	if err != nil {
		return nil, err
	}
	return &TextCNN{*t, o.Widths, o.Filters}, nil
}

func (f *TextCNN) valid() error {
	if len(f.Widths) == 0 || len(f.Widths) > 64 || slices.Min(f.Widths) < 1 || slices.Max(f.Widths) > 64 || f.Filters < 1 || f.Filters > 1<<16 {
		return fmt.Errorf("%d filters of widths %v, expected 1 or more of 1 to 64", f.Filters, f.Widths)
	}
	return f.tokens.valid()
}

// Type implements FittedText.
func (*TextCNN) Type() string { return "cnn" }

// Encode implements FittedText: [rows filters·widths].
func (f *TextCNN) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	if linear {
		return f.bag(c, in[0])
	}
	x := f.vectors(c, in[0], nn.TableInit(nn.Normal(0.1)))
	var found []*graph.Node
	for _, w := range f.Widths {
		// Zeros stand beyond the text, and 0 is the least that a filter finds: how far a
		// text is filled up changes nothing. So the bias comes after the largest.
		y := nn.Conv1D(f.Filters, w, nn.Pad(0, w-1), nn.NoBias(), nn.Init(nn.HeUniform)).Apply(c, x)
		if c.B.Err() != nil {
			return y
		}
		y = nn.MaxPool1D(y.Shape()[1].N).Apply(c, graph.Relu(y))
		found = append(found, graph.Reshape(y, graph.Rows, graph.N(f.Filters)))
	}
	y := graph.Concat(-1, found...)
	y = graph.Relu(graph.Add(y, c.Param("bias", []int{f.Filters * len(f.Widths)}, nn.Zeros)))
	return nn.Dropout(f.Dropout).Apply(c, y)
}

// Describe implements FittedText.
func (f *TextCNN) Describe() string {
	return fmt.Sprintf("cnn of %d filters, %s", f.Filters*len(f.Widths), f.describe())
}
