package feature

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

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
	Scaling     string  `yaml:"scaling" default:"standard" enum:"standard,robust,quantile,min_max,none" doc:"on the training rows, standard: mean 0 and deviation 1; robust: median 0 and interquartile range 1; quantile: to a normal distribution, by rank; min_max: from 0 to 1; none: as it is"`
	Embedding   string  `yaml:"embedding" default:"auto" enum:"auto,none,piecewise_linear,periodic,pbld" doc:"vector that stands for the number in a network: auto: piecewise_linear, and on fewer than 2,000 training rows periodic in every second network of a bag; piecewise_linear: linear between quantiles of the training rows; periodic: sines and cosines of trained frequencies; pbld: such cosines with the number beside them; none: the number itself"`
	Dimension   int     `yaml:"dimension" default:"16" min:"2" max:"1024" doc:"length of the embedding"`
	Bins        int     `yaml:"bins" default:"128" min:"2" max:"1024" doc:"pieces of a piecewise-linear embedding at most"`
	Frequencies int     `yaml:"frequencies" default:"16" min:"1" max:"1024" doc:"waves of a periodic embedding"`
	Sigma       float64 `yaml:"sigma" default:"0.1" above:"0" max:"1000" doc:"deviation of a periodic embedding's frequencies before training: larger for a target that changes faster with the number"`
	Imputation  string  `yaml:"imputation" default:"mean" enum:"mean,median,zero" doc:"what stands for a missing value, before scaling"`
	Indicator   string  `yaml:"missing_indicator" default:"auto" enum:"auto,always,never" doc:"a second input that says whether the value is missing; auto: where training rows miss some"`
	Clip        float64 `yaml:"clip" default:"10" min:"0" doc:"bound on scaled values, so that a stray one cannot drown a prediction; 0: none"`
}

// Number is a fitted number input: one scaled value, and a missing indicator
// where asked for. In a network an embedding may stand for the value.
type Number struct {
	Mean      float64   `json:"mean"` // of the training rows, with their deviation
	Deviation float64   `json:"deviation"`
	Center    float64   `json:"center"` // what scaling takes away, and divides by
	Scale     float64   `json:"scale"`
	Ranks     []float64 `json:"quantiles,omitempty"` // of training values, ascending, for scaling by rank
	Fill      float64   `json:"fill"`
	Median    *float64  `json:"median,omitempty"` // of training values; none in bundles of old
	Clip      float64   `json:"clip"`
	Indicator bool      `json:"missing_indicator"`
	Edges     []float64 `json:"edges,omitempty"` // of the pieces, in scaled values
	Dimension int       `json:"dimension,omitempty"`
	Periodic  *Periodic `json:"periodic,omitempty"` // beside edges: of every second member of a bag
}

// Periodic is a periodic embedding of a number.
type Periodic struct {
	Form        string  `json:"form"` // periodic or pbld
	Frequencies int     `json:"frequencies"`
	Sigma       float64 `json:"sigma"`
}

// UnmarshalJSON reads what was saved before scaling could be chosen, too: mean
// and deviation were what it took.
func (n *Number) UnmarshalJSON(raw []byte) error {
	type plain Number
	if err := json.Unmarshal(raw, (*plain)(n)); err != nil {
		return err
	}
	if n.Center == 0 && n.Scale == 0 {
		n.Center, n.Scale = n.Mean, n.Deviation
	}
	return nil
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
	missing := len(present) < c.Len()
	mean, deviation := moments(present)
	n := &Number{
		Mean: mean, Deviation: deviation, Scale: 1, Clip: o.Clip,
		Indicator: o.Indicator == "always" || (o.Indicator != "never" && missing),
	}
	sorted := slices.Sorted(slices.Values(present))
	median := quantile(sorted, 0.5)
	n.Median = &median
	switch o.Imputation {
	case "median":
		n.Fill = median
	case "zero":
		n.Fill = 0
	default:
		n.Fill = mean
	}
	switch o.Scaling {
	case "none":
		n.Clip = 0
	case "robust":
		n.Center, n.Scale = median, quantile(sorted, 0.75)-quantile(sorted, 0.25)
		if n.Scale == 0 { // half of the values are one and the same
			n.Scale = deviation
		}
	case "min_max":
		n.Center = sorted[0]
		if n.Scale = sorted[len(sorted)-1] - sorted[0]; n.Scale == 0 {
			n.Scale = 1
		}
	case "quantile":
		k := max(2, min(maxRanks, len(sorted)))
		for i := range k {
			n.Ranks = append(n.Ranks, quantile(sorted, float64(i)/float64(k-1)))
		}
	default:
		n.Center, n.Scale = mean, deviation
	}
	if err := n.valid(); err != nil {
		return nil, fmt.Errorf("column %q: %w: its numbers are too large", c.Name, err)
	}
	auto := o.Embedding == "auto"
	if o.Embedding == "piecewise_linear" || auto {
		for i, x := range sorted {
			sorted[i] = n.scaled(x)
		}
		if n.Edges = edges(sorted, o.Bins); n.Edges != nil {
			n.Dimension = o.Dimension
		}
	}
	switch {
	case o.Embedding == "periodic" || o.Embedding == "pbld":
		n.Periodic, n.Dimension = &Periodic{o.Embedding, o.Frequencies, o.Sigma}, o.Dimension
	case auto && n.Edges != nil && c.Len() < fewRows:
		n.Periodic = &Periodic{"periodic", o.Frequencies, o.Sigma}
	}
	return n, nil
}

// fewRows is how many training rows are too few to choose an embedding by: which
// of two is better differs from table to table, and networks that have one or the
// other err in different ways. The networks of a bag take turns.
const fewRows = 2000

// edges divides sorted values into pieces of about as many values each. A
// value that fills a piece by itself becomes an edge, and the others share the
// rest of the pieces. Nil where all are equal.
func edges(sorted []float64, pieces int) []float64 {
	out := []float64{sorted[0]}
	add := func(x float64) {
		// Narrower pieces than float32 can tell apart are none.
		if last := out[len(out)-1]; x-last > 1e-6*max(1, math.Abs(x)) {
			out = append(out, x)
		}
	}
	left := len(sorted) // values not yet dealt with
	for lo := 0; lo < len(sorted) && pieces > 0; {
		size := max(1, (left+pieces-1)/pieces)
		hi := min(lo+size, len(sorted)) // the piece, and then all values equal to its last
		x := sorted[hi-1]
		for hi < len(sorted) && sorted[hi] == x {
			hi++
		}
		add(x)
		left, lo = left-(hi-lo), hi
		pieces--
	}
	add(sorted[len(sorted)-1])
	if len(out) < 2 {
		return nil
	}
	return out
}

// quantile interpolates linearly between sorted values, as NumPy does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	lo := int(at)
	if lo+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[lo] + float64((at-float64(lo))*(sorted[lo+1]-sorted[lo]))
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

// maxRanks is how many quantiles scaling by rank keeps at most: a thousand, as
// scikit-learn's QuantileTransformer.
const maxRanks = 1000

// normal maps a value to the standard normal distribution by its rank among
// the training values, between −5.2 and 5.2, as scikit-learn's
// QuantileTransformer does.
func (n *Number) normal(x float64) float64 {
	q, last := n.Ranks, len(n.Ranks)-1
	lo := sort.SearchFloat64s(q, x)                                     // the first that is not below x
	hi := sort.Search(len(q), func(i int) bool { return q[i] > x }) - 1 // the last that is not above
	rank := 0.0
	switch {
	case lo > last:
		rank = 1
	case hi < 0:
	case lo <= hi: // x is a quantile, of equal ones the middle counts
		rank = float64(lo+hi) / 2 / float64(last)
	default:
		rank = (float64(hi) + (x-q[hi])/(q[lo]-q[hi])) / float64(last)
	}
	return math.Sqrt2 * math.Erfinv(2*max(tail, min(1-tail, rank))-1)
}

const tail = 1e-7

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
func (n *Number) Specs() []Spec { return []Spec{{DType: tensor.Float32, Row: []int{n.width()}}} }

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
		dst[i*w] = float32(n.scaled(x))
		if w == 2 {
			dst[i*w+1] = indicator(missing)
		}
	}
}

func (n *Number) scaled(x float64) float64 {
	if n.Ranks != nil {
		x = n.normal(x)
	}
	x = (x - n.Center) / n.Scale
	if n.Clip > 0 {
		x = max(-n.Clip, min(n.Clip, x))
	}
	// What float32 cannot hold is as far out as it can be, not infinite.
	return max(-math.MaxFloat32, min(math.MaxFloat32, x))
}

func indicator(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// Encode implements Input: the value or its embedding [rows dimension], and
// the indicator beside it. Embeddings are what networks work on, not linear
// models.
func (n *Number) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	x := in[0]
	var embedding nn.Layer
	switch p := n.Periodic; {
	case linear:
	case n.Edges != nil && (p == nil || c.Member%2 == 0):
		embedding = nn.PiecewiseLinear(n.Edges, n.Dimension)
	case p != nil && p.Form == "pbld":
		embedding = nn.Periodic(nn.PBLD, p.Frequencies, n.Dimension, p.Sigma)
	case p != nil:
		embedding = nn.Periodic(nn.PLR, p.Frequencies, n.Dimension, p.Sigma)
	}
	if embedding == nil {
		return x
	}
	y := embedding.Apply(c, graph.Slice(x, 1, 0, 1))
	if !n.Indicator {
		return y
	}
	return graph.Concat(1, y, graph.Slice(x, 1, 1, 2))
}

// Describe implements Input.
func (n *Number) Describe() string {
	s := fmt.Sprintf("mean %.4g, deviation %.4g", n.Mean, n.Deviation)
	if n.Ranks != nil {
		s += ", scaled by rank"
	}
	if n.Edges != nil {
		s += fmt.Sprintf(", linear in %d pieces", len(n.Edges)-1)
	}
	if n.Periodic != nil {
		s += fmt.Sprintf(", in %d waves", n.Periodic.Frequencies)
	}
	if n.Indicator {
		s += ", missing indicator"
	}
	return s
}

func (n *Number) valid() error {
	if !(n.Deviation > 0) || math.IsInf(n.Deviation, 0) || math.IsNaN(n.Mean-n.Mean) || n.Clip < 0 {
		return fmt.Errorf("mean %v, deviation %v and clip %v, expected finite, above 0, and 0 or more", n.Mean, n.Deviation, n.Clip)
	}
	if !(n.Scale > 0) || math.IsInf(n.Scale, 0) || math.IsNaN(n.Center-n.Center) {
		return fmt.Errorf("centre %v and scale %v, expected finite and above 0", n.Center, n.Scale)
	}
	if (n.Edges != nil || n.Periodic != nil) && (n.Dimension < 1 || n.Dimension > 1<<16) {
		return fmt.Errorf("dimension is %d, expected 1 to %d", n.Dimension, 1<<16)
	}
	if p := n.Periodic; p != nil {
		switch {
		case p.Form != "periodic" && p.Form != "pbld":
			return fmt.Errorf("the periodic embedding has the form %q, expected periodic or pbld", p.Form)
		case p.Frequencies < 1 || p.Frequencies > 1<<16 || !(p.Sigma > 0) || math.IsInf(p.Sigma, 0):
			return fmt.Errorf("%d frequencies of deviation %v, expected 1 to %d and above 0", p.Frequencies, p.Sigma, 1<<16)
		}
	}
	if n.Ranks != nil && (len(n.Ranks) < 2 || !slices.IsSorted(n.Ranks)) {
		return errors.New("the quantiles are fewer than two, or do not ascend")
	}
	if n.Edges != nil && (len(n.Edges) < 2 || len(slices.Compact(slices.Clone(n.Edges))) < len(n.Edges) || !slices.IsSorted(n.Edges)) {
		return errors.New("the edges are fewer than two, or do not ascend")
	}
	return nil
}
