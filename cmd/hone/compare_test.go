package main

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

// TestComparisonText keeps a comparison within the terminal, whatever the
// number of models and the length of their names.
func TestComparisonText(t *testing.T) {
	c := &lifecycle.Comparison{File: "test.csv", Target: "churn", Leaderboard: evaluate.Leaderboard{
		Task: "binary", Metric: evaluate.Metric{Name: "roc_auc", HigherIsBetter: true}, Rows: 1200, Alpha: 0.05, Resamples: 100,
		Verdict: "no winner: the first leads by roc_auc, but these 1,200 rows do not tell it from the second",
	}}
	for i := range 9 {
		s := evaluate.Standing{Name: strings.Repeat("long", 12) + string(rune('a'+i)), Score: metric.Interval{Value: 0.9, Low: 0.88, High: 0.92},
			Metrics: map[string]float64{"accuracy": 0.8, "log_loss": 0.4}}
		if i > 0 {
			s.Against = &evaluate.Against{Test: metric.TestDeLong, P: 0.2, Adjusted: 0.4, Difference: metric.Interval{Value: 0.01, Low: -0.01, High: 0.03}}
		}
		c.Standings = append(c.Standings, lifecycle.Compared{Standing: s, Kind: "bundle", Parameters: 1_234_567, Bytes: 5_000_000,
			Latency: &lifecycle.Latency{MedianMS: 0.1, P99MS: 0.2}})
	}
	text := comparisonText(c, newPalette(true), 80)
	for _, want := range []string{"no winner", "roc_auc ↑", "unclear", "0.400", "5 MB", "1,234,567", "corrected"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if w := lipgloss.Width(strings.TrimSuffix(line, "\n")); w > 80 {
			t.Errorf("%d columns: %q", w, line)
		}
	}
	if table := comparisonMarkdown(c); strings.Count(table, "\n| ") != 11 || !strings.Contains(table, "0.0100 (-0.0100 to 0.0300)") {
		t.Errorf("not a table of nine models:\n%s", table)
	}
}
