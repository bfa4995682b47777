package evaluate

import (
	"math"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// training makes curves from pairs of training and validation loss.
func training(best int, losses ...float64) Training {
	t := Training{Best: best}
	for i := 0; i < len(losses); i += 2 {
		t.Epochs = append(t.Epochs, Epoch{Epoch: i/2 + 1, TrainLoss: Number(losses[i]), ValidationLoss: Number(losses[i+1])})
	}
	return t
}

func TestDiagnose(t *testing.T) {
	nan := math.NaN()
	against := func(outcome string) *Comparison {
		return &Comparison{Baseline: "linear", Metric: "accuracy", Outcome: outcome, Difference: metric.Interval{Value: 0.02, Low: -0.01, High: 0.05}}
	}
	plateau := []float64{.60, .58, .45, .46, .42, .43, .41, .42, .41, .42, .41, .42}
	memorised := []float64{.60, .58, .40, .50, .20, .48, .10, .55, .05, .66, .02, .80}
	turned := []float64{.60, .58, .45, .46, .42, .43, .40, .44, .38, .45, .36, .47, .34, .49, .32, .50}
	falling := []float64{.60, .60, .55, .55, .50, .51, .46, .47, .43, .44}
	for _, c := range []struct {
		name     string
		training Training
		trivial  float64
		linear   *Comparison
		kind     string
		says     []string
		remedy   string
	}{
		{"sound", training(4, plateau...), .69, nil, FitGood, []string{"epoch 4", "0.410", "0.420", "1%"}, ""},
		{"sound and better than linear", training(4, plateau...), .69, against(Better), FitGood, nil, ""},
		{"memorised", training(3, memorised...), .69, nil, FitOver, []string{"epoch 3", "0.200", "0.480", "41%"}, "dropout"},
		{"memorised and worse than linear", training(3, memorised...), .69, against(Worse), FitOver, nil, "lower learning rate"},
		{"turned, the best kept", training(3, turned...), .69, nil, FitOverLate, []string{"after epoch 3", "from 0.430 to 0.487", "falling to 0.320"}, "Nothing must be done"},
		{"still falling", training(5, falling...), .69, nil, FitStillLearning, []string{"0.470 to 0.440"}, "more epochs"},
		{"falling again, past the best", training(3, .6, .6, .5, .5, .40, .40, .398, .404, .397, .403, .396, .4085, .395, .401), .69, nil, FitGood, []string{"epoch 3"}, ""},
		{"worse than linear", training(4, plateau...), .69, against(Worse), FitUnder, []string{"worse than a linear model", "accuracy differs by 0.020, interval -0.010 to 0.050"}, "linear model"},
		{"as good as linear", training(4, plateau...), .69, against(NotSeparable), FitLinearEnough, []string{"cannot be told apart"}, "simpler"},
		{"diverged", training(0, .6, .6, nan, nan), .69, nil, FitDiverged, []string{"epoch 2"}, "learning rate"},
		{"no validation", training(0, .6, nan, .5, nan), .69, nil, FitUnknown, []string{"Without validation rows"}, "data.validation"},
		{"no curves", Training{}, 0, nil, FitUnknown, []string{"No training curves"}, ""},
		{"one epoch", training(1, .5, .5), .69, nil, FitUnknown, []string{"Too few epochs (1)"}, "more epochs"},
		{"scale unknown", training(4, plateau...), 0, nil, FitGood, []string{"a gap of 2%"}, ""},
		{"loss without a scale", training(1, 0, 0, 0, 0), 0, nil, FitUnknown, []string{"not positive"}, ""},
	} {
		v := Diagnose(c.training, c.trivial, c.linear)
		if v.Kind != c.kind {
			t.Errorf("%s: kind %q, want %q (%s)", c.name, v.Kind, c.kind, v.Sentence)
		}
		for _, s := range c.says {
			if !strings.Contains(v.Sentence, s) {
				t.Errorf("%s: %q does not say %q", c.name, v.Sentence, s)
			}
		}
		if !strings.Contains(v.Remedy, c.remedy) || (c.remedy == "") != (v.Remedy == "") {
			t.Errorf("%s: remedy %q, want one with %q", c.name, v.Remedy, c.remedy)
		}
	}
}

// TestDiagnoseNoise wants one verdict for curves that differ by noise alone.
func TestDiagnoseNoise(t *testing.T) {
	for shift := range 20 {
		c := []float64{.60, .58, .50, .49, .45, .46, .43, .44}
		for e := range 12 {
			c = append(c, .42, .43+.008*math.Sin(float64(7*e+3*shift)))
		}
		if v := Diagnose(training(0, c...), .69, nil); v.Kind != FitGood {
			t.Errorf("shift %d: %s: %s", shift, v.Kind, v.Sentence)
		}
	}
}
