package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/report"
	"github.com/hone-ml/hone/serve"
)

// messy makes up rows with something for every step: heights in two units, zeros
// for missing ages, colours in several spellings, incomes beyond belief, labels
// spelled in two ways, rows that stand twice.
func messy(n int, seed uint64) *table {
	t := shoppers(n, seed).only("id", "age", "income", "color", "member", "bought")
	t.names = append(t.names, "height")
	r := rand.New(rand.NewPCG(seed, 3))
	for i, row := range t.rows {
		height := 1.5 + 0.4*r.Float64()
		if i%9 == 0 {
			height *= 100
		}
		switch {
		case i%11 == 0:
			row[1] = "0"
		case i%50 == 1:
			row[2] = "1000000"
		}
		if i%4 == 0 {
			row[3] = " " + strings.ToUpper(row[3])
		}
		if i%6 == 0 {
			row[5] += "."
		}
		t.rows[i] = append(row, strconv.FormatFloat(height, 'f', 4, 64))
	}
	t.rows = append(t.rows, t.rows[:n/20]...) // with their identifiers
	return t
}

const messySteps = `
  clean:
    - {type: text, columns: [color], fold_case: true}
    - {type: map, column: bought, values: {no.: "no", yes.: "yes"}}
    - {type: missing, columns: [age], values: [0]}
    - {type: convert, column: height, where: height > 3, value: height / 100}
    - drop_duplicates
    - {type: filter, where: member or age < 60 or age is missing}
    - {type: cap, columns: [income], high: 0.95}
`

// TestClean follows messy rows through a run, its report, and every way of
// predicting and measuring with what it made.
func TestClean(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := messy(700, 5)
	all.write(t, dir, "rows.csv")
	test := messy(200, 6)
	test.write(t, dir, "test.csv")
	text := "name: m\ndata:\n  source: rows.csv\n  test: test.csv" + messySteps + "inputs: [age, income, color, height]\noutputs: [bought]\n" + quick
	s, w := mustRun(t, configure(t, dir, text))
	notes := w.notes()
	for _, want := range []string{
		"note: text: color: ", " values rewritten (source rows)", "note: text: color: ",
		"note: map: bought: ", "values mapped (test rows)",
		"note: missing: age: 68 values taken as missing (source rows)",
		"note: convert: height: 82 values converted to height / 100 (source rows)",
		"note: drop_duplicates: 35 of 735 rows left out, which repeat an earlier one (source rows)",
		"rows left out, for which member or age < 60 or age is missing does not hold (source rows)",
		"rows left out, for which member or age < 60 or age is missing does not hold (test rows)",
		"lowered to it (training rows)", "lowered to it (validation rows)", "lowered to it (test rows)",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "repeat an earlier one (test rows)") || strings.Contains(notes, "changed nothing") {
		t.Errorf("the notes:\n%s", notes)
	}

	// The bundle carries all steps but the one that chooses rows to learn from.
	m := mustLoad(t, s.Bundle)
	var types []string
	for _, step := range m.Clean {
		types = append(types, step.Type())
	}
	if want := []string{"text", "map", "missing", "convert", "filter", "cap"}; !slices.Equal(types, want) {
		t.Errorf("the model carries %q, expected %q", types, want)
	}
	if classes := m.Output.Classes(); !slices.Equal(classes, []string{"no", "yes"}) {
		t.Errorf("the classes are %q", classes)
	}

	// A raw row is predicted like the one that it means.
	lines := func(rows ...string) string {
		path := writeFile(t, t.TempDir(), "new.csv", "age,income,color,height\n"+strings.Join(rows, "\n")+"\n")
		out, _ := predict(t, m, path, true)
		return out
	}
	capAt := m.Clean[5].(*data.Cap).Bounds[0].Max
	raw := lines("0,1000000,RED ,172", "33,20,Green,1.8", ",999,blue,165")
	clean := lines(fmt.Sprintf(",%v,red,1.72", *capAt), "33,20,green,1.8", fmt.Sprintf(",%v,blue,1.65", *capAt))
	if raw != clean {
		t.Errorf("raw rows are predicted as\n%s\nand what they mean as\n%s", raw, clean)
	}
	if other := lines("1,1,red,1.72", "33,20,red,1.8", ",9,red,1.65"); other == raw {
		t.Error("all rows are predicted alike")
	}

	// The server gives the same numbers, and so does measuring on the raw file,
	// which leaves out the rows that the filter leaves out.
	b, err := bundle.Read(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	options, err := ServeOptions(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := serve.New(m, serve.Facts{Name: m.Name}, options)
	if err != nil {
		t.Fatal(err)
	}
	live := httptest.NewServer(server.Handler())
	defer live.Close()
	reply, err := http.Post(live.URL+"/v1/predict", "application/json", strings.NewReader(
		fmt.Sprintf(`{"rows":[{"age":0,"income":1000000,"color":"RED ","height":172},{"age":null,"income":%v,"color":"red","height":1.72}]}`, *capAt)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reply.Body)
	reply.Body.Close()
	var served struct {
		Predictions []map[string]struct{ Probability float64 }
	}
	if err != nil || json.Unmarshal(body, &served) != nil || len(served.Predictions) != 2 || served.Predictions[0]["bought"] != served.Predictions[1]["bought"] {
		t.Errorf("served: %s (%v)", body, err)
	}
	var results []*Evaluation
	for _, p := range []model.Predictor{m, &serve.Client{URL: live.URL}} {
		e, err := EvaluateFile(context.Background(), m, p, filepath.Join(dir, "test.csv"), data.Options{}, 40, 0.95, 0)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, e)
	}
	for _, e := range results {
		if e.Filtered == 0 || e.Rows+e.Filtered != len(test.rows) || e.Rows != s.Rows.Test {
			t.Errorf("%d rows were measured and %d filtered of %d; the run measured %d", e.Rows, e.Filtered, len(test.rows), s.Rows.Test)
		}
		for name, v := range s.Test {
			if e.Metrics[name].Value != v.Value {
				t.Errorf("%s is %v, in the run %v", name, e.Metrics[name].Value, v.Value)
			}
		}
	}

	// Summary, page and card tell it.
	if len(s.Cleaned) == 0 || s.Cleaned[0].Type != "text" || s.Cleaned[0].Column != "color" || s.Cleaned[0].Rows != "source" || s.Cleaned[0].Step != 0 {
		t.Errorf("the summary says %+v", s.Cleaned)
	}
	card, err := b.Part("model_card.md")
	if err != nil {
		t.Fatal(err)
	}
	for what, page := range map[string]string{"the page": mustRead(t, s.Report), "the card": string(card)} {
		for _, want := range []string{"Cleaned", "68 values taken as missing (source rows)", "35 of 735 rows left out"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q", what, want)
			}
		}
	}
	if plan, err := NewPlan(context.Background(), configure(t, dir, text)); err != nil || len(plan.Cleaned) != len(s.Cleaned) || !strings.Contains(plan.Stages[0].What, "clean (data.clean, 7 steps)") {
		t.Errorf("the plan says %+v (%v)", plan, err)
	}
}

// TestCleanIsFittedOnTrainingRows: values of validation and test rows move no bound.
func TestCleanIsFittedOnTrainingRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := shoppers(400, 9).only("age", "income", "color", "bought")
	bound := func(rest *table) float64 {
		rows.part(0, 200).write(t, dir, "train.csv")
		rest.part(200, 300).write(t, dir, "valid.csv")
		rest.part(300, 400).write(t, dir, "test.csv")
		p, err := configure(t, dir, `
data:
  source: train.csv
  validation: valid.csv
  test: test.csv
  clean: [{type: cap, columns: [age], high: 0.9, low: 0.1}]
outputs: [bought]
`).prepare()
		if err != nil {
			t.Fatal(err)
		}
		b := p.model.Clean[0].(*data.Cap).Bounds[0]
		for name, part := range map[string]*data.Table{"training": p.train, "validation": p.valid, "test": p.test} {
			if !part.Cleaned {
				t.Errorf("the %s rows are not marked", name)
			}
			for _, v := range part.Column("age").Numbers {
				if v > *b.Max || v < *b.Min {
					t.Fatalf("%s rows hold %v, beyond %v to %v", name, v, *b.Min, *b.Max)
				}
			}
		}
		return *b.Max
	}
	a := bound(rows)
	if b := bound(rows.change("age", 200, 400, func(string) string { return "5000" })); a != b {
		t.Errorf("other rows than those of training move the bound from %v to %v", a, b)
	}
}

// TestCleanOrder: a step sees what those before it did.
func TestCleanOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := shoppers(300, 3).only("age", "income", "color", "bought")
	rows.write(t, dir, "rows.csv")
	count := func(steps string) int {
		p, err := configure(t, dir, "data:\n  source: rows.csv\n  clean: "+steps+"\noutputs: [bought]\n").prepare()
		if err != nil {
			t.Fatal(err)
		}
		return p.facts.Rows
	}
	red := 0
	for _, row := range rows.rows {
		if row[2] == "red" || row[2] == "green" {
			red++
		}
	}
	if n := count(`[{type: map, column: color, values: {green: red}}, {type: filter, where: color == "red"}]`); n != red {
		t.Errorf("%d rows, expected %d", n, red)
	}
	if n := count(`[{type: filter, where: color == "red"}, {type: map, column: color, values: {green: red}}]`); n >= red || n == 0 {
		t.Errorf("%d rows, expected fewer than %d", n, red)
	}
	// After a step that learns, the others work on the parts.
	if n := count(`[{type: cap, columns: [age], high: 0.9}, {type: map, column: color, values: {green: red}}, {type: filter, where: color == "red"}]`); n != red {
		t.Errorf("after a cap: %d rows, expected %d", n, red)
	}
	// Rows whose outcome such a step takes as missing are left out as well.
	rows = shoppers(300, 3).only("age", "income", "color", "level")
	rows.write(t, dir, "rows.csv")
	want := 0
	for _, row := range rows.rows {
		if row[3] != "mid" {
			want++
		}
	}
	c := configure(t, dir, "data:\n  source: rows.csv\n  clean: [{type: cap, columns: [age], high: 0.9}, {type: missing, columns: [level], values: [mid]}]\noutputs: [level]\n")
	if p, err := c.prepare(); err != nil || p.facts.Rows != want || !slices.Equal(p.model.Output.Classes(), []string{"high", "low"}) {
		t.Errorf("%v rows, expected %d (%v)", p, want, err)
	}
}

func TestCleanMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(300, 3).only("age", "income", "color", "member", "bought").write(t, dir, "rows.csv")
	for name, c := range map[string]struct {
		steps string
		want  []string
	}{
		"no type":         {"[{columns: [age]}]", []string{"data.clean[0]", `missing key "type", expected one of cap, convert, drop_duplicates, filter, map, missing, text`}},
		"unknown type":    {"[drop_duplicate]", []string{`"drop_duplicate"`, `did you mean "drop_duplicates"?`}},
		"unknown key":     {"[{type: cap, column: age, max: 3}]", []string{`unknown key "column"`}},
		"no expression":   {"[{type: filter}]", []string{`missing key "where"`}},
		"bad expression":  {"[{type: filter, where: age >= 18 and}]", []string{"data.clean[0].where", "column 14: expected a column, a number, text in quotes or (, found the end"}},
		"no bound":        {"[{type: cap, columns: [age]}]", []string{"cap has no bound"}},
		"quantile":        {"[{type: cap, columns: [age], high: 99}]", []string{"data.clean[0].high", "expected"}},
		"no column":       {"[drop_duplicates, {type: cap, columns: [agee], max: 3}]", []string{"hone.yaml: data.clean[1] (cap): ", `no column "agee"; did you mean "age"?`}},
		"unknown in expr": {"[{type: filter, where: colr == \"red\"}]", []string{"data.clean[0] (filter): ", "did you mean color?"}},
		"target":          {"[{type: filter, where: bought == \"yes\"}]", []string{"has only the value"}},
		"empty":           {"[{type: filter, where: age > 1000}]", []string{"data.clean[0] (filter): it leaves none of the 300 source rows: 300 of 300 rows left out, for which age > 1000 does not hold"}},
		"empty by name":   {"[{type: filter, where: color == \"Red\"}]", []string{`does not hold; color is never "Red", did you mean "red"?; correct`}},
		"empty late":      {"[{type: cap, columns: [age], high: 0.5}, {type: filter, where: age > 1000}]", []string{"data.clean[1] (filter): it leaves none of the ", "training rows"}},
		"all missing":     {"[{type: missing, columns: [bought], values: [\"yes\", \"no\"]}]", []string{"missing in every one of 300 rows"}},
	} {
		file := writeFile(t, t.TempDir(), "hone.yaml", "data:\n  source: "+filepath.Join(dir, "rows.csv")+"\n  clean: "+c.steps+"\noutputs: [bought]\n")
		cfg, err := LoadConfig(file, nil)
		if err == nil {
			_, err = cfg.prepare()
		}
		t.Log(name)
		wantError(t, err, c.want...)
	}
	p, err := configure(t, dir, `
data:
  source: rows.csv
  clean:
    - {type: map, column: color, values: {violet: blue}}
    - drop_duplicates
outputs: [bought]
`).prepare()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(p.warnings, "data.clean[0] (map) changed nothing in any row of rows.csv: correct it, or remove it") || len(p.notes) > 1 {
		t.Errorf("the warnings are %q, the notes %q", p.warnings, p.notes)
	}
}

// TestCleanConfig: what is declared is shown and read again as the same.
func TestCleanConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := configure(t, dir, "data:\n  source: rows.csv"+messySteps+"    - {type: map, column: age, values: {1: 2, \"on\": null}}\n    - {type: cap, columns: [age], min: 0, low: null}\noutputs: [bought]\n")
	shown := c.Text(false)
	again := configure(t, t.TempDir(), string(shown))
	if text := again.Text(false); !bytes.Equal(text, shown) {
		t.Errorf("shown as\n%s\nand then as\n%s", shown, text)
	}
	if len(again.Data.Clean) != 9 {
		t.Fatalf("%d steps", len(again.Data.Clean))
	}
	m := again.Data.Clean[7].Options.(*data.MapOptions).Values
	if len(m) != 2 || *m["1"] != "2" || m["on"] != nil {
		t.Errorf("the values are %v", m)
	}
	o := again.Data.Clean[8].Options.(*data.CapOptions)
	if o.Min == nil || *o.Min != 0 || o.Max != nil || o.Learns() {
		t.Errorf("%+v", o)
	}
	f := again.Data.Clean[5].Options.(*data.FilterOptions)
	if f.Where.String() != "member or age < 60 or age is missing" {
		t.Errorf("the condition is %q", f.Where)
	}
	schema, err := ConfigSchema()
	if err != nil || !bytes.Contains(schema, []byte(`"drop_duplicates"`)) {
		t.Errorf("the schema lacks the steps (%v)", err)
	}
}

// TestRemediesAreSteps: what the check proposes is understood and mends the rows.
func TestRemediesAreSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("day,body-height,weight,pressure,lab,town,answer\n")
	var rows []string
	for i := range 900 {
		height := 1.5 + 0.45*r.Float64()
		if i%15 == 0 {
			height *= 100
		}
		weight, pressure := 50+40*r.Float64(), strconv.FormatFloat(90+60*r.Float64(), 'f', 1, 64)
		if i%12 == 0 {
			pressure = "0.0"
		}
		lab := strconv.FormatFloat(50+60*r.Float64(), 'f', 1, 64)
		if i%13 == 0 {
			lab = "0"
		}
		town := []string{"Hamburg", "Bremen", "Kiel"}[r.IntN(3)]
		if i%40 == 0 {
			town = strings.ToUpper(town)
		}
		day := fmt.Sprintf("20%02d-%02d-%02d", 15+r.IntN(9), 1+r.IntN(12), 1+r.IntN(28))
		if i == 77 || i == 400 {
			day = "1900-01-01"
		}
		rows = append(rows, fmt.Sprintf("%s,%.3f,%.2f,%s,%s,%s,%s\n", day, height, weight, pressure, lab, town, []string{"a", "b"}[r.IntN(2)]))
	}
	rows = append(rows, rows[:30]...)
	b.WriteString(strings.Join(rows, ""))
	path := writeFile(t, dir, "rows.csv", b.String())
	found, err := Check(CheckOptions{File: path, Target: "answer"})
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]string{}
	for _, f := range found.Findings {
		if len(f.Change.Clean) > 0 {
			steps[f.Kind] = f.YAML
		}
	}
	for _, kind := range []string{data.FindingZeros, data.FindingUnits, data.FindingSpelling, data.FindingDates, data.FindingRepeatedRows} {
		if steps[kind] == "" {
			t.Errorf("%s proposes no step: %+v", kind, found.Findings)
		}
	}
	steps["all"] = found.YAML
	for kind, text := range steps {
		if strings.HasPrefix(steps[kind], "data: {") {
			text = strings.Replace(steps[kind], "data: {", "data: {source: rows.csv, ", 1)
		} else {
			text = strings.Replace(steps[kind], "data:\n", "data:\n  source: rows.csv\n", 1)
		}
		file := writeFile(t, dir, strings.ReplaceAll(kind, " ", "-")+".yaml", text+"outputs: [answer]\n")
		cfg, err := LoadConfig(file, []string{"train.bagging=off"})
		if err != nil {
			t.Fatalf("%s: %v in\n%s", kind, err, text)
		}
		p, err := cfg.prepare()
		if err != nil {
			t.Fatalf("%s: %v in\n%s", kind, err, text)
		}
		for _, w := range p.warnings {
			if strings.Contains(w, "changed nothing") {
				t.Errorf("%s: %s", kind, w)
			}
		}
		if kind != "all" {
			continue
		}
		if want := `{type: missing, columns: [pressure, lab], values: ["0"]}`; !strings.Contains(text, want) {
			t.Errorf("the steps are not joined to %s:\n%s", want, text)
		}
		var whole data.Table
		for _, part := range []*data.Table{p.train, p.valid, p.test} {
			whole.Rows += part.Rows
			for j, c := range part.Columns {
				if whole.Columns == nil {
					whole.Columns = make([]*data.Column, len(part.Columns))
				}
				if whole.Columns[j] == nil {
					whole.Columns[j] = &data.Column{Name: c.Name, Type: c.Type, Layout: c.Layout, Dict: c.Dict}
				}
				whole.Columns[j].Numbers = append(whole.Columns[j].Numbers, c.Numbers...)
				whole.Columns[j].Codes = append(whole.Columns[j].Codes, c.Codes...)
			}
		}
		_, left, err := data.Check(&whole, data.CheckOptions{Target: "answer"})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range left {
			if steps[f.Kind] != "" {
				t.Errorf("after the steps %s still %s: %s\n%s", f.Column, f.Kind, f.Message, text)
			}
		}
	}
}

// TestCleanedInWords holds the sentence of the report.
func TestCleanedInWords(t *testing.T) {
	for want, c := range map[string]report.Cleaned{
		"cap: fare: 12 values above 263 lowered to it (training rows)": {Type: "cap", Column: "fare", Rows: "training", Message: "12 values above 263 lowered to it"},
		"filter: 3 of 9 rows left out (test rows)":                     {Type: "filter", Rows: "test", Message: "3 of 9 rows left out"},
	} {
		if got := c.String(); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

// TestCleanResumes: a run with steps that was stopped ends at the same bits.
func TestCleanResumes(t *testing.T) {
	t.Parallel()
	text := "name: m\ndata:\n  source: rows.csv" + messySteps + "inputs: [age, income, color, height]\noutputs: [bought]\n" + quick
	whole, cut := t.TempDir(), t.TempDir()
	for _, dir := range []string{whole, cut} {
		messy(500, 8).write(t, dir, "rows.csv")
	}
	s, _ := mustRun(t, configure(t, whole, text))
	ctx, stop := context.WithCancel(context.Background())
	w := &told{stop: func(e Event) {
		if e.Epoch != nil {
			stop()
		}
	}}
	if _, err := Run(ctx, configure(t, cut, text), w.watch); !IsStopped(err) {
		t.Fatalf("it was not stopped: %v", err)
	}
	again, _ := mustRun(t, configure(t, cut, text))
	if !again.Resumed {
		t.Error("it began anew")
	}
	a, err := os.ReadFile(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(again.Bundle)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the bundles differ (%v)", err)
	}
}
