package metric

import "math"

// The errors of predicted numbers relative to their size.

var (
	smape = Metric{
		Name: "smape", Label: "SMAPE",
		Doc:     "The mean distance relative to the middle of prediction and truth, as a fraction from 0 to 2.",
		Formula: "Σ w·2|pred − target| / (|pred| + |target|) / Σ w, 0/0 being 0",
		Source:  "Armstrong 1985, Long-range forecasting, page 348; torchmetrics symmetric_mean_absolute_percentage_error",
		Kinds:   regression, Needs: Pred, OfMean: identity,
		PerRow: func(s *Sample) []float64 {
			return s.perRow(func(i int) float64 {
				return ratio(2*s.rowAbsError(i), math.Abs(s.Pred[i])+math.Abs(s.Target[i]))
			})
		},
	}

	msle = Metric{
		Name: "msle", Aliases: []string{"mean_squared_log_error"}, Label: "MSLE",
		Doc:     "The mean squared difference of logarithms, for numbers whose ratio matters.",
		Formula: "Σ w·(ln(1 + pred) − ln(1 + target))² / Σ w; undefined at −1 and below",
		Source:  "scikit-learn mean_squared_log_error",
		Kinds:   regression, Needs: Pred, OfMean: identity, PerRow: squaredLogErrors,
	}

	rmsle = Metric{
		Name: "rmsle", Aliases: []string{"root_mean_squared_log_error"}, Label: "RMSLE",
		Doc:     "The root of the mean squared difference of logarithms.",
		Formula: "√MSLE",
		Source:  "scikit-learn root_mean_squared_log_error",
		Kinds:   regression, Needs: Pred, OfMean: math.Sqrt, PerRow: squaredLogErrors,
	}
)

func squaredLogErrors(s *Sample) []float64 {
	return s.perRow(func(i int) float64 {
		if s.Pred[i] <= -1 || s.Target[i] <= -1 {
			return math.NaN()
		}
		d := math.Log1p(s.Pred[i]) - math.Log1p(s.Target[i])
		return d * d
	})
}
