package feature

import (
	"fmt"
	"math"
	"sort"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerInput("category", inputType{
		columns: []data.Type{data.Category, data.Boolean, data.Identifier, data.Number},
		options: func() InputOptions { return &CategoryOptions{} },
		fitted:  func() Input { return &Category{} },
	})
}

// CategoryOptions are the options of a category input.
type CategoryOptions struct {
	Dimension int `yaml:"dimension" default:"0" min:"0" max:"1024" doc:"length of a value's vector; 0: by the number of values"`
	MinCount  int `yaml:"min_count" default:"3" min:"1" doc:"values with fewer training rows share the vector of unseen values"`
	MaxValues int `yaml:"max_values" default:"10000" min:"1" doc:"only the most frequent are kept"`
}

// Category is a fitted category input: a vocabulary. Index 0 stands for rare
// and unseen values, 1 for missing ones, 2 and up for Values.
type Category struct {
	Values    []string `json:"values"`
	Dimension int      `json:"dimension"`
	index     map[string]int32
}

const (
	unseenIndex  = 0
	missingIndex = 1
	firstValue   = 2
)

// Fit implements InputOptions.
func (o *CategoryOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "category", inputs["category"].columns...); err != nil {
		return nil, err
	}
	count := map[string]int{}
	for i := range c.Len() {
		if !c.Missing(i) {
			count[c.Text(i)]++
		}
	}
	if len(count) == 0 {
		return nil, fmt.Errorf("column %q has no value in the training rows: leave it out of inputs", c.Name)
	}
	var values []string
	for v, n := range count {
		if n >= o.MinCount {
			values = append(values, v)
		}
	}
	sort.Slice(values, func(i, j int) bool {
		if count[values[i]] != count[values[j]] {
			return count[values[i]] > count[values[j]]
		}
		return values[i] < values[j]
	})
	if o.MaxValues > 0 {
		values = values[:min(len(values), o.MaxValues)]
	}
	f := &Category{Values: values, Dimension: o.Dimension}
	if f.Dimension == 0 {
		f.Dimension = min(32, int(math.Ceil(1.6*math.Pow(float64(len(values)+firstValue), 0.56))))
	}
	return f, f.valid()
}

// valid checks a vocabulary and prepares it for lookups.
func (f *Category) valid() error {
	if f.Dimension < 1 || f.Dimension > 1<<16 {
		return fmt.Errorf("dimension is %d, expected 1 to %d", f.Dimension, 1<<16)
	}
	f.index = make(map[string]int32, len(f.Values))
	for i, v := range f.Values {
		if _, dup := f.index[v]; dup {
			return fmt.Errorf("value %q stands twice in the vocabulary", v)
		}
		f.index[v] = int32(firstValue + i)
	}
	return nil
}

// Type implements Input.
func (*Category) Type() string { return "category" }

// Specs implements Input.
func (f *Category) Specs() []Spec { return []Spec{{DType: tensor.Int32}} }

// Transform implements Input.
func (f *Category) Transform(c *data.Column, out []*tensor.Tensor) error {
	if err := wrongColumn(c, "category", inputs["category"].columns...); err != nil {
		return err
	}
	dst := out[0].Ints()
	if c.Codes == nil {
		for i := range dst {
			dst[i] = f.lookup(c, i)
		}
		return nil
	}
	byCode := make([]int32, len(c.Dict))
	for code, v := range c.Dict {
		byCode[code] = f.of(v)
	}
	for i, code := range c.Codes {
		if code < 0 {
			dst[i] = missingIndex
		} else {
			dst[i] = byCode[code]
		}
	}
	return nil
}

func (f *Category) lookup(c *data.Column, i int) int32 {
	if c.Missing(i) {
		return missingIndex
	}
	return f.of(c.Text(i))
}

func (f *Category) of(v string) int32 {
	if k, ok := f.index[v]; ok {
		return k
	}
	return unseenIndex
}

// Encode implements Input: a vector per value, learned; one-hot if linear.
func (f *Category) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	n := len(f.Values) + firstValue
	if linear {
		return graph.OneHot(in[0], n)
	}
	return nn.Embedding(n, f.Dimension).Apply(c, in[0])
}

// Describe implements Input.
func (f *Category) Describe() string {
	return fmt.Sprintf("%d values, vectors of %d", len(f.Values), f.Dimension)
}
