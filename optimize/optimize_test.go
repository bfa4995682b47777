package optimize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// history makes learning curves by formulas of the epoch from 1.
func history(n int, train, valid func(e float64) float64) evaluate.Training {
	t := evaluate.Training{}
	low := math.Inf(1)
	for i := range n {
		e := float64(i + 1)
		// The default schedule: half a cosine.
		p := evaluate.Epoch{Epoch: i + 1, TrainLoss: evaluate.Number(train(e)), ValidationLoss: evaluate.Number(valid(e)), LearningRate: evaluate.Number(0.0005 * (1 + math.Cos(math.Pi*(e-0.5)/float64(n))))}
		if valid(e) < low {
			low, t.Best = valid(e), i+1
		}
		t.Epochs = append(t.Epochs, p)
	}
	return t
}

// falls is a loss that falls from 0.69 to an end, by 1/e within so many epochs.
func falls(end, within float64) func(float64) float64 {
	return func(e float64) float64 { return end + (0.69-end)*math.Exp(-e/within) }
}

// evidence is of a model whose scores are those of the epoch that was kept.
func evidence(allowed int, t evaluate.Training) Evidence {
	best := t.Epochs[t.Best-1]
	return Evidence{Curves: t, Epochs: allowed, Train: float64(best.TrainLoss), Valid: float64(best.ValidationLoss), Trivial: 0.69, Rows: 5000,
		Task: "binary", Classes: []string{"no", "yes"}, Shares: []float64{0.6, 0.4}}
}

func with(e Evidence, change func(*Evidence)) Evidence {
	change(&e)
	return e
}

func kinds(found []evaluate.Finding) []string {
	out := []string{}
	for _, f := range found {
		out = append(out, f.Kind)
	}
	return out
}

func TestDiagnose(t *testing.T) {
	sound := evidence(40, history(40, falls(0.27, 3), func(e float64) float64 { return falls(0.32, 3)(e) + 0.0001*math.Max(0, e-25) }))
	zigzag := func(e float64) float64 { return falls(0.4, 3)(e) + 0.03*math.Mod(e, 2) }
	for _, tt := range []struct {
		name string
		e    Evidence
		want []string
		says string // of the first
	}{
		{"a sound fit", sound, nil, ""},
		{"held-out rows much worse", evidence(40, history(20, falls(0.05, 4), falls(0.45, 2))), []string{Over}, "57 % of the trivial loss"},
		{"it turns after an early best epoch",
			evidence(40, history(16, falls(0.2, 6), func(e float64) float64 { return falls(0.4, 1)(e) + 0.01*math.Max(0, e-5) })), []string{Over}, "epoch 5 of 16"},
		{"a rate of a hundredth: nearly a line", evidence(40, history(40, falls(0.3, 80), falls(0.31, 80))), []string{RateLow, Under, Capacity}, "epoch 40 of 40"},
		{"not enough epochs, at a sound rate", evidence(40, history(40, falls(0.25, 11), falls(0.3, 14))), []string{Under}, "epoch 40 of at most 40"},
		{"it stopped early though it was still on its way", evidence(80, history(40, falls(0.25, 14), falls(0.3, 14))), nil, ""},
		{"zigzag", evidence(40, history(30, zigzag, zigzag)), []string{RateHigh, Capacity}, "rose"},
		{"a first step far too long", with(evidence(40, history(40, func(e float64) float64 { return falls(0.27, 3)(e) + 5*math.Exp(-e) }, falls(0.32, 3))), func(e *Evidence) { e.Epochs = 50 }), []string{RateHigh}, "times the trivial one"},
		{"the first epoch is the best and nothing falls", evidence(40, history(13, func(e float64) float64 { return 0.5 + 0.001*e }, func(e float64) float64 { return 0.5 + 0.002*e })), []string{RateHigh}, "epoch 1 of 13"},
		{"dropout that makes the training loss jump", evidence(40, history(30, zigzag, falls(0.4, 3))), []string{Capacity}, "hardly better"},
		{"worse than one constant", evidence(40, history(15, falls(0.6, 2), func(e float64) float64 { return 0.7 + 0.001*math.Abs(e-2) })), []string{Over}, "worse than by one constant"},
		{"nothing learnt", evidence(40, history(15, func(e float64) float64 { return 0.69 }, func(e float64) float64 { return 0.69 + 1e-5*math.Abs(e-7) })), []string{Under}, "hardly anything was learnt"},
		{"dropout of 0.9", with(evidence(40, history(30, falls(0.6, 4), func(e float64) float64 { return falls(0.5, 4)(e) + 0.0001*math.Abs(e-20) })), func(e *Evidence) { e.Train = 0.495 }), []string{Regularised, Capacity}, "with dropout"},
		{"a rare class", with(sound, func(e *Evidence) { e.Shares = []float64{0.97, 0.03} }), []string{Imbalance}, `3 % of the training rows are of class "yes"`},
		{"the rarest of four", with(sound, func(e *Evidence) {
			e.Classes, e.Shares = []string{"a", "b", "c", "d"}, []float64{0.3, 0.04, 0.36, 0.3}
		}), []string{Imbalance}, `class "b"`},
		{"rows that contradict each other", with(sound, func(e *Evidence) { e.Conflicts = 120 }), []string{Noise}, "120 of 5000"},
		{"a few that do", with(sound, func(e *Evidence) { e.Conflicts = 20 }), nil, ""},
		{"sure and wrong", with(sound, func(e *Evidence) { e.Sure, e.SureWrong, e.SureExpected = 400, 25, 9.5 }), []string{Overconfident}, "25 are of another class, where the probabilities say 9.5"},
		{"sure and mostly right", with(sound, func(e *Evidence) { e.Sure, e.SureWrong, e.SureExpected = 400, 14, 9.5 }), nil, ""},
		{"outlying targets", with(sound, func(e *Evidence) { e.Task, e.Shares, e.Tail = "number", nil, 0.72 }), []string{Outliers}, "72 % of the squared error"},
		{"no curves and no scores", Evidence{Train: math.NaN(), Valid: math.NaN(), Trivial: math.NaN(), Task: "number", Rows: 10}, nil, ""},
		{"one epoch", evidence(1, history(1, falls(0.3, 3), falls(0.35, 3))), []string{Under, Capacity}, "one epoch"},
	} {
		found := Diagnose(tt.e)
		if !slices.Equal(kinds(found), append([]string{}, tt.want...)) {
			t.Errorf("%s: found %q, expected %q", tt.name, kinds(found), tt.want)
			for _, f := range found {
				t.Logf("  %s: %s %v", f.Kind, f.Sentence, f.Evidence)
			}
			continue
		}
		if len(found) > 0 && !strings.Contains(found[0].Sentence, tt.says) {
			t.Errorf("%s: %q lacks %q", tt.name, found[0].Sentence, tt.says)
		}
		for _, f := range found {
			if len(f.Evidence) == 0 {
				t.Errorf("%s: %s has no evidence", tt.name, f.Kind)
			}
		}
	}
}

// settings are those of a configuration with nothing in it.
func settings() map[string][]string {
	return map[string][]string{
		rate: {"0.001"}, decay: {"0.01"}, dropout: {"0.1"}, widths: {"256", "128"}, epochs: {"40"}, clip: {"0"}, batch: {"256"}, weights: {"none"},
		outType: {""},
	}
}

func TestPrescribe(t *testing.T) {
	for _, tt := range []struct {
		kinds  string
		change func(s map[string][]string)
		task   string
		want   string // the changes in their order
	}{
		{Over, nil, "binary", "network.dropout=0.3; train.optimizer.weight_decay=0.1; train.optimizer.learning_rate=0.0003; network.widths=[128, 64]; train.batch_size=128"},
		{Over, func(s map[string][]string) {
			s[dropout] = []string{"0.6"}
			s[widths] = nil
			s[decay] = nil
			s[batch] = []string{"1"}
		}, "binary", "train.optimizer.learning_rate=0.0003"},
		{RateLow, func(s map[string][]string) { s[rate] = []string{"1e-05"} }, "binary", "train.optimizer.learning_rate=0.0001; train.optimizer.learning_rate=3e-05; train.epochs=80"},
		{RateHigh, func(s map[string][]string) { s[clip] = []string{"5"} }, "binary", "train.optimizer.learning_rate=0.0003; train.optimizer.learning_rate=0.0001; train.batch_size=512"},
		{Regularised, func(s map[string][]string) { s[dropout] = []string{"0.9"} }, "binary", "network.dropout=0.225; network.dropout=0; train.optimizer.weight_decay=0.001"},
		{Regularised, func(s map[string][]string) { s[dropout] = []string{"0"}; s[decay] = []string{"0"} }, "binary", ""},
		{Capacity, nil, "binary", "network.widths=[512, 256]; network.widths=[256, 128, 128]; network.dropout=0; train.optimizer.learning_rate=0.003"},
		{Capacity, func(s map[string][]string) {
			s[widths] = []string{"1024"}
			s[dropout] = []string{"0"}
			s[rate] = []string{"0.02"}
		}, "binary", "network.widths=[1024, 1024]"},
		{Imbalance, nil, "binary", "train.class_weights=balanced"},
		{Imbalance, func(s map[string][]string) { s[weights] = []string{"balanced"} }, "binary", ""},
		{Noise, nil, "category", "outputs[0].type=category outputs[0].label_smoothing=0.1; network.dropout=0.3"},
		{Noise, func(s map[string][]string) { s[outType] = []string{"category"}; s[smooth] = []string{"0.05"} }, "category", "network.dropout=0.3"},
		{Outliers, func(s map[string][]string) { s[outType] = []string{"number"}; s[lossKind] = []string{"squared_error"} }, "number", "outputs[0].loss=huber"},
		{Outliers, func(s map[string][]string) { s[outType] = []string{"number"}; s[lossKind] = []string{"absolute_error"} }, "number", ""},
		// The first remedy of each, then the second; one for both stands once.
		{Regularised + "," + Capacity, nil, "binary", "network.dropout=0.025; network.widths=[512, 256]; network.dropout=0; network.widths=[256, 128, 128]; train.optimizer.weight_decay=0.001; train.optimizer.learning_rate=0.003"},
	} {
		s := settings()
		if tt.change != nil {
			tt.change(s)
		}
		var found []evaluate.Finding
		for _, k := range strings.Split(tt.kinds, ",") {
			found = append(found, evaluate.Finding{Kind: k})
		}
		var got []string
		for _, p := range Prescribe(found, func(path string) []string { return s[path] }, Evidence{Task: tt.task}) {
			got = append(got, strings.Join(p.Changes, " "))
			if p.Remedy == "" || p.Finding.Kind == "" {
				t.Errorf("%s: %+v", tt.kinds, p)
			}
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: %s\nexpected %s", tt.kinds, strings.Join(got, "; "), tt.want)
		}
	}
}

// TestRemediesOfEveryFinding: each kind of finding has a remedy, and each remedy a finding.
func TestRemediesOfEveryFinding(t *testing.T) {
	known := map[string]bool{}
	for _, f := range findings {
		known[f.kind] = false
	}
	for _, r := range remedies {
		if _, ok := known[r.kind]; !ok {
			t.Errorf("%q is a remedy of %q, which is never found", r.words, r.kind)
		}
		known[r.kind] = true
	}
	for k, has := range known {
		if !has {
			t.Errorf("there is no remedy for %q", k)
		}
	}
}

// noisy makes predictions of n rows whose probability of the true class is off
// by a draw of its own and by an error of every row.
func noisy(n int, spread, error float64, seed uint64) *metric.Sample {
	rows, own := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	s := &metric.Sample{Kind: metric.Binary}
	for range n {
		truth, z := float64(rows.IntN(2)), rows.NormFloat64()
		p := 1 / (1 + math.Exp(-(2*(2*truth-1) + z + spread*own.NormFloat64() - error*(2*truth-1))))
		s.Target, s.Prob = append(s.Target, truth), append(s.Prob, p)
		s.Pred = append(s.Pred, math.Round(p))
	}
	return s
}

func TestJudge(t *testing.T) {
	for _, name := range []string{"log_loss", "roc_auc", "accuracy", "f1"} {
		m, err := metric.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		incumbent := noisy(1500, 0.2, 0.6, 3)
		for _, tt := range []struct {
			what      string
			candidate *metric.Sample
			better    bool
		}{{"better", noisy(1500, 0.2, 0, 4), true}, {"the same", incumbent, false}, {"worse", noisy(1500, 0.5, 1.2, 5), false}} {
			v, err := Judge(incumbent, tt.candidate, m, Level(10), 0)
			if err != nil {
				t.Fatal(err)
			}
			gain := v.After - v.Before
			if !m.HigherIsBetter {
				gain = -gain
			}
			if v.Better != tt.better || math.Abs(v.Gain.Value-gain) > 1e-12 || v.Gain.Low > v.Gain.Value || v.Gain.High < v.Gain.Value || v.Test == "" {
				t.Errorf("%s, %s: %+v", name, tt.what, v)
			}
			if tt.what == "worse" && v.P < 0.9 || tt.what == "the same" && v.P < 0.4 {
				t.Errorf("%s, %s: p %v", name, tt.what, v.P)
			}
		}
	}
}

// TestJudgeLevel: of candidates that are no better, hardly more than the level
// promises are kept, whatever the metric.
func TestJudgeLevel(t *testing.T) {
	m, err := metric.Lookup("log_loss")
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	const runs = 150
	for i := range runs {
		v, err := Judge(noisy(150, 1, 0, uint64(10+2*i)), noisy(150, 1, 0, uint64(11+2*i)), m, 0.05, 0)
		if err != nil {
			t.Fatal(err)
		}
		if v.Better {
			kept++
		}
	}
	if kept == 0 || kept > 15 { // 7.5 are expected, and a standard deviation is 2.7
		t.Errorf("kept %d of %d that were no better", kept, runs)
	}
}

// TestJudgeSmall: what is sure and next to nothing is not worth a change.
func TestJudgeSmall(t *testing.T) {
	m, err := metric.Lookup("log_loss")
	if err != nil {
		t.Fatal(err)
	}
	a := noisy(800, 0.3, 0.5, 1)
	b := *a
	b.Prob = slices.Clone(a.Prob)
	for i := range b.Prob {
		if a.Target[i] == 1 {
			b.Prob[i] *= 1.0005
		}
	}
	v, err := Judge(a, &b, m, 0.05, 0)
	if err != nil || v.Better || !v.Small || v.P > 0.001 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := Judge(a, noisy(700, 0, 0, 1), m, 0.05, 0); err == nil {
		t.Error("predictions of other rows can be compared")
	}
}

func ExampleDiagnose() {
	e := Evidence{Train: 0.12, Valid: 0.31, Trivial: 0.69, Rows: 4000, Task: "binary"}
	for _, f := range Diagnose(e) {
		fmt.Println(f.Kind+":", f.Sentence)
		for _, p := range Prescribe([]evaluate.Finding{f}, func(path string) []string { return map[string][]string{"network.dropout": {"0.1"}}[path] }, e) {
			fmt.Println("→", p.Remedy, p.Changes)
		}
	}
	// Output:
	// over-fitting: training rows are predicted better than held-out rows by 28 % of the trivial loss
	// → more dropout [network.dropout=0.3]
}

// TestWaves: the embedding of every number by pieces, and of no other, is changed;
// inputs that the data decides on are written out.
func TestWaves(t *testing.T) {
	over := []evaluate.Finding{{Kind: Over}}
	e := Evidence{Task: "binary", Inputs: []Input{{"age", "number"}, {"yes", "category"}, {"income: net", "number"}}}
	waves := func(s map[string][]string, e Evidence) string {
		for _, p := range Prescribe(over, func(path string) []string { return s[path] }, e) {
			if strings.Contains(p.Remedy, "waves") {
				return strings.Join(p.Changes, "; ")
			}
		}
		return ""
	}
	listed := map[string][]string{
		"inputs[0].name": {"age"}, "inputs[0].embedding": {"piecewise_linear"}, "inputs[1].name": {"color"},
		"inputs[2].name": {"income"}, "inputs[2].embedding": {"none"}, "inputs[3].name": {"height"}, "inputs[3].embedding": {"auto"},
	}
	for _, tt := range []struct {
		s    map[string][]string
		e    Evidence
		want string
	}{
		{listed, e, "inputs[0].embedding=periodic; inputs[3].embedding=periodic"},
		{map[string][]string{}, e, `inputs=[{name: age, type: number, embedding: periodic}, {name: "yes", type: category}, {name: "income: net", type: number, embedding: periodic}]`},
		{map[string][]string{}, Evidence{Task: "binary", Inputs: []Input{{"color", "category"}}}, ""},
		{map[string][]string{"network.type": {"linear"}}, e, ""},
		{map[string][]string{"inputs[0].name": {"age"}}, e, ""}, // whose options are the data's
	} {
		if got := waves(tt.s, tt.e); got != tt.want {
			t.Errorf("changes %q, expected %q", got, tt.want)
		}
	}
}
