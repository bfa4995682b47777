package metric

// SetThreshold returns the probability from which the labels of a multilabel sample
// are to count as present so that F1 (micro) is largest: that of all decisions as
// one (Lipton, Elkan and Naryanaswamy 2014, Optimal thresholding of classifiers to
// maximize F1 measure, section 6). It is ½ where every label is present, or none.
func SetThreshold(s *Sample) (float64, error) {
	return bestOrHalf(s, func(int) bool { return true })
}

// LabelThreshold is SetThreshold for one label by itself, by its F1.
func LabelThreshold(s *Sample, label int) (float64, error) {
	return bestOrHalf(s, func(l int) bool { return l == label })
}

func bestOrHalf(s *Sample, of func(label int) bool) (float64, error) {
	k := s.classes()
	flat := &Sample{Kind: Binary}
	var seen [2]bool
	for i, t := range s.Target {
		if !of(i % k) {
			continue
		}
		flat.Target, flat.Prob = append(flat.Target, t), append(flat.Prob, s.Prob[i])
		if s.Weight != nil {
			flat.Weight = append(flat.Weight, s.Weight[i/k])
		}
		if s.Weight == nil || s.Weight[i/k] > 0 {
			seen[int(t)] = true
		}
	}
	if !seen[0] || !seen[1] {
		return 0.5, nil
	}
	t, _, err := BestThreshold(flat, "f1")
	return t, err
}
