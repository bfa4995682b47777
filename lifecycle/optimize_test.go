package lifecycle

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/optimize"
)

// trials lists the outcomes of the trials that a run told of.
func (w *told) trials() (out []string) {
	for _, e := range w.events {
		if e.Trial != nil {
			out = append(out, strings.Join(e.Trial.Changes, " ")+" "+e.Trial.Outcome)
		}
	}
	return out
}

// planted is a run of which one setting is wrong.
func planted(tb testing.TB, rows int, fault string) (dir, text string) {
	dir = tb.TempDir()
	shoppers(rows, 51).only("age", "income", "color", "member", "bought").write(tb, dir, "rows.csv")
	return dir, `
name: shop
data: {source: rows.csv, validation: 0.2}
inputs:
- {name: age, type: number, embedding: none}
- {name: income, type: number, embedding: none}
- color
- member
outputs: [bought]
network: {type: mlp, widths: [32], dropout: 0}
train: {bagging: off, epochs: 12, batch_size: 64, optimizer: {type: adamw, learning_rate: 0.01}}
evaluate: {bootstrap: 20}
optimize: {trials: 3}
` + fault
}

// TestPlantedFaults: a fault of the configuration is found and mended, by a trial
// that was kept.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ set, kind, change string }{
		{"train.optimizer.learning_rate=1e-5", "learning rate too low", "train.optimizer.learning_rate="},
		{"network.dropout=0.9", "regularised too much", "network.dropout="},
		{"train.epochs=1", "under-fitting", "train.optimizer.learning_rate="},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			dir, text := planted(t, 1500, "")
			s, w := mustRun(t, configure(t, dir, text, tt.set))
			chain := s.Improvement
			if chain == nil || len(chain.Trials) == 0 || len(w.trials()) != len(chain.Trials) {
				t.Fatalf("%+v", chain)
			}
			first := chain.Trials[0]
			if first.Finding.Kind != tt.kind || first.Outcome != evaluate.TrialKept || !strings.HasPrefix(first.Changes[0], tt.change) || len(first.Finding.Evidence) == 0 {
				t.Errorf("%+v", first)
			}
			if !(first.Gain.Low > 0) || float64(first.P) > chain.Level || chain.Level != 0.05/3 || chain.Last >= chain.First || chain.Rows != 300 || chain.Folds != 1 || chain.Metric != "log_loss" {
				t.Errorf("%+v", chain)
			}
			// What was kept is what is published, in the bundle's configuration too.
			b, err := bundle.Read(s.Bundle)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := b.Part("config.yaml")
			if err != nil {
				t.Fatal(err)
			}
			c, err := LoadConfig(writeFile(t, dir, "again.yaml", string(raw)), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := configure(t, dir, text, append([]string{tt.set}, chain.Changes...)...)
			if string(c.Text(false)) != string(want.Text(false)) {
				t.Errorf("the configuration in the bundle lacks %q:\n%s", chain.Changes, c.Text(false))
			}
			if got := s.Validation["log_loss"]; math.Abs(got-float64(chain.Last)) > 1e-9 {
				t.Errorf("log_loss %v on the validation rows, the chain ends at %v", got, chain.Last)
			}
			// The mended configuration learns the same by itself.
			alone, _ := mustRun(t, configure(t, t.TempDir(), strings.Replace(text, "rows.csv", filepath.Join(dir, "rows.csv"), 1), append([]string{tt.set, "optimize.trials=0"}, chain.Changes...)...))
			if learnt(t, alone.Bundle) != learnt(t, s.Bundle) {
				t.Error("the model is not the one that the mended configuration gives")
			}
		})
	}
}

// TestNothingToGain has rows of pure chance: whatever is tried, nothing is kept,
// and the model is the one that a run without trials makes.
func TestNothingToGain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chance(380, 9).write(t, dir, "rows.csv")
	text := "data: {source: rows.csv}\ninputs: [noise]\noutputs: [y]\n" + quick
	s, w := mustRun(t, configure(t, dir, text, "optimize.trials=4", "train.bagging=4"))
	chain := s.Improvement
	if len(chain.Trials) == 0 || chain.Kept() != 0 || len(chain.Changes) != 0 || chain.First != chain.Last || chain.Folds != 4 || chain.Rows != 342 {
		t.Errorf("%+v", chain)
	}
	for _, l := range w.trials() {
		if !strings.HasSuffix(l, evaluate.TrialNotKept) {
			t.Errorf("trial: %s", l)
		}
	}
	none, _ := mustRun(t, configure(t, dir, text, "train.bagging=4"))
	if learnt(t, none.Bundle) != learnt(t, s.Bundle) || none.Improvement != nil {
		t.Error("trials of which none was kept change the model")
	}
}

// TestTrialsDoNotReadTestRows: other test rows, the same chain.
func TestTrialsDoNotReadTestRows(t *testing.T) {
	t.Parallel()
	var chains []string
	for _, seed := range []uint64{1, 2} {
		dir, text := planted(t, 600, "")
		shoppers(60, seed).only("age", "income", "color", "member", "bought").write(t, dir, "test.csv")
		s, w := mustRun(t, configure(t, dir, text, "data.test=test.csv", "network.dropout=0.9"))
		var all []string
		for _, e := range w.events {
			if e.Trial != nil {
				all = append(all, e.Trial.Problem(), e.Trial.Attempt(), e.Trial.Result())
			}
		}
		chains = append(chains, strings.Join(all, "\n")+learnt(t, s.Bundle))
	}
	if chains[0] != chains[1] {
		t.Error("the chain depends on the test rows")
	}
}

// TestKilledInTrials kills the process in three trainings of the chain in turn: in
// the first model's, in a trial's, and in that of a trial after one that was kept.
func TestKilledInTrials(t *testing.T) {
	t.Parallel()
	dir, text := planted(t, 900, "")
	text = strings.Replace(strings.Replace(text, "dropout: 0}", "dropout: 0.9}", 1), "bagging: off", "bagging: 2", 1)
	other := t.TempDir()
	writeFile(t, other, "rows.csv", mustRead(t, filepath.Join(dir, "rows.csv")))
	want, w := mustRun(t, configure(t, other, text))
	if want.Improvement.Kept() == 0 || len(want.Improvement.Trials) != 3 {
		t.Fatalf("trials %v", w.trials())
	}
	path := writeFile(t, dir, "hone.yaml", text)
	for _, name := range []string{"network, 2 of 2", "trial 1, network, 1 of 2", "trial 2, network, 2 of 2", "trial 3, network, 1 of 2"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childConfig+"="+path, childTrains+"="+name, "HONE_HOME=")
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Fatalf("it was not killed in %s: %s", name, out)
		}
	}
	s, again := mustRun(t, configure(t, dir, text))
	if !s.Resumed || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) || !slices.Equal(w.trials(), again.trials()) {
		t.Errorf("it ends otherwise than uninterrupted: %v, expected %v", again.trials(), w.trials())
	}
	for _, tr := range again.trainings() {
		if done := slices.ContainsFunc(want.Improvement.Trials[:2], func(t evaluate.Trial) bool {
			return t.Outcome != evaluate.TrialKept && strings.HasPrefix(tr.What, "trial "+string(rune('0'+t.Trial))+",")
		}); done {
			t.Errorf("trained again: %s", tr.What)
		}
	}
	if left := checkpoints(dir); len(left) > 0 {
		t.Errorf("left in the run's folder: %v", left)
	}
}

// TestLatencyLimit: what is better and too slow is not taken, and the bundle holds
// no times.
func TestLatencyLimit(t *testing.T) {
	t.Parallel()
	dir, text := planted(t, 900, "")
	s, _ := mustRun(t, configure(t, dir, text, "optimize={trials: 1, max_latency_ms: 1e-6}", "train.optimizer.learning_rate=1e-5"))
	tr := s.Improvement.Trials[0]
	if tr.Outcome != evaluate.TrialTooSlow || tr.LatencyMS <= 0 || !strings.Contains(tr.Result(), "max_latency_ms") || len(s.Improvement.Changes) != 0 {
		t.Errorf("%+v", tr)
	}
	b, err := bundle.Read(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := b.Part("metrics.json"); err != nil || strings.Contains(string(raw), "latency_ms\"") || !strings.Contains(string(raw), "too slow") {
		t.Errorf("metrics.json: %v\n%s", err, raw)
	}
}

// TestTrialsInFolds: the folds of cross-validation measure the whole procedure,
// trials and all.
func TestTrialsInFolds(t *testing.T) {
	t.Parallel()
	dir, text := planted(t, 500, "")
	s, w := mustRun(t, configure(t, dir, text, "network.dropout=0.9", "optimize.trials=1", "evaluate.cross_validation=2", "train.epochs=6"))
	var inFolds, after int
	for _, e := range w.events {
		switch {
		case e.Trial != nil && e.Stage == StageFolds:
			inFolds++
		case e.Trial != nil:
			after++
		}
	}
	if inFolds != 2 || after != 1 || s.Improvement == nil {
		t.Errorf("%d trials in folds, %d after: %v", inFolds, after, w.trials())
	}
}

func TestFailedTrial(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(300, 52).only("age", "income", "balance")
	all.write(t, dir, "rows.csv")
	// At this rate of plain SGD, three times as much diverges.
	s, w := mustRun(t, configure(t, dir, "data: {source: rows.csv}\ninputs: [{name: age, type: number, embedding: none}, {name: income, type: number, embedding: none}]\noutputs: [balance]\nnetwork: {type: mlp, widths: [64, 64, 64], dropout: 0}\ntrain: {bagging: off, epochs: 3, batch_size: 16, optimizer: {type: sgd, learning_rate: 0.05}}\nevaluate: {bootstrap: 0}\noptimize: {trials: 6}"))
	for _, tr := range s.Improvement.Trials {
		if tr.Outcome == evaluate.TrialFailed {
			if !strings.Contains(tr.Reason, "diverged") || !strings.HasPrefix(tr.Result(), "failed: training diverged") {
				t.Errorf("%+v", tr)
			}
			return
		}
	}
	t.Errorf("no trial failed: %v", w.trials())
}

func TestOptimizeConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(200, 53).only("age", "color", "bought").write(t, dir, "rows.csv")
	text := "data: {source: rows.csv}\noutputs: [bought]\n" + quick
	for set, want := range map[string]string{
		"optimize.trials=-1":                      "expected at least 0",
		"optimize.metric=speed":                   "speed",
		"optimize={trials: 1, metric: rmse}":      "optimize.metric",
		"optimize={trials: 1, max_latency_ms: x}": "max_latency_ms",
	} {
		c, err := LoadConfig(writeFile(t, dir, "hone.yaml", text), []string{set})
		if err == nil {
			_, err = Run(t.Context(), c, nil)
		}
		wantError(t, err, want)
	}
	// What is derived is the same configuration but for the change.
	c := configure(t, dir, "seed: 4\n"+text+"inputs: [age, {name: color, type: category, min_count: 2}]\n", "train.schedule=constant")
	d, err := c.derive([]string{"network.dropout=0.3"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(d.Text(false)), strings.Replace(string(c.Text(false)), "dropout: 0.1", "dropout: 0.3", 1); got != want {
		t.Errorf("derived:\n%s\nexpected:\n%s", got, want)
	}
}

// TestEveryRemedyCanBeCarriedOut: whatever the configuration, a change that is
// proposed is one that it takes.
func TestEveryRemedyCanBeCarriedOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var found []evaluate.Finding
	for _, kind := range []string{
		optimize.Regularised, optimize.RateHigh, optimize.RateLow, optimize.Under, optimize.Over, optimize.Noise,
		optimize.Overconfident, optimize.Outliers, optimize.Imbalance, optimize.Capacity,
	} {
		found = append(found, evaluate.Finding{Kind: kind})
	}
	for task, output := range map[string]string{"binary": "[bought]", "category": "[{name: level, type: category}]", "number": "[{name: spend}]"} {
		for i, sets := range [][]string{
			nil, {"network.type=resnet"}, {"network.type=linear"}, {"network.type=mlp", "network.widths=[]"}, {"network.dropout=0.95"}, {"train.batch_size=0"}, {"train.batch_size=1"}, {"train.epochs=1"},
			{"train.optimizer.type=sgd"}, {"train.optimizer={type: adam, learning_rate: 0.09}"}, {"train.optimizer.learning_rate=0"}, {"train.class_weights=balanced"}, {"train.optimizer.weight_decay=0"},
			{"inputs=[{name: age, type: number}, {name: income, type: number, embedding: none}, color]"},
		} {
			c := configure(t, dir, "data: {source: rows.csv}\noutputs: "+output+"\n", sets...)
			rounds := 2
			if i > 0 && task != "binary" {
				rounds = 1
			}
			for round := range rounds {
				s, err := c.settings()
				if err != nil {
					t.Fatal(err)
				}
				next := c
				for k, p := range optimize.Prescribe(found, s, optimize.Evidence{Task: task, Inputs: []optimize.Input{{Name: "age", Type: "number"}, {Name: "color: of hair", Type: "category"}}}) {
					d, err := c.derive(p.Changes)
					if err != nil {
						t.Fatalf("%s, %v: %q of %s: %v", task, sets, p.Remedy, p.Finding.Kind, err)
					}
					if string(d.Text(false)) == string(c.Text(false)) {
						t.Errorf("%s, %v: %v changes nothing", task, sets, p.Changes)
					}
					if k%rounds == round {
						next = d
					}
				}
				c = next
			}
		}
	}
}

// TestStoppedInTrial: what stands when a run is stopped is kept, and the run goes on.
func TestStoppedInTrial(t *testing.T) {
	t.Parallel()
	dir, text := planted(t, 900, "")
	text = strings.Replace(text, "dropout: 0}", "dropout: 0.9}", 1)
	training := ""
	ctx, w := stopAt(func(e Event) bool {
		if e.Training != nil {
			training = e.Training.What
		}
		return training == "trial 2, network" && e.Step != nil && e.Step.Epoch == 2
	})
	if _, err := Run(ctx, configure(t, dir, text), w.watch); !IsStopped(err) || !strings.HasSuffix(w.trials()[0], evaluate.TrialKept) {
		t.Fatalf("%v, trials %v", err, w.trials())
	}
	_, path, found := strings.Cut(w.notes(), "not evaluated: ")
	path, _, _ = strings.Cut(path, "\n")
	if !found {
		t.Fatalf("no model was kept: %s", w.notes())
	}
	b, err := bundle.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Part("config.yaml")
	if change := strings.Replace(strings.Fields(w.trials()[0])[0], "network.dropout=", "dropout: ", 1); err != nil || !strings.Contains(string(raw), change) {
		t.Errorf("the model that was kept is not that of the trial that was (%s): %v\n%s", change, err, raw)
	}
	s, again := mustRun(t, configure(t, dir, text))
	if !s.Resumed || again.trials()[0] != w.trials()[0] || len(again.trials()) != 3 {
		t.Errorf("%v, before %v", again.trials(), w.trials())
	}
}
