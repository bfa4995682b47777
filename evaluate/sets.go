package evaluate

import (
	"cmp"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// labels fills in what only sets of labels have: each label by itself, and which
// labels stand in for which.
func (r *Result) labels(s *metric.Sample) {
	r.PerClass = PerLabel(s)
	r.Confused = confusedLabels(s)
	r.Notes = append(r.Notes, "A row may have several labels: there is no confusion matrix, and no curve of one score.")
}

// PerLabel measures each label of sets by itself, the rows being those that have it.
func PerLabel(s *metric.Sample) []ClassScore {
	k := len(s.Classes)
	actual, predicted, hit := make([]float64, k), make([]float64, k), make([]float64, k)
	for i, t := range s.Target {
		w, j := weightAt(s, i/k), i%k
		actual[j] += w * t
		predicted[j] += w * s.Pred[i]
		hit[j] += w * t * s.Pred[i]
	}
	var all []ClassScore
	for j, name := range s.Classes {
		all = append(all, ClassScore{name, actual[j], ratio(hit[j], predicted[j]), ratio(hit[j], actual[j]), ratio(2*hit[j], actual[j]+predicted[j])})
	}
	return all
}

// confusedLabels counts the rows that miss a label and have another one too many:
// one may have been taken for the other.
func confusedLabels(s *metric.Sample) []Mistake {
	k := len(s.Classes)
	if k > MaxConfusion {
		return nil
	}
	pairs, actual := make([]float64, k*k), make([]float64, k)
	for i := range s.Rows() {
		truth, pred, w := s.Target[i*k:(i+1)*k], s.Pred[i*k:(i+1)*k], weightAt(s, i)
		for a, t := range truth {
			actual[a] += w * t
			if t == 0 || pred[a] == 1 {
				continue
			}
			for b, p := range pred {
				if p == 1 && truth[b] == 0 {
					pairs[a*k+b] += w
				}
			}
		}
	}
	var all []Mistake
	for i, n := range pairs {
		if n > 0 {
			all = append(all, Mistake{s.Classes[i/k], s.Classes[i%k], n, ratio(n, actual[i/k])})
		}
	}
	slices.SortStableFunc(all, func(a, b Mistake) int { return cmp.Compare(b.Rows, a.Rows) })
	return all[:min(maxConfused, len(all))]
}

func weightAt(s *metric.Sample, row int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[row]
}
