package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
)

// rare makes up n rows of which about one in fifty is a fraud.
func rare(n int, seed uint64) *table {
	t := &table{names: []string{"amount", "hour", "age", "place", "label"}}
	r := rand.New(rand.NewPCG(seed, 3))
	for range n {
		a, h, g, place := r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.IntN(4)
		label := "honest"
		if a+0.7*h*g+0.4*float64(place)+0.5*r.NormFloat64() > 3.5 {
			label = "fraud"
		}
		row := []string{}
		for _, x := range []float64{a, h, g} {
			row = append(row, strconv.FormatFloat(x, 'f', 3, 64))
		}
		t.rows = append(t.rows, append(row, fmt.Sprintf("place %d", place), label))
	}
	return t
}

const rareConfig = `
name: m
data: {source: rows.csv, split: {fractions: [0.6, 0.2, 0.2]}}
outputs: [{name: label, type: binary}]
` + quick

func TestImbalance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := rare(4000, 1)
	share := 0
	for _, row := range rows.rows {
		if row[4] == "fraud" {
			share++
		}
	}
	if share < 60 || share > 120 {
		t.Fatalf("%d of 4000 rows are rare, expected about one in fifty", share)
	}
	rows.write(t, dir, "rows.csv")
	try := func(sets ...string) (*Summary, *told) {
		return mustRun(t, configure(t, dir, rareConfig, append(sets, "train.epochs=12")...))
	}
	plain, _ := try()
	entropy := fitScale(t, plain)
	for name, c := range map[string]struct {
		sets  []string
		scale float64 // the loss of knowing nothing
	}{
		"weights":  {[]string{"train.class_weights=balanced"}, math.Ln2},
		"sampling": {[]string{"train.class_sampling=balanced"}, math.Ln2},
		"ratio":    {[]string{"train.class_sampling={ratio: {fraud: 1, honest: 3}}"}, -0.25*math.Log(0.25) - 0.75*math.Log(0.75)},
		// With both classes alike, knowing nothing is a probability of ½.
		"focal, sampling": {[]string{"train.class_sampling=balanced", "outputs[0].loss=focal"}, 0.25 * math.Ln2},
	} {
		s, _ := try(c.sets...)
		if a, b := plain.Test["recall"].Value, s.Test["recall"].Value; b < a+0.1 {
			t.Errorf("%s: recall of the rare class is %.3f, without it %.3f", name, b, a)
		}
		if auc := s.Test["roc_auc"].Value; auc < 0.85 {
			t.Errorf("%s: ROC-AUC %.3f", name, auc)
		}
		if scale := fitScale(t, s); math.Abs(scale-c.scale) > 1e-6 {
			t.Errorf("%s: the fit is measured by %.6f, expected %.6f", name, scale, c.scale)
		}
	}
	focal, _ := try("outputs[0].loss=focal", "outputs[0].alpha=0.75")
	if auc := focal.Test["roc_auc"].Value; auc < 0.85 {
		t.Errorf("focal: ROC-AUC %.3f", auc)
	}
	if scale := fitScale(t, focal); !(scale > 0.001 && scale < entropy) {
		t.Errorf("focal: the fit is measured by %.4f, cross-entropy by %.4f", scale, entropy)
	}

	chosen, w := try("outputs[0].threshold=auto")
	got := mustLoad(t, chosen.Bundle).Output.(*feature.Binary).Threshold
	if got >= 0.5 || got <= 0 {
		t.Errorf("the threshold of a rare class is %g", got)
	}
	for _, metric := range []string{"roc_auc", "log_loss"} { // of probabilities, which stay
		if a, b := plain.Test[metric].Value, chosen.Test[metric].Value; a != b {
			t.Errorf("%s is %g with a threshold, %g without", metric, b, a)
		}
	}
	if a, b := plain.Validation["f1"], chosen.Validation["f1"]; b < a {
		t.Errorf("f1 on the validation rows is %.3f with a threshold, %.3f without", b, a)
	}
	if note := fmt.Sprintf("network: a row is fraud from a probability of %.4g on: f1 on the validation rows is %.4g there", got, chosen.Validation["f1"]); !strings.Contains(w.notes(), note) {
		t.Errorf("notes %s lack %q", w.notes(), note)
	}
	fair, _ := try("outputs[0].threshold=auto", "outputs[0].threshold_metric=balanced_accuracy")
	if a, b := chosen.Validation["balanced_accuracy"], fair.Validation["balanced_accuracy"]; b <= a {
		t.Errorf("balanced accuracy on the validation rows is %.3f where it is chosen by, %.3f by f1", b, a)
	}
}

// fitScale returns by what the fit of a run was measured.
func fitScale(t *testing.T, s *Summary) float64 {
	t.Helper()
	b, err := bundle.Read(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Part("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var r evaluate.Result
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return float64(r.Fit.Evidence.Scale)
}

// TestBagThreshold: where networks share the rows, the threshold is chosen for
// their mean by what each says of the rows it did not see.
func TestBagThreshold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rare(900, 2).write(t, dir, "rows.csv")
	s, w := mustRun(t, configure(t, dir, rareConfig, "data.split={}", "train.bagging=3", "outputs[0].threshold=auto"))
	m := mustLoad(t, s.Bundle)
	if got := m.Output.(*feature.Binary).Threshold; m.Members != 3 || got == 0.5 || strings.Count(w.notes(), "from a probability of") != 2 {
		t.Errorf("%d members decide at %g; %s", m.Members, got, w.notes())
	}
}

func TestSampledRunContinues(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	rare(2000, 3).write(t, dir, "rows.csv")
	rare(2000, 3).write(t, other, "rows.csv")
	sets := []string{"train.class_sampling=balanced", "outputs[0].threshold=auto"}
	want, _ := mustRun(t, configure(t, other, rareConfig, sets...))
	for _, at := range []func(Event) bool{
		func(e Event) bool { return e.Step != nil && e.Step.Epoch == 1 && e.Step.Step == 7 },
		func(e Event) bool { return e.Step != nil && e.Step.Epoch == 3 && e.Step.Step == 2 },
	} {
		ctx, w := stopAt(at)
		if _, err := Run(ctx, configure(t, dir, rareConfig, sets...), w.watch); !IsStopped(err) {
			t.Fatal(err)
		}
	}
	s, err := Run(context.Background(), configure(t, dir, rareConfig, sets...), func(Event) {})
	if err != nil || !s.Resumed || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) {
		t.Errorf("stopped in the middle of epochs, the run ends at other bits: %+v, %v", s, err)
	}
}

func TestImbalanceMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rare(600, 4).write(t, dir, "rows.csv")
	for _, c := range []struct {
		sets []string
		want []string
	}{
		{[]string{"train={class_weights: balanced, class_sampling: balanced}"}, []string{"class_weights and class_sampling are both given"}},
		{[]string{"train.class_sampling={rule: balanced, ratio: {fraud: 1}}"}, []string{"train.class_sampling", "rule and ratio are both given"}},
		{[]string{"train.class_sampling={ratio: {fraud: 0}}"}, []string{`found 0 for class "fraud"`}},
		{[]string{"train.class_sampling={ratio: {froud: 1, honest: 1}}"}, []string{"train.class_sampling.ratio", `no class "froud"`, `did you mean "fraud"?`}},
		{[]string{"train.class_sampling={ratio: {fraud: 1}}"}, []string{`class "honest" is missing`, "fraud"}},
		{[]string{"train.class_sampling=rare"}, []string{"train.class_sampling", "balanced"}},
		{[]string{"outputs=[amount]", "train.class_sampling=balanced"}, []string{"train.class_sampling", "is predicted as a number"}},
		{[]string{"outputs=[amount]", "train.class_weights=balanced"}, []string{"train.class_weights", "is predicted as a number"}},
		{[]string{"outputs[0].threshold=high"}, []string{"threshold", "0 to 1, or auto"}},
		{[]string{"outputs[0].alpha=0.3"}, []string{"alpha is of loss: focal"}},
	} {
		config, err := LoadConfig(writeFile(t, dir, "hone.yaml", rareConfig), c.sets)
		if err == nil {
			_, err = config.prepare()
		}
		wantError(t, err, c.want...)
	}
}
