package explain

import (
	"context"
	_ "embed"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

//go:embed testdata/reference.json
var recorded []byte

// reference is what testdata/reference.py recorded.
var reference = func() (r struct {
	X          [][]float64
	Y          []float64
	Orders     [][][]int
	Importance []float64
	Dependence []struct{ Values, Mean []float64 }
	Shap       [][]float64
	Base       []float64
}) {
	if err := json.Unmarshal(recorded, &r); err != nil {
		panic(err) // programmer error: the file is part of the tests
	}
	return r
}()

// A formula predicts numbers from columns.
type formula struct {
	columns []string
	of      func(x []float64) float64
}

func (f formula) Predict(_ context.Context, t *data.Table) (*model.Predictions, error) {
	p := &model.Predictions{Kind: metric.Regression}
	for i := range t.Rows {
		var x []float64
		for _, name := range f.columns {
			x = append(x, t.Column(name).Numbers[i])
		}
		p.Value = append(p.Value, f.of(x))
	}
	return p, nil
}

func (f formula) subject() *Subject { return &Subject{By: f, Columns: f.columns} }

// recordedFormula is that of reference.py.
var recordedFormula = formula{[]string{"a", "b", "c", "d"}, func(x []float64) float64 {
	v := math.Sin(2*x[0])*x[1] + x[2]*x[2] - 0.5*x[3]*x[0]
	if x[1] > 0 {
		v += x[3]
	}
	return v
}}

// numbers is a table of numbers.
func numbers(names []string, rows [][]float64) *data.Table {
	t := &data.Table{Rows: len(rows)}
	for j, name := range names {
		c := &data.Column{Name: name, Type: data.Number}
		for _, r := range rows {
			c.Numbers = append(c.Numbers, r[j])
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestImportanceIsScikitLearns takes the exchanges that scikit-learn drew.
func TestImportanceIsScikitLearns(t *testing.T) {
	m, err := metric.Lookup("rmse")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Importance(context.Background(), recordedFormula.subject(), numbers(recordedFormula.columns, reference.X), reference.Y, nil, ImportanceOptions{
		Metric: m, Repeats: 3, Resamples: 50, Level: 0.95,
		permute: func(column, repeat, _ int) []int { return reference.Orders[column][repeat] },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range recordedFormula.columns {
		for _, c := range got.Columns {
			if c.Columns[0] == name {
				near(t, "importance of "+name, c.Loss.Value, reference.Importance[i], 1e-12)
				if !(c.Loss.Low <= c.Loss.Value && c.Loss.Value <= c.Loss.High) {
					t.Errorf("%s: %v is not between %v and %v", name, c.Loss.Value, c.Loss.Low, c.Loss.High)
				}
			}
		}
	}
}

// TestDependenceIsScikitLearns compares mean curves over all values.
func TestDependenceIsScikitLearns(t *testing.T) {
	got, err := Dependences(context.Background(), recordedFormula.subject(), numbers(recordedFormula.columns, reference.X), recordedFormula.columns, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range got {
		if len(d.Numbers) != len(reference.Dependence[i].Values) {
			t.Fatalf("%s: %d values, want %d", d.Column, len(d.Numbers), len(reference.Dependence[i].Values))
		}
		for k, want := range reference.Dependence[i].Mean {
			near(t, d.Column, d.Numbers[k], reference.Dependence[i].Values[k], 0)
			near(t, d.Column, d.Curves[0].Mean[k], want, 1e-12)
			if c := d.Curves[0]; !(c.Low[k] <= c.Mean[k] && c.Mean[k] <= c.High[k]) {
				t.Errorf("%s: the mean %v is not between %v and %v", d.Column, c.Mean[k], c.Low[k], c.High[k])
			}
		}
	}
}

// TestExactIsShaps compares Shapley values against 30 rows with shap's.
func TestExactIsShaps(t *testing.T) {
	rows := numbers(recordedFormula.columns, reference.X)
	for i := range 5 {
		e, err := Local(context.Background(), recordedFormula.subject(), rows, i, rows.Slice(10, 40), DefaultLocal())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "base", e.Base, reference.Base[i], 1e-12)
		for _, c := range e.Columns {
			near(t, c.Column, c.Effect, reference.Shap[i][int(c.Column[0]-'a')], 1e-12)
		}
		if e.Method != exactSHAP || !e.Complete || math.Abs(e.Gap) > 1e-12 {
			t.Errorf("method %s, gap %v", e.Method, e.Gap)
		}
	}
}

// TestSampledIsExact: of many columns the sample agrees with the sum over all orders
// within a few of its standard errors, adds up exactly, and errs less with more moves.
func TestSampledIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var names []string
	var rows [][]float64
	for i := range 12 {
		names = append(names, string(rune('a'+i)))
	}
	for range 5 {
		var row []float64
		for range names {
			row = append(row, r.NormFloat64())
		}
		rows = append(rows, row)
	}
	f := formula{names, func(x []float64) float64 {
		v := 0.0
		for i := range x {
			v += float64(i) * x[i] * x[(i+1)%len(x)] * x[(i+5)%len(x)]
		}
		return v + 5*math.Max(x[0], x[3])
	}}
	table := numbers(names, rows)
	explained := func(budget int) *Explanation {
		o := DefaultLocal()
		o.Budget, o.Seed = budget, 4
		e, err := Local(context.Background(), f.subject(), table, 0, table.Slice(1, 5), o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	exact, few, many := explained(1<<14), explained(1000), explained(16000)
	if exact.Method != exactSHAP || few.Method != sampleSHAP || many.Method != sampleSHAP {
		t.Fatalf("methods %s, %s, %s", exact.Method, few.Method, many.Method)
	}
	of := func(e *Explanation, column string) Effect {
		for _, c := range e.Columns {
			if c.Column == column {
				return c
			}
		}
		t.Fatal(column)
		return Effect{}
	}
	far := func(e *Explanation) (sum float64) {
		for _, name := range names {
			c := of(e, name)
			d := math.Abs(c.Effect - of(exact, name).Effect)
			if d > 4.5**c.Error+1e-9 {
				t.Errorf("%s: %v ± %v, exactly %v", name, c.Effect, *c.Error, of(exact, name).Effect)
			}
			sum += d
		}
		if math.Abs(e.Gap) > 1e-9 {
			t.Errorf("the sample misses the difference by %v", e.Gap)
		}
		return sum
	}
	if a, b := far(few), far(many); b > a {
		t.Errorf("off by %v of many moves, by %v of few", b, a)
	}
}
