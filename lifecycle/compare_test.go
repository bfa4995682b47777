package lifecycle

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

func comparing(file string, models ...string) CompareOptions {
	o := CompareOptions{Models: models, File: file, Dir: filepath.Dir(file), RankOptions: evaluate.DefaultRankOptions()}
	o.Resamples = 200
	return o
}

func mustCompare(tb testing.TB, o CompareOptions) *Comparison {
	tb.Helper()
	c, err := Compare(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (c *Comparison) of(tb testing.TB, name string) Compared {
	tb.Helper()
	for _, s := range c.Standings {
		if s.Name == name {
			return s
		}
	}
	tb.Fatalf("nothing is said of %s: %+v", name, c.Standings)
	return Compared{}
}

// rewrite changes a CSV file's rows, the first of which are the names.
func rewrite(tb testing.TB, from, to string, change func([][]string) [][]string) string {
	tb.Helper()
	rows, err := csv.NewReader(strings.NewReader(mustRead(tb, from))).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	if err := csv.NewWriter(&b).WriteAll(change(rows)); err != nil {
		tb.Fatal(err)
	}
	return writeFile(tb, filepath.Dir(from), to, b.String())
}

func without(columns ...string) func([][]string) [][]string {
	return func(rows [][]string) [][]string {
		var out [][]string
		for _, r := range rows {
			var kept []string
			for i, v := range r {
				if !slices.Contains(columns, rows[0][i]) {
					kept = append(kept, v)
				}
			}
			out = append(out, kept)
		}
		return out
	}
}

// backwards turns the rows round, the header apart.
func backwards(rows [][]string) [][]string {
	slices.Reverse(rows[1:])
	return rows
}

// TestCompareForms: a bundle and its predictions, in any form and order, have
// the same metrics, which are those of hone evaluate.
func TestCompareForms(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"bought", "level", "balance"} {
		t.Run(target, func(t *testing.T) {
			m, _, dir := trained(t, target)
			rows, path := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "m.hone")
			text, _ := predict(t, m, rows, false)
			p := writeFile(t, dir, "p.csv", text)
			text, _ = predict(t, m, rows, true)
			files := []string{
				p, writeFile(t, dir, "lines.jsonl", text),
				rewrite(t, p, "turned.csv", backwards),
				rewrite(t, p, "nameless.csv", without("id", "team")),
				rewrite(t, p, "more.csv", func(rows [][]string) [][]string {
					extra := slices.Clone(rows[1])
					extra[0] = "S-other"
					return append(rows, extra)
				}),
			}
			if target != "balance" { // the class is the likeliest
				files = append(files, rewrite(t, p, "bare.csv", without(target)))
			}
			o := comparing(rows, append([]string{path}, files...)...)
			c := mustCompare(t, o)
			e, err := EvaluateFile(context.Background(), m, m, rows, o.Data, 0, 0.95, 0)
			if err != nil {
				t.Fatal(err)
			}
			if c.Winner != "" || c.Target != target || c.Rows != 500 || len(c.Standings) != len(files)+1 {
				t.Errorf("the winner of equals is %q, on %d rows: %+v", c.Winner, c.Rows, c.Standings)
			}
			for _, s := range c.Standings {
				for name, v := range e.Metrics {
					if s.Metrics[name] != v.Value {
						t.Errorf("%s: %s is %v, hone evaluate has %v", s.Name, name, s.Metrics[name], v.Value)
					}
				}
			}
			notes := strings.Join(c.Notes, "\n")
			for _, want := range []string{"p.csv: matched with the rows by id", "nameless.csv: matched with the rows by order", "more.csv: 1 predictions are of no row"} {
				if !strings.Contains(notes, want) {
					t.Errorf("the notes lack %q:\n%s", want, notes)
				}
			}
			b, p1 := c.of(t, "m.hone"), c.of(t, "p.csv")
			if b.Kind != "bundle" || b.Run == "" || b.RunSeconds <= 0 || b.Latency == nil || b.Latency.MedianMS <= 0 || b.Latency.P99MS < b.Latency.MedianMS || b.Bytes == 0 || b.Parameters != m.Parameters() {
				t.Errorf("of the bundle: %+v, %+v", b, b.Latency)
			}
			if p1.Kind != "predictions" || p1.Latency != nil || p1.Bytes != 0 {
				t.Errorf("of the predictions: %+v", p1)
			}
			// Without a bundle, the rows say what is predicted.
			o = comparing(rows, files...)
			o.Target = target
			alone := mustCompare(t, o)
			if !reflect.DeepEqual(alone.of(t, "p.csv").Metrics, p1.Metrics) {
				t.Errorf("without a bundle: %+v, with one %+v", alone.of(t, "p.csv").Metrics, p1.Metrics)
			}
			var back Comparison
			raw, err := json.Marshal(c)
			if err == nil {
				err = json.Unmarshal(raw, &back)
			}
			if err != nil || len(back.Standings) != len(c.Standings) || back.Standings[0].Kind == "" {
				t.Errorf("%s, %v", raw, err)
			}
		})
	}
}

// TestCompareRuns: runs by id, name and folder, and the time that they took.
func TestCompareRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := shoppers(600, 12).only(append(slices.Clone(plain), "bought")...).write(t, dir, "rows.csv")
	config := "name: m\ndata: {source: rows.csv}\noutputs: [bought]\n" + quick
	a, _ := mustRun(t, configure(t, dir, config))
	b, _ := mustRun(t, configure(t, dir, config, "name=other", "train.epochs=1"))
	c := mustCompare(t, comparing(rows, a.Run, "other"))
	if s := c.of(t, "other"); s.Run != b.Run || s.RunSeconds != b.Seconds {
		t.Errorf("the run by its name: %+v", s)
	}
	if s := c.of(t, a.Run); s.Run != a.Run || s.Parameters != a.Parameters {
		t.Errorf("the run by its id: %+v", s)
	}
	again := mustCompare(t, comparing(rows, "latest", filepath.Join(dir, ".hone", "runs", a.Run)))
	if s := again.of(t, a.Run); s.Run != a.Run || again.of(t, b.Run).Run != b.Run {
		t.Errorf("the run by its folder: %+v", s)
	}
	// A copy elsewhere has no run.
	elsewhere := filepath.Join(t.TempDir(), "x.hone")
	if err := os.WriteFile(elsewhere, []byte(mustRead(t, a.Bundle)), 0o644); err != nil {
		t.Fatal(err)
	}
	if s := mustCompare(t, comparing(rows, elsewhere, b.Bundle)); s.of(t, "x.hone").Run != "" || s.of(t, "other.hone").Run != b.Run {
		t.Errorf("%+v", s.Standings)
	}
	for _, c := range []struct{ a, b, want string }{
		{"m.hone", "latest", "m.hone is no file"},
		{a.Bundle, elsewhere, "are the same bundle"},
		{a.Bundle, a.Bundle, "is given twice"},
		{a.Bundle, "nobody", "nobody is no file"},
		{a.Bundle, dir + "/.hone", "is a folder with 0 bundles"},
	} {
		_, err := Compare(context.Background(), comparing(rows, c.a, c.b))
		wantError(t, err, c.want)
	}
}

// TestCompareMistakes are models and files that do not belong together.
func TestCompareMistakes(t *testing.T) {
	t.Parallel()
	m, _, dir := trained(t, "bought")
	rows, path := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "m.hone")
	text, _ := predict(t, m, rows, false)
	p := writeFile(t, dir, "p.csv", text)
	_, _, elsewhere := trained(t, "level")
	value := func(row int, column string, v string) func([][]string) [][]string {
		return func(rows [][]string) [][]string {
			rows[row][slices.Index(rows[0], column)] = v
			return rows
		}
	}
	nameless := rewrite(t, p, "nameless.csv", without("id"))
	for _, c := range []struct {
		what   string
		models []string
		file   string
		target string
		want   []string
	}{
		{"targets", []string{path, filepath.Join(elsewhere, "m.hone")}, rows, "", []string{"predicts bought", "predicts level", "cannot be compared"}},
		{"target", []string{path}, rows, "level", []string{"--target level", "m.hone predicts bought"}},
		{"no target", []string{p}, rows, "", []string{"--target"}},
		{"unknown target", []string{p}, rows, "buys", []string{`no column "buys"`}},
		{"unlabelled", []string{path, p}, rewrite(t, rows, "unlabelled.csv", without("bought")), "", []string{"unlabelled.csv", "bought"}},
		{"fewer", []string{path, rewrite(t, nameless, "few.csv", func(r [][]string) [][]string { return r[:400] })}, rows, "", []string{"few.csv has 399 rows", "has 500"}},
		{"no id", []string{path, rewrite(t, p, "lost.csv", value(7, "id", "S-?"))}, rows, "", []string{"lost.csv has no prediction for row 7", "id"}},
		{"id twice", []string{path, rewrite(t, p, "twice.csv", func(r [][]string) [][]string { return append(r, r[3]) })}, rows, "", []string{"rows 3 and 501 both have id"}},
		{"missing", []string{path, rewrite(t, p, "missing.csv", value(9, "bought", ""))}, rows, "", []string{"missing.csv, row 9: bought is missing"}},
		{"no predictions", []string{path, rewrite(t, p, "none.csv", without("bought", "bought_probability_yes"))}, rows, "", []string{"none.csv has no predictions", "p_CLASS"}},
		{"order", []string{path, rewrite(t, rows, "order.csv", func(r [][]string) [][]string { return backwards(without("id", "age", "income", "since")(r)) })}, rows, "", []string{"order.csv, row ", "another order"}},
		{"probability", []string{path, rewrite(t, p, "high.csv", value(4, "bought_probability_yes", "1.5"))}, rows, "", []string{"high.csv", "1.5"}},
		{"same file", []string{p, p}, rows, "bought", []string{"is given twice"}},
		{"some classes", []string{filepath.Join(elsewhere, "m.hone"), writeFile(t, elsewhere, "some.csv", "p_low,p_mid\n0.5,0.5\n")}, filepath.Join(elsewhere, "rows.csv"), "", []string{"some.csv has probabilities of 2 classes", "high"}},
		{"rows", []string{path, p}, rewrite(t, rows, "renamed.csv", func(r [][]string) [][]string {
			r[0][slices.Index(r[0], "age")] = "agee"
			return r
		}), "", []string{"age"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := comparing(c.file, c.models...)
			o.Target = c.target
			_, err := Compare(context.Background(), o)
			wantError(t, err, c.want...)
		})
	}
	o := comparing(rows, path, p)
	o.Metric = "rmse"
	_, err := Compare(context.Background(), o)
	wantError(t, err, "rmse does not measure a binary task")
}

// TestInOrder exchanges classes.
func TestInOrder(t *testing.T) {
	s := &metric.Sample{Kind: metric.Multiclass, Classes: []string{"a", "b", "c"}, Target: []float64{0, 1, 2}, Pred: []float64{1, 1, 0},
		Prob: []float64{0.2, 0.7, 0.1, 0, 1, 0, 0.5, 0.3, 0.2}}
	want := &metric.Sample{Kind: metric.Multiclass, Classes: []string{"c", "a", "b"}, Target: []float64{1, 2, 0}, Pred: []float64{2, 2, 1},
		Prob: []float64{0.1, 0.2, 0.7, 0, 0, 1, 0.2, 0.5, 0.3}}
	if got := inOrder(s, want.Classes); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	b := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}, Target: []float64{0, 1}, Pred: []float64{0, 0}, Prob: []float64{0.25, 0.5}}
	got := inOrder(b, []string{"yes", "no"})
	if !slices.Equal(got.Target, []float64{1, 0}) || !slices.Equal(got.Pred, []float64{1, 1}) || !slices.Equal(got.Prob, []float64{0.75, 0.5}) {
		t.Errorf("%+v", got)
	}
}

// TestCompareCleans: filters and cleaned weights count as in hone evaluate, for
// bundles and for files of predictions; rows that a filter of one bundle leaves
// out are left out for all.
func TestCompareCleans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	weighted(400, 77, uneven, "balance").write(t, dir, "rows.csv")
	test := weighted(200, 78, uneven, "balance").write(t, dir, "test.csv")
	config := strings.Replace(weightedConfig, "split: {fractions: [0.5, 0.2, 0.3]}", "test: test.csv, clean: [{type: filter, where: age >= 30}, {type: convert, column: w, value: w * w}]", 1) + "outputs: [balance]\n"
	s, _ := mustRun(t, configure(t, dir, config))
	m := mustLoad(t, s.Bundle)
	text, _ := predict(t, m, test, false)
	file := writeFile(t, dir, "p.csv", text)
	e, err := EvaluateFile(context.Background(), m, m, test, data.Options{}, 20, 0.95, 0)
	if err != nil || e.Filtered == 0 || e.Weight != "w" {
		t.Fatalf("%+v, %v", e, err)
	}
	c := mustCompare(t, comparing(test, s.Bundle, file))
	if c.Filtered != e.Filtered || c.Rows != e.Rows || c.Weight != "w" {
		t.Errorf("%d rows, %d filtered, by %q; evaluated %d, %d", c.Rows, c.Filtered, c.Weight, e.Rows, e.Filtered)
	}
	for _, name := range []string{"m.hone", "p.csv"} {
		if got, want := c.of(t, name).Metrics["rmse"], e.Metrics["rmse"].Value; got != want {
			t.Errorf("%s: rmse %v, evaluated %v", name, got, want)
		}
	}
	// Another bundle has another filter and makes nothing of the weights.
	other := strings.NewReplacer("age >= 30", "age < 60", "{type: convert, column: w, value: w * w}", "{type: convert, column: w, value: w + 0}").Replace(config)
	o, _ := mustRun(t, configure(t, dir, other, "name=other"))
	both := mustCompare(t, comparing(test, s.Bundle, o.Bundle))
	if both.Filtered <= c.Filtered || both.Weight != "" || !strings.Contains(strings.Join(both.Notes, ";"), "makes different weights") {
		t.Errorf("two filters: %d rows filtered, by %q, %q", both.Filtered, both.Weight, both.Notes)
	}
}
