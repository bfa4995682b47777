package feature

import (
	"fmt"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerInput("boolean", inputType{
		columns: []data.Type{data.Boolean},
		options: func() InputOptions { return &BooleanOptions{} },
		fitted:  func() Input { return &Boolean{} },
	})
}

// BooleanOptions are the options of a boolean input: there are none.
type BooleanOptions struct{}

// Boolean is a fitted boolean input: −1 for false, 1 for true and 0 for
// missing, and a missing indicator where training rows miss some.
type Boolean struct {
	Indicator bool `json:"missing_indicator"`
}

// Fit implements InputOptions.
func (*BooleanOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "boolean", data.Boolean); err != nil {
		return nil, err
	}
	missing := 0
	for _, code := range c.Codes {
		if code < 0 {
			missing++
		}
	}
	if missing == c.Len() {
		return nil, fmt.Errorf("column %q has no value in the training rows: leave it out of inputs", c.Name)
	}
	return &Boolean{Indicator: missing > 0}, nil
}

// Type implements Input.
func (*Boolean) Type() string { return "boolean" }

// Specs implements Input.
func (f *Boolean) Specs() []Spec {
	if f.Indicator {
		return []Spec{{DType: tensor.Float32, Row: []int{2}}}
	}
	return []Spec{{DType: tensor.Float32, Row: []int{1}}}
}

// Transform implements Input.
func (f *Boolean) Transform(c *data.Column, out []*tensor.Tensor) error {
	if err := wrongColumn(c, "boolean", data.Boolean); err != nil {
		return err
	}
	dst, w := out[0].Floats(), f.Specs()[0].Row[0]
	for i, code := range c.Codes {
		switch {
		case code < 0:
			dst[i*w] = 0
		case code == 0:
			dst[i*w] = -1
		default:
			dst[i*w] = 1
		}
		if w == 2 {
			dst[i*w+1] = indicator(code < 0)
		}
	}
	return nil
}

// Encode implements Input: the values as they are.
func (f *Boolean) Encode(_ *nn.Context, in []*graph.Node, _ bool) *graph.Node { return in[0] }

// Describe implements Input.
func (f *Boolean) Describe() string {
	if f.Indicator {
		return "−1 or 1, missing indicator"
	}
	return "−1 or 1"
}
