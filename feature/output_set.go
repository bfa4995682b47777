package feature

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

func init() {
	registerOutput("set", outputType{
		columns: []data.Type{data.Set, data.Category, data.Text, data.Identifier},
		options: func() OutputOptions { return &SetOptions{} },
		fitted:  func() Output { return &Set{} },
	})
}

// SetOptions are the options of a set output: any number of labels in a row.
type SetOptions struct {
	Delimiter string       `yaml:"delimiter" doc:"between the labels of a cell; default: that of ; | , which most cells have. A cell may be a JSON array as well"`
	Threshold SetThreshold `yaml:"threshold" default:"auto" doc:"probability from which a label counts as present: a number from 0 to 1; auto: the one with the best F1 (micro) on the validation rows; per_label: for each label the one with its best F1 there"`
	Weight    string       `yaml:"positive_weight" default:"none" enum:"none,balanced" doc:"balanced: in training, the rows with a label count as much as those without it"`
	Smoothing float64      `yaml:"label_smoothing" default:"0" min:"0" max:"0.99" doc:"share of the target spread evenly over present and absent (Szegedy et al. 2016)"`
	MinRows   int          `yaml:"min_rows" default:"1" min:"1" doc:"labels of fewer training rows are left out, and count as misses where they are true"`
}

// A SetThreshold is a probability, SetAuto or SetPerLabel.
type SetThreshold float64

// Thresholds that are chosen on validation rows by who trains.
const (
	SetAuto     SetThreshold = -1 // one for all labels
	SetPerLabel SetThreshold = -2
)

// UnmarshalText reads auto, per_label or a number from 0 to 1.
func (t *SetThreshold) UnmarshalText(b []byte) error {
	switch string(b) {
	case "auto":
		*t = SetAuto
		return nil
	case "per_label":
		*t = SetPerLabel
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("found %q, expected a number from 0 to 1, auto, or per_label", b)
	}
	*t = SetThreshold(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (t SetThreshold) MarshalText() ([]byte, error) {
	switch t {
	case SetAuto:
		return []byte("auto"), nil
	case SetPerLabel:
		return []byte("per_label"), nil
	}
	return strconv.AppendFloat(nil, float64(t), 'g', -1, 64), nil
}

// Set is a fitted output of sets of labels.
type Set struct {
	Labels     []string  `json:"labels"` // in the order of their names
	Shares     []float64 `json:"shares"` // of the training rows that have it
	Delimiter  string    `json:"delimiter,omitempty"`
	Thresholds []float64 `json:"thresholds"` // of each label
	Balanced   bool      `json:"balanced,omitempty"`
	Smoothing  float64   `json:"label_smoothing,omitempty"`
	Mean       float64   `json:"mean"` // labels of a training row
}

// Fit implements OutputOptions.
func (o *SetOptions) Fit(c *data.Column) (Output, error) {
	f := &Set{Delimiter: o.Delimiter, Balanced: o.Weight == "balanced", Smoothing: o.Smoothing}
	if f.Delimiter == "" {
		f.Delimiter = data.SetDelimiter(c)
	}
	count, rows, total := map[string]int{}, 0, 0
	for i := range c.Len() {
		if c.Missing(i) {
			continue
		}
		labels, err := f.split(c, i)
		if err != nil {
			return nil, err
		}
		for _, l := range labels {
			count[l]++
		}
		rows, total = rows+1, total+len(labels)
	}
	all := names(count)
	f.Labels = slices.DeleteFunc(slices.Clone(all), func(l string) bool { return count[l] < o.MinRows })
	switch {
	case len(f.Labels) == 0:
		return nil, fmt.Errorf("target %q has %d labels in %d training rows, and none in %d of them or more (outputs.min_rows): check the file", c.Name, len(all), rows, o.MinRows)
	case len(f.Labels) > 10_000:
		return nil, fmt.Errorf("target %q has %d labels in the training rows, at most 10000 can be learnt: set outputs.min_rows to leave out rare ones, or outputs.delimiter if %q is not what parts them", c.Name, len(f.Labels), f.Delimiter)
	case 20*total < 21*rows && len(f.Labels) > 50 && 2*len(f.Labels) > rows:
		return nil, fmt.Errorf("target %q has %d labels in %d training rows, hardly any cell with two: set outputs.delimiter to what parts them, found %q", c.Name, len(f.Labels), rows, f.Delimiter)
	}
	f.Mean = float64(total) / float64(rows)
	threshold := float64(o.Threshold)
	if threshold < 0 {
		threshold = 0.5 // until they are chosen
	}
	for _, l := range f.Labels {
		f.Shares = append(f.Shares, float64(count[l])/float64(rows))
		f.Thresholds = append(f.Thresholds, threshold)
	}
	return f, nil
}

func (f *Set) split(c *data.Column, row int) ([]string, error) {
	labels, err := data.SplitSet(c.Text(row), f.Delimiter)
	if err != nil {
		return nil, fmt.Errorf("target %q, row %d: %w", c.Name, row+1, err)
	}
	return labels, nil
}

// Type implements Output.
func (*Set) Type() string { return "set" }

// Kind implements Output.
func (*Set) Kind() metric.Kind { return metric.Multilabel }

// Classes implements Output: the labels.
func (f *Set) Classes() []string { return f.Labels }

// Spec implements Output.
func (f *Set) Spec() Spec { return Spec{DType: tensor.Float32, Row: []int{len(f.Labels)}} }

// Targets implements Output. The values are rows × (labels + 1): after 0 or 1 for
// each label, how many labels the row has that training rows do not have.
func (f *Set) Targets(c *data.Column, out *tensor.Tensor) ([]float64, error) {
	index := map[string]int{}
	for i, l := range f.Labels {
		index[l] = i
	}
	k := len(f.Labels)
	values := make([]float64, c.Len()*(k+1))
	for i := range c.Len() {
		if c.Missing(i) {
			return nil, fmt.Errorf("target %q is missing in row %d: rows without a target cannot be trained on or evaluated; the empty set is written %s", c.Name, i+1, data.EmptySet)
		}
		labels, err := f.split(c, i)
		if err != nil {
			return nil, err
		}
		for _, l := range labels {
			if j, ok := index[l]; ok {
				values[i*(k+1)+j], out.Floats()[i*k+j] = 1, 1
			} else {
				values[i*(k+1)+k]++
			}
		}
	}
	return values, nil
}

// Unseen returns the labels of a column that training rows do not have, with the
// number of rows that have them.
func (f *Set) Unseen(c *data.Column) (labels []string, rows int) {
	count := map[string]int{}
	for i := range c.Len() {
		if c.Missing(i) {
			continue
		}
		found, err := f.split(c, i)
		if err != nil {
			continue // which Targets tells
		}
		any := false
		for _, l := range found {
			if _, ok := slices.BinarySearch(f.Labels, l); !ok {
				count[l]++
				any = true
			}
		}
		if any {
			rows++
		}
	}
	return names(count), rows
}

// Width implements Output.
func (f *Set) Width() int { return len(f.Labels) }

// Head implements Output: the probability of each label [rows k].
func (f *Set) Head(c *nn.Context, h *graph.Node) *graph.Node {
	return head(c, h, len(f.Labels), nn.Sigmoid)
}

// Loss implements Output: the binary cross-entropy, a mean over the labels.
func (f *Set) Loss(pred, target *graph.Node) *graph.Node {
	if f.Balanced {
		return lossOf(loss.BinaryCrossEntropyWeighted(f.positiveWeights(), f.Smoothing), pred, target)
	}
	return lossOf(loss.BinaryCrossEntropyWith(f.Smoothing), pred, target)
}

// maxPositiveWeight keeps a label of few rows from deciding everything.
const maxPositiveWeight = 100

// positiveWeights are what a row with a label counts, one without it counting 1.
func (f *Set) positiveWeights() []float64 {
	w := make([]float64, len(f.Shares))
	for i, s := range f.Shares {
		if w[i] = 1; s > 0 {
			w[i] = min(maxPositiveWeight, (1-s)/s)
		}
		w[i] = max(w[i], 1.0/maxPositiveWeight)
	}
	return w
}

// ConstantLoss implements Output: every label predicted by its share.
func (f *Set) ConstantLoss(target *tensor.Tensor, weights []float32) float64 {
	k := len(f.Labels)
	present, total := make([]float64, k), 0.0
	for i := range target.Len() / k {
		w := weightOf(weights, i)
		total += w
		for j, y := range target.Floats()[i*k : (i+1)*k] {
			present[j] += w * float64(y)
		}
	}
	if total == 0 {
		return 0
	}
	weight, half := f.positiveWeights(), f.Smoothing/2
	sum := 0.0
	for j, n := range present {
		share, w := n/total, 1.0
		if f.Balanced {
			w = weight[j]
		}
		// What −log p and −log(1−p) cost.
		yes := w*share*(1-half) + (1-share)*half
		no := w*share*half + (1-share)*(1-half)
		for _, c := range []float64{yes, no} {
			if c > 0 {
				sum -= c * math.Log(c/(yes+no))
			}
		}
	}
	return sum / float64(k)
}

// Decode implements Output.
func (*Set) Decode(pred []float32) (prob, value []float64) { return widen(pred), nil }

// Describe implements Output.
func (f *Set) Describe() string {
	return fmt.Sprintf("%d labels, %.3g in a row on average", len(f.Labels), f.Mean)
}

// Constant returns the labels, 0 or 1 each, that one prediction for all rows has:
// those that most rows have, or with best those that give it its best F1 (micro).
func (f *Set) Constant(best bool) []int {
	present := make([]int, len(f.Labels))
	if !best {
		for j, s := range f.Shares {
			if s >= 0.5 {
				present[j] = 1
			}
		}
		return present
	}
	order := make([]int, len(f.Shares))
	all := 0.0
	for j, s := range f.Shares {
		order[j] = j
		all += s
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.Shares[b], f.Shares[a]) })
	n, most, sum := 0, 0.0, 0.0
	for i, j := range order {
		sum += f.Shares[j]
		if f1 := 2 * sum / (float64(i+1) + all); f1 > most {
			n, most = i+1, f1
		}
	}
	for _, j := range order[:n] {
		present[j] = 1
	}
	return present
}

func (f *Set) valid() error {
	k := len(f.Labels)
	if k == 0 || len(f.Shares) != k || len(f.Thresholds) != k {
		return fmt.Errorf("%d labels, %d shares and %d thresholds, expected as many, and one or more", k, len(f.Shares), len(f.Thresholds))
	}
	for i, l := range f.Labels {
		switch {
		case i > 0 && l <= f.Labels[i-1]:
			return fmt.Errorf("label %q stands after %q, expected each once and in order", l, f.Labels[i-1])
		case !(f.Thresholds[i] >= 0 && f.Thresholds[i] <= 1):
			return fmt.Errorf("threshold of %q is %g, expected 0 to 1", l, f.Thresholds[i])
		case !(f.Shares[i] >= 0 && f.Shares[i] <= 1):
			return fmt.Errorf("share of %q is %g, expected 0 to 1", l, f.Shares[i])
		}
	}
	if !(f.Smoothing >= 0 && f.Smoothing < 1) {
		return fmt.Errorf("label smoothing is %g, expected 0 or more and below 1", f.Smoothing)
	}
	return nil
}
