package feature

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

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
	Normalize Normalization `yaml:"normalize" doc:"what becomes of a text first"`
	Encoder   TextEncoder   `yaml:"encoder" doc:"what makes a vector of a text"`
}

// Locate implements Located.
func (o *TextOptions) Locate(resolve func(string) string) {
	if l, ok := o.Encoder.Options.(Located); ok {
		l.Locate(resolve)
	}
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
type Text struct {
	FittedText
	normalize *Normalization // nil: nothing is done
	apply     func(string) string
	warnings  []string
}

var _ Sequence = (*Text)(nil)

// Fit implements InputOptions.
func (o *TextOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "text", inputs["text"].columns...); err != nil {
		return nil, err
	}
	t := &Text{normalize: &o.Normalize}
	if err := t.valid(); err != nil {
		return nil, err
	}
	if t.apply == nil {
		t.normalize = nil
	}
	if e, ok := o.Encoder.Options.(normalizing); ok {
		e.leave(&o.Normalize)
	}
	var err error
	if t.FittedText, err = o.Encoder.Options.Fit(t.texts(c)); err != nil {
		return nil, fmt.Errorf("column %q %w", c.Name, err)
	}
	t.warn(c)
	return t, nil
}

// warn notes what of the training texts is not as texts are.
func (t *Text) warn(c *data.Column) {
	some, numbers := 0, 0
	for i := range c.Len() {
		if s := c.Text(i); s != "" {
			some++
			if _, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
				numbers++
			}
		}
	}
	if numbers > some/2 {
		t.warnings = append(t.warnings, fmt.Sprintf("%d of %d texts of %s are numbers, of which a text input sees digits alone: give the column the type number in data.types", numbers, some, c.Name))
	}
	if e, ok := t.FittedText.(interface{ shortened() string }); ok {
		if s := e.shortened(); s != "" {
			t.warnings = append(t.warnings, c.Name+": "+s)
		}
	}
}

// Warnings returns what was odd about the training texts.
func (t *Text) Warnings() []string { return t.warnings }

// valid prepares the normalization.
func (t *Text) valid() (err error) {
	t.apply, err = t.normalize.normalizer()
	return err
}

// Normalized returns what the encoder gets of a text.
func (t *Text) Normalized(text string) string {
	if t.apply == nil {
		return text
	}
	return t.apply(text)
}

// texts returns the texts of a column, normalized.
func (t *Text) texts(c *data.Column) []string {
	out := make([]string, c.Len())
	byRows(len(out), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if out[i] = c.Text(i); t.apply != nil {
				out[i] = t.apply(out[i])
			}
		}
	})
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
	s, err := t.FittedText.Sequences(t.texts(c))
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

// Weights implements Weighted.
func (t *Text) Weights() map[string]*tensor.Tensor {
	if w, ok := t.FittedText.(Weighted); ok {
		return w.Weights()
	}
	return nil
}

// SetWeights implements Weighted.
func (t *Text) SetWeights(values map[string]*tensor.Tensor) error {
	if w, ok := t.FittedText.(Weighted); ok {
		return w.SetWeights(values)
	}
	if len(values) > 0 {
		return fmt.Errorf("there are weights of an encoder, and %s has none of its own", t.FittedText.Type())
	}
	return nil
}

// Digest implements Weighted.
func (t *Text) Digest() string {
	if d, ok := t.FittedText.(interface{ Digest() string }); ok {
		return d.Digest()
	}
	return ""
}

// savedText is how a text input stands in features.json: its encoder, and beside it
// what becomes of texts first.
type savedText struct {
	saved
	Normalize *Normalization `json:"normalize,omitempty"`
}

// MarshalJSON writes the encoder's type beside what it fitted.
func (t *Text) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(t.FittedText)
	if err != nil {
		return nil, err
	}
	return json.Marshal(savedText{saved{t.FittedText.Type(), raw}, t.normalize})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Text) UnmarshalJSON(raw []byte) (err error) {
	var s savedText
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	t.normalize = s.Normalize
	t.FittedText, err = unmarshal(json.RawMessage(raw), "text encoder", textEncoders, func(e textEncoder) FittedText { return e.fitted() })
	return err
}
