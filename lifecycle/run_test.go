package lifecycle

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/train"
)

func TestRunOfEveryKind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ target, task, headline, beats string }{
		{"bought", "binary", "roc_auc", "roc_auc"},
		{"level", "multiclass", "accuracy", "accuracy"},
		{"balance", "regression", "rmse", "r2"},
	} {
		t.Run(tt.target, func(t *testing.T) {
			dir := t.TempDir()
			all := shoppers(700, 1).only(append(slices.Clone(plain), tt.target)...)
			all.part(0, 500).write(t, dir, "train.csv")
			all.part(500, 700).write(t, dir, "test.csv")
			c := configure(t, dir, "name: m\ndata: {source: train.csv, test: test.csv}\noutputs: [{name: "+tt.target+"}]\n"+quick, "train.epochs=8")
			s, w := mustRun(t, c)
			if s.Task != tt.task || s.Headline != tt.headline || s.Target != tt.target || s.Name != "m" || s.Run == "" || s.Resumed {
				t.Errorf("summary %+v", s)
			}
			if s.Rows.Train+s.Rows.Validation != 500 || s.Rows.Test != 200 {
				t.Errorf("rows %+v", s.Rows)
			}
			if s.Epochs != 8 || s.BestEpoch < 1 || s.BestEpoch > 8 || s.LatencyMS <= 0 || s.Parameters < 100 || len(s.Findings) < 2 {
				t.Errorf("summary %+v", s)
			}
			if s.Test[tt.beats].Value <= s.Baselines["trivial"][tt.beats].Value {
				t.Errorf("%s is %v, of the trivial prediction %v", tt.beats, s.Test[tt.beats], s.Baselines["trivial"][tt.beats])
			}
			if _, ok := s.Baselines["linear"][tt.headline]; !ok {
				t.Error("no linear baseline")
			}
			var stages []string
			for _, e := range w.events {
				if e.Ended != nil {
					stages = append(stages, e.Stage)
				}
			}
			if !slices.Equal(stages, Stages) {
				t.Errorf("stages %v", stages)
			}

			// The bundle measured on the same file gives the same numbers.
			m := mustLoad(t, s.Bundle)
			e, err := EvaluateFile(context.Background(), m, m, filepath.Join(dir, "test.csv"), data.Options{}, 40, 0.95, s.Seed)
			if err != nil {
				t.Fatal(err)
			}
			if e.Rows != 200 || len(e.Metrics) != len(s.Test) {
				t.Errorf("%d rows, %d metrics; the run measured %d", e.Rows, len(e.Metrics), len(s.Test))
			}
			for name, v := range s.Test {
				if e.Metrics[name] != v {
					t.Errorf("%s is %v in the run and %v of the bundle", name, v, e.Metrics[name])
				}
			}
			if !strings.Contains(mustRead(t, s.Report), "</html>") {
				t.Error("the report is not whole")
			}
		})
	}
}

// With a long tail the network is trained twice, and what is kept is bit for
// bit the better of the two on validation rows.
func TestLongTailedTarget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(700, 2).only(append(slices.Clone(plain), "spend", "balance")...)
	for name, p := range map[string]*table{"train": all.part(0, 500), "valid": all.part(500, 600), "test": all.part(600, 700)} {
		p.write(t, dir, name+".csv")
	}
	of := func(target, transform string) (*Summary, *told) {
		return mustRun(t, configure(t, dir, `{name: m, data: {source: train.csv, validation: valid.csv, test: test.csv}, inputs: [age, income, color, member],
			outputs: [{name: `+target+`, type: number, transform: `+transform+`}], network: {widths: [16]}, train: {bagging: off, epochs: 6, batch_size: 64}, evaluate: {bootstrap: 0}}`))
	}
	plain, w := of("spend", "none")
	none := learnt(t, plain.Bundle)
	if n := len(w.trainings()); n != 2 { // network, linear
		t.Errorf("%d trainings with transform none", n)
	}
	logged, _ := of("spend", "log")
	withLog := learnt(t, logged.Bundle)
	auto, w := of("spend", "auto")
	if n := w.trainings(); len(n) != 3 || n[1].What != "network, log target" || !strings.Contains(w.notes(), "long tail") {
		t.Errorf("trainings %v, notes %q", n, w.notes())
	}
	want, which := none, "plain"
	if logged.Validation["rmse"] < plain.Validation["rmse"] {
		want, which = withLog, "logged"
	}
	t.Logf("validation rmse: plain %g, logged %g", plain.Validation["rmse"], logged.Validation["rmse"])
	if learnt(t, auto.Bundle) != want {
		t.Errorf("what was kept is not the %s network, which is better on validation rows", which)
	}
	if got := auto.Validation["rmse"]; got != min(plain.Validation["rmse"], logged.Validation["rmse"]) {
		t.Errorf("validation rmse %g", got)
	}

	// Below 0 there is no logarithm, however long the tail.
	negative, w := of("balance", "auto")
	if len(w.trainings()) != 2 || mustLoad(t, negative.Bundle).Output.(*feature.NumberOutput).Log {
		t.Errorf("a negative target was logged: %v", w.trainings())
	}
	_, err := Run(context.Background(), configure(t, dir, `{data: {source: train.csv, test: test.csv}, inputs: [age], outputs: [{name: balance, type: number, transform: log}]}`), nil)
	wantError(t, err, "balance", "log", "transform to none")
}

func TestColumnsAreChosen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(700, 3).only("id", "age", "income", "currency", "hint", "bought").write(t, dir, "rows.csv")
	const head = "data: {source: rows.csv}\noutputs: [bought]\n"
	s, w := mustRun(t, configure(t, dir, head+quick))
	m := mustLoad(t, s.Bundle)
	if got := m.InputSchema().Names(); !slices.Equal(got, []string{"age", "income"}) {
		t.Errorf("inputs are %v", got)
	}
	for _, want := range []string{"id is left out: it tells rows apart", "currency is left out: it has the same value", "hint is left out: it gives bought away", "bought is predicted as binary"} {
		if !strings.Contains(w.notes(), want) {
			t.Errorf("notes lack %q:\n%s", want, w.notes())
		}
	}
	// What is named is taken, with a warning.
	s, w = mustRun(t, configure(t, dir, head+"inputs: [age, {name: hint, type: category}]\n"+quick))
	if got := mustLoad(t, s.Bundle).InputSchema().Names(); !slices.Equal(got, []string{"age", "hint"}) {
		t.Errorf("inputs are %v", got)
	}
	if !strings.Contains(w.notes(), "warning: hint gives bought away") || strings.Contains(w.notes(), "left out") {
		t.Errorf("notes:\n%s", w.notes())
	}
	for _, tt := range []struct {
		text  string
		parts []string
	}{
		{"inputs: [age, incme]\noutputs: [bought]", []string{"incme", `did you mean "income"`}},
		{"inputs: [age, bought]\noutputs: [bought]", []string{"bought", "column to predict"}},
		{"inputs: [age, age]\noutputs: [bought]", []string{"age", "twice"}},
		{"outputs: [bougt]", []string{"bougt", `did you mean "bought"`}},
		{"outputs: [currency]", []string{"currency", "EUR"}},
		{"outputs: [id]", []string{"id", "identifier"}},
		{"outputs: [{name: bought, type: number}]", []string{"bought", "category"}},
		{"outputs: [{name: bought, type: binary, positive: maybe}]", []string{"maybe", "yes"}},
		{"outputs: [bought]\nname: ../up", []string{"name", "../up"}},
		{"outputs: [bought]\ntrain: {early_stopping: {metric: rmse}}", []string{"train.early_stopping.metric", "rmse"}},
		{"outputs: [bought]\ntrain: {early_stopping: {metric: roc_acu}}", []string{"train.early_stopping", "roc_auc"}},
		{"outputs: [bought]\nnetwork: {activation: rellu}", []string{"rellu"}},
	} {
		c, err := LoadConfig(writeFile(t, dir, "bad.yaml", "data: {source: rows.csv}\n"+tt.text), nil)
		if err == nil {
			_, err = Run(context.Background(), c, nil)
		}
		wantError(t, err, tt.parts...)
	}
}

func TestRowsWithoutTarget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(500, 4).only("age", "income", "bought")
	all.change("bought", 10, 30, func(string) string { return "" }).write(t, dir, "rows.csv")
	s, w := mustRun(t, configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\n"+quick))
	if n := s.Rows.Train + s.Rows.Validation + s.Rows.Test; n != 480 {
		t.Errorf("%d rows used of 480 with a target", n)
	}
	if !strings.Contains(w.notes(), "20 of 500 rows lack the target bought") {
		t.Errorf("notes:\n%s", w.notes())
	}
	m := mustLoad(t, s.Bundle)
	e, err := EvaluateFile(context.Background(), m, m, filepath.Join(dir, "rows.csv"), data.Options{}, 0, 0.95, 0)
	if err != nil || e.Rows != 480 || e.Unlabeled != 20 {
		t.Errorf("%+v, %v", e, err)
	}
	all.change("bought", 0, 500, func(string) string { return "?" }).write(t, dir, "rows.csv")
	_, err = Run(context.Background(), configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\n"), nil)
	wantError(t, err, "bought", "missing in every one of 500 rows")
}

// What is fitted and learnt depends on the training rows alone.
func TestOnlyTrainingRowsTeach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(600, 5).only(append(slices.Clone(plain), "bought")...)
	all.part(0, 400).write(t, dir, "train.csv")
	all.part(400, 500).write(t, dir, "valid.csv")
	all.part(500, 600).write(t, dir, "test.csv")
	const text = "data: {source: train.csv, validation: valid.csv, test: test.csv}\noutputs: [bought]\n" + quick
	one := "train.epochs=1" // so that validation has nothing to choose
	s, _ := mustRun(t, configure(t, dir, text, one))
	want := learnt(t, s.Bundle)
	for _, p := range []struct {
		name     string
		from, to int
	}{{"valid.csv", 400, 500}, {"test.csv", 500, 600}} {
		other := all.change("age", 0, 600, func(v string) string { return v + "000" }).change("color", 0, 600, func(string) string { return "violet" })
		other.part(p.from, p.to).write(t, dir, p.name)
	}
	s, _ = mustRun(t, configure(t, dir, text, one))
	if learnt(t, s.Bundle) != want {
		t.Error("other validation and test rows changed what was fitted and learnt")
	}

	// The same for parts of one file.
	all.write(t, dir, "all.csv")
	const parts = "name: all\ndata: {source: all.csv, split: {method: time, column: since, fractions: [0.6, 0.2, 0.2]}}\noutputs: [bought]\n" + quick
	s, _ = mustRun(t, configure(t, dir, parts, one))
	want = learnt(t, s.Bundle)
	all.change("age", 480, 600, func(v string) string { return v + "000" }).change("color", 480, 600, func(string) string { return "violet" }).write(t, dir, "all.csv")
	s, _ = mustRun(t, configure(t, dir, parts, one))
	if learnt(t, s.Bundle) != want {
		t.Error("other validation and test rows of one file changed what was fitted and learnt")
	}
}

// The test rows choose nothing: with other outcomes all else stays as it was.
func TestTestRowsChooseNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(700, 6).only(append(slices.Clone(plain), "spend")...)
	all.part(0, 600).write(t, dir, "train.csv")
	all.part(600, 700).write(t, dir, "test.csv")
	c := func() *Config {
		return configure(t, dir, "data: {source: train.csv, test: test.csv}\noutputs: [spend]\n"+quick, "train.epochs=6", "train.early_stopping.patience=2")
	}
	s, _ := mustRun(t, c())
	want := learnt(t, s.Bundle)
	// Who learns to predict such outcomes gets worse at it with every epoch.
	all.change("spend", 600, 700, func(v string) string { f, _ := strconv.ParseFloat(v, 64); return fmt.Sprintf("%.3f", 100/f) }).part(600, 700).write(t, dir, "test.csv")
	again, _ := mustRun(t, c())
	if learnt(t, again.Bundle) != want || again.BestEpoch != s.BestEpoch || again.Validation["rmse"] != s.Validation["rmse"] {
		t.Error("other outcomes of the test rows changed the model")
	}
	if again.Test["rmse"] == s.Test["rmse"] {
		t.Error("the test rows were not measured")
	}
}

func TestClassWeights(t *testing.T) {
	t.Parallel()
	p := &prepared{}
	dir := t.TempDir()
	rare := shoppers(900, 7).only("age", "income", "color", "bought")
	kept := &table{names: rare.names}
	for i, row := range rare.rows {
		if row[3] == "no" || i%8 == 0 {
			kept.rows = append(kept.rows, row)
		}
	}
	kept.write(t, dir, "rows.csv")
	c := func(sets ...string) *Config {
		return configure(t, dir, "data: {source: rows.csv, split: {fractions: [0.5, 0.1, 0.4]}}\noutputs: [bought]\n"+quick, append(sets, "train.epochs=10")...)
	}
	var err error
	if p, err = c().prepare(); err != nil {
		t.Fatal(err)
	}
	_, targets, err := p.model.Targets(p.train)
	if err != nil {
		t.Fatal(err)
	}
	var sum [2]float64
	for i, w := range classWeights(targets, []float64{1, 1}, nil) {
		sum[int(targets[i])] += float64(w)
	}
	if half := float64(p.train.Rows) / 2; math.Abs(sum[0]-half) > 1e-3 || math.Abs(sum[1]-half) > 1e-3 {
		t.Errorf("the classes weigh %v of %d rows", sum, p.train.Rows)
	}
	none, _ := mustRun(t, c())
	balanced, _ := mustRun(t, c("train.class_weights=balanced"))
	if a, b := none.Test["recall"].Value, balanced.Test["recall"].Value; b <= a {
		t.Errorf("recall of the rare class is %g, with balanced weights %g", a, b)
	}
}

func TestEarlyStoppingByMetric(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(500, 8).only(append(slices.Clone(plain), "bought")...)
	all.write(t, dir, "rows.csv")
	s, w := mustRun(t, configure(t, dir, "data: rows.csv\noutputs: [bought]\n"+quick, "data={source: rows.csv}", "train.epochs=12", "train.early_stopping={metric: f1, patience: 2}"))
	var network []train.Epoch
	for _, e := range w.events {
		if e.Epoch != nil && e.Stage == StageTrain {
			network = append(network, *e.Epoch)
		}
	}
	if w.trainings()[0].Metric != "f1" || w.trainings()[1].Metric != "roc_auc" {
		t.Errorf("trainings %+v", w.trainings())
	}
	best := 0
	for i, e := range network {
		if e.Scores["f1"] > network[best].Scores["f1"] {
			best = i
		}
	}
	if s.BestEpoch != best+1 || s.Epochs != min(12, best+3) {
		t.Errorf("best epoch %d of %d, by f1 it is %d", s.BestEpoch, s.Epochs, best+1)
	}
	if got := s.Validation["f1"]; got != network[best].Scores["f1"] {
		t.Errorf("the bundle has a validation f1 of %g, the best epoch had %g", got, network[best].Scores["roc_auc"])
	}
	one := &table{names: all.names}
	for _, row := range all.rows {
		if row[5] == "no" && len(one.rows) < 50 {
			one.rows = append(one.rows, row)
		}
	}
	one.write(t, dir, "valid.csv")
	_, err := Run(context.Background(), configure(t, dir, "data: {source: rows.csv, validation: valid.csv}\noutputs: [bought]\n"+quick, "train.early_stopping.metric=roc_auc"), nil)
	wantError(t, err, "train.early_stopping.metric", "roc_auc", "50 validation rows")
}

func TestSplits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(1000, 9).only("age", "since", "team", "bought")
	all.write(t, dir, "rows.csv")
	all.part(0, 100).write(t, dir, "other.csv")
	prepare := func(spec string) *prepared {
		t.Helper()
		p, err := configure(t, dir, "data: "+spec+"\noutputs: [bought]\ntrain: {bagging: off}").prepare()
		if err != nil {
			t.Fatal(spec, err)
		}
		return p
	}
	values := func(tab *data.Table, column string) (out []string) {
		for i := range tab.Rows {
			out = append(out, tab.Column(column).Text(i))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for spec, want := range map[string][3]int{
		"{source: rows.csv}":                                                                           {800, 100, 100},
		"{source: rows.csv, validation: 0.25}":                                                         {650, 250, 100},
		"{source: rows.csv, split: {fractions: [0.5, 0.2, 0.3]}}":                                      {500, 200, 300},
		"{source: rows.csv, test: other.csv}":                                                          {900, 100, 100},
		"{source: rows.csv, test: other.csv, validation: {fraction: 0.3}}":                             {700, 300, 100},
		"{source: rows.csv, validation: other.csv}":                                                    {900, 100, 100},
		"{source: rows.csv, validation: other.csv, split: {method: random, fractions: [0.6,0.1,0.3]}}": {700, 100, 300},
		"{source: rows.csv, validation: other.csv, test: other.csv}":                                   {1000, 100, 100},
	} {
		p := prepare(spec)
		if got := [3]int{p.train.Rows, p.valid.Rows, p.test.Rows}; got != want {
			t.Errorf("%s gives %v rows, expected %v", spec, got, want)
		}
	}
	share := func(tab *data.Table) float64 {
		yes := 0
		for i := range tab.Rows {
			if tab.Column("bought").Text(i) == "yes" {
				yes++
			}
		}
		return float64(yes) / float64(tab.Rows)
	}
	p := prepare("{source: rows.csv}") // stratified by default
	if a, b, c := share(p.train), share(p.valid), share(p.test); math.Abs(a-b) > 0.011 || math.Abs(a-c) > 0.011 {
		t.Errorf("shares of yes: %g, %g, %g", a, b, c)
	}
	p = prepare("{source: rows.csv, split: {method: time, column: since}}")
	if a, b, c := values(p.train, "since"), values(p.valid, "since"), values(p.test, "since"); a[len(a)-1] >= b[0] || b[len(b)-1] >= c[0] {
		t.Errorf("times overlap: to %s, %s to %s, from %s", a[len(a)-1], b[0], b[len(b)-1], c[0])
	}
	p = prepare("{source: rows.csv, split: {method: group, column: team}}")
	for _, v := range values(p.test, "team") {
		if slices.Contains(values(p.train, "team"), v) || slices.Contains(values(p.valid, "team"), v) {
			t.Errorf("%s is in two parts", v)
		}
	}
	if len(values(p.test, "team")) == 0 {
		t.Error("no group to test on")
	}
	for spec, parts := range map[string][]string{
		"{source: rows.csv, test: other.csv, split: {fractions: [0.8, 0.1, 0.1]}}": {"data.split.fractions", "data.test"},
		"{source: rows.csv, split: {fractions: [0.9, 0.1]}}":                       {"data.split.fractions", "three"},
		"{source: rows.csv, split: {fractions: [0.9, 0.9, 0.1]}}":                  {"sum to 1.9"},
		"{source: rows.csv, validation: 0.88}":                                     {"data.validation.fraction", "0.88"},
		"{source: rows.csv, split: {method: time, column: sinse}}":                 {"sinse", "since"},
		"{source: nowhere.csv}":                                                    {"nowhere.csv"},
	} {
		c, err := LoadConfig(writeFile(t, dir, "bad.yaml", "data: "+spec+"\noutputs: [bought]\ntrain: {bagging: off}"), nil)
		if err == nil {
			_, err = c.prepare()
		}
		if strings.Contains(spec, "nowhere") { // as the system says it
			if err == nil || !strings.Contains(err.Error(), "nowhere.csv") {
				t.Errorf("%v", err)
			}
			continue
		}
		wantError(t, err, parts...)
	}
}

// Columns of another type can be forced, and numbers can be classes.
func TestTypesAreOverridden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(400, 10).only("age", "income", "level")
	all.change("level", 0, 400, func(v string) string {
		return map[string]string{"low": "5", "mid": "7", "high": "9"}[v]
	}).change("age", 0, 400, func(v string) string { n, _ := strconv.Atoi(v); return strconv.Itoa(n / 10) }).write(t, dir, "rows.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv, types: {age: category}}\noutputs: [{name: level, type: category}]\n"+quick))
	m := mustLoad(t, s.Bundle)
	if !slices.Equal(m.Output.Classes(), []string{"5", "7", "9"}) || s.Task != "multiclass" {
		t.Errorf("%s, classes %v", s.Task, m.Output.Classes())
	}
	if got := m.Inputs[0].Feature.Type(); got != "category" {
		t.Errorf("age is read as %s", got)
	}
}

// A class that no training row has is told before anything is trained.
func TestClassUnseenInTrainingIsToldBeforeTraining(t *testing.T) {
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("x,y\n")
	for i := range 300 {
		fmt.Fprintf(&rows, "%d,%s\n", i%17, []string{"a", "b", "c"}[i%3])
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("train.csv", rows.String())
	write("test.csv", "x,y\n1,a\n2,d\n3,b\n")
	write("hone.yaml", "data: {source: train.csv, test: test.csv}\noutputs: [{name: y, type: category}]\n")
	c, err := LoadConfig(filepath.Join(dir, "hone.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	trained := false
	_, err = Run(context.Background(), c, func(e Event) { trained = trained || e.Training != nil })
	if err == nil || !strings.Contains(err.Error(), `"d"`) || trained {
		t.Errorf("error %v, trained %v", err, trained)
	}
}

// Of two equal runs that are started together, one trains and one is told so.
func TestTwoRunsStartedTogether(t *testing.T) {
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("x,y\n")
	for i := range 3000 {
		fmt.Fprintf(&rows, "%d,%s\n", i%17, []string{"a", "b"}[i%2])
	}
	for name, text := range map[string]string{
		"rows.csv": rows.String(), "hone.yaml": "data: {source: rows.csv}\noutputs: [{name: y}]\ntrain: {bagging: off, epochs: 100000, early_stopping: {patience: 0}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			c, err := LoadConfig(filepath.Join(dir, "hone.yaml"), nil)
			if err == nil {
				_, err = Run(ctx, c, nil)
			}
			errs <- err
		}()
	}
	if err := <-errs; err == nil || !strings.Contains(err.Error(), "going on already") {
		t.Errorf("the second run: %v", err)
	}
	stop()
	if err := <-errs; !IsStopped(err) {
		t.Errorf("the first run: %v", err)
	}
}
