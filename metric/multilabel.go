package metric

// The metrics of rows that have any number of labels. Precision, recall and F
// are those of decision.go, summed label by label.

var (
	multilabel = []Kind{Multilabel}

	subsetAccuracy = Metric{
		Name: "subset_accuracy", Label: "Subset accuracy",
		Doc:     "The share of rows all of whose labels are right.",
		Formula: "Σ w·[pred = target, every label] / Σ w",
		Source:  "scikit-learn accuracy_score of indicator matrices",
		Kinds:   multilabel, Needs: Pred, HigherIsBetter: true, OfMean: oneMinus,
		PerRow: func(s *Sample) []float64 { return s.perRow(func(i int) float64 { return min(1, s.wrongLabels(i)) }) },
	}

	hammingLoss = Metric{
		Name: "hamming_loss", Aliases: []string{"hamming"}, Label: "Hamming loss",
		Doc:     "The share of labels that are wrong.",
		Formula: "Σ w·(wrong labels of the row / labels) / Σ w",
		Source:  "Tsoumakas and Katakis 2007, Multi-label classification: an overview; scikit-learn hamming_loss",
		Kinds:   multilabel, Needs: Pred, OfMean: identity,
		PerRow: func(s *Sample) []float64 {
			return s.perRow(func(i int) float64 { return s.wrongLabels(i) / float64(s.classes()) })
		},
	}

	labelRankingAP = Metric{
		Name: "label_ranking_average_precision", Aliases: []string{"lrap"}, Label: "Label ranking average precision",
		Doc:     "Going down the labels of a row from the most probable: the share of true ones at each true one, averaged.",
		Formula: "weighted mean over rows of the mean over true labels of (true labels with at least its p) / (labels with at least its p); 1 for a row with no or all labels",
		Source:  "Tsoumakas, Katakis and Vlahavas 2010, Mining multi-label data; scikit-learn label_ranking_average_precision_score",
		Kinds:   multilabel, Needs: Prob, HigherIsBetter: true, OfMean: oneMinus,
		PerRow: func(s *Sample) []float64 { return s.perRow(func(i int) float64 { return 1 - s.labelRanking(i) }) },
	}
)

func (s *Sample) wrongLabels(row int) float64 {
	k, wrong := s.classes(), 0.0
	for c := row * k; c < (row+1)*k; c++ {
		if s.Pred[c] != s.Target[c] {
			wrong++
		}
	}
	return wrong
}

func (s *Sample) labelRanking(row int) float64 {
	k := s.classes()
	probs, truth := s.Prob[row*k:(row+1)*k], s.Target[row*k:(row+1)*k]
	sum, labels := 0.0, 0.0
	for c, p := range probs {
		if truth[c] == 0 {
			continue
		}
		labels++
		at, of := 0.0, 0.0
		for j, q := range probs {
			if q >= p {
				at++
				of += truth[j]
			}
		}
		sum += of / at
	}
	if labels == 0 || labels == float64(k) {
		return 1
	}
	return sum / labels
}
