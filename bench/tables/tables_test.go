package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
)

// made is a record of seed 0 with the headline metrics of both kinds of target.
func made(set, model string, rocAUC, accuracy, rmse, latency float64) record {
	return record{
		key: key{Set: set, Model: model}, Threads: 2, Package: model + " 1.0", FitSeconds: 2, LatencyMS: latency, PeakMB: 100,
		Metrics: map[string]float64{"roc_auc": rocAUC, "accuracy": accuracy, "log_loss": 0.3, "rmse": rmse, "r2": 0.5, "mae": 1},
	}
}

var (
	classes = public.Set{Name: "c", Positive: "yes"}
	numbers = public.Set{Name: "n", Overrides: []string{"a=b"}, Note: "because"}
)

func example() results {
	return results{Hone: "hone version test", Records: []record{
		made("c", "hone", 0.95, 0.80, 0, 0.02),
		made("c", "lightgbm", 0.90, 0.90, 0, 0.2),
		made("c", "catboost", 0.90, 0.85, 0, 2),
		made("n", "hone", 0, 0, 50, 0.02),
		made("n", "lightgbm", 0, 0, 40, 0.8),
	}}
}

func TestRanks(t *testing.T) {
	rows := rowsOf(example(), classes)
	if got, want := ranks(rows, "roc_auc"), []float64{1, 2.5, 2.5}; !reflect.DeepEqual(got, want) {
		t.Errorf("by roc_auc, with a tie: found %v, expected %v", got, want)
	}
	if got, want := ranks(rows, "accuracy"), []float64{3, 1, 2}; !reflect.DeepEqual(got, want) {
		t.Errorf("by accuracy: found %v, expected %v", got, want)
	}
	if got, want := ranks(rowsOf(example(), numbers), "rmse"), []float64{2, 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("by rmse, less is better: found %v, expected %v", got, want)
	}
}

func TestStandings(t *testing.T) {
	got := standings(example(), []public.Set{classes, numbers})
	var order []string
	for _, s := range got {
		order = append(order, s.model.name)
	}
	// CatBoost lacks a set, so it stands last whatever its average.
	if want := []string{"hone", "lightgbm", "catboost"}; !reflect.DeepEqual(order, want) {
		t.Fatalf("order: found %v, expected %v", order, want)
	}
	close := func(name string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: found %g, expected %g", name, got, want)
		}
	}
	close("hone by headline", got[0].headline, 1.5)
	close("hone by accuracy", got[0].accuracy, 2.5)
	close("LightGBM by headline", got[1].headline, 1.75)
	close("LightGBM's latency", got[1].latency, 0.4)
	close("LightGBM's ratio: √(10·40)", got[1].ratio, 20)
	close("CatBoost's ratio on its one set", got[2].ratio, 100)
	close("fit", got[1].fit, 4)
}

func TestStandingsWithoutHone(t *testing.T) {
	r := example()
	r.Records = r.Records[1:3]
	for _, s := range standings(r, []public.Set{classes}) {
		if !math.IsNaN(s.ratio) {
			t.Errorf("%s: found the ratio %g with no hone to compare", s.model.name, s.ratio)
		}
	}
}

func TestSeedsAreAveraged(t *testing.T) {
	r := example()
	second := made("c", "hone", 0.97, 0.80, 0, 0.04)
	second.Seed = 1
	r.add(second)
	row := rowsOf(r, classes)[0]
	if math.Abs(row.mean["roc_auc"]-0.96) > 1e-12 || math.Abs(row.sd["roc_auc"]-0.02/math.Sqrt2) > 1e-12 || math.Abs(row.latency-0.03) > 1e-12 {
		t.Errorf("found mean %g, deviation %g, latency %g", row.mean["roc_auc"], row.sd["roc_auc"], row.latency)
	}
}

func TestMarkdown(t *testing.T) {
	r := example()
	r.Reused = 2
	for _, set := range []string{"c", "n"} {
		r.fail(set, models[6], absent(models[6], defaultVenv))
	}
	r.fail("n", models[5], errors.New("it broke"))
	var test tested
	if err := json.Unmarshal([]byte(`{"metric":{"name":"rmse"},"verdict":"no winner","standings":[{"name":"lightgbm.csv"},{"name":"hone.hone","against":{"p_adjusted":0.03}}]}`), &test); err != nil {
		t.Fatal(err)
	}
	test.Set = "n"
	r.Tests = []tested{test}
	var text strings.Builder
	markdown(&text, r, []public.Set{classes, numbers})
	for _, want := range []string{
		"### c\n\n| model | accuracy | roc_auc | log_loss | fit s | one row, ms | memory, MB |\n| --- | --- | --- | --- | --- | --- | --- |\n| hone | 0.8000 | 0.9500 | 0.3000 | 2.0 | 0.020 | 100 |\n",
		"| hone | 50.0 | 0.5000 | 1.0000 | 2.0 | 0.020 | 100 |\n",
		"| LightGBM | 1.75 | 1.00 | 4.0 | 0.400 | 20.0 × |\n",
		"| CatBoost (1 of 2 sets) | 2.50 | 2.00 |",
		"Threads of every model: 2.",
		"n: because (`--set a=b`)",
		"2 of the peers' results were not measured in this call",
		"- n, CatBoost: it broke.",
		"`hone compare`, seed 0, by rmse: no winner. Behind lightgbm.csv, with the p-values of paired tests, corrected: hone.hone 0.03.",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("expected %q in:\n%s", want, text.String())
		}
	}
	if n := strings.Count(text.String(), "pytabkit is not installed; go run ./bench/tables setup installs it"); n != 1 {
		t.Errorf("found the command that installs pytabkit %d times, expected once", n)
	}
}

func TestUnequalThreadsAreSaid(t *testing.T) {
	r := example()
	r.Records[1].Threads = 1
	if got := threads(r); !strings.Contains(got, "not equal") || !strings.Contains(got, "LightGBM 1, LightGBM 2") {
		t.Errorf("found %q", got)
	}
}

func TestRecordsAreKeptAndReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.json")
	r, err := load(path)
	if err != nil || len(r.Records) != 0 {
		t.Fatalf("a file that is not there: found %v, %v", r, err)
	}
	r.add(made("c", "lightgbm", 0.5, 0, 0, 1))
	r.add(made("c", "lightgbm", 0.6, 0, 0, 1))
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	again, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := again.find(key{Set: "c", Model: "lightgbm"})
	if !ok || len(again.Records) != 1 || got.Metrics["roc_auc"] != 0.6 {
		t.Errorf("found %+v", again.Records)
	}
	if _, ok := again.find(key{Set: "c", Model: "lightgbm", Seed: 1}); ok {
		t.Error("found a seed that was not measured")
	}
	if err := os.WriteFile(path, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := load(path); err == nil || !strings.Contains(err.Error(), "expected results that bench/tables wrote") {
		t.Errorf("found the error %v", err)
	}
}

func TestChoose(t *testing.T) {
	got, err := chooseModels("lightgbm,hone")
	if err != nil || len(got) != 2 || got[0].name != "hone" {
		t.Errorf("found %v, %v", got, err)
	}
	if _, err := chooseModels("lightgmb"); err == nil || !strings.Contains(err.Error(), `no model "lightgmb", expected some of hone, linear`) {
		t.Errorf("found the error %v", err)
	}
	sets, err := public.Choose("bike-sharing,adult")
	if err != nil || len(sets) != 2 || sets[0].Name != "adult" {
		t.Errorf("found %v, %v", sets, err)
	}
	if _, err := public.Choose("adlut"); err == nil || !strings.Contains(err.Error(), `no table "adlut"`) {
		t.Errorf("found the error %v", err)
	}
}

// fake makes an environment whose python is a shell script.
func fake(t *testing.T, script string) *peers {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for python is a shell script")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(venv.Python(dir), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := newPeers(dir, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPeerIsRun(t *testing.T) {
	p := fake(t, `printf '%s' "$2" > job
test -s "$1" || exit 1
echo chatter
echo '{"package":"lightgbm 1","fit_seconds":1.5,"latency_ms":0.5,"peak_mb":7,"metrics":{"roc_auc":0.75}}'
`)
	s := public.Set{Name: "t", Train: "a.csv", Test: "b.csv", Target: "y", Positive: ">50K"}
	r, err := p.run(s, models[4], "/data", 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	if r.Package != "lightgbm 1" || r.FitSeconds != 1.5 || r.LatencyMS != 0.5 || r.PeakMB != 7 || r.Metrics["roc_auc"] != 0.75 {
		t.Errorf("found %+v", r)
	}
	job, err := os.ReadFile(filepath.Join(p.dir, "job"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"categories":[],"drop":[],"model":"lightgbm","positive":"\u003e50K","predictions":"","seed":3,"target":"y","test":"/data/t/b.csv","threads":2,"train":"/data/t/a.csv"}`; string(job) != want {
		t.Errorf("found the job %s, expected %s", job, want)
	}
}

func TestPeerFails(t *testing.T) {
	s := public.Set{Name: "t"}
	var gone *venv.Missing
	_, err := fake(t, "exit 3").run(s, models[6], "/data", 0, 1)
	if !errors.As(err, &gone) || !strings.Contains(err.Error(), "pytabkit is not installed; go run ./bench/tables setup -venv ") {
		t.Errorf("found the error %v", err)
	}
	none := &peers{venv: defaultVenv, python: filepath.Join(t.TempDir(), "python")}
	if _, err = none.run(s, models[6], "/data", 0, 1); !errors.As(err, &gone) {
		t.Errorf("found the error %v", err)
	}
	_, err = fake(t, "echo first >&2; echo 'ValueError: bad' >&2; exit 1").run(s, models[4], "/data", 0, 1)
	if err == nil || errors.As(err, &gone) || !strings.HasSuffix(err.Error(), ": ValueError: bad") {
		t.Errorf("found the error %v", err)
	}
	_, err = fake(t, "echo hello").run(s, models[4], "/data", 0, 1)
	if err == nil || !strings.Contains(err.Error(), `expected a JSON object as the last line, found "hello"`) {
		t.Errorf("found the error %v", err)
	}
}
