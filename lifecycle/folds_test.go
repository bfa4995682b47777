package lifecycle

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// crossed returns the rows of out_of_fold.csv by column.
func outOfFoldRows(tb testing.TB, path string) map[string][]string {
	tb.Helper()
	rows, err := csv.NewReader(strings.NewReader(mustRead(tb, path))).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string][]string{}
	for j, name := range rows[0] {
		for _, r := range rows[1:] {
			out[name] = append(out[name], r[j])
		}
	}
	return out
}

func number(tb testing.TB, s string) float64 {
	tb.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// The figures of the folds are those that their own predictions give.
func TestCrossValidation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ target, metric string }{{"bought", "roc_auc"}, {"level", "log_loss"}, {"balance", "rmse"}} {
		t.Run(tt.target, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			all := shoppers(260, 31).only(append(slices.Clone(plain), tt.target)...)
			all = all.change(tt.target, 7, 8, func(string) string { return "" }) // one row that teaches nothing
			all.write(t, dir, "rows.csv")
			s, w := mustRun(t, configure(t, dir, "name: m\ndata: {source: rows.csv}\noutputs: ["+tt.target+"]\n"+quick, "evaluate.cross_validation={folds: 4, repeats: 2}"))
			cv := s.CrossValidation
			if cv == nil || len(cv.Each) != 8 || cv.Folds != 4 || cv.Repeats != 2 || cv.Method != "stratified" || !cv.IsTest {
				t.Fatalf("%+v", cv)
			}
			if s.Rows.Test != 259 || s.Rows.Train+s.Rows.Validation != 259 {
				t.Errorf("rows %+v", s.Rows)
			}
			rows := outOfFoldRows(t, s.OutOfFold)
			if n := len(rows["row"]); n != 2*259 {
				t.Fatalf("%d out-of-fold predictions, expected 518", n)
			}
			sample := func(keep func(i int) bool) *metric.Sample {
				out := &metric.Sample{Kind: metric.Regression}
				m := mustLoad(t, s.Bundle)
				out.Kind, out.Classes = m.Output.Kind(), m.Output.Classes()
				for i, actual := range rows["actual"] {
					if !keep(i) {
						continue
					}
					if out.Kind == metric.Regression {
						out.Target, out.Pred = append(out.Target, number(t, actual)), append(out.Pred, number(t, rows[tt.target][i]))
						continue
					}
					out.Target = append(out.Target, float64(slices.Index(out.Classes, actual)))
					out.Pred = append(out.Pred, float64(slices.Index(out.Classes, rows[tt.target][i])))
					for k, class := range out.Classes {
						if out.Kind == metric.Multiclass || k == 1 {
							out.Prob = append(out.Prob, number(t, rows[tt.target+"_probability_"+class][i]))
						}
					}
				}
				return out
			}
			for _, f := range cv.Each {
				got, err := measure(sample(func(i int) bool {
					return rows["repeat"][i] == strconv.Itoa(f.Repeat) && rows["fold"][i] == strconv.Itoa(f.Fold)
				}), tt.metric)
				if err != nil || math.Abs(got[tt.metric]-f.Scores[tt.metric]) > 1e-12 {
					t.Errorf("repeat %d, fold %d: %s is %v, recomputed %v, %v", f.Repeat, f.Fold, tt.metric, f.Scores[tt.metric], got, err)
				}
				if f.Rows.Train+f.Rows.Validation+f.Rows.Test != 259 {
					t.Errorf("rows %+v", f.Rows)
				}
			}
			got, err := measure(sample(func(i int) bool { return rows["repeat"][i] == "1" }), tt.metric)
			if err != nil || math.Abs(got[tt.metric]-s.Test[tt.metric].Value) > 1e-12 {
				t.Errorf("the test is %v, recomputed %v, %v", s.Test[tt.metric], got, err)
			}
			if slices.Contains(rows["row"], "8") || !slices.Contains(rows["row"], "260") {
				t.Error("the numbers of the rows are not those of the file")
			}
			for _, e := range w.events {
				if e.Warning != "" && e.Stage == StageFolds {
					t.Errorf("warning: %s", e.Warning)
				}
			}
			if left, _ := os.ReadDir(filepath.Dir(s.OutOfFold)); len(left) != 5 { // config, lock, bundle, report, out_of_fold.csv
				t.Errorf("left in the run's folder: %v", left)
			}
		})
	}
}

// TestKilledInEveryFold kills the process in each fold in turn: what is finished
// is not trained again, and the end is the same bits.
func TestKilledInEveryFold(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	text = strings.Replace(text, "bootstrap: 20", "bootstrap: 20, cross_validation: 3", 1)
	uninterrupted := t.TempDir()
	writeFile(t, uninterrupted, "rows.csv", mustRead(t, filepath.Join(dir, "rows.csv")))
	want, w := mustRun(t, configure(t, uninterrupted, text))
	var names []string
	for _, tr := range w.trainings() {
		names = append(names, tr.What)
	}
	if len(names) != 3*3+2 || names[0] != "fold 1 of 3, network" || names[1] != "fold 1 of 3, network, log target" || names[2] != "fold 1 of 3, linear baseline" {
		t.Fatalf("trainings %v", names)
	}
	path := writeFile(t, dir, "hone.yaml", text)
	for kill := range 3 {
		name := names[3*kill+kill] // each time another training of a fold
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childConfig+"="+path, childTrains+"="+name, "HONE_HOME=")
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Fatalf("it was not killed in %s: %s", name, out)
		}
	}
	s, w := mustRun(t, configure(t, dir, text))
	for _, tr := range w.trainings() {
		if strings.HasPrefix(tr.What, "fold 1") || strings.HasPrefix(tr.What, "fold 2") {
			t.Errorf("trained again: %s", tr.What)
		}
	}
	if !s.Resumed || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) {
		t.Error("the bundle differs from that of an uninterrupted run")
	}
	if mustRead(t, s.OutOfFold) != mustRead(t, want.OutOfFold) {
		t.Error("the out-of-fold predictions differ from those of an uninterrupted run")
	}
	if len(checkpoints(dir)) != 0 {
		t.Errorf("left: %v", checkpoints(dir))
	}
}

// A damaged file of a fold costs time and is told.
func TestDamagedFold(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	text = strings.Replace(text, "bootstrap: 20", "bootstrap: 20, cross_validation: 2", 1)
	ctx, w := stopAt(func(e Event) bool { return e.Stage == StageTrain && e.Epoch != nil })
	if _, err := Run(ctx, configure(t, dir, text), w.watch); !IsStopped(err) {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, ".hone", "runs", "*", "fold-*.checkpoint"))
	if len(files) != 2 {
		t.Fatalf("files of folds: %v", files)
	}
	raw := mustRead(t, files[1])
	at := strings.Index(raw, `"Value":[`) + 9
	if err := os.WriteFile(files[1], []byte(raw[:at]+map[bool]string{true: "1", false: "2"}[raw[at] != '1']+raw[at+1:]), 0o644); err != nil {
		t.Fatal(err)
	}
	s, w := mustRun(t, configure(t, dir, text))
	if !strings.Contains(w.notes(), "what was kept of fold 2 of 2 is damaged: its checksum") || strings.Contains(w.notes(), "fold 1 of 2 is damaged") {
		t.Errorf("notes:\n%s", w.notes())
	}
	clean := t.TempDir()
	writeFile(t, clean, "rows.csv", mustRead(t, filepath.Join(dir, "rows.csv")))
	want, _ := mustRun(t, configure(t, clean, text))
	if mustRead(t, s.OutOfFold) != mustRead(t, want.OutOfFold) || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) {
		t.Error("the result differs from that of an undisturbed run")
	}
}

// chance is rows in which nothing tells the target, and a code of its own for
// every row: a model that saw the row can know its answer.
func chance(n int, seed uint64) *table {
	r := rand.New(rand.NewPCG(seed, 5))
	all := &table{names: []string{"site", "noise", "code", "y"}}
	for i := range n {
		all.rows = append(all.rows, []string{fmt.Sprint("site ", i%8), fmt.Sprint(r.NormFloat64()), fmt.Sprintf("%c%c", 'a'+i/20, 'a'+i%20), []string{"no", "yes"}[r.IntN(2)]})
	}
	return all
}

// learnByHeart trains until the codes are known.
const learnByHeart = `
inputs: [noise, {name: code, type: category}]
outputs: [y]
network: {widths: [32]}
train: {bagging: off, epochs: 30, batch_size: 32, optimizer: {type: adamw, learning_rate: 0.01}, early_stopping: {patience: 0}}
evaluate: {bootstrap: 0}
`

// TestFoldsDoNotLeak has rows of pure chance, of which only what saw them could
// know anything.
func TestFoldsDoNotLeak(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := chance(400, 5)
	all.write(t, dir, "rows.csv")
	for method, spec := range map[string]string{"stratified": "", "group": ", method: group, column: site"} {
		s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv}\n"+learnByHeart, "evaluate.cross_validation={folds: 5"+spec+"}"))
		// 0.03 is a standard error.
		if v := s.Test["roc_auc"].Value; v > 0.6 {
			t.Errorf("%s: roc_auc %v on rows of pure chance", method, v)
		}
		sites := map[string]string{}
		rows := outOfFoldRows(t, s.OutOfFold)
		for i, row := range rows["row"] {
			site := all.rows[int(number(t, row))-1][0]
			if f, ok := sites[site]; ok && f != rows["fold"][i] && method == "group" {
				t.Errorf("%s is in folds %s and %s", site, f, rows["fold"][i])
			}
			sites[site] = rows["fold"][i]
		}
	}
}

func TestExpandingWindow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(300, 33).only(append(slices.Clone(plain), "balance")...).write(t, dir, "rows.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv, split: {method: time, column: since}}\noutputs: [balance]\n"+quick, "evaluate.cross_validation=3"))
	cv := s.CrossValidation
	if cv.Method != "expanding" || cv.Column != "since" || s.Rows.Test >= 300 || s.Rows.Test < 200 {
		t.Errorf("%+v, rows %+v", cv, s.Rows)
	}
	for k, f := range cv.Each {
		if k > 0 && f.Rows.Train <= cv.Each[k-1].Rows.Train {
			t.Errorf("the window does not expand: %+v", cv.Each)
		}
	}
}

// With a test file the folds are of source, and the test rows are read once.
func TestCrossValidationBesideTestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(400, 34).only(append(slices.Clone(plain), "bought")...)
	all.part(0, 300).write(t, dir, "train.csv")
	all.part(300, 400).write(t, dir, "test.csv")
	c := func(sets ...string) *Config {
		return configure(t, dir, "data: {source: train.csv, test: test.csv}\noutputs: [bought]\n"+quick, sets...)
	}
	with, _ := mustRun(t, c("evaluate.cross_validation=3"))
	without, _ := mustRun(t, c())
	if with.CrossValidation.IsTest || with.Rows != without.Rows || with.Rows.Test != 100 {
		t.Errorf("%+v, rows %+v", with.CrossValidation, with.Rows)
	}
	if with.Test["roc_auc"] != without.Test["roc_auc"] || learnt(t, with.Bundle) != learnt(t, without.Bundle) {
		t.Error("cross-validation changes the model")
	}
}

func TestFoldsThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(100, 35).only("age", "income", "level")
	all = all.change("level", 0, 1, func(string) string { return "unique" })
	all.write(t, dir, "rows.csv")
	for set, want := range map[string][]string{
		"evaluate.cross_validation=5":                                       {`evaluate.cross_validation: fold`, `"unique"`, "take fewer folds, or leave out"},
		"evaluate.cross_validation=1":                                       {"found 1 fold, expected 2 or more"},
		"evaluate.cross_validation={folds: 3, method: group}":               {"evaluate.cross_validation.column"},
		"evaluate.cross_validation={folds: 3, method: fancy}":               {"expected one of stratified, random, group, expanding"},
		"evaluate.cross_validation={folds: 300, method: random}":            {"rows.csv", "leaves part 101 without any"},
		"evaluate.cross_validation={folds: 3, method: group, column: agee}": {`did you mean "age"`},
	} {
		c, err := LoadConfig(writeFile(t, dir, "hone.yaml", "data: {source: rows.csv}\noutputs: [level]\n"+quick), []string{set})
		if err == nil {
			_, err = c.prepare()
		}
		wantError(t, err, want...)
	}
	p, err := configure(t, dir, "data: {source: rows.csv, split: {fractions: [0.6, 0.2, 0.2]}}\noutputs: [income]\ntrain: {bagging: off}", "evaluate.cross_validation=3").prepare()
	if err != nil || p.test != nil || p.train.Rows < 2*p.valid.Rows || !strings.Contains(strings.Join(p.notes, " "), "share of 0.2") {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestCleanedFolds: a step that learns is fitted on the training rows of each
// fold, rows that steps leave out are in no fold, and the numbers of the others
// stay those of the file.
func TestCleanedFolds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(240, 71).only("age", "income", "color", "bought")
	all.write(t, dir, "rows.csv")
	income := slices.Index(all.names, "income")
	rich := func(r []string) bool { return r[income] != "" && number(t, r[income]) > 10 }
	left := 0
	for _, r := range all.rows {
		if rich(r) {
			left++
		}
	}
	text := `
name: shop
data:
  source: rows.csv
  clean:
  - {type: filter, where: income > 10}
  - {type: cap, columns: [income], high: 0.8}
outputs: [bought]
network: {type: mlp, widths: [8]}
train: {bagging: off, epochs: 2}
evaluate: {bootstrap: 0, cross_validation: 2}
`
	p, err := configure(t, dir, text).prepare()
	if err != nil {
		t.Fatal(err)
	}
	caps := map[string]bool{}
	for _, f := range p.folds[0] {
		train, valid, test, err := p.divideFold(configure(t, dir, text), p.source, f)
		if err != nil {
			t.Fatal(err)
		}
		q, err := p.on(configure(t, dir, text), train, valid, test)
		if err != nil {
			t.Fatal(err)
		}
		top := slices.Max(q.train.Column("income").Numbers)
		if got := slices.Max(q.test.Column("income").Numbers); got > top || slices.Max(train.Column("income").Numbers) <= top {
			t.Errorf("training rows go to %g, test rows to %g", top, got)
		}
		caps[fmt.Sprint(top)] = true
	}
	if len(caps) != 2 {
		t.Errorf("the folds share a cap: %v", caps)
	}
	s, _ := mustRun(t, configure(t, dir, text))
	rows := outOfFoldRows(t, s.OutOfFold)
	if n := len(rows["row"]); n != left || left == len(all.rows) {
		t.Fatalf("%d out-of-fold predictions, expected %d", n, left)
	}
	bought := slices.Index(all.names, "bought")
	for i, n := range rows["row"] {
		r := all.rows[int(number(t, n))-1]
		if !rich(r) || r[bought] != rows["actual"][i] {
			t.Fatalf("row %s of the file is %v, found %s", n, r, rows["actual"][i])
		}
	}
	late := strings.Replace(text, "high: 0.8}", "high: 0.8}\n  - {type: drop_duplicates}", 1)
	_, err = configure(t, dir, late).prepare()
	wantError(t, err, "data.clean[2] (drop_duplicates)")
}
