package metric

import "fmt"

// topK is the share of rows whose class is among the k most probable.
func topK(k int) Metric {
	return Metric{
		Name: fmt.Sprintf("top_%d_accuracy", k), Aliases: []string{fmt.Sprintf("top_%d", k)}, Label: fmt.Sprintf("Top-%d accuracy", k),
		Doc:     fmt.Sprintf("The share of rows whose class is among the %d most probable ones.", k),
		Formula: fmt.Sprintf("Σ w·[rank of p(target) ≤ %d] / Σ w; of equal probabilities the later class ranks first", k),
		Source:  "scikit-learn top_k_accuracy_score",
		Kinds:   []Kind{Multiclass}, Needs: Prob, HigherIsBetter: true,
		OfMean: oneMinus,
		PerRow: func(s *Sample) []float64 {
			n := s.classes()
			return s.perRow(func(i int) float64 {
				target, above := int(s.Target[i]), 0
				row := s.Prob[i*n : (i+1)*n]
				for c, p := range row {
					if p > row[target] || p == row[target] && c > target {
						above++
					}
				}
				if above < k {
					return 0
				}
				return 1
			})
		},
	}
}
