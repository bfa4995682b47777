package explain

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// A classifier predicts classes by a formula of a table's row.
type classifier struct {
	classes []string
	of      func(t *data.Table, row int) []float64
}

func (f classifier) Predict(_ context.Context, t *data.Table) (*model.Predictions, error) {
	p := &model.Predictions{Kind: metric.Multiclass, Classes: f.classes}
	if len(f.classes) == 2 {
		p.Kind = metric.Binary
	}
	for i := range t.Rows {
		prob := f.of(t, i)
		best := 0
		for k, v := range prob {
			if v > prob[best] {
				best = k
			}
		}
		p.Class = append(p.Class, best)
		if p.Kind == metric.Binary {
			prob = prob[1:]
		}
		p.Prob = append(p.Prob, prob...)
	}
	return p, nil
}

// several predicts as each of its parts.
type several []model.Predictor

func (s several) Predict(ctx context.Context, t *data.Table) (*model.Predictions, error) {
	return s[0].Predict(ctx, t)
}

func (s several) PredictAll(ctx context.Context, t *data.Table) (all []*model.Predictions, err error) {
	for _, p := range s {
		one, err := p.Predict(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// mixed is a table of a number, a category and a boolean.
func mixed(t *testing.T, rows int) *data.Table {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	var records []map[string]any
	for range rows {
		row := map[string]any{"n": math.Round(r.NormFloat64() * 4), "kind": []string{"x", "y", "z"}[r.IntN(3)], "flag": r.IntN(2) == 1, "noise": r.Float64()}
		if r.IntN(9) == 0 {
			row["n"], row["kind"] = nil, nil
		}
		records = append(records, row)
	}
	table, err := data.FromRecords(data.Schema{{Name: "n", Type: data.Number}, {Name: "kind", Type: data.Category}, {Name: "flag", Type: data.Boolean, False: "no", True: "yes"}, {Name: "noise", Type: data.Number}}, records)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// byKind gives a class for each kind, more surely with the flag, and a little more of
// the first with larger n.
var byKind = classifier{[]string{"x", "y", "z"}, func(t *data.Table, i int) []float64 {
	p := []float64{1, 1, 1}
	for k, name := range []string{"x", "y", "z"} {
		if t.Column("kind").Text(i) == name {
			p[k] = 3 + 3*float64(t.Column("flag").Codes[i])
		}
	}
	if n := t.Column("n").Numbers[i]; n > 0 {
		p[0] += n / 4
	}
	sum := p[0] + p[1] + p[2]
	return []float64{p[0] / sum, p[1] / sum, p[2] / sum}
}}

var mixedColumns = []string{"n", "kind", "flag", "noise"}

// TestImportanceFindsWhatCounts: columns that are not looked at lose nothing, exactly.
func TestImportanceFindsWhatCounts(t *testing.T) {
	table := mixed(t, 300)
	var truth, weights []float64
	for i := range table.Rows {
		k := slices.Index([]string{"x", "y", "z"}, table.Column("kind").Text(i))
		truth, weights = append(truth, float64(max(0, k))), append(weights, float64(1+i%3))
	}
	m, err := metric.Lookup("log_loss")
	if err != nil {
		t.Fatal(err)
	}
	o := ImportanceOptions{Metric: m, Repeats: 4, Resamples: 100, Level: 0.95, Seed: 2, Groups: [][]string{{"kind", "flag"}}}
	s := &Subject{By: several{byKind, byKind}, Columns: mixedColumns, Output: 1}
	var first any
	for _, threads := range []int{1, 3} {
		old := runtime.GOMAXPROCS(threads)
		got, err := Importance(context.Background(), s, table, truth, weights, o)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !reflect.DeepEqual(first, got) {
			t.Error("importance differs by the number of threads")
		}
		if c := got.Columns[0]; c.Columns[0] != "kind" || !(c.Loss.Low > 0.2) {
			t.Errorf("the first is %v", c)
		}
		for _, c := range got.Columns {
			if c.Columns[0] == "noise" && (c.Loss.Value != 0 || c.Loss.Low != 0 || c.Loss.High != 0) {
				t.Errorf("noise loses %v", c.Loss)
			}
		}
		if g := got.Groups[0]; len(got.Groups) != 1 || !(g.Loss.Value > got.Columns[0].Loss.Value/2) {
			t.Errorf("groups %v", got.Groups)
		}
	}
}

// TestGroups: columns that tell the same are found, of numbers, categories and both,
// and those that do not are not.
func TestGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var records []map[string]any
	for i := range 400 {
		x := r.NormFloat64()
		kind := "low"
		if x > 0 {
			kind = "high"
		}
		records = append(records, map[string]any{
			"x": x, "exp": math.Exp(3 * x), "other": r.NormFloat64(), "kind": fmt.Sprint(int(4*x) / 2), "same": fmt.Sprint("k", int(4*x)/2),
			"free": []string{"a", "b"}[r.IntN(2)], "half": kind, "many": fmt.Sprint(i), "constant": "c", "text": kind,
		})
	}
	schema := data.Schema{{Name: "text", Type: data.Text}}
	for _, n := range []string{"x", "exp", "other"} {
		schema = append(schema, data.Field{Name: n, Type: data.Number})
	}
	for _, n := range []string{"kind", "same", "free", "half", "many", "constant"} {
		schema = append(schema, data.Field{Name: n, Type: data.Category})
	}
	table, err := data.FromRecords(schema, records)
	if err != nil {
		t.Fatal(err)
	}
	got := Groups(table, []string{"x", "exp", "other", "kind", "same", "free", "half", "many", "constant", "text"})
	if want := [][]string{{"x", "exp", "kind", "same", "half"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("groups %v, want %v", got, want)
	}
	if got := Groups(table, []string{"other", "free", "many"}); got != nil {
		t.Errorf("groups %v of columns that tell nothing of each other", got)
	}
}

// TestDependenceOfKinds: a curve for each class; a column that acts alone sets no row
// apart, one that acts by another does.
func TestDependenceOfKinds(t *testing.T) {
	table := mixed(t, 120)
	got, err := Dependences(context.Background(), &Subject{By: byKind, Columns: mixedColumns}, table, []string{"kind", "n", "noise"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if d := got[0]; len(d.Curves) != 3 || len(d.Values) != 3 || d.Numbers != nil {
		t.Errorf("%d curves of %q", len(d.Curves), d.Values)
	}
	for k, c := range got[0].Curves {
		at := slices.Index(got[0].Values, c.Class)
		if c.Class != byKind.classes[k] || c.Mean[at] != slices.Max(c.Mean) || !(c.Apart > 0.01) {
			t.Errorf("%+v is not highest at its own kind", c)
		}
	}
	if d := got[1]; len(d.Values) != 5 || !slices.IsSorted(d.Numbers) {
		t.Errorf("values of n are %v", d.Numbers)
	}
	if c := got[2].Curves[0]; c.Span != 0 || c.Apart > 1e-15 {
		t.Errorf("noise moves predictions: %+v", c)
	}
	if _, err := Dependences(context.Background(), &Subject{By: byKind, Columns: []string{"kind"}}, table, []string{"n"}, 5); err == nil {
		t.Error("a column that is not read has a dependence")
	}
}

// TestLocalOfClasses: the class that a row is predicted to be is explained unless one
// is asked for, columns that are as in the base have no effect.
func TestLocalOfClasses(t *testing.T) {
	table := mixed(t, 40)
	s := &Subject{By: byKind, Columns: mixedColumns}
	for i := range 5 {
		e, err := Local(context.Background(), s, table, i, table.Slice(20, 40), DefaultLocal())
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Predict(context.Background(), table.Slice(i, i+1))
		if err != nil {
			t.Fatal(err)
		}
		if e.Class != p.Classes[p.Class[0]] || e.Prediction != p.Confidence(0) || math.Abs(e.Gap) > 1e-12 {
			t.Errorf("row %d: %+v", i, e)
		}
		sum := 0.0
		for class := range 3 {
			o := DefaultLocal()
			o.Class = class
			e, err := Local(context.Background(), s, table, i, table.Slice(i, i+1), o)
			if err != nil {
				t.Fatal(err)
			}
			sum += e.Prediction
			for _, c := range e.Columns {
				if c.Effect != 0 {
					t.Errorf("%s has the effect %v beside itself", c.Column, c.Effect)
				}
			}
		}
		near(t, "sum of classes", sum, 1, 1e-12)
	}
}

// TestWords: words of a text have the effects that a formula gives them, few or many.
func TestWords(t *testing.T) {
	worth := map[string]float64{"good": 3, "bad": -2, "猫": 1}
	f := formula{[]string{"n"}, nil}
	by := textFormula{func(text string) float64 {
		sum := 0.0
		for _, w := range words(text) {
			sum += worth[w.Text]
		}
		return sum
	}}
	for _, text := range []string{"a good, bad thing", "我喜欢猫 good", strings.Repeat("so it is ", 30) + "good", ""} {
		table, err := data.FromRecords(data.Schema{{Name: "n", Type: data.Number}, {Name: "text", Type: data.Text}}, []map[string]any{{"n": 1.0, "text": text}, {"n": 2.0, "text": nil}})
		if err != nil {
			t.Fatal(err)
		}
		e, err := Local(context.Background(), &Subject{By: by, Columns: append(f.columns, "text")}, table, 0, table.Slice(1, 2), DefaultLocal())
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			if len(e.Texts) != 0 {
				t.Errorf("no text has %v", e.Texts)
			}
			continue
		}
		sum := 0.0
		for _, w := range e.Texts[0].Words {
			sum += w.Effect
			if text[w.Start:w.End] != w.Text {
				t.Errorf("%q stands at %d to %d of %q", w.Text, w.Start, w.End, text)
			}
			want := 0.0
			for _, part := range words(w.Text) {
				want += worth[part.Text]
			}
			near(t, w.Text, w.Effect, want, 1e-9)
		}
		near(t, "words of "+text, sum, by.of(text), 1e-9)
	}
}

// textFormula predicts a number from a text.
type textFormula struct{ of func(string) float64 }

func (f textFormula) Predict(_ context.Context, t *data.Table) (*model.Predictions, error) {
	p := &model.Predictions{Kind: metric.Regression}
	for i := range t.Rows {
		p.Value = append(p.Value, f.of(t.Column("text").Text(i)))
	}
	return p, nil
}

// TestSpread: effects of n-grams reach the words that they stand in, and all of them.
func TestSpread(t *testing.T) {
	grams := []feature.Gram{{Place: 1, Start: 0, End: 2}, {Place: 1, Start: 3, End: 5}, {Place: 2, Start: 0, End: 5}, {Place: 3, Start: 5, End: 6}}
	got := spread("t", "ab cd ", grams, map[int32]float64{1: 2, 2: 8, 3: 5, 4: -1})
	if len(got.Words) != 2 || got.Words[0].Effect != 5 || got.Words[1].Effect != 5 || got.Elsewhere != 4 {
		t.Errorf("spread as %+v", got)
	}
}

// TestPatches: the patch that a formula looks at is found, and drawn.
func TestPatches(t *testing.T) {
	im := &data.Pixels{Width: 16, Height: 16, Channels: 1, Pix: make([]uint8, 256)}
	im.Pix[5*16+9] = 255 // in the third row of patches, the fifth
	table := &data.Table{Rows: 2, Columns: []*data.Column{data.NewImages("im", [][]byte{encodePNG(t, im), nil})}}
	by := imageFormula{func(p *data.Pixels) float64 { return float64(p.Pix[5*16+9]) }}
	e, err := Local(context.Background(), &Subject{By: by, Columns: []string{"im"}}, table, 0, table.Slice(1, 2), DefaultLocal())
	if err != nil {
		t.Fatal(err)
	}
	got := e.Images[0]
	if got.Method != Occlusion || got.Width != 8 || got.Height != 8 {
		t.Fatalf("%+v", got)
	}
	for i, v := range got.Effects {
		if want := map[bool]float64{true: 255 - 128}[i == 2*8+4]; v != want {
			t.Errorf("patch %d has %v, want %v", i, v, want)
		}
	}
	drawn := got.Draw()
	r, _, b, _ := drawn.At(9*24+3, 5*24+3).RGBA()
	if drawn.Bounds().Dx() != 384 || r <= b {
		t.Errorf("drawn %v wide, red %d and blue %d", drawn.Bounds(), r, b)
	}
}

// TestRefusals: what cannot be explained says why.
func TestRefusals(t *testing.T) {
	table := mixed(t, 5)
	ctx := context.Background()
	s := &Subject{By: byKind, Columns: mixedColumns}
	m, _ := metric.Lookup("rmse")
	good := ImportanceOptions{Metric: m, Repeats: 1, Level: 0.95}
	o := DefaultLocal()
	with := func(f func(o *LocalOptions)) LocalOptions { f(&o); defer func() { o = DefaultLocal() }(); return o }
	for want, err := range map[string]error{
		"does not measure":                 second(Importance(ctx, s, table, make([]float64, 5), nil, good)),
		"5 rows and 2":                     second(Importance(ctx, s, table, make([]float64, 2), nil, good)),
		"0 repeats":                        second(Importance(ctx, s, table, make([]float64, 5), nil, ImportanceOptions{Metric: m, Level: 0.95})),
		"no column \"q\"":                  second(Importance(ctx, &Subject{By: byKind, Columns: []string{"q"}}, table, make([]float64, 5), nil, good)),
		"row 9 of 5":                       second(Local(ctx, s, table, 8, table, DefaultLocal())),
		"no rows to compare with":          second(Local(ctx, s, table, 0, table.Slice(0, 0), DefaultLocal())),
		"needs a model that is here":       second(Local(ctx, s, table, 0, table, with(func(o *LocalOptions) { o.Method = Gradients }))),
		"class 8 of 3":                     second(Local(ctx, s, table, 0, table, with(func(o *LocalOptions) { o.Class = 7 }))),
		"method \"lime\"":                  second(Local(ctx, s, table, 0, table, with(func(o *LocalOptions) { o.Method = "lime" }))),
		"the predictor has one":            second(Local(ctx, &Subject{By: byKind, Columns: mixedColumns, Output: 1}, table, 0, table, DefaultLocal())),
		"output 3 of 1":                    second(Local(ctx, &Subject{By: several{byKind}, Columns: mixedColumns, Output: 2}, table, 0, table, DefaultLocal())),
		"0 values that it could be set to": second(Dependences(ctx, &Subject{By: byKind, Columns: []string{"t"}}, &data.Table{Rows: 1, Columns: []*data.Column{{Name: "t", Type: data.Text, Codes: []int32{0}, Dict: []string{"a"}}}}, []string{"t"}, 5)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
