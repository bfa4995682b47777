package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// Schema is what a model reads and predicts: the reply of /v1/schema.
type Schema struct {
	Model  string `json:"model"` // as in every reply: name@digest
	Digest string `json:"digest,omitempty"`
	Writer string `json:"writer,omitempty"` // the version of hone that wrote the bundle
	SchemaOutput
	Outputs []SchemaOutput  `json:"outputs,omitempty"` // those after the first, of which the fields above are
	Inputs  []SchemaInput   `json:"inputs"`
	Ignored []string        `json:"ignored,omitempty"` // known columns that may be sent and are not read
	MaxRows int             `json:"max_rows"`          // of a request
	MaxBody int64           `json:"max_body"`          // bytes of a request
	Example json.RawMessage `json:"example"`           // a row that can be sent as it is
	Test    json.RawMessage `json:"test,omitempty"`    // metrics on the test rows, with their intervals
}

// SchemaOutput is a column that is predicted.
type SchemaOutput struct {
	Task      string   `json:"task"` // binary, multiclass, multilabel or regression
	Target    string   `json:"target"`
	Classes   []string `json:"classes,omitempty"`   // in the order of their indices
	Positive  string   `json:"positive,omitempty"`  // of two classes
	Threshold float64  `json:"threshold,omitempty"` // probability from which a row is positive
	// Thresholds are, of sets, the probability from which each class, a label, is present.
	Thresholds []float64 `json:"thresholds,omitempty"`
	Range      []float64 `json:"range,omitempty"` // of a number, in the training rows
	// HighestCoverage is the greatest coverage that may be asked for; 0: it has no
	// prediction sets.
	HighestCoverage float64 `json:"highest_coverage,omitempty"`
	Sure            float64 `json:"sure_from,omitempty"` // probability from which a class is told as sure; above 1: never
	None            string  `json:"none,omitempty"`      // class that stands for none of the others: never sure
}

func newSchemaOutput(o model.Output) SchemaOutput {
	s := SchemaOutput{Task: o.Feature.Kind().String(), Target: o.Column, Classes: o.Feature.Classes()}
	switch out := o.Feature.(type) {
	case *feature.Binary:
		s.Positive, s.Threshold = out.Positive, out.Threshold
	case *feature.Set:
		s.Thresholds = out.Thresholds
	case *feature.NumberOutput:
		s.Range = []float64{out.Low, out.High}
	}
	return s
}

// all are the outputs in their order.
func (s *Schema) all() []SchemaOutput { return append([]SchemaOutput{s.SchemaOutput}, s.Outputs...) }

// SchemaInput is one column that a row must have.
type SchemaInput struct {
	Name      string    `json:"name"`
	Type      data.Type `json:"type"`
	Layout    string    `json:"layout,omitempty"`       // of a datetime, as in Go's package time
	Decimal   string    `json:"decimal,omitempty"`      // "," where numbers sent as text have a decimal comma
	Values    []string  `json:"values,omitempty"`       // known ones, the most frequent first; others are read as unseen
	Total     int       `json:"values_total,omitempty"` // how many are known where Values is cut short
	Mean      *float64  `json:"mean,omitempty"`         // of a number, in the training rows
	Deviation *float64  `json:"deviation,omitempty"`
	Example   any       `json:"example"`

	days float64 // of a datetime: the example in days since 1970
}

// maxValues bounds the known values that the schema lists of one column.
const maxValues = 500

// maxCells bounds the numbers of one reply, rows times classes.
const maxCells = 1 << 21

// newSchema describes a model.
func newSchema(m *model.Model, f Facts, o Options) (Schema, error) {
	s := Schema{
		Model: f.version(), Digest: f.Digest, Writer: f.Writer,
		MaxRows: o.MaxRows, MaxBody: o.MaxBody,
	}
	classes := 0
	for i, o := range m.Outputs() {
		of := newSchemaOutput(o)
		if m.HasSets(i) {
			of.HighestCoverage = m.Calibration[i].Sets.Highest()
		}
		if a := m.Abstain[o.Column]; a != nil {
			of.Sure, of.None = a.Threshold, a.None
		}
		classes += len(of.Classes)
		if i == 0 {
			s.SchemaOutput = of
		} else {
			s.Outputs = append(s.Outputs, of)
		}
	}
	// Of metrics.json, curves and tables are left out.
	var metrics struct{ Test json.RawMessage }
	if json.Unmarshal(f.Metrics, &metrics) == nil {
		s.Test = metrics.Test
	}
	if classes > 0 {
		s.MaxRows = max(1, min(o.MaxRows, maxCells/classes))
	}
	read := map[string]bool{}
	var example object
	for _, in := range m.Inputs {
		if read[in.Column] {
			continue // in another way too
		}
		f := m.Schema.Field(in.Column)
		if f == nil {
			return s, fmt.Errorf("input %q is not in the model's schema", in.Column)
		}
		d := describe(in, *f)
		s.Inputs = append(s.Inputs, d)
		example = append(example, member{d.Name, d.Example})
		read[in.Column] = true
	}
	for _, c := range m.Schema {
		if !read[c.Name] {
			s.Ignored = append(s.Ignored, c.Name)
		}
	}
	for _, o := range m.Outputs() {
		if !read[o.Column] && m.Schema.Field(o.Column) == nil {
			s.Ignored = append(s.Ignored, o.Column)
		}
	}
	var err error
	s.Example, err = marshal(example, "")
	return s, err
}

// describe describes an input. A feature that it does not know is described by
// its column's type alone.
func describe(in model.Input, f data.Field) SchemaInput {
	d := SchemaInput{Name: f.Name, Type: f.Type, Layout: f.Layout, Decimal: f.Decimal}
	if f.Type == data.Boolean {
		d.Values, d.Example = []string{f.False, f.True}, false
	}
	switch t := in.Feature.(type) {
	case *feature.Number:
		d.Example = rounded(t.Fill, t.Deviation)
		if t.Mean != 0 || t.Deviation != 1 { // else it was not scaled, and nothing is known
			d.Mean, d.Deviation = &t.Mean, &t.Deviation
		}
	case *feature.Image:
		d.Example = exampleImage
	case *feature.Datetime:
		// Midnight, so that a date is written as a date.
		d.days = math.Round(t.Time.Mean)
		d.Example = writeTime(d.days*86400, f.Layout)
	case *feature.Category:
		if f.Type == data.Boolean || len(t.Values) == 0 {
			break
		}
		d.Values, d.Example = t.Values, t.Values[0]
		if f.Type == data.Number && f.Decimal == "" {
			d.Example = json.Number(t.Values[0])
		}
		if len(d.Values) > maxValues {
			d.Values, d.Total = d.Values[:maxValues], len(t.Values)
		}
	}
	return d
}

// exampleImage is one grey place, as a PNG in base64.
const exampleImage = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

// rounded keeps of x what is worth saying beside a deviation.
func rounded(x, deviation float64) float64 {
	digits := 1 - int(math.Floor(math.Log10(deviation)))
	if digits < 0 {
		step := math.Pow10(-digits)
		return math.Round(x/step) * step
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', min(digits, 300), 64), 64)
	if err != nil {
		return x
	}
	return v
}

// writeTime writes Unix seconds as a column of that layout holds them.
func writeTime(seconds float64, layout string) string {
	c := data.Column{Type: data.Datetime, Numbers: []float64{seconds}, Layout: layout}
	return c.Text(0)
}

// day is the ISO date of days since 1970.
func day(days float64) string {
	return time.Unix(int64(days)*86400, 0).UTC().Format(time.DateOnly)
}

// A member is a name and a value of an object.
type member struct {
	name  string
	value any
}

// An object is a JSON object that keeps its order.
type object []member

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, m.name), ':')
		v, err := marshal(m.value, "")
		if err != nil {
			return nil, err
		}
		b = append(b, v...)
	}
	return append(b, '}'), nil
}

// marshal is json.Marshal but for <, > and &, which stay as they are: classes
// such as <=50K are to be read by people.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func appendString(b []byte, s string) []byte {
	q, err := marshal(s, "")
	if err != nil { // a string always has a spelling in JSON
		return append(b, `""`...)
	}
	return append(b, q...)
}

// taskKinds are the kinds of task by their names in a schema.
var taskKinds = map[string]metric.Kind{
	metric.Binary.String():     metric.Binary,
	metric.Multiclass.String(): metric.Multiclass,
	metric.Multilabel.String(): metric.Multilabel,
	metric.Regression.String(): metric.Regression,
}
