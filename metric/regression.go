package metric

import "math"

// The metrics of predicted numbers.

var (
	regression = []Kind{Regression}

	mse = Metric{
		Name: "mse", Aliases: []string{"mean_squared_error"}, Label: "MSE",
		Doc:     "The mean squared error.",
		Formula: "Σ w·(pred − target)² / Σ w",
		Source:  sklearnUserGuide + ", mean_squared_error",
		Kinds:   regression, Needs: Pred,
		Compute: meanSquaredError, OfMean: identity,
		PerRow: squaredErrors, sum: sumSquaredErrors,
	}

	rmse = Metric{
		Name: "rmse", Aliases: []string{"root_mean_squared_error"}, Label: "RMSE",
		Doc:     "The root of the mean squared error, in the unit of the target.",
		Formula: "√(Σ w·(pred − target)² / Σ w)",
		Source:  sklearnUserGuide + ", root_mean_squared_error",
		Kinds:   regression, Needs: Pred,
		Compute: func(s *Sample) float64 { return math.Sqrt(meanSquaredError(s)) },
		OfMean:  math.Sqrt,
		PerRow:  squaredErrors, sum: sumSquaredErrors,
	}

	mae = Metric{
		Name: "mae", Aliases: []string{"mean_absolute_error"}, Label: "MAE",
		Doc:     "The mean distance between prediction and truth.",
		Formula: "Σ w·|pred − target| / Σ w",
		Source:  sklearnUserGuide + ", mean_absolute_error",
		Kinds:   regression, Needs: Pred,
		Compute: func(s *Sample) float64 { return s.mean(s.fixed.absError()) },
		OfMean:  identity,
		PerRow:  func(s *Sample) []float64 { return s.fixed.absError() }, sum: sumAbsoluteErrors,
	}

	medianAE = Metric{
		Name: "median_ae", Aliases: []string{"median_absolute_error"}, Label: "Median AE",
		Doc:     "The distance between prediction and truth that half of the rows stay under: a few wild errors do not move it.",
		Formula: "weighted median of |pred − target|, the mean of the two middle values where the weights part evenly",
		Source:  "scikit-learn median_absolute_error",
		Kinds:   regression, Needs: Pred,
		Compute: medianAbsoluteError,
		Partial: func(_ *Sample, o StreamOptions) Partial { return newMedianPartial(o) },
	}

	mape = Metric{
		Name: "mape", Aliases: []string{"mean_absolute_percentage_error"}, Label: "MAPE",
		Doc:     "The mean distance relative to the true value, as a fraction; without bound where the target is 0.",
		Formula: "Σ w·|pred − target| / max(|target|, 2⁻⁵²) / Σ w",
		Source:  "scikit-learn mean_absolute_percentage_error",
		Kinds:   regression, Needs: Pred,
		Compute: func(s *Sample) float64 {
			sum := 0.0
			for i, d := range s.fixed.absError() {
				sum += s.Weight[i] * d / max(math.Abs(s.Target[i]), epsilon)
			}
			return sum / s.totalWeight()
		},
		OfMean: identity,
		PerRow: func(s *Sample) []float64 {
			return s.perRow(func(i int) float64 { return s.rowAbsError(i) / max(math.Abs(s.Target[i]), epsilon) })
		},
	}

	r2 = Metric{
		Name: "r2", Aliases: []string{"r2_score"}, Label: "R²",
		Doc:     "The share of the target's variance that the predictions explain: 1 perfect, 0 no better than the mean, below 0 worse.",
		Formula: "1 − Σ w·(target − pred)² / Σ w·(target − mean)²; for a constant target 1 when predicted exactly, else 0; undefined on one row",
		Source:  "scikit-learn r2_score",
		Kinds:   regression, Needs: Pred, HigherIsBetter: true,
		Compute: func(s *Sample) float64 {
			if s.Rows() < 2 {
				return math.NaN()
			}
			return explained(meanSquaredError(s), s.variance(s.Target))
		},
		Partial: partialMoments(func(p *momentsPartial) float64 {
			if p.rows < 2 {
				return math.NaN()
			}
			return explained(p.squares/p.c.weight, p.c.aa/p.c.weight)
		}),
		PerRow: squaredErrors, // of which R² is a falling line
	}

	explainedVariance = Metric{
		Name: "explained_variance", Aliases: []string{"explained_variance_score"}, Label: "Explained variance",
		Doc:     "As R², but a constant offset in the predictions is forgiven.",
		Formula: "1 − Var(target − pred) / Var(target); for a constant target 1 when the offset is constant, else 0",
		Source:  "scikit-learn explained_variance_score",
		Kinds:   regression, Needs: Pred, HigherIsBetter: true,
		Compute: func(s *Sample) float64 {
			residual := s.variance(s.fixed.residual())
			return explained(residual, s.variance(s.Target))
		},
		Partial: partialMoments(func(p *momentsPartial) float64 { return explained(p.c.bb, p.c.aa) }),
	}
)

func (s *Sample) rowResidual(row int) float64    { return s.Target[row] - s.Pred[row] }
func (s *Sample) rowAbsError(row int) float64    { return math.Abs(s.rowResidual(row)) }
func (s *Sample) rowSquareError(row int) float64 { return s.rowResidual(row) * s.rowResidual(row) }

func squaredErrors(s *Sample) []float64 { return s.fixed.squareError() }

func meanSquaredError(s *Sample) float64 { return s.mean(s.fixed.squareError()) }

// explained is 1 − unexplained/all, with scikit-learn's finite values where
// all is 0.
func explained(unexplained, all float64) float64 {
	switch {
	case unexplained == 0:
		return 1
	case all == 0:
		return 0
	}
	return 1 - unexplained/all
}

// variance is the weighted variance of a value per row. It is taken around
// the first row that counts before it is taken around the mean, so that equal
// values have a variance of exactly 0.
func (s *Sample) variance(values []float64) float64 {
	first := 0
	for s.Weight[first] == 0 {
		first++
	}
	origin, total := values[first], s.totalWeight()
	sum := 0.0
	for i, w := range s.Weight {
		sum += w * (values[i] - origin)
	}
	mean := sum / total
	sum = 0
	for i, w := range s.Weight {
		d := values[i] - origin - mean
		sum += w * d * d
	}
	return sum / total
}

func medianAbsoluteError(s *Sample) float64 {
	errs, order := s.fixed.absError(), s.fixed.byError()
	total := s.totalWeight()
	// Weights that are not whole numbers reach the half only up to rounding.
	half, slack := total/2, 1e-12*total
	reached := 0.0
	for i, row := range order {
		reached += s.Weight[row]
		if reached < half-slack {
			continue
		}
		if reached > half+slack {
			return errs[row]
		}
		for _, next := range order[i+1:] {
			if s.Weight[next] > 0 {
				return (errs[row] + errs[next]) / 2
			}
		}
		return errs[row]
	}
	return errs[order[len(order)-1]]
}
