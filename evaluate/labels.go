package evaluate

import (
	"cmp"
	"math"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// LabelErrors are rows whose label is likely wrong, by predictions of models that
// did not train on them.
type LabelErrors struct {
	// Rows is how many there are, Share of all rows.
	Rows  int     `json:"rows"`
	Share float64 `json:"share"`
	// Estimated counts rows by [given label][likely true label]: the calibrated
	// confident joint, from which it follows how many are pruned.
	Estimated [][]int `json:"estimated,omitempty"`
	// Thresholds are the mean probability of each class in the rows that have it as
	// their label, from which a row counts as confidently of that class.
	Thresholds []Number `json:"thresholds"`
	// Errors are the rows, the least likely label first: at most MaxLabelErrors here.
	Errors []LabelError `json:"errors"`
	all    []LabelError
}

// A LabelError is a row whose label is likely wrong.
type LabelError struct {
	Row int `json:"row"` // in its file, from 1
	// Given is the label, Suggested the likeliest class.
	Given     string `json:"given"`
	Suggested string `json:"suggested"`
	// GivenProbability and SuggestedProbability are what the model gives them.
	GivenProbability     float64 `json:"given_probability"`
	SuggestedProbability float64 `json:"suggested_probability"`
}

// All are all likely label errors, those too that a result leaves out.
func (e *LabelErrors) All() []LabelError { return e.all }

const (
	confidentSlack = 1e-6 // probabilities that near to a threshold reach it, and that near to another tie
	leastThreshold = 2e-6
)

// FindLabelErrors finds likely label errors by confident learning: a class that a
// row has more probability of than rows of that label have on average is
// confidently its own; such rows, counted by given and confident class and scaled
// to the numbers of labels, say how many labels of each class are truly of each
// other; and so many are pruned, those with the greatest margin of the other class
// over the given one. The probabilities must come from models that did not train
// on the rows. rows are the numbers in the file, from 0; nil: all in order. The
// result is nil for other tasks than classes with probabilities.
//
// Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in
// Dataset Labels, JAIR 70 (2021): equations 1 to 3 and 5.6, "prune by noise rate".
// It agrees with cleanlab 2.9.0, find_label_issues(filter_by="prune_by_noise_rate").
func FindLabelErrors(s *metric.Sample, rows []int) *LabelErrors {
	if s.Prob == nil || s.Kind != metric.Binary && s.Kind != metric.Multiclass {
		return nil
	}
	n, k := s.Rows(), max(2, len(s.Classes))
	labels := make([]int, n)
	counts, thresholds := make([]int, k), make([]float64, k)
	for i, t := range s.Target {
		labels[i] = int(t)
		counts[labels[i]]++
		thresholds[labels[i]] += probability(s, i, labels[i])
	}
	e := &LabelErrors{Thresholds: make([]Number, k), Errors: []LabelError{}}
	for c := range k {
		if thresholds[c] = max(leastThreshold, thresholds[c]/float64(max(1, counts[c]))); counts[c] == 0 {
			thresholds[c] = 2 // which no probability reaches
		}
		e.Thresholds[c] = Number(thresholds[c])
		if counts[c] == 0 {
			e.Thresholds[c] = Number(math.NaN())
		}
	}
	best, sure := make([]int, n), make([]int, n) // the likeliest class, and that which it is confidently of
	own := make([][]int, k)                      // the rows of each label
	for i := range n {
		confident, of := 0, 0
		for c := range k {
			p := probability(s, i, c)
			if p > probability(s, i, best[i]) {
				best[i] = c
			}
			if p >= thresholds[c]-confidentSlack {
				if confident++; confident == 1 {
					of = c
				}
			}
		}
		if confident > 1 {
			of = best[i]
		}
		if sure[i] = of; confident == 0 {
			sure[i] = -1
		}
		own[labels[i]] = append(own[labels[i]], i)
	}
	wrong := make([]bool, n)
	for c, own := range own {
		if k > maxConfused && len(own) <= 1 {
			continue // nothing is pruned, nor told
		}
		row := make([]float64, k) // of the confident joint, which for many classes is too large to keep
		for _, i := range own {
			if sure[i] >= 0 {
				row[sure[i]]++
			}
		}
		row[c] = max(1, row[c])
		prune := scaled(row, counts[c])
		if k <= maxConfused {
			e.Estimated = append(e.Estimated, slices.Clone(prune))
		}
		if counts[c] <= 1 {
			continue
		}
		if lack := 1 - prune[c]; lack > 0 { // a row of every class stays
			others := 0
			for _, v := range prune {
				if v != 0 {
					others++
				}
			}
			for j := range prune {
				if j != c {
					prune[j] = int(max(0, float64(prune[j])-float64(lack)/float64(max(1, others-1))))
				}
			}
		}
		for j, many := range prune {
			if j == c || many == 0 {
				continue
			}
			margin := func(i int) float64 { return probability(s, i, j) - probability(s, i, c) }
			order := slices.Clone(own)
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(margin(b), margin(a)) })
			for _, i := range order[:min(many, len(order))] {
				wrong[i] = true
			}
		}
	}
	var found []int
	for i := range n {
		given := probability(s, i, labels[i])
		if wrong[i] && best[i] != labels[i] && probability(s, i, best[i]) > given+confidentSlack {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int {
		return cmp.Compare(probability(s, a, labels[a]), probability(s, b, labels[b]))
	})
	for _, i := range found {
		e.all = append(e.all, LabelError{fileRow(rows, i), className(s, labels[i]), className(s, best[i]), probability(s, i, labels[i]), probability(s, i, best[i])})
	}
	e.Rows, e.Share = len(found), float64(len(found))/float64(max(1, n))
	e.Errors = append(e.Errors, e.all[:min(MaxLabelErrors, len(e.all))]...)
	return e
}

// scaled turns counts into whole ones that add up to total: rounded to the
// nearest, the rest being given to those that were rounded furthest the other way;
// of equal ones to the last, and taken from the first, as cleanlab does.
func scaled(row []float64, total int) []int {
	sum := 0.0
	for _, v := range row {
		sum += v
	}
	exact, out := make([]float64, len(row)), make([]int, len(row))
	left := total
	order := make([]int, len(row))
	for j, v := range row {
		exact[j] = v / sum * float64(total)
		out[j] = int(math.RoundToEven(exact[j]))
		left -= out[j]
		order[j] = j
	}
	step := 1
	if left < 0 {
		step = -1
	}
	slices.SortFunc(order, func(a, b int) int {
		return step * cmp.Or(cmp.Compare(exact[b]-float64(out[b]), exact[a]-float64(out[a])), b-a)
	})
	for j := 0; left != 0; j++ {
		out[order[j%len(order)]] += step
		left -= step
	}
	return out
}

// fileRow is the number of a row in its file, from 1.
func fileRow(rows []int, i int) int {
	if rows != nil {
		i = rows[i]
	}
	return i + 1
}

// className is that of a class, by its index.
func className(s *metric.Sample, class int) string {
	if class < len(s.Classes) {
		return s.Classes[class]
	}
	return []string{"0", "1"}[min(class, 1)]
}
