package metric

import "fmt"

// pinball is the loss whose best constant is a quantile, given in percent.
func pinball(percent int) Metric {
	q := float64(percent) / 100
	return Metric{
		Name: fmt.Sprintf("pinball_%d", percent), Label: fmt.Sprintf("Pinball loss (%d %%)", percent),
		Doc:     fmt.Sprintf("The loss of predictions of the %d %% quantile: a truth above costs %v of the distance, one below %v.", percent, q, 1-q),
		Formula: fmt.Sprintf("Σ w·max(q·(target − pred), (q − 1)·(target − pred)) / Σ w, q = %v", q),
		Source:  "Koenker and Bassett 1978, Regression quantiles; scikit-learn mean_pinball_loss",
		Kinds:   regression, Needs: Pred, OfMean: identity,
		PerRow: func(s *Sample) []float64 {
			return s.perRow(func(i int) float64 {
				d := s.rowResidual(i)
				return max(q*d, (q-1)*d)
			})
		},
	}
}
