package metric

import "math"

// The metrics of rankings: functions of the order that the scores put the
// rows in. The order is sorted once; weights are then read along it.

var (
	rocAUC = Metric{
		Name: "roc_auc", Aliases: []string{"auc", "auroc", "roc_auc_score"}, Label: "ROC AUC",
		Doc:     "The chance that a random positive row gets a higher score than a random negative one.",
		Formula: "Σ w⁺w⁻([score⁺ > score⁻] + ½[score⁺ = score⁻]) / (Σ w⁺ · Σ w⁻); undefined when only one class occurs",
		Source:  "Hanley and McNeil 1982, The meaning and use of the area under a ROC curve; scikit-learn roc_auc_score",
		Kinds:   []Kind{Binary}, Needs: Score, HigherIsBetter: true,
		Compute: func(s *Sample) float64 { return s.fixed.ranking[0]().auc(s.Weight) },
		Partial: partialRanking(areaUnder),
	}

	rocAUCOvR = Metric{
		Name: "roc_auc_ovr", Label: "ROC AUC (one-vs-rest)",
		Doc:     "ROC AUC of each class against all others, averaged over the classes.",
		Formula: "mean over classes of the ROC AUC of class against rest; undefined when a class does not occur",
		Source:  "scikit-learn roc_auc_score(multi_class='ovr', average='macro')",
		Kinds:   []Kind{Multiclass}, Needs: Prob, HigherIsBetter: true,
		Compute: func(s *Sample) float64 { return s.overClasses((*classOrder).auc) },
		Partial: partialClasses(meanOverClasses(areaUnder)),
	}

	averagePrecision = Metric{
		Name: "average_precision", Aliases: []string{"ap", "pr_auc", "average_precision_score"}, Label: "Average precision",
		Doc:     "The precision at each positive row going down the ranking, averaged: the area under the precision-recall curve, without interpolation. With several classes, the mean over one class against the rest.",
		Formula: "Σ (Rₙ − Rₙ₋₁)·Pₙ over falling thresholds; 0 when no row is positive; with several classes undefined when one does not occur",
		Source:  "scikit-learn average_precision_score",
		Kinds:   classification, Needs: Score, HigherIsBetter: true,
		Compute: func(s *Sample) float64 {
			if s.Kind == Multiclass {
				return s.overClasses((*classOrder).averagePrecision)
			}
			if ap := s.fixed.ranking[0]().averagePrecision(s.Weight); !math.IsNaN(ap) {
				return ap
			}
			return 0
		},
		Partial: func(like *Sample, o StreamOptions) Partial {
			if like.Kind == Multiclass {
				return partialClasses(meanOverClasses(averagePrecisionOf))(like, o)
			}
			return partialRanking(func(g groups) float64 {
				if ap := averagePrecisionOf(g); !math.IsNaN(ap) {
					return ap
				}
				return 0
			})(like, o)
		},
	}
)

// classOrder is the rows in descending score of one class.
type classOrder struct {
	row      []int32
	positive []bool    // whether that row is of the class
	share    []float64 // 1 where it is, 0 where not
	end      []int32   // where each group of equal scores ends, exclusive
	score    []float64 // the score of each group
}

func (s *Sample) orderOf(class int, scores []float64) *classOrder {
	negative := make([]float64, len(scores))
	for i, v := range scores {
		negative[i] = -v
	}
	o := &classOrder{row: ascending(negative), positive: make([]bool, len(scores)), share: make([]float64, len(scores))}
	for i, row := range o.row {
		if int(s.Target[row]) == class {
			o.positive[i], o.share[i] = true, 1
		}
		if i+1 == len(o.row) || scores[o.row[i+1]] != scores[row] {
			o.end = append(o.end, int32(i+1))
			o.score = append(o.score, scores[row])
		}
	}
	return o
}

// walk calls f after each group of equal scores with the weight of positive
// and negative rows so far.
func (o *classOrder) walk(weight []float64, f func(group int, tp, fp float64)) {
	tp, fp, i := 0.0, 0.0, 0
	for g, end := range o.end {
		for ; i < int(end); i++ {
			if w := weight[o.row[i]]; o.positive[i] {
				tp += w
			} else {
				fp += w
			}
		}
		f(g, tp, fp)
	}
}

// auc is what walk would give, without its calls and branches: the bootstrap
// spends its time here.
func (o *classOrder) auc(weight []float64) float64 {
	area, tp, fp, lastTP, lastFP := 0.0, 0.0, 0.0, 0.0, 0.0
	i := 0
	for _, end := range o.end {
		for ; i < int(end); i++ {
			w := weight[o.row[i]]
			p := w * o.share[i]
			tp += p
			fp += w - p
		}
		area += (fp - lastFP) * (tp + lastTP)
		lastTP, lastFP = tp, fp
	}
	return area / 2 / lastTP / lastFP // 0/0, NaN, when a class has no weight
}

func (o *classOrder) averagePrecision(weight []float64) float64 {
	sum, lastTP := 0.0, 0.0
	o.walk(weight, func(_ int, tp, fp float64) {
		if tp > lastTP {
			sum += (tp - lastTP) * tp / (tp + fp)
			lastTP = tp
		}
	})
	return sum / lastTP
}

// overClasses is the mean of a score over one class against the rest, NaN when
// it is so for any of them.
func (s *Sample) overClasses(score func(*classOrder, []float64) float64) float64 {
	sum := 0.0
	for _, order := range s.fixed.ranking {
		sum += score(order(), s.Weight)
	}
	return sum / float64(len(s.fixed.ranking))
}
