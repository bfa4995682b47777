package feature

import (
	"fmt"
	"math"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerInput("datetime", inputType{
		columns: []data.Type{data.Datetime},
		options: func() InputOptions { return &DatetimeOptions{} },
		fitted:  func() Input { return &Datetime{} },
	})
}

// DatetimeOptions are the options of a date-time input.
type DatetimeOptions struct {
	Cycles bool `yaml:"cycles" default:"true" doc:"sine and cosine of the hour, weekday, day of month and month, where they vary"`
}

// Datetime is a fitted date-time input: the time itself, scaled; cycles that
// vary in the training rows, each as sine and cosine; a missing indicator
// where training rows miss some.
type Datetime struct {
	Time   Number   `json:"time"` // in days since 1970
	Cycles []string `json:"cycles"`
}

// cycles gives each cycle its phase of a time, in turns.
var cycles = []struct {
	name  string
	phase func(t time.Time) float64
}{
	{"hour", func(t time.Time) float64 { return float64(t.Hour()*3600+t.Minute()*60+t.Second()) / 86400 }},
	{"weekday", func(t time.Time) float64 { return float64(t.Weekday()) / 7 }},
	{"day", func(t time.Time) float64 { return float64(t.Day()-1) / 31 }},
	{"month", func(t time.Time) float64 { return float64(t.Month()-1) / 12 }},
}

const secondsPerDay = 86400

// instant returns the whole second that a time in Unix seconds lies in.
func instant(seconds float64) time.Time { return time.Unix(int64(math.Floor(seconds)), 0).UTC() }

func days(seconds []float64) []float64 {
	out := make([]float64, len(seconds))
	for i, s := range seconds {
		out[i] = s / secondsPerDay
	}
	return out
}

// Fit implements InputOptions.
func (o *DatetimeOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "datetime", data.Datetime); err != nil {
		return nil, err
	}
	in, err := (&NumberOptions{Clip: 10}).Fit(&data.Column{Name: c.Name, Type: data.Number, Numbers: days(c.Numbers)})
	if err != nil {
		return nil, fmt.Errorf("column %q has no date in the training rows: leave it out of inputs", c.Name)
	}
	f := &Datetime{Time: *in.(*Number)}
	if !o.Cycles {
		return f, nil
	}
	for _, cy := range cycles {
		first, varies := math.NaN(), false
		for _, s := range finite(c.Numbers) {
			p := cy.phase(instant(s))
			if math.IsNaN(first) {
				first = p
			}
			varies = varies || p != first
		}
		if varies {
			f.Cycles = append(f.Cycles, cy.name)
		}
	}
	return f, nil
}

func (f *Datetime) valid() error {
	for _, name := range f.Cycles {
		if phaseOf(name) == nil {
			return fmt.Errorf("unknown cycle %q", name)
		}
	}
	return f.Time.valid()
}

func phaseOf(name string) func(time.Time) float64 {
	for _, cy := range cycles {
		if cy.name == name {
			return cy.phase
		}
	}
	return nil
}

// Type implements Input.
func (*Datetime) Type() string { return "datetime" }

// Specs implements Input.
func (f *Datetime) Specs() []Spec {
	return []Spec{{DType: tensor.Float32, Row: []int{f.Time.width() + 2*len(f.Cycles)}}}
}

// Transform implements Input. Cycles of a missing date are 0.
func (f *Datetime) Transform(c *data.Column, out []*tensor.Tensor) error {
	if err := wrongColumn(c, "datetime", data.Datetime); err != nil {
		return err
	}
	dst, w, tw := out[0].Floats(), f.Specs()[0].Row[0], f.Time.width()
	scaled := make([]float32, len(c.Numbers)*tw)
	scaleInto(days(c.Numbers), scaled, &f.Time)
	for i, s := range c.Numbers {
		row := dst[i*w : (i+1)*w]
		copy(row, scaled[i*tw:(i+1)*tw])
		for k, name := range f.Cycles {
			at := tw + 2*k
			if math.IsNaN(s) {
				row[at], row[at+1] = 0, 0
				continue
			}
			sin, cos := math.Sincos(2 * math.Pi * phaseOf(name)(instant(s)))
			row[at], row[at+1] = float32(sin), float32(cos)
		}
	}
	return nil
}

// Encode implements Input: the values as they are.
func (f *Datetime) Encode(_ *nn.Context, in []*graph.Node, _ bool) *graph.Node { return in[0] }

// Describe implements Input.
func (f *Datetime) Describe() string {
	day := instant(f.Time.Mean * secondsPerDay).Format("2006-01-02")
	s := fmt.Sprintf("around %s, deviation %.4g days", day, f.Time.Deviation)
	if len(f.Cycles) > 0 {
		s += fmt.Sprintf(", cycles %v", f.Cycles)
	}
	return s
}
