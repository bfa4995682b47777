package feature

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
)

// A Spec describes one tensor of a feature: its element type and the shape of
// a row.
type Spec struct {
	DType tensor.DType
	Row   []int // empty: one element per row, shape [rows]
	// Unit, unless 0, says that rows are sequences of different lengths: Row[0] is
	// the most, and the network is built for several. So many values count as one
	// where lengths are compared: 1, or more where filling up costs little. A row is
	// filled up with −1 in whole numbers, else with 0.
	Unit int
}

// At returns the spec for sequences of up to length units, or the most if that is
// less.
func (s Spec) At(length int) Spec {
	if s.Unit > 0 {
		s.Row = append([]int{min(length*s.Unit, s.Row[0])}, s.Row[1:]...)
	}
	return s
}

// Type returns the symbolic type of the tensor for any number of rows.
func (s Spec) Type() (tensor.DType, []graph.Dim) {
	dims := []graph.Dim{graph.Rows}
	for _, d := range s.Row {
		dims = append(dims, graph.N(d))
	}
	return s.DType, dims
}

// New returns an empty tensor for a number of rows.
func (s Spec) New(rows int) *tensor.Tensor {
	return tensor.New(s.DType, append([]int{rows}, s.Row...)...)
}

// An Input is a fitted input column.
type Input interface {
	// Type is the type's name in the configuration.
	Type() string
	// Specs describes the tensors that Transform fills.
	Specs() []Spec
	// Transform fills one tensor per spec from a column, row by row. A value
	// that was not seen in training is never an error.
	Transform(c *data.Column, out []*tensor.Tensor) error
	// Encode returns the network's view of the tensors: [rows, width]. With
	// linear it is the plain one (one-hot categories) that a linear model
	// works on.
	Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node
	// Describe says in a few words what was fitted, for plans and reports.
	Describe() string
}

// Streamed is an Input whose single tensor is made when a batch needs it: it would
// be too large for all rows, or differs from epoch to epoch.
type Streamed interface {
	Input
	// Stream returns a function that makes row at of out of a row of the column, as
	// Transform does; in training changed at random by key. It is safe for
	// concurrent use with different rows.
	Stream(c *data.Column, training bool) (func(row int, key uint64, out *tensor.Tensor, at int) error, error)
}

// Weighted is an Input that others' weights are a part of.
type Weighted interface {
	// Weights returns those that are not a network's own, by name: they are kept
	// beside the network's. None is nil.
	Weights() map[string]*tensor.Tensor
	// SetWeights takes what Weights returned.
	SetWeights(values map[string]*tensor.Tensor) error
	// Digest is of what the input was fitted with and neither the configuration nor the
	// rows say: weights, and other files of others; "" for nothing.
	Digest() string
}

// An Output is a fitted output column.
type Output interface {
	// Type is the type's name in the configuration.
	Type() string
	// Kind is the kind of task for metrics.
	Kind() metric.Kind
	// Classes returns the classes in the order of their indices; nil for numbers.
	Classes() []string
	// Spec describes the tensor of targets.
	Spec() Spec
	// Targets fills the tensor and returns the targets as metrics take them.
	// A missing or unknown target is an error that names the row.
	Targets(c *data.Column, out *tensor.Tensor) ([]float64, error)
	// Width is the number of the head's outputs per row.
	Width() int
	// Head returns the predictions in the form that Decode takes, [rows,
	// width], from the network's last values h: [rows, n], or [rows, k, n] of
	// k members. In training those keep their predictions apart, [rows, k,
	// width], for a loss each; elsewhere their mean is taken.
	Head(c *nn.Context, h *graph.Node) *graph.Node
	// Loss returns the loss of each row, of members the mean of theirs.
	Loss(pred, target *graph.Node) *graph.Node
	// ConstantLoss returns the mean loss, by row weights (nil: all 1), of the
	// best prediction that looks at no input, for targets as Targets fills them.
	ConstantLoss(target *tensor.Tensor, weights []float32) float64
	// Decode turns predictions [rows, width] into what metrics take: the
	// probabilities of classes, or values in the target's unit.
	Decode(pred []float32) (prob, value []float64)
	// Describe says in a few words what was fitted.
	Describe() string
}

// inputs and outputs are the tables of types: name → options with defaults,
// which know how to fit, and a fitted value to unmarshal into.
var (
	inputs  = map[string]inputType{}
	outputs = map[string]outputType{}
)

// InputOptions are the options of an input type.
type InputOptions interface {
	// Fit learns from the training rows of the column.
	Fit(c *data.Column) (Input, error)
}

// Located options name files.
type Located interface {
	// Locate makes paths ones to open.
	Locate(resolve func(path string) string)
}

// OutputOptions are the options of an output type.
type OutputOptions interface {
	// Fit learns from the training rows of the target column.
	Fit(c *data.Column) (Output, error)
}

type inputType struct {
	columns []data.Type         // the types of columns it reads, the first by default
	options func() InputOptions // with zero values; defaults come from the tags
	fitted  func() Input        // to unmarshal into
}

type outputType struct {
	columns []data.Type
	options func() OutputOptions
	fitted  func() Output
}

func registerInput(name string, t inputType) {
	if _, dup := inputs[name]; dup {
		panic("feature: input type " + name + " is registered twice") // programmer error
	}
	inputs[name] = t
}

func registerOutput(name string, t outputType) {
	if _, dup := outputs[name]; dup {
		panic("feature: output type " + name + " is registered twice") // programmer error
	}
	outputs[name] = t
}

// InputTypes returns the names of the input types with fresh options.
func InputTypes() map[string]InputOptions {
	m := map[string]InputOptions{}
	for name, t := range inputs {
		m[name] = t.options()
	}
	return m
}

// OutputTypes returns the names of the output types with fresh options.
func OutputTypes() map[string]OutputOptions {
	m := map[string]OutputOptions{}
	for name, t := range outputs {
		m[name] = t.options()
	}
	return m
}

// InputFor returns the name of the input type that reads such a column by
// default, or "" where there is none yet.
func InputFor(t data.Type) string {
	for _, name := range names(inputs) {
		if inputs[name].columns[0] == t {
			return name
		}
	}
	return ""
}

// ColumnTypes returns the column types an input or output type reads.
func ColumnTypes(output bool, name string) []data.Type {
	if output {
		return outputs[name].columns
	}
	return inputs[name].columns
}

func names[T any](m map[string]T) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// saved is how a fitted feature stands in features.json.
type saved struct {
	Type   string          `json:"type"`
	Fitted json.RawMessage `json:"fitted"`
}

// Marshal returns a fitted input or output as JSON.
func Marshal(f interface{ Type() string }) (json.RawMessage, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	return json.Marshal(saved{f.Type(), raw})
}

// UnmarshalInput reads what Marshal wrote.
func UnmarshalInput(raw json.RawMessage) (Input, error) {
	return unmarshal(raw, "input", inputs, func(t inputType) Input { return t.fitted() })
}

// UnmarshalOutput reads what Marshal wrote.
func UnmarshalOutput(raw json.RawMessage) (Output, error) {
	return unmarshal(raw, "output", outputs, func(t outputType) Output { return t.fitted() })
}

func unmarshal[T any, F any](raw json.RawMessage, what string, table map[string]T, fresh func(T) F) (F, error) {
	var none F
	var s saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return none, err
	}
	t, ok := table[s.Type]
	if !ok {
		return none, fmt.Errorf("unknown %s type %q, this version knows %v", what, s.Type, names(table))
	}
	f := fresh(t)
	if err := json.Unmarshal(s.Fitted, f); err != nil {
		return none, fmt.Errorf("%s of type %s: %w", what, s.Type, err)
	}
	if v, ok := any(f).(interface{ valid() error }); ok {
		if err := v.valid(); err != nil {
			return none, fmt.Errorf("%s of type %s: %w", what, s.Type, err)
		}
	}
	return f, nil
}

// wrongColumn is the error for a column of a type that a feature cannot read.
func wrongColumn(c *data.Column, feature string, want ...data.Type) error {
	if slices.Contains(want, c.Type) {
		return nil
	}
	var kinds []string
	for _, t := range want {
		kinds = append(kinds, string(t))
	}
	return fmt.Errorf("column %q holds %s values, an input of type %s reads columns of type %s: give the input another type, or the column by data.types", c.Name, c.Type, feature, strings.Join(kinds, ", "))
}
