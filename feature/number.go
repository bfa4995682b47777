package feature

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerInput("number", inputType{
		columns: []data.Type{data.Number},
		options: func() InputOptions { return &NumberOptions{} },
		fitted:  func() Input { return &Number{} },
	})
}

// NumberOptions are the options of a number input.
type NumberOptions struct {
	Scaling    string  `yaml:"scaling" default:"standard" enum:"standard,none" doc:"standard: mean 0 and deviation 1 on the training rows; none: as it is"`
	Imputation string  `yaml:"imputation" default:"mean" enum:"mean,median,zero" doc:"what stands for a missing value, before scaling"`
	Indicator  string  `yaml:"missing_indicator" default:"auto" enum:"auto,always,never" doc:"a second input that says whether the value is missing; auto: where training rows miss some"`
	Clip       float64 `yaml:"clip" default:"10" min:"0" doc:"bound on scaled values, so that a stray one cannot drown a prediction; 0: none"`
}

// Number is a fitted number input: one scaled value, and a missing indicator
// where asked for.
type Number struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
	Fill      float64 `json:"fill"`
	Clip      float64 `json:"clip"`
	Indicator bool    `json:"missing_indicator"`
}

// Fit implements InputOptions.
func (o *NumberOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "number", data.Number); err != nil {
		return nil, err
	}
	present := finite(c.Numbers)
	if len(present) == 0 {
		return nil, fmt.Errorf("column %q has no number in the training rows: leave it out of inputs", c.Name)
	}
	n := &Number{Deviation: 1, Clip: o.Clip}
	mean, deviation := moments(present)
	switch o.Imputation {
	case "median":
		n.Fill = median(present)
	case "zero":
		n.Fill = 0
	default:
		n.Fill = mean
	}
	if o.Scaling != "none" {
		n.Mean, n.Deviation = mean, deviation
	} else {
		n.Clip = 0
	}
	missing := len(present) < c.Len()
	n.Indicator = o.Indicator == "always" || (o.Indicator != "never" && missing)
	if err := n.valid(); err != nil {
		return nil, fmt.Errorf("column %q: %w: its numbers are too large", c.Name, err)
	}
	return n, nil
}

// finite returns the numbers that are there.
func finite(xs []float64) []float64 {
	var out []float64
	for _, x := range xs {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	return out
}

// moments returns the mean and the standard deviation (of the population, as
// scikit-learn's StandardScaler; 1 where all are equal), by Welford's method.
func moments(xs []float64) (mean, deviation float64) {
	var m2 float64
	for i, x := range xs {
		d := x - mean
		mean += d / float64(i+1)
		m2 += float64(d * (x - mean)) // never fused, for the same bits everywhere
	}
	deviation = math.Sqrt(m2 / float64(len(xs)))
	if deviation <= 1e-12*math.Abs(mean) || deviation == 0 || math.IsInf(deviation, 0) || math.IsNaN(deviation) {
		deviation = 1
	}
	return mean, deviation
}

// Type implements Input.
func (*Number) Type() string { return "number" }

func (n *Number) width() int {
	if n.Indicator {
		return 2
	}
	return 1
}

// Specs implements Input.
func (n *Number) Specs() []Spec { return []Spec{{tensor.Float32, []int{n.width()}}} }

// Transform implements Input.
func (n *Number) Transform(c *data.Column, out []*tensor.Tensor) error {
	if err := wrongColumn(c, "number", data.Number); err != nil {
		return err
	}
	scaleInto(c.Numbers, out[0].Floats(), n)
	return nil
}

func scaleInto(xs []float64, dst []float32, n *Number) {
	w := n.width()
	for i, x := range xs {
		missing := math.IsNaN(x)
		if missing {
			x = n.Fill
		}
		x = (x - n.Mean) / n.Deviation
		if n.Clip > 0 {
			x = max(-n.Clip, min(n.Clip, x))
		}
		// What float32 cannot hold is as far out as it can be, not infinite.
		dst[i*w] = float32(max(-math.MaxFloat32, min(math.MaxFloat32, x)))
		if w == 2 {
			dst[i*w+1] = indicator(missing)
		}
	}
}

func indicator(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// Encode implements Input: the values as they are.
func (n *Number) Encode(_ *nn.Context, in []*graph.Node, _ bool) *graph.Node { return in[0] }

// Describe implements Input.
func (n *Number) Describe() string {
	s := fmt.Sprintf("mean %.4g, deviation %.4g", n.Mean, n.Deviation)
	if n.Indicator {
		s += ", missing indicator"
	}
	return s
}

func (n *Number) valid() error {
	if !(n.Deviation > 0) || math.IsInf(n.Deviation, 0) || math.IsNaN(n.Mean-n.Mean) || n.Clip < 0 {
		return fmt.Errorf("mean %v, deviation %v and clip %v, expected finite, above 0, and 0 or more", n.Mean, n.Deviation, n.Clip)
	}
	return nil
}
