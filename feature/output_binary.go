package feature

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

// positiveNames are the spellings that mean yes, by which the positive class
// is chosen when none is given.
var positiveNames = map[string]bool{
	"1": true, "true": true, "t": true, "yes": true, "y": true, "positive": true, "pos": true,
	"on": true, "1.0": true, "success": true, "default": true, "fraud": true, "spam": true, "churned": true, "malignant": true,
	"是": true,
}

// BinaryOptions are the options of a binary output.
type BinaryOptions struct {
	Positive  string    `yaml:"positive" doc:"the class that probabilities, precision and recall are about; default: the one that means yes, else the rarer one"`
	Threshold Threshold `yaml:"threshold" default:"0.5" doc:"probability from which a row counts as positive, 0 to 1; auto: the one with the best threshold_metric on the validation rows"`
	Metric    string    `yaml:"threshold_metric" default:"f1" doc:"of threshold auto, what it makes best: f1, f2 or another F-beta; balanced_accuracy; accuracy; precision where recall>=0.9, or recall where precision>=0.8 or specificity>=0.95; costs, as in \"fp=1,fn=5\""`
	Loss      string    `yaml:"loss" default:"cross_entropy" enum:"cross_entropy,focal" doc:"what training minimises; focal: rows that are predicted well already count less (Lin et al. 2017)"`
	Gamma     float64   `yaml:"gamma" default:"2" min:"0" max:"100" doc:"of focal: how much less"`
	Alpha     float64   `yaml:"alpha" default:"0" min:"0" below:"1" doc:"of focal: weight of the positive class, the other has 1 - alpha; 0: neither is weighted"`
	Smoothing float64   `yaml:"label_smoothing" default:"0" min:"0" max:"0.99" doc:"of cross_entropy: share of the target spread evenly over both classes (Szegedy et al. 2016)"`
}

// Validate finds options of another loss than the one chosen, and an aim of the
// threshold that is none.
func (o *BinaryOptions) Validate() error {
	if _, err := metric.ParseAim(o.Metric); err != nil {
		return fmt.Errorf("threshold_metric: %w", err)
	}
	switch {
	case o.Loss == focal && o.Smoothing > 0:
		return errSmoothing
	case o.Loss != focal && o.Alpha > 0:
		return fmt.Errorf("alpha is of loss: focal, found loss: cross_entropy: choose focal, or train.class_weights")
	}
	return nil
}

// A Threshold is a probability, or AutoThreshold.
type Threshold float64

// AutoThreshold asks for a threshold chosen on validation rows by who trains.
const AutoThreshold Threshold = -1

// UnmarshalText reads auto or a number from 0 to 1.
func (t *Threshold) UnmarshalText(b []byte) error {
	if string(b) == "auto" {
		*t = AutoThreshold
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("found %q, expected a number from 0 to 1, or auto", b)
	}
	*t = Threshold(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (t Threshold) MarshalText() ([]byte, error) {
	if t == AutoThreshold {
		return []byte("auto"), nil
	}
	return strconv.AppendFloat(nil, float64(t), 'g', -1, 64), nil
}

// Binary is a fitted output of two classes.
type Binary struct {
	Negative  string  `json:"negative"`
	Positive  string  `json:"positive"`
	Threshold float64 `json:"threshold"`
	Share     float64 `json:"share"` // of positives in the training rows
	classLoss
}

// Fit implements OutputOptions.
func (o *BinaryOptions) Fit(c *data.Column) (Output, error) {
	count := valuesOf(c)
	values := names(count)
	if len(values) != 2 {
		return nil, fmt.Errorf("target %q has %s in the training rows, a binary output needs two classes: %s", c.Name, some(values),
			map[bool]string{true: "check the file, or the rows left after splitting", false: "use an output of type category"}[len(values) < 2])
	}
	positive := values[1]
	switch a, b := positiveNames[strings.ToLower(values[0])], positiveNames[strings.ToLower(values[1])]; {
	case o.Positive != "":
		positive = o.Positive
		if count[positive] == 0 {
			return nil, fmt.Errorf("target %q has no class %q (outputs.positive), it has %q and %q", c.Name, positive, values[0], values[1])
		}
	case a && !b:
		positive = values[0]
	case b && !a:
	case count[values[0]] < count[values[1]]:
		positive = values[0]
	}
	f := &Binary{Negative: values[0], Positive: positive, Threshold: float64(o.Threshold)}
	if o.Threshold == AutoThreshold {
		f.Threshold = 0.5 // until it is chosen
	}
	f.classLoss = newClassLoss(o.Loss, o.Gamma, o.Alpha, o.Smoothing)
	if f.Negative == positive {
		f.Negative = values[1]
	}
	f.Share = float64(count[positive]) / float64(count[positive]+count[f.Negative])
	return f, nil
}

// Type implements Output.
func (*Binary) Type() string { return "binary" }

// Kind implements Output.
func (*Binary) Kind() metric.Kind { return metric.Binary }

// Classes implements Output: the negative class, then the positive one.
func (f *Binary) Classes() []string { return []string{f.Negative, f.Positive} }

// Spec implements Output.
func (*Binary) Spec() Spec { return Spec{DType: tensor.Float32, Row: []int{1}} }

// Targets implements Output: 1 for the positive class.
func (f *Binary) Targets(c *data.Column, out *tensor.Tensor) ([]float64, error) {
	return classTargets(c, f.Classes(), func(i, class int) { out.Floats()[i] = float32(class) })
}

// Width implements Output.
func (*Binary) Width() int { return 1 }

// Head implements Output: the probability of the positive class [rows 1].
func (*Binary) Head(c *nn.Context, h *graph.Node) *graph.Node {
	return head(c, h, 1, nn.Sigmoid)
}

// Loss implements Output: binary cross-entropy, or the focal loss.
func (f *Binary) Loss(pred, target *graph.Node) *graph.Node {
	if f.LossName == focal {
		return lossOf(loss.BinaryFocal(f.Gamma, f.Alpha), pred, target)
	}
	return lossOf(loss.BinaryCrossEntropyWith(f.Smoothing), pred, target)
}

// ConstantLoss implements Output.
func (f *Binary) ConstantLoss(target *tensor.Tensor, weights []float32) float64 {
	count := make([]float64, 2)
	for i, y := range target.Floats() {
		count[int(y)] += weightOf(weights, i)
	}
	return f.constant(count)
}

// Decode implements Output.
func (*Binary) Decode(pred []float32) (prob, value []float64) { return widen(pred), nil }

// Describe implements Output.
func (f *Binary) Describe() string {
	return fmt.Sprintf("positive class %q (%.3g %% of training rows), else %q", f.Positive, 100*f.Share, f.Negative)
}

func (f *Binary) valid() error {
	switch {
	case f.Positive == f.Negative:
		return fmt.Errorf("both classes are %q", f.Positive)
	case !(f.Threshold >= 0 && f.Threshold <= 1):
		return fmt.Errorf("threshold is %g, expected 0 to 1", f.Threshold)
	}
	return f.classLoss.valid()
}
