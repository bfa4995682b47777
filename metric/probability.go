package metric

import (
	"math"
	"slices"
)

// The metrics of probabilities: means of a loss per row.

var (
	logLoss = Metric{
		Name: "log_loss", Aliases: []string{"logloss", "cross_entropy"}, Label: "Log loss",
		Doc:     "How surprised the probabilities are by the truth: the negative log-likelihood of a row, in nats.",
		Formula: "−Σ w·ln p(target) / Σ w, with p clipped to [ε, 1 − ε], ε = 2⁻⁵²",
		Source:  "scikit-learn log_loss, with all classes given as labels; of sets of labels the mean over the labels of what each has by itself",
		Kinds:   append(slices.Clone(classification), Multilabel), Needs: Prob,
		Compute: func(s *Sample) float64 { return s.mean(s.fixed.logLoss()) },
		OfMean:  identity,
		PerRow:  func(s *Sample) []float64 { return s.fixed.logLoss() },
	}

	brier = Metric{
		Name: "brier", Aliases: []string{"brier_score", "brier_score_loss"}, Label: "Brier score",
		Doc:     "The squared distance between the probabilities and the truth.",
		Formula: "Σ w·(p − [positive])² / Σ w; with three classes or more Σ w·Σₖ(pₖ − [target = k])² / Σ w, from 0 to 2",
		Source:  "Brier 1950, Verification of forecasts expressed in terms of probability; scikit-learn brier_score_loss",
		Kinds:   classification, Needs: Prob,
		Compute: func(s *Sample) float64 { return s.mean(s.fixed.brier()) },
		OfMean:  identity,
		PerRow:  func(s *Sample) []float64 { return s.fixed.brier() }, sum: sumBrier, sumKinds: []Kind{Binary},
	}
)

// epsilon is the spacing of float64 at 1, where scikit-learn clips.
const epsilon = 0x1p-52

func (s *Sample) rowLogLoss(row int) float64 {
	var p float64
	switch {
	case s.Kind == Multilabel:
		k, sum := s.classes(), 0.0
		for c := row * k; c < (row+1)*k; c++ {
			p := s.Prob[c]
			if s.Target[c] == 0 {
				p = 1 - p
			}
			sum -= math.Log(min(max(p, epsilon), 1-epsilon))
		}
		return sum / float64(k)
	case s.Kind == Multiclass:
		p = s.Prob[row*s.classes()+int(s.Target[row])]
	case s.Target[row] == 1:
		p = s.Prob[row]
	default:
		p = 1 - s.Prob[row]
	}
	return -math.Log(min(max(p, epsilon), 1-epsilon))
}

func (s *Sample) rowBrier(row int) float64 {
	if s.Kind == Binary {
		d := s.Prob[row] - s.Target[row]
		return d * d
	}
	k, sum := s.classes(), 0.0
	for c, p := range s.Prob[row*k : (row+1)*k] {
		if c == int(s.Target[row]) {
			p--
		}
		sum += p * p
	}
	if k == 2 {
		return sum / 2 // as in scikit-learn, so that two classes score as a binary target does
	}
	return sum
}
