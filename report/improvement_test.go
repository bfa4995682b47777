package report

import (
	"math"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

func TestImprovement(t *testing.T) {
	r := binaryReport(t)
	nan := math.NaN()
	r.Result.Improvement = &evaluate.Improvement{
		Metric: "log_loss", Rows: 1600, Folds: 1, Level: 0.025, Allowed: 2, First: 0.412, Last: 0.391, Stopped: "the 2 trials that optimize.trials allows were made",
		Trials: []evaluate.Trial{
			{Trial: 1, Finding: evaluate.Finding{Kind: "over-fitting", Sentence: "training rows are <b> predicted better"}, Remedy: "more dropout", Changes: []string{"network.dropout=0.3"},
				Metric: "log_loss", Before: 0.412, After: 0.391, Gain: metric.Interval{Value: 0.021, Low: 0.011, High: 0.032}, Test: metric.TestSignFlip, P: 0.0002, Outcome: evaluate.TrialKept},
			{Trial: 2, Finding: evaluate.Finding{Kind: "learning rate too low", Sentence: "it was still on its way"}, Remedy: "ten times the learning rate", Changes: []string{"train.optimizer.learning_rate=0.01"},
				Metric: "log_loss", Before: 0.391, After: evaluate.Number(nan), Gain: metric.Interval{Value: nan, Low: nan, High: nan}, P: evaluate.Number(nan), Outcome: evaluate.TrialFailed, Reason: "training diverged"},
		},
		Changes: []string{"network.dropout=0.3"},
	}
	var page, card strings.Builder
	if err := HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := ModelCard(&card, r); err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer(`\_`, "_", `\[`, "[", `\]`, "]")
	for name, text := range map[string]string{"page": page.String(), "card": plain.Replace(card.String())} {
		for _, want := range []string{
			"Improvement", "1 of 2 trials kept: log_loss from 0.412 to 0.391 on 1600 held-out rows", "over-fitting: training rows are &lt;b&gt; predicted better", "more dropout (network.dropout=0.3)",
			"kept: log_loss 0.412 to 0.391, better by 0.021 (95 % interval 0.011 to 0.032), one-sided p 0.0002", "failed: training diverged", "a paired test on 1,600 validation rows", "level of 0.025",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the %s lacks %q", name, want)
			}
		}
	}
	if r.Result.Improvement = nil; improvementOf(read(r, voice{})) != nil {
		t.Error("a chain of a run without trials")
	}
}
