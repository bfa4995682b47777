package lifecycle

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/explain"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/serve"
)

// explained explains a model by itself, and checks that effects add up.
func explained(t *testing.T, m *model.Model, p model.Predictor, change func(o *ExplainOptions)) *Explained {
	t.Helper()
	o := DefaultExplainOptions()
	change(&o)
	e, err := Explain(context.Background(), m, p, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Rows {
		sum := r.Base
		for _, c := range r.Columns {
			sum += c.Effect
		}
		if !r.Complete || math.Abs(sum-r.Prediction-r.Gap) > 1e-9*max(1, math.Abs(r.Prediction)) {
			t.Errorf("row %d by %s: %v is predicted, effects lead to %v, gap %v", r.Row, r.Method, r.Prediction, sum, r.Gap)
		}
	}
	return e
}

// orderOf lists the columns of an importance.
func orderOf(i *evaluate.Importance) (names []string) {
	for _, c := range i.Columns {
		names = append(names, c.Columns[0])
	}
	return names
}

// TestExplainTables explains models of every task, of one network, members in one and
// bags, as a whole and row by row, by both methods, and through a server.
func TestExplainTables(t *testing.T) {
	const run = "data: {source: rows.csv, test: test.csv}\noutputs: [%s]\ninputs: [age, income, color, member, since]\n"
	for name, c := range map[string]struct{ target, options string }{
		"binary":  {"bought", quick},
		"classes": {"level", "network: {type: tabm, members: 4, widths: [16]}\ntrain: {bagging: off, epochs: 6}\nevaluate: {bootstrap: 20}\n"},
		"number":  {"{name: spend, type: number, transform: log}", "network: {type: mlp, widths: [16]}\ntrain: {bagging: 2, epochs: 4, batch_size: 64}\nevaluate: {bootstrap: 20}\n"},
		"several": {"bought, {name: balance}", quick},
	} {
		dir := t.TempDir()
		shoppers(500, 1).write(t, dir, "rows.csv")
		test := shoppers(200, 2).write(t, dir, "test.csv")
		s, _ := mustRun(t, configure(t, dir, fmt.Sprintf(run, c.target)+c.options))
		if s.Importance == nil || s.Importance.Split != "validation" || len(s.Importance.Columns) != 5 || s.Importance.Rows < importanceLeast {
			t.Errorf("%s: the run says %+v", name, s.Importance)
		}
		m := mustLoad(t, s.Bundle)
		target := ""
		if name == "several" {
			target = "balance"
		}
		whole := explained(t, m, m, func(o *ExplainOptions) { o.File, o.Target = test, target })
		if order := orderOf(whole.Importance); slices.Index(order, "age") > 2 || slices.Index(order, "since") < 1 {
			t.Errorf("%s: importance is %v", name, whole.Importance.Columns)
		}
		if len(whole.Dependence) != 3 || whole.Importance.Rows != 200 {
			t.Errorf("%s: %d dependences, %d rows", name, len(whole.Dependence), whole.Importance.Rows)
		}
		for _, method := range []string{explain.Auto, explain.Gradients} {
			for _, background := range []string{"", test} {
				e := explained(t, m, m, func(o *ExplainOptions) {
					o.Rows, o.Limit, o.Method, o.Background, o.Target = test, 2, method, background, target
				})
				if want := map[string]string{explain.Auto: "exact_shap", explain.Gradients: explain.Gradients}[method]; e.Rows[0].Method != want || len(e.Rows) != 2 {
					t.Errorf("%s: %d rows by %s", name, len(e.Rows), e.Rows[0].Method)
				}
			}
		}
		server, err := serve.New(m, serve.Facts{Name: m.Name}, serve.Options{})
		if err != nil {
			t.Fatal(err)
		}
		live := httptest.NewServer(server.Handler())
		client := &serve.Client{URL: live.URL}
		same := func(change func(o *ExplainOptions)) {
			t.Helper()
			if a, b := explained(t, m, m, change), explained(t, m, client, change); !reflect.DeepEqual(a, b) {
				t.Errorf("%s: a server is explained otherwise:\n%+v\n%+v", name, a, b)
			}
		}
		same(func(o *ExplainOptions) { o.Rows, o.Limit, o.Target = test, 2, target })
		same(func(o *ExplainOptions) { o.File, o.Limit, o.Target, o.Repeats = test, 60, target, 1 })
		o := DefaultExplainOptions()
		o.Rows, o.Method = test, explain.Gradients
		_, err = Explain(context.Background(), m, client, o)
		wantError(t, err, "derivatives", "--method shap")
		live.Close()
		var table bytes.Buffer
		if err := whole.WriteEffects(&table); err != nil {
			t.Fatal(err)
		}
		if rows, err := csv.NewReader(&table).ReadAll(); err != nil || len(rows) != 6 {
			t.Errorf("%s: %d lines of CSV, %v", name, len(rows), err)
		}
	}
}

// TestExplainIsTheSameOnAnyThreads: also what is sampled.
func TestExplainIsTheSameOnAnyThreads(t *testing.T) {
	dir := t.TempDir()
	rows := shoppers(300, 1).write(t, dir, "rows.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\ninputs: [age, income, color, member, since]\n"+quick))
	var want []*Explained
	for _, threads := range []int{1, 3} {
		old := runtime.GOMAXPROCS(threads)
		m := mustLoad(t, s.Bundle)
		var got []*Explained
		got = append(got, explained(t, m, m, func(o *ExplainOptions) { o.File, o.Limit, o.Seed = rows, 100, 4 }))
		for _, method := range []string{explain.SHAP, explain.Gradients} {
			got = append(got, explained(t, m, m, func(o *ExplainOptions) {
				o.Rows, o.Background, o.Limit, o.Method, o.Seed = rows, rows, 1, method, 4
			}))
		}
		runtime.GOMAXPROCS(old)
		if want == nil {
			want = got
		} else if !reflect.DeepEqual(want, got) {
			t.Error("threads change explanations")
		}
	}
}

// TestExplainTexts: the word that decides has the most effect, by n-grams and by
// leaving words out; a cleaning step is applied once.
func TestExplainTexts(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	rows := &table{names: []string{"review", "stars", "verdict"}}
	fill := strings.Fields("the plot was long and the music played while people came and went again")
	for range 900 {
		var words []string
		for range 8 {
			words = append(words, fill[r.IntN(len(fill))])
		}
		verdict := []string{"yes", "no"}[r.IntN(2)]
		words[r.IntN(8)] = map[string]string{"yes": "wonderful", "no": "terrible"}[verdict]
		rows.rows = append(rows.rows, []string{strings.Join(words, " "), fmt.Sprint(r.IntN(5)), verdict})
	}
	rows.write(t, dir, "rows.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv, types: {review: text}, clean: [{type: cap, columns: [stars], max: 3}]}\noutputs: [{name: verdict, type: binary, positive: \"yes\"}]\ntrain: {bagging: off, epochs: 12}\nevaluate: {bootstrap: 20}\n"))
	m := mustLoad(t, s.Bundle)
	for _, method := range []string{explain.Auto, explain.SHAP} {
		e := explained(t, m, m, func(o *ExplainOptions) {
			o.Row, o.Method = []string{"review=a wonderful plot, and music,stars=9"}, method
		})
		row := e.Rows[0]
		if c := row.Columns[0]; c.Column != "review" || c.Value != "a wonderful plot, and music" || !(c.Effect > 0.1) {
			t.Errorf("%s: columns %+v", method, row.Columns)
		}
		if row.Columns[1].Value != "3" {
			t.Errorf("stars are %q", row.Columns[1].Value)
		}
		text, sum := row.Texts[0], row.Texts[0].Elsewhere
		for _, w := range text.Words {
			if sum += w.Effect; w.Text != "wonderful" && math.Abs(w.Effect) > text.Words[1].Effect {
				t.Errorf("%s: %+v", method, text.Words)
			}
		}
		if method == explain.Auto && math.Abs(sum-row.Columns[0].Effect) > 1e-9 {
			t.Errorf("words add up to %v, the column to %v", sum, row.Columns[0].Effect)
		}
	}
	if s.Importance == nil || s.Importance.Columns[0].Columns[0] != "review" {
		t.Errorf("the run says %+v", s.Importance)
	}
	// The typical row that a bundle knows is clean, and a server cleans again.
	o := DefaultExplainOptions()
	o.Row = []string{"review=a,stars=1"}
	_, err := Explain(context.Background(), m, &serve.Client{}, o)
	wantError(t, err, "cap", "--background")
}

// TestExplainImages: pixels of a model here, patches of one behind a server, both drawn.
func TestExplainImages(t *testing.T) {
	dir := t.TempDir()
	pictures(t, dir, 60, 20)
	s, _ := mustRun(t, configure(t, dir, "data: {source: train, test: test}\noutputs: [label]\ntrain: {epochs: 2}\nevaluate: {bootstrap: 20}\n", tinyImages))
	if s.Importance != nil {
		t.Errorf("one column has the importance %+v", s.Importance)
	}
	m := mustLoad(t, s.Bundle)
	image := filepath.Join(dir, "test", "down", "000.png")
	e := explained(t, m, m, func(o *ExplainOptions) { o.Row = []string{m.Inputs[0].Column + "=" + image} })
	im, sum := e.Rows[0].Images[0], 0.0
	for _, v := range im.Effects {
		sum += v
	}
	if im.Method != explain.Gradients || len(im.Effects) != im.Width*im.Height || math.Abs(sum-e.Rows[0].Columns[0].Effect) > 1e-9 || im.Draw() == nil {
		t.Errorf("%s: %d effects of %d × %d that add up to %v of %v", im.Method, len(im.Effects), im.Width, im.Height, sum, e.Rows[0].Columns[0].Effect)
	}
	patches := explained(t, m, m, func(o *ExplainOptions) {
		o.Row, o.Method = []string{m.Inputs[0].Column + "=" + image}, explain.SHAP
	}).Rows[0].Images[0]
	if patches.Method != explain.Occlusion || len(patches.Effects) != 64 || patches.Draw() == nil {
		t.Errorf("%s: %d effects", patches.Method, len(patches.Effects))
	}
	o := DefaultExplainOptions()
	o.Row = []string{m.Inputs[0].Column + "=missing.png"}
	_, err := Explain(context.Background(), m, m, o)
	wantError(t, err, "missing.png", "path of its file")
}

// TestExplainSets: of labels the most probable is explained, or the one that is named,
// and every label has a curve.
func TestExplainSets(t *testing.T) {
	dir, _ := tagged(t, "")
	c, err := LoadConfig(filepath.Join(dir, "hone.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := mustRun(t, c)
	m := mustLoad(t, s.Bundle)
	rows := filepath.Join(dir, "tags.csv")
	whole := explained(t, m, m, func(o *ExplainOptions) { o.File, o.Limit, o.Columns = rows, 100, []string{"branch"} })
	if i := whole.Importance; i.Columns[0].Columns[0] != "note" || !(i.Columns[0].Loss.Low > 0) || len(whole.Dependence[0].Curves) != 6 {
		t.Errorf("importance %+v, dependence %+v", i, whole.Dependence)
	}
	classes := whole.Classes
	one := explained(t, m, m, func(o *ExplainOptions) { o.Rows, o.Limit, o.Class = rows, 1, classes[2] }).Rows[0]
	if one.Class != classes[2] || len(one.Texts) != 1 {
		t.Errorf("%+v", one)
	}
	best := explained(t, m, m, func(o *ExplainOptions) { o.Rows, o.Limit, o.Method = rows, 1, explain.SHAP }).Rows[0]
	if best.Prediction < one.Prediction {
		t.Errorf("%s at %v is explained, %s has %v", best.Class, best.Prediction, one.Class, one.Prediction)
	}
}

// TestExplainRefusals: what is asked wrongly says what is there.
func TestExplainRefusals(t *testing.T) {
	dir := t.TempDir()
	rows := shoppers(200, 1).write(t, dir, "rows.csv")
	one := shoppers(200, 1).change("bought", 0, 200, func(string) string { return "yes" }).write(t, dir, "one.csv")
	none := shoppers(200, 1).only("age", "income", "color", "member", "since").write(t, dir, "none.csv")
	empty := (&table{names: plain}).write(t, dir, "empty.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\ninputs: [age, income, color, member, since]\n"+quick))
	m := mustLoad(t, s.Bundle)
	const row = "age=30,income=,color=red,member=true,since=2020-01-01"
	for want, change := range map[string]func(o *ExplainOptions){
		`does not predict "spend"`:              func(o *ExplainOptions) { o.Target, o.File = "spend", rows },
		`no column "agee"; did you mean "age"`:  func(o *ExplainOptions) { o.Columns, o.File = []string{"agee"}, rows },
		"rmse does not measure":                 func(o *ExplainOptions) { o.Metric, o.File = "rmse", rows },
		"roc_auc is undefined":                  func(o *ExplainOptions) { o.File = one },
		"predictions are measured against it":   func(o *ExplainOptions) { o.File = none },
		"none.cs":                               func(o *ExplainOptions) { o.File = filepath.Join(dir, "none.cs") },
		`lacks "color", "member"`:               func(o *ExplainOptions) { o.Row = []string{"age=30,income=,since=2020-01-01"} },
		`did you mean "color"`:                  func(o *ExplainOptions) { o.Row = []string{strings.Replace(row, "color", "colour", 1)} },
		`is no NAME=VALUE`:                      func(o *ExplainOptions) { o.Row = []string{row + ",x"} },
		`"age" stands there twice`:              func(o *ExplainOptions) { o.Row = []string{row + ",age=4"} },
		"not a JSON object":                     func(o *ExplainOptions) { o.Row = []string{`{"age": `} },
		"leave it empty if it is not known":     func(o *ExplainOptions) { o.Row = []string{strings.Replace(row, "30", "old", 1)} },
		"the classes of \"bought\" are no, yes": func(o *ExplainOptions) { o.Row, o.Class = []string{row}, "maybe" },
		"empty.csv":                             func(o *ExplainOptions) { o.Row, o.Background = []string{row}, empty },
	} {
		o := DefaultExplainOptions()
		change(&o)
		_, err := Explain(context.Background(), m, m, o)
		wantError(t, err, want)
	}
	for _, text := range []string{row, `{"age": 30, "income": null, "color": "red", "member": true, "since": "2020-01-01"}`} {
		e := explained(t, m, m, func(o *ExplainOptions) { o.Row, o.Class = []string{text}, "no" })
		if e.Rows[0].Class != "no" || e.Rows[0].Columns[4].Value == "old" {
			t.Errorf("%+v", e.Rows[0])
		}
	}
}

// TestOutOfBag: each row is predicted by the network that did not train on it, as the
// run has it.
func TestOutOfBag(t *testing.T) {
	dir := t.TempDir()
	shoppers(200, 1).write(t, dir, "rows.csv")
	c := configure(t, dir, "data: {source: rows.csv, test: rows.csv}\noutputs: [level]\ninputs: [age, income]\n"+strings.Replace(quick, "off", "3", 1))
	p, err := c.prepare()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{c: c, used: c, p: p, watch: func(Event) {}}
	r.entry.Dir = dir
	fit, err := r.fitNetwork(context.Background(), c, p, "network")
	if err != nil {
		t.Fatal(err)
	}
	rows := []int{3, 7, 100, 101, 150}
	got, err := newOutOfBag(fit, p.bag, rows).Predict(context.Background(), p.held().Select(rows))
	if err != nil {
		t.Fatal(err)
	}
	for k, row := range rows {
		for class := range got.Classes {
			if a, b := got.Probability(k, class), fit.held[0].by.Probability(row, class); a != b {
				t.Errorf("row %d is predicted %v, held out %v", row, a, b)
			}
		}
	}
}
