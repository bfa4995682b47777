package evaluate

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/hone-ml/hone/metric"
)

// Result is everything that was measured about one model. Maps are keyed by
// metric name as in the configuration ("roc_auc"); Metrics gives their order.
type Result struct {
	// Version is the version of this layout.
	Version int `json:"version"`
	// Task is "binary", "multiclass" or "regression".
	Task string `json:"task"`
	// Target is the name of the predicted column.
	Target string `json:"target"`
	// Classes are the class names in index order; none for regression.
	Classes []string `json:"classes,omitempty"`
	// Positive is the class that binary metrics call positive.
	Positive string `json:"positive,omitempty"`
	Rows     Rows   `json:"rows"`
	// Weight is the column by which rows count; "": all the same.
	Weight string `json:"weight,omitempty"`

	// Metrics describes the measured metrics in report order; the first is the
	// one that the verdict speaks of.
	Metrics []Metric `json:"metrics"`
	// Test holds the model's metrics on the test rows.
	Test Scores `json:"test"`
	// Baselines holds the same for each baseline, on the same rows.
	Baselines map[string]Scores `json:"baselines,omitempty"`
	// Validation holds the model's metrics on the validation rows, on which
	// choices were made: they flatter the model and have no interval.
	Validation map[string]float64 `json:"validation,omitempty"`
	// Undefined says why a metric is missing from Test.
	Undefined map[string]string `json:"undefined,omitempty"`
	// Comparisons holds the model against each baseline, metric by metric.
	Comparisons []Comparison `json:"comparisons,omitempty"`
	Bootstrap   Bootstrap    `json:"bootstrap"`
	// CrossValidation is nil where there was none.
	CrossValidation *CrossValidation `json:"cross_validation,omitempty"`
	// Outputs holds what was measured of the outputs after the first, by name.
	Outputs map[string]*OutputResult `json:"outputs,omitempty"`
	// Improvement is nil where nothing was tried.
	Improvement *Improvement `json:"improvement,omitempty"`

	// Importance of the columns on validation rows; nil where the model reads one column
	// alone, or measuring would take long beside training.
	Importance *Importance `json:"importance,omitempty"`

	// Confusion counts test rows, [true class][predicted class]; left out, with
	// a note, beyond MaxConfusion classes.
	Confusion [][]float64 `json:"confusion,omitempty"`
	// PerClass has one entry for each class.
	PerClass []ClassScore `json:"per_class,omitempty"`
	// Confused are the most frequent mistakes of more than two classes.
	Confused []Mistake `json:"confused,omitempty"`
	// ROC runs from (0,0) to (1,1): false positive rate, true positive rate.
	ROC []metric.Point `json:"roc,omitempty"`
	// PR is recall against precision.
	PR []metric.Point `json:"pr,omitempty"`
	// Calibration compares stated probability with observed frequency; for more
	// than two classes, of the class that was decided for.
	Calibration []metric.Bin `json:"calibration,omitempty"`
	// Abstain is how saying when it is not sure does; nil where it does not.
	Abstain *Abstained `json:"abstain,omitempty"`
	// Gain, Lift, Reliability and ByClass are as in Curves.
	Gain        []metric.Point `json:"gain,omitempty"`
	Lift        []metric.Point `json:"lift,omitempty"`
	Reliability []metric.Band  `json:"reliability,omitempty"`
	ByClass     []ClassCurves  `json:"by_class,omitempty"`
	// Residuals describes the errors of a regression.
	Residuals *Residuals `json:"residuals,omitempty"`
	// Recalibration says how the probabilities are corrected; nil: nothing was tried.
	Recalibration *Recalibration `json:"recalibration,omitempty"`
	// PredictionSets is nil where the model has none.
	PredictionSets *PredictionSets `json:"prediction_sets,omitempty"`

	Training Training `json:"training"`
	Fit      Verdict  `json:"fit"`
	// Failures says where the model fails, nil where nothing was looked for, and
	// Diagnosis what it suffers from.
	Failures  *Failures  `json:"failures,omitempty"`
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
	// Notes says what was left out of this result, and why.
	Notes []string `json:"notes,omitempty"`
}

// Rows is the number of rows in each split.
type Rows struct {
	Train      int `json:"train"`
	Validation int `json:"validation"`
	Test       int `json:"test"`
}

// Metric describes one measured metric.
type Metric struct {
	Name           string `json:"name"`
	Label          string `json:"label"`
	Formula        string `json:"formula,omitempty"`
	HigherIsBetter bool   `json:"higher_is_better"`
}

// Scores maps a metric's name to its value and interval.
type Scores map[string]metric.Interval

// Bootstrap says how the intervals were made.
type Bootstrap struct {
	Resamples int     `json:"resamples"`
	Level     float64 `json:"level"`
	Seed      uint64  `json:"seed"`
}

// Outcomes of a [Comparison].
const (
	Better       = "better"
	Worse        = "worse"
	NotSeparable = "not separable"
)

// Comparison is a paired bootstrap of model minus baseline: both are measured
// on the same resampled rows, so that what makes a row hard for both cancels.
type Comparison struct {
	Baseline   string          `json:"baseline"`
	Metric     string          `json:"metric"`
	Difference metric.Interval `json:"difference"`
	// Outcome is the model's: Better or Worse when the interval excludes zero,
	// otherwise NotSeparable.
	Outcome string `json:"outcome"`
	// Test names the paired test of the difference (see metric.Paired), and P is its
	// two-sided p-value, not corrected for several baselines; of the first metric
	// only, and nil where it was not made.
	Test string   `json:"test,omitempty"`
	P    *float64 `json:"p,omitempty"`
}

// Chance writes the p-value and its test, as in "p 0.012, DeLong"; "" where there
// is none.
func (c *Comparison) Chance() string {
	switch {
	case c.P == nil:
		return ""
	case *c.P < 0.0001:
		return "p < 0.0001, " + c.Test
	}
	return fmt.Sprintf("p %.2g, %s", *c.P, c.Test)
}

// ClassScore is how one class fared.
type ClassScore struct {
	Class     string  `json:"class"`
	Rows      float64 `json:"rows"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Mistake counts test rows of class True that were taken for class Predicted.
type Mistake struct {
	True      string  `json:"true"`
	Predicted string  `json:"predicted"`
	Rows      float64 `json:"rows"`
	// Share is the part of all rows of class True.
	Share float64 `json:"share"`
}

// Residual is the error of one row.
type Residual struct {
	Predicted float64 `json:"predicted"`
	Residual  float64 `json:"residual"` // actual − predicted
}

// Residuals describes actual minus predicted values.
type Residuals struct {
	// Points are at most MaxResiduals rows, picked evenly in order of the
	// predicted value.
	Points []Residual `json:"points"`
	// Histogram counts all rows.
	Histogram []HistogramBin `json:"histogram"`
	// Mean shows bias; Quantiles are at 5, 25, 50, 75 and 95 percent.
	Mean      float64    `json:"mean"`
	Quantiles [5]float64 `json:"quantiles"`
}

// HistogramBin counts rows with Low ≤ residual < High (the last bin includes High).
// The outermost bins also hold whatever lies beyond them.
type HistogramBin struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	Rows int     `json:"rows"`
}

// Training is what the fit recorded.
type Training struct {
	Epochs []Epoch `json:"epochs,omitempty"`
	// Best is the number of the epoch whose weights were kept, 0 if unknown.
	Best int `json:"best_epoch,omitempty"`
	// Members is the number of networks whose mean is the model; 0 is one by itself.
	// Epochs is then of the one in the middle by validation loss.
	Members int `json:"members,omitempty"`
	// Metric names the metric recorded in Epoch.Metric.
	Metric string `json:"metric,omitempty"`
}

// Epoch is one point of the learning curves.
type Epoch struct {
	Epoch int `json:"epoch"` // from 1
	// TrainLoss is the mean over the epoch's steps as the optimiser met them.
	TrainLoss Number `json:"train_loss"`
	// ValidationLoss and Metric are measured after the epoch; NaN without
	// validation rows.
	ValidationLoss Number `json:"validation_loss"`
	Metric         Number `json:"metric"`
	LearningRate   Number `json:"learning_rate"`
}

// Number is a float64 whose NaN and infinities, which JSON lacks, are null there.
type Number float64

func (n Number) finite() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON writes null for what is not finite.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.finite() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Compare returns the comparison with a baseline by a metric, or nil.
func (r *Result) Compare(baseline, metric string) *Comparison {
	for i := range r.Comparisons {
		if c := &r.Comparisons[i]; c.Baseline == baseline && c.Metric == metric {
			return c
		}
	}
	return nil
}

// Lookup returns the description of a metric, or nil.
func (r *Result) Lookup(name string) *Metric {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return &r.Metrics[i]
		}
	}
	return nil
}
