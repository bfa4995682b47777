package feature

import (
	"encoding/json"
	"fmt"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerInput("text", inputType{
		columns: []data.Type{data.Text, data.Category, data.Identifier},
		options: func() InputOptions { return &TextOptions{} },
		fitted:  func() Input { return &Text{} },
	})
}

// TextOptions are the options of a text input.
type TextOptions struct {
	Encoder TextEncoder `yaml:"encoder" doc:"what makes a vector of a text"`
}

// TextEncoder chooses what makes a vector of a text.
type TextEncoder struct {
	Type    string             `yaml:"type" default:"ngrams"`
	Options TextEncoderOptions `yaml:",variant"`
}

// Variants returns the types of encoders.
func (TextEncoder) Variants() map[string]TextEncoderOptions {
	m := map[string]TextEncoderOptions{}
	for name, t := range textEncoders {
		m[name] = t.options()
	}
	return m
}

// TextEncoderOptions are the options of an encoder of texts.
type TextEncoderOptions interface {
	// Fit learns from the training texts, of which missing ones are "".
	Fit(texts []string) (FittedText, error)
}

// A FittedText is a fitted encoder of texts. It marshals to JSON. The methods are
// those of a Sequence, but for the texts; the lengths come as the context's Lengths.
type FittedText interface {
	Type() string
	Specs() []Spec // without that of the lengths
	Sequences(texts []string) (*Sequences, error)
	Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node
	Describe() string
}

type textEncoder struct {
	options func() TextEncoderOptions
	fitted  func() FittedText
}

// textEncoders is the table of encoders. To add one, write a file like
// text_ngrams.go with a line in init that enters it here.
var textEncoders = map[string]textEncoder{}

func registerText(name string, t textEncoder) {
	if _, dup := textEncoders[name]; dup {
		panic("feature: text encoder " + name + " is registered twice") // programmer error
	}
	textEncoders[name] = t
}

// Text is a fitted text input.
type Text struct{ FittedText }

var _ Sequence = (*Text)(nil)

// Fit implements InputOptions.
func (o *TextOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "text", inputs["text"].columns...); err != nil {
		return nil, err
	}
	f, err := o.Encoder.Options.Fit(texts(c))
	if err != nil {
		return nil, fmt.Errorf("column %q %w", c.Name, err)
	}
	return &Text{f}, nil
}

func texts(c *data.Column) []string {
	out := make([]string, c.Len())
	for i := range out {
		out[i] = c.Text(i)
	}
	return out
}

// Type implements Input.
func (*Text) Type() string { return "text" }

// Specs implements Input.
func (t *Text) Specs() []Spec { return append(t.FittedText.Specs(), Spec{DType: tensor.Int32}) }

// Sequences implements Sequence. A missing text is an empty one.
func (t *Text) Sequences(c *data.Column) (*Sequences, error) {
	if err := wrongColumn(c, "text", inputs["text"].columns...); err != nil {
		return nil, err
	}
	s, err := t.FittedText.Sequences(texts(c))
	if err != nil {
		return nil, fmt.Errorf("column %q: %w", c.Name, err)
	}
	return s, nil
}

// Transform implements Input.
func (t *Text) Transform(c *data.Column, out []*tensor.Tensor) error {
	s, err := t.Sequences(c)
	if err != nil {
		return err
	}
	for i := range c.Len() {
		for k := range s.Values {
			s.Fill(k, i, out[k], i)
		}
	}
	copy(out[len(s.Values)].Ints(), s.Lengths().Ints())
	return nil
}

// Encode implements Input.
func (t *Text) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	last := len(in) - 1
	d := *c
	d.Lengths = in[last]
	return t.FittedText.Encode(&d, in[:last], linear)
}

// MarshalJSON writes the encoder's type beside what it fitted.
func (t *Text) MarshalJSON() ([]byte, error) { return Marshal(t.FittedText) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Text) UnmarshalJSON(raw []byte) (err error) {
	t.FittedText, err = unmarshal(json.RawMessage(raw), "text encoder", textEncoders, func(e textEncoder) FittedText { return e.fitted() })
	return err
}
