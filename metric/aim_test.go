package metric

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestParseAim(t *testing.T) {
	d := Decisions{TP: 6, FP: 2, TN: 30, FN: 4}
	for text, want := range map[string]float64{
		"accuracy": 36.0 / 42, "balanced_accuracy": (0.6 + 30.0/32) / 2, "f1": 12.0 / 18, "f2": 30.0 / (30 + 16 + 2), "f0.5": 7.5 / (7.5 + 1 + 2),
		"recall >= 0.6": 0.75, "recall>=0.61": math.NaN(), "precision>=0.75": 0.6, "specificity>=0.9": 0.6, "specificity>=0.95": math.NaN(),
		"fp=1,fn=5": 22.0 / 42, "tp=-10, fp=2": -56.0 / 42,
	} {
		a, err := ParseAim(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := a.Value(d); math.Abs(got-want) > 1e-15 && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s: %v, expected %v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"": "expected accuracy", "roc_auc": "expected accuracy", "f0": "expected accuracy", "recall>=2": "a share", "roc_auc>=0.8": "recall, precision or specificity",
		"fp=1,fx=2": "none of tp", "fp=1,fp=2": "twice", "fp=a,fn=1": "no number", "fp=1": "same decision is best", "fp=1,fn=5,tp=6": "same decision is best",
	} {
		if _, err := ParseAim(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

// Every threshold is tried, also where a condition has to be met.
func TestBestOfConditions(t *testing.T) {
	s := &Sample{Kind: Binary, Target: []float64{0, 1, 0, 1, 1, 0, 1}, Prob: []float64{0.05, 0.1, 0.2, 0.4, 0.6, 0.7, 0.9}}
	for text, want := range map[string]float64{"recall>=0.75": 0.3, "recall>=1": 0.075, "precision>=0.8": 0.8, "precision>=1": 0.8, "fp=1,fn=9": 0.075, "fp=9,fn=1": 0.8} {
		got, value, err := BestThreshold(s, text)
		if err != nil || math.Abs(got-want) > 1e-12 || math.IsNaN(value) {
			t.Errorf("%s: %v of %v, %v, expected %v", text, got, value, err, want)
		}
	}
	s.Prob[5] = 1
	if _, _, err := BestThreshold(s, "precision>=0.9"); !errors.Is(err, ErrUnmet) {
		t.Errorf("the surest row is wrong: %v", err)
	}
}
