package lifecycle

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
)

const curveConfig = `
name: m
data: {source: rows.csv, split: {fractions: [0.7, 0.2, 0.1]}}
outputs: [level]
` + quick

func TestLearnCurve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(2400, 12).only(append(slices.Clone(plain), "level")...).write(t, dir, "rows.csv")
	learn := func(w *told, sets ...string) *evaluate.LearningCurve {
		t.Helper()
		got, err := LearnCurve(context.Background(), configure(t, dir, curveConfig, append(sets, "train.epochs=6", "evaluate.bootstrap=200")...), "log_loss", w.watch)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// Stopped in the middle, the same command goes on.
	ctx, cancel := context.WithCancel(context.Background())
	w := &told{stop: func(e Event) {
		if strings.HasPrefix(e.Stage, "learning curve, 3") && e.Step != nil {
			cancel()
		}
	}}
	if _, err := LearnCurve(ctx, configure(t, dir, curveConfig, "train.epochs=6", "evaluate.bootstrap=200"), "log_loss", w.watch); !IsStopped(err) {
		t.Fatalf("the curve was stopped: %v", err)
	}
	w = &told{}
	got := learn(w)
	for _, of := range w.trainings() {
		if strings.HasPrefix(of.What, "learning curve, 1") || strings.HasPrefix(of.What, "learning curve, 2") {
			t.Errorf("%s was carried out again", of.What)
		}
	}
	var rows []int
	for _, p := range got.Points {
		rows = append(rows, p.Rows)
	}
	if want := []int{105, 210, 420, 840, 1680}; !slices.Equal(rows, want) || got.Judged != 480 {
		t.Errorf("points at %v of %d rows, expected %v of 480", rows, got.Judged, want)
	}
	if first, last := got.Points[0].Value.Value, got.Points[4].Value.Value; !(last < first) || got.Verdict == "" || got.Sentence == "" {
		t.Errorf("from %v to %v: %s", first, last, got.Sentence)
	}
	if again := learn(&told{}); !reflect.DeepEqual(got, again) {
		t.Errorf("the same again differs: %+v, %+v", got, again)
	}
	// A run goes on from there.
	s, w := mustRun(t, configure(t, dir, curveConfig, "train.epochs=6", "evaluate.bootstrap=200"))
	if !s.Resumed || !strings.Contains(w.notes(), "going on with the unfinished run") {
		t.Errorf("resumed %v: %s", s.Resumed, w.notes())
	}

	if _, err := LearnCurve(context.Background(), configure(t, dir, curveConfig), "rmse", nil); err == nil || !strings.Contains(err.Error(), "does not measure a multiclass task") {
		t.Errorf("rmse of classes: %v", err)
	}
}

// Small tables are bagged, and are judged by rows that their networks did not see.
func TestLearnCurveOfBag(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(700, 13).only(append(slices.Clone(plain), "balance")...).write(t, dir, "rows.csv")
	c := configure(t, dir, "name: m\ndata: {source: rows.csv}\noutputs: [balance]\n"+quick, "train.bagging=4")
	got, err := LearnCurve(context.Background(), c, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Points); n != 4 || got.Metric != "rmse" || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "bagging") {
		t.Errorf("%d points, %+v", n, got)
	}
}

func TestLearningOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(800, 14).only("age", "since", "team", "bought").write(t, dir, "rows.csv")
	for method, check := range map[string]func(t *testing.T, col func(row int, name string) string, order []int){
		"stratified": func(t *testing.T, col func(int, string) string, order []int) {
			share := func(n int) float64 {
				yes := 0.0
				for _, row := range order[:n] {
					if col(row, "bought") == "yes" {
						yes++
					}
				}
				return yes / float64(n)
			}
			if d := share(50) - share(len(order)); d > 0.02 || d < -0.02 {
				t.Errorf("the first 50 rows have %v of a class, all have %v", share(50), share(len(order)))
			}
		},
		"time, column: since": func(t *testing.T, col func(int, string) string, order []int) {
			for i := range order[1:] {
				if col(order[i], "since") < col(order[i+1], "since") {
					t.Fatalf("row %d is later than the one before", i+1)
				}
			}
		},
		"group, column: team": func(t *testing.T, col func(int, string) string, order []int) {
			seen := map[string]bool{}
			for i, row := range order {
				team := col(row, "team")
				if seen[team] && col(order[i-1], "team") != team {
					t.Fatalf("%s is in two places", team)
				}
				seen[team] = true
			}
		},
	} {
		c := configure(t, dir, "name: m\ndata: {source: rows.csv, split: {method: "+method+"}}\noutputs: [bought]\n"+quick)
		p, err := c.prepare()
		if err != nil {
			t.Fatal(err)
		}
		order, err := c.learningOrder(p.train)
		if err != nil {
			t.Fatal(err)
		}
		check(t, func(row int, name string) string { return p.train.Column(name).Text(row) }, order)
	}
}
