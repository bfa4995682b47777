package feature

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerOutput("binary", outputType{
		columns: []data.Type{data.Boolean, data.Category, data.Number},
		options: func() OutputOptions { return &BinaryOptions{} },
		fitted:  func() Output { return &Binary{} },
	})
	registerOutput("category", outputType{
		columns: []data.Type{data.Category, data.Boolean, data.Number, data.Identifier},
		options: func() OutputOptions { return &CategoryOutputOptions{} },
		fitted:  func() Output { return &CategoryOutput{} },
	})
	registerOutput("number", outputType{
		columns: []data.Type{data.Number},
		options: func() OutputOptions { return &NumberOutputOptions{} },
		fitted:  func() Output { return &NumberOutput{} },
	})
}

// valuesOf counts the values of a target column as text.
func valuesOf(c *data.Column) map[string]int {
	count := map[string]int{}
	for i := range c.Len() {
		if !c.Missing(i) {
			count[c.Text(i)]++
		}
	}
	return count
}

// some lists a few values.
func some(values []string) string {
	switch n := len(values); {
	case n == 0:
		return "no value"
	case n == 1:
		return fmt.Sprintf("only the value %q", values[0])
	case n > 4:
		return fmt.Sprintf("%d values (%q, %q, %q, …)", n, values[0], values[1], values[2])
	}
	var quoted []string
	for _, v := range values {
		quoted = append(quoted, strconv.Quote(v))
	}
	return "the values " + strings.Join(quoted, ", ")
}

func classTargets(c *data.Column, classes []string, set func(row, class int)) ([]float64, error) {
	index := map[string]int{}
	for i, v := range classes {
		index[v] = i
	}
	targets := make([]float64, c.Len())
	for i := range targets {
		if c.Missing(i) {
			return nil, fmt.Errorf("target %q is missing in row %d: rows without a target cannot be trained on or evaluated", c.Name, i+1)
		}
		k, ok := index[c.Text(i)]
		if !ok {
			return nil, fmt.Errorf("target %q has the class %q in row %d, which training rows do not have: they have %s", c.Name, c.Text(i), i+1, some(classes))
		}
		targets[i] = float64(k)
		set(i, k)
	}
	return targets, nil
}

// NumberOutputOptions are the options of a number output.
type NumberOutputOptions struct {
	Transform string  `yaml:"transform" default:"auto" enum:"auto,none,log" doc:"log: learn log(1+target), for targets of 0 and above with a long tail; auto: where it fits the validation rows better"`
	Loss      string  `yaml:"loss" default:"squared_error" enum:"squared_error,absolute_error,huber" doc:"what training minimises"`
	Delta     float64 `yaml:"delta" default:"1" above:"0" doc:"of huber: where it turns from squared to absolute, in deviations of the target"`
}

// NumberOutput is a fitted number output: the target is scaled to mean 0 and
// deviation 1, after a logarithm if Log.
type NumberOutput struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
	Log       bool    `json:"log"`
	Low       float64 `json:"low"` // smallest and largest training target
	High      float64 `json:"high"`
	Average   float64 `json:"average"` // of the training targets, in their unit
	LossName  string  `json:"loss"`
	Delta     float64 `json:"delta,omitempty"`
}

// LongTail reports whether a target might be better learnt as a logarithm:
// no value is below 0 and the skewness is above 1.
func LongTail(c *data.Column) bool {
	xs := finite(c.Numbers)
	if c.Type != data.Number || len(xs) == 0 {
		return false
	}
	mean, deviation := moments(xs)
	var m3 float64
	for _, x := range xs {
		if x < 0 {
			return false
		}
		z := (x - mean) / deviation
		m3 += z * z * z
	}
	return m3/float64(len(xs)) > 1
}

// Fit implements OutputOptions. With transform auto the target is not logged:
// the choice needs validation rows and is made by who trains.
func (o *NumberOutputOptions) Fit(c *data.Column) (Output, error) {
	if c.Type != data.Number {
		return nil, fmt.Errorf("target %q holds %s values, a number output needs numbers: use an output of type category", c.Name, c.Type)
	}
	xs := finite(c.Numbers)
	if len(xs) == 0 {
		return nil, fmt.Errorf("target %q has no number in the training rows", c.Name)
	}
	f := &NumberOutput{Log: o.Transform == "log", Low: math.Inf(1), High: math.Inf(-1), LossName: o.Loss, Delta: o.Delta}
	f.Average, _ = moments(xs)
	scaled := make([]float64, len(xs))
	for i, x := range xs {
		f.Low, f.High = min(f.Low, x), max(f.High, x)
		if f.Log && x < 0 {
			return nil, fmt.Errorf("target %q has the value %g, a log transform needs values of 0 and above: set outputs.transform to none", c.Name, x)
		}
		scaled[i] = f.forward(x)
	}
	if f.Low == f.High {
		return nil, fmt.Errorf("target %q is always %g in the training rows: there is nothing to learn", c.Name, f.Low)
	}
	f.Mean, f.Deviation = moments(scaled)
	if err := f.valid(); err != nil {
		return nil, fmt.Errorf("target %q: %w: its numbers are too large", c.Name, err)
	}
	return f, nil
}

func (f *NumberOutput) forward(x float64) float64 {
	if f.Log {
		return math.Log1p(x)
	}
	return x
}

// Type implements Output.
func (*NumberOutput) Type() string { return "number" }

// Kind implements Output.
func (*NumberOutput) Kind() metric.Kind { return metric.Regression }

// Classes implements Output.
func (*NumberOutput) Classes() []string { return nil }

// Spec implements Output.
func (*NumberOutput) Spec() Spec { return Spec{DType: tensor.Float32, Row: []int{1}} }

// Targets implements Output.
func (f *NumberOutput) Targets(c *data.Column, out *tensor.Tensor) ([]float64, error) {
	if c.Type != data.Number {
		return nil, fmt.Errorf("target %q holds %s values, expected numbers", c.Name, c.Type)
	}
	for i, x := range c.Numbers {
		if math.IsNaN(x) {
			return nil, fmt.Errorf("target %q is missing in row %d: rows without a target cannot be trained on or evaluated", c.Name, i+1)
		}
		out.Floats()[i] = float32((f.forward(max(x, f.floor())) - f.Mean) / f.Deviation)
	}
	return c.Numbers, nil
}

// floor keeps a target below all of training out of the logarithm's reach.
func (f *NumberOutput) floor() float64 {
	if f.Log {
		return 0
	}
	return math.Inf(-1)
}

// Width implements Output.
func (*NumberOutput) Width() int { return 1 }

// Head implements Output: the scaled value [rows 1].
func (*NumberOutput) Head(c *nn.Context, h *graph.Node) *graph.Node {
	return head(c, h, 1, nn.Identity)
}

// Loss implements Output.
func (f *NumberOutput) Loss(pred, target *graph.Node) *graph.Node {
	return numberLoss(f.LossName, f.Delta, pred, target)
}

// ConstantLoss implements Output, for the mean of the training targets.
func (f *NumberOutput) ConstantLoss(target *tensor.Tensor, weights []float32) float64 {
	sum, total := 0.0, 0.0
	for i, y := range target.Floats() {
		e, w := math.Abs(float64(y)), weightOf(weights, i)
		total += w
		switch f.LossName {
		case "absolute_error":
			sum += w * e
		case "huber":
			near := min(e, f.Delta)
			sum += w * (near*near/2 + f.Delta*(e-near))
		default:
			sum += w * (e * e)
		}
	}
	if total == 0 {
		return 0
	}
	return sum / total
}

// Decode implements Output: values in the target's unit. A logarithm is
// undone within the range of training targets, stretched tenfold, so that a
// stray input cannot predict infinity.
func (f *NumberOutput) Decode(pred []float32) (prob, value []float64) {
	value = widen(pred)
	for i, y := range value {
		y = float64(y*f.Deviation) + f.Mean // rounded twice, also where a processor could fuse the two
		if f.Log {
			y = max(0, math.Expm1(min(y, math.Log1p(10*f.High))))
		}
		value[i] = y
	}
	return nil, value
}

// Unscale is Decode as part of a program, where its derivative is asked for.
func (f *NumberOutput) Unscale(y *graph.Node) *graph.Node {
	y = graph.AddScalar(graph.Scale(y, f.Deviation), f.Mean)
	if !f.Log {
		return y
	}
	zero, most := y.Builder().Scalar(0), y.Builder().Scalar(math.Log1p(10*f.High))
	return graph.Max(graph.AddScalar(graph.Exp(graph.Min(y, most)), -1), zero)
}

// Describe implements Output.
func (f *NumberOutput) Describe() string {
	s := fmt.Sprintf("%.4g to %.4g, mean %.4g", f.Low, f.High, f.Average)
	if f.Log {
		s += ", learnt as log(1+target)"
	}
	return s
}

func (f *NumberOutput) valid() error {
	switch {
	case !(f.Deviation > 0) || math.IsInf(f.Deviation, 0) || math.IsNaN(f.Mean-f.Mean):
		return fmt.Errorf("mean %v and deviation %v, expected finite and above 0", f.Mean, f.Deviation)
	case !(f.Low < f.High) || f.Log && f.Low < 0:
		return fmt.Errorf("targets from %v to %v, expected a range, with a logarithm one of 0 and above", f.Low, f.High)
	}
	return nil
}

func widen(xs []float32) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = float64(x)
	}
	return out
}
