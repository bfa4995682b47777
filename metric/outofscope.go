package metric

// The detection of rows that a model was not made for: the score says how
// surely a row is in scope (the positive class). Their AUROC is roc_auc.
var fpr95 = Metric{
	Name: "fpr_at_95_tpr", Aliases: []string{"fpr95"}, Label: "FPR at 95 % TPR",
	Doc:     "How many negative rows pass where the threshold lets at least 95 % of the positive ones pass.",
	Formula: "FPR at the highest threshold with TPR ≥ 0.95; undefined when only one class occurs",
	Source:  "Hendrycks and Gimpel 2017, A baseline for detecting misclassified and out-of-distribution examples; Liang, Li and Srikant 2018, Enhancing the reliability of out-of-distribution image detection, section 4.2",
	Kinds:   []Kind{Binary}, Needs: Score,
	Compute: func(s *Sample) float64 { return falsePositives95(s.fixed.ranking[0]().groups(s.Weight)) },
	Partial: partialRanking(falsePositives95),
}

func falsePositives95(groups groups) float64 {
	var positive, negative float64
	groups(func(tp, fp float64) { positive, negative = tp, fp })
	at := -1.0
	groups(func(tp, fp float64) {
		// The slack lets sums of fractional weights reach what they are.
		if at < 0 && tp >= 0.95*positive*(1-1e-12) {
			at = fp
		}
	})
	return at / negative * (positive / positive) // NaN without either class
}
