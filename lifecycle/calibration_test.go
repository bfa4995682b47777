package lifecycle

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
)

// publishedResult is what a bundle's run measured.
func publishedResult(tb testing.TB, path string) *evaluate.Result {
	tb.Helper()
	b, err := bundle.Read(path)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := b.Part("metrics.json")
	if err != nil {
		tb.Fatal(err)
	}
	var r evaluate.Result
	if err := json.Unmarshal(raw, &r); err != nil {
		tb.Fatal(err)
	}
	return &r
}

const smoothed = `
name: m
data: {source: rows.csv, test: test.csv, split: {method: random}}
outputs: [{name: level, type: category, label_smoothing: 0.6}]
` + quick

// Label smoothing makes probabilities that are too close to each other; a temperature
// below 1 puts that right, and nothing else changes.
func TestRecalibration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(2500, 5).only(append(slices.Clone(plain), "level")...).write(t, dir, "rows.csv")
	shoppers(1500, 6).only(append(slices.Clone(plain), "level")...).write(t, dir, "test.csv")
	try := func(sets ...string) (*Summary, *evaluate.Result, *told) {
		s, w := mustRun(t, configure(t, dir, smoothed, append(sets, "data.validation.fraction=0.3")...))
		return s, publishedResult(t, s.Bundle), w
	}
	off, without, _ := try("evaluate.recalibration=off")
	on, with, w := try()
	if without.Recalibration != nil || with.Recalibration == nil || with.Recalibration.Method == "none" {
		t.Fatalf("off: %+v, auto: %+v", without.Recalibration, with.Recalibration)
	}
	if c := with.Recalibration; c.Method == "temperature" && c.Temperature >= 1 || c.Rows != 750 || !c.Tried[0].Helps() {
		t.Errorf("%+v", c)
	}
	if a, b := off.Test["log_loss"].Value, on.Test["log_loss"].Value; b > 0.95*a {
		t.Errorf("log loss on the test rows is %.4f with, %.4f without", b, a)
	}
	if !strings.Contains(w.notes(), "the probabilities are corrected by") {
		t.Errorf("notes:\n%s", w.notes())
	}
	// What is published predicts what was measured.
	e, err := EvaluateFile(context.Background(), mustLoad(t, on.Bundle), mustLoad(t, on.Bundle), filepath.Join(dir, "test.csv"), data.Options{}, 0, 0.95, 0, "log_loss")
	if err != nil || e.Metrics["log_loss"].Value != on.Test["log_loss"].Value {
		t.Errorf("the bundle's log loss is %v, the run's %v (%v)", e.Metrics["log_loss"].Value, on.Test["log_loss"].Value, err)
	}
	forced, as, _ := try("evaluate.recalibration=isotonic")
	if as.Recalibration.Method != "isotonic" || forced.Test["log_loss"].Value > 0.95*off.Test["log_loss"].Value {
		t.Errorf("isotonic: %+v, log loss %v", as.Recalibration, forced.Test["log_loss"].Value)
	}
	// Classes that are to count otherwise than they are keep the probabilities of that.
	_, weighted, _ := try("train.class_weights=balanced")
	if weighted.Recalibration != nil {
		t.Errorf("with weighted classes: %+v", weighted.Recalibration)
	}
}

// A threshold that is chosen is one of the corrected probabilities.
func TestThresholdFollowsRecalibration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rare(4000, 1).write(t, dir, "rows.csv")
	config := strings.Replace(rareConfig, "type: binary", "type: binary, threshold: auto, label_smoothing: 0.4", 1)
	var thresholds, recalls []float64
	for _, method := range []string{"off", "temperature"} {
		s, _ := mustRun(t, configure(t, dir, config, "train.epochs=8", "evaluate.recalibration="+method))
		m := mustLoad(t, s.Bundle)
		threshold := m.Output.(*feature.Binary).Threshold
		thresholds, recalls = append(thresholds, threshold), append(recalls, s.Test["recall"].Value)
	}
	if thresholds[1] >= thresholds[0] || recalls[1] < 0.3 {
		t.Errorf("thresholds %v, recalls %v: expected a lower one of probabilities that are no longer drawn to the middle, by which rare rows are still found", thresholds, recalls)
	}
}

// Sets and intervals are calibrated, kept, served and measured, by a test file, by a
// split and by folds.
func TestPredictionSets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		target string
		sets   []string
		rows   int // that calibrate
		test   int
		folded bool
	}{
		{"bought", nil, 240, 1000, false},
		{"level", []string{"evaluate.cross_validation=4"}, 1200, 1000, true},
		{"balance", []string{"data.test=[]", "evaluate.cross_validation=4"}, 1200, 1200, true},
		{"balance", []string{"train.bagging=4"}, 1200, 1000, false},
	} {
		t.Run(tt.target+strings.Join(tt.sets, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			shoppers(1200, 8).only(append(slices.Clone(plain), tt.target)...).write(t, dir, "rows.csv")
			test := shoppers(1000, 9).only(append(slices.Clone(plain), tt.target)...).write(t, dir, "test.csv")
			s, _ := mustRun(t, configure(t, dir, "name: m\ndata: {source: rows.csv, test: test.csv, validation: {fraction: 0.2}}\noutputs: ["+tt.target+"]\n"+quick, tt.sets...))
			r := publishedResult(t, s.Bundle)
			sets := r.PredictionSets
			if sets == nil || sets.OutOfFold != tt.folded || sets.Rows != tt.rows && sets.Method != "scaled" {
				t.Fatalf("%+v", sets)
			}
			c := sets.At(0.9)
			if c.Rows != tt.test || c.Observed.Value < 0.85 || c.Observed.Value > 0.96 {
				t.Errorf("%+v", c)
			}
			m := mustLoad(t, s.Bundle)
			var out bytes.Buffer
			if _, err := PredictFile(context.Background(), m, test, data.Options{}, &out, false, 0.9); err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(&out).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			truth, err := csv.NewReader(strings.NewReader(mustRead(t, test))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			hits, last := 0, len(rows[0])-1
			for i, row := range rows[1:] {
				y := truth[i+1][len(truth[0])-1]
				if tt.target != "balance" {
					if slices.Contains(strings.Split(row[last], "|"), y) {
						hits++
					}
					continue
				}
				at := func(s string) float64 {
					v, err := strconv.ParseFloat(s, 64)
					if err != nil {
						t.Fatal(err)
					}
					return v
				}
				if at(row[last-1]) <= at(y) && at(y) <= at(row[last]) {
					hits++
				}
			}
			if share := float64(hits) / 1000; tt.test == 1000 && share != c.Observed.Value {
				t.Errorf("%v of what was predicted is covered, the run says %v", share, c.Observed.Value)
			}
			if _, err := PredictFile(context.Background(), m, test, data.Options{}, &out, false, 0.9999); err == nil || !strings.Contains(err.Error(), "can promise") {
				t.Errorf("0.9999: %v", err)
			}
		})
	}
}
