package main

import (
	"math"
	"slices"
)

// A mean is how much faster hone is over several models: the geometric mean of its
// ratios to the better of PyTorch eager and compiled.
type mean struct {
	Threads int      `json:"threads"`
	Groups  []string `json:"groups"`
	Ratio   float64  `json:"ratio"`
}

// averaged are the groups that the mean is over, those of them that were measured.
var averaged = []string{"M2", "M3", "M4", "M5"}

// means are by the number of threads, of all groups that have PyTorch's times.
func (r *results) means() (all []mean) {
	for _, n := range r.threads() {
		m, logs := mean{Threads: n}, 0.0
		for _, o := range r.Results {
			better := math.Inf(1)
			for _, p := range o.Peers {
				if p.Name == torchName || p.Name == compiledName {
					better = min(better, p.Ratio)
				}
			}
			if o.Threads == n && slices.Contains(averaged, o.Group) && !math.IsInf(better, 1) {
				m.Groups = append(m.Groups, o.Group)
				logs += math.Log(better)
			}
		}
		if len(m.Groups) > 1 {
			m.Ratio = math.Exp(logs / float64(len(m.Groups)))
			all = append(all, m)
		}
	}
	return all
}
