package feature

import (
	"fmt"
	"math"
	"sort"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

// CategoryOutputOptions are the options of a category output.
type CategoryOutputOptions struct {
	Loss      string  `yaml:"loss" default:"cross_entropy" enum:"cross_entropy,focal" doc:"what training minimises; focal: rows that are predicted well already count less (Lin et al. 2017)"`
	Gamma     float64 `yaml:"gamma" default:"2" min:"0" max:"100" doc:"of focal: how much less"`
	Smoothing float64 `yaml:"label_smoothing" default:"0" min:"0" max:"0.99" doc:"of cross_entropy: share of the target spread evenly over all classes (Szegedy et al. 2016)"`
}

// Validate finds options of another loss than the one chosen.
func (o *CategoryOutputOptions) Validate() error {
	if o.Loss == focal && o.Smoothing > 0 {
		return errSmoothing
	}
	return nil
}

// CategoryOutput is a fitted output of two or more exclusive classes.
type CategoryOutput struct {
	Names  []string  `json:"classes"`
	Shares []float64 `json:"shares"` // of the training rows
	classLoss
}

// Fit implements OutputOptions.
func (o *CategoryOutputOptions) Fit(c *data.Column) (Output, error) {
	count := valuesOf(c)
	if len(count) < 2 {
		return nil, fmt.Errorf("target %q has %s in the training rows, a category output needs two classes or more: check the file, or the rows left after splitting", c.Name, some(names(count)))
	}
	if len(count) > 10000 || (len(count) > 50 && 2*len(count) > c.Len()) {
		return nil, fmt.Errorf("target %q has %d different values in %d training rows, too many to be classes: is it a number (outputs.type: number) or an identifier?", c.Name, len(count), c.Len())
	}
	f := &CategoryOutput{Names: names(count), classLoss: newClassLoss(o.Loss, o.Gamma, 0, o.Smoothing)}
	if c.Type == data.Number { // in numeric order
		sort.SliceStable(f.Names, func(i, j int) bool { return number(f.Names[i]) < number(f.Names[j]) })
	}
	total := 0
	for _, n := range count {
		total += n
	}
	for _, name := range f.Names {
		f.Shares = append(f.Shares, float64(count[name])/float64(total))
	}
	return f, nil
}

func number(s string) float64 {
	var v float64
	if _, err := fmt.Sscan(s, &v); err != nil {
		return math.Inf(1)
	}
	return v
}

// Type implements Output.
func (*CategoryOutput) Type() string { return "category" }

// Kind implements Output.
func (*CategoryOutput) Kind() metric.Kind { return metric.Multiclass }

// Classes implements Output.
func (f *CategoryOutput) Classes() []string { return f.Names }

// Spec implements Output.
func (*CategoryOutput) Spec() Spec { return Spec{DType: tensor.Int32} }

// Targets implements Output: the class's index.
func (f *CategoryOutput) Targets(c *data.Column, out *tensor.Tensor) ([]float64, error) {
	return classTargets(c, f.Names, func(i, class int) { out.Ints()[i] = int32(class) })
}

// Width implements Output.
func (f *CategoryOutput) Width() int { return len(f.Names) }

// Head implements Output: the probabilities of the classes [rows k].
func (f *CategoryOutput) Head(c *nn.Context, h *graph.Node) *graph.Node {
	return head(c, h, len(f.Names), nn.Softmax)
}

// Loss implements Output: categorical cross-entropy, or the focal loss.
func (f *CategoryOutput) Loss(pred, target *graph.Node) *graph.Node {
	if f.LossName == focal {
		return lossOf(loss.SparseCategoricalFocal(f.Gamma), pred, target)
	}
	return lossOf(loss.SparseCategoricalCrossEntropyWith(f.Smoothing), pred, target)
}

// ConstantLoss implements Output.
func (f *CategoryOutput) ConstantLoss(target *tensor.Tensor, weights []float32) float64 {
	count := make([]float64, len(f.Names))
	for i, class := range target.Ints() {
		count[class] += weightOf(weights, i)
	}
	return f.constant(count)
}

// Decode implements Output.
func (*CategoryOutput) Decode(pred []float32) (prob, value []float64) { return widen(pred), nil }

// Describe implements Output.
func (f *CategoryOutput) Describe() string { return fmt.Sprintf("%d classes", len(f.Names)) }

func (f *CategoryOutput) valid() error {
	if len(f.Names) < 2 || len(f.Shares) != len(f.Names) {
		return fmt.Errorf("%d classes and %d shares, expected as many, and two or more", len(f.Names), len(f.Shares))
	}
	seen := map[string]bool{}
	for _, name := range f.Names {
		if seen[name] {
			return fmt.Errorf("class %q stands there twice", name)
		}
		seen[name] = true
	}
	return f.classLoss.valid()
}
