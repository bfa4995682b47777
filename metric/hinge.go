package metric

// A margin is how far the truth is ahead of the strongest alternative.
var hinge = Metric{
	Name: "hinge", Aliases: []string{"hinge_loss"}, Label: "Hinge loss",
	Doc:     "How far a row lacks a lead of 1 of its class over the strongest other one, in scores where there are some and else in probabilities.",
	Formula: "Σ w·max(0, 1 − (p(target) − max_{k≠target} pₖ)) / Σ w; of scores f of two classes max(0, 1 − y·f), y = ±1",
	Source:  "Crammer and Singer 2001, On the algorithmic implementation of multiclass kernel-based vector machines; scikit-learn hinge_loss, whose decision for two classes is 2p − 1",
	Kinds:   classification, Needs: Score,
	OfMean: identity,
	PerRow: func(s *Sample) []float64 {
		n := s.classes()
		return s.perRow(func(i int) float64 {
			var lead float64
			switch target := int(s.Target[i]); {
			case s.Kind == Multiclass:
				row, other := s.Prob[i*n:(i+1)*n], 0.0
				for c, p := range row {
					if c != target {
						other = max(other, p)
					}
				}
				lead = row[target] - other
			case s.Score != nil:
				lead = s.Score[i] * float64(2*target-1)
			default:
				lead = (2*s.Prob[i] - 1) * float64(2*target-1)
			}
			return max(0, 1-lead)
		})
	},
}
