package metric

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// The metrics of rankings of the rows of a query, means over queries. Rows of
// equal score have no order: what counts is the expectation over all of their
// orders, so that ties neither help nor hurt. A query without relevant rows
// scores 0.

const tiesSource = "McSherry and Najork 2008, Computing information retrieval performance measures efficiently in the presence of tied scores"

var (
	ndcg = retrieval("ndcg", "NDCG", "The gains of the relevant rows, the less the farther down they stand, against the best possible order.",
		"Σ relevance/log₂(1 + place) over that of the best order",
		"Järvelin and Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques; scikit-learn ndcg_score; "+tiesSource,
		func(q ranked) float64 { return q.ndcg(math.MaxInt) })

	mrr = retrieval("mrr", "MRR", "How early the first relevant row comes: the inverse of its place.",
		"1 / place of the first relevant row",
		"Voorhees 1999, The TREC-8 question answering track report; "+tiesSource,
		ranked.reciprocalRank, "mean_reciprocal_rank")

	meanAP = retrieval("map", "MAP", "The precision at each relevant row going down the ranking, averaged.",
		"mean over relevant rows of (relevant rows up to its place) / place",
		"Manning, Raghavan and Schütze 2008, Introduction to information retrieval, section 8.4; "+tiesSource,
		ranked.averagePrecision, "mean_average_precision")
)

func ndcgAt(k int) Metric {
	return retrieval(fmt.Sprintf("ndcg_at_%d", k), fmt.Sprintf("NDCG at %d", k), fmt.Sprintf("As NDCG, of the first %d places.", k),
		fmt.Sprintf("Σ relevance/log₂(1 + place) over places to %d, over that of the best order", k),
		ndcg.Source, func(q ranked) float64 { return q.ndcg(k) })
}

func recallAt(k int) Metric {
	return retrieval(fmt.Sprintf("recall_at_%d", k), fmt.Sprintf("Recall at %d", k), fmt.Sprintf("The share of the relevant rows that stand in the first %d places.", k),
		fmt.Sprintf("relevant rows in places to %d / relevant rows", k), tiesSource,
		func(q ranked) float64 { return q.recallAt(k) })
}

func hitRateAt(k int) Metric {
	return retrieval(fmt.Sprintf("hit_rate_at_%d", k), fmt.Sprintf("Hit rate at %d", k), fmt.Sprintf("The share of queries with a relevant row in the first %d places.", k),
		fmt.Sprintf("[a relevant row stands in places to %d]", k), tiesSource,
		func(q ranked) float64 { return q.hitAt(k) })
}

// retrieval is the weighted mean over queries of a measure of one.
func retrieval(name, label, doc, formula, source string, of func(q ranked) float64, aliases ...string) Metric {
	return Metric{
		Name: name, Aliases: aliases, Label: label, Doc: doc + " Averaged over queries.",
		Formula: "mean over queries of " + formula, Source: source,
		Kinds: []Kind{Ranking}, Needs: Pred | Query, HigherIsBetter: true,
		Compute: func(s *Sample) float64 {
			values := cached(s, "queries "+name, func() []float64 {
				values := []float64{}
				s.eachQuery(func(q ranked) { values = append(values, of(q)) })
				return values
			})
			sum, weight := 0.0, 0.0
			qs := s.queries()
			for i, v := range values {
				w := s.Weight[qs.row[qs.start[i]]]
				sum += w * v
				weight += w
			}
			return sum / weight
		},
		Partial: func(_ *Sample, o StreamOptions) Partial { return &queryPartial{rows: newSorter(3, o), of: of} },
	}
}

// queries are the rows of a ranking, query by query.
type queries struct {
	row   []int32 // in falling score within each query
	start []int32 // of each query, and the end
	of    []int32 // the place of each row's query
}

func (s *Sample) queries() *queries {
	return cached(s, "queries", func() *queries {
		q := &queries{row: make([]int32, s.Rows()), of: make([]int32, s.Rows())}
		for i := range q.row {
			q.row[i] = int32(i)
		}
		slices.SortFunc(q.row, func(a, b int32) int {
			return cmp.Or(cmp.Compare(s.Query[a], s.Query[b]), cmp.Compare(s.Pred[b], s.Pred[a]), cmp.Compare(a, b))
		})
		for i, row := range q.row {
			if i == 0 || s.Query[row] != s.Query[q.row[i-1]] {
				q.start = append(q.start, int32(i))
			}
			q.of[row] = int32(len(q.start) - 1)
		}
		q.start = append(q.start, int32(len(q.row)))
		return q
	})
}

func (s *Sample) checkQueries() error {
	if len(s.Query) != len(s.Target) {
		return fmt.Errorf("found %d values of Query, expected %d, one for each row", len(s.Query), len(s.Target))
	}
	first := map[int]int{}
	for i, t := range s.Target {
		if t < 0 {
			return fmt.Errorf("row %d: the relevance is %v, expected 0 or more", i, t)
		}
		if s.Weight == nil {
			continue
		}
		if j, ok := first[s.Query[i]]; !ok {
			first[s.Query[i]] = i
		} else if len(s.Weight) == len(s.Target) && s.Weight[i] != s.Weight[j] {
			return fmt.Errorf("row %d: the weight is %v, that of row %d of the same query is %v: a query counts as one, give its rows one weight", i, s.Weight[i], j, s.Weight[j])
		}
	}
	return nil
}

// ranked are the relevances of a query's rows in falling score; end says where
// each group of equal scores ends.
type ranked struct {
	relevance []float64
	end       []int
}

func (s *Sample) eachQuery(f func(q ranked)) {
	qs := s.queries()
	var q ranked
	for i := range qs.start[1:] {
		q.relevance, q.end = q.relevance[:0], q.end[:0]
		rows := qs.row[qs.start[i]:qs.start[i+1]]
		for j, row := range rows {
			q.relevance = append(q.relevance, s.Target[row])
			if j+1 == len(rows) || s.Pred[rows[j+1]] != s.Pred[row] {
				q.end = append(q.end, j+1)
			}
		}
		f(q)
	}
}

// groups calls f with the place before a group, its size, its relevant rows and
// those before it, until f says that it has seen enough.
func (q ranked) groups(f func(before, n, relevant, earlier int) bool) {
	start, earlier := 0, 0
	for _, end := range q.end {
		relevant := 0
		for _, r := range q.relevance[start:end] {
			if r > 0 {
				relevant++
			}
		}
		if !f(start, end-start, relevant, earlier) {
			return
		}
		start, earlier = end, earlier+relevant
	}
}

func (q ranked) total() (n float64) {
	for _, r := range q.relevance {
		if r > 0 {
			n++
		}
	}
	return n
}

func (q ranked) ndcg(k int) float64 {
	gain := func(values []float64, from int, mean bool) (sum float64) {
		average := 0.0
		for _, v := range values {
			average += v / float64(len(values))
		}
		for i, v := range values {
			if from+i >= k {
				break
			}
			if mean {
				v = average
			}
			sum += v / math.Log2(float64(from+i+2))
		}
		return sum
	}
	got, start := 0.0, 0
	for _, end := range q.end {
		got += gain(q.relevance[start:end], start, true)
		start = end
	}
	best := slices.Clone(q.relevance)
	slices.SortFunc(best, func(a, b float64) int { return cmp.Compare(b, a) })
	return ratio(got, gain(best, 0, false))
}

// reciprocalRank: among n tied rows, r of them relevant, the first relevant one
// is the i-th with the chance C(n−i, r−1)/C(n, r).
func (q ranked) reciprocalRank() (v float64) {
	q.groups(func(before, n, r, _ int) bool {
		chance := float64(r) / float64(n)
		for i := 1; i <= n-r+1 && r > 0; i++ {
			v += chance / float64(before+i)
			chance *= float64(n-i-r+1) / float64(max(1, n-i))
		}
		return r == 0
	})
	return v
}

func (q ranked) averagePrecision() float64 {
	sum := 0.0
	q.groups(func(before, n, r, earlier int) bool {
		for i := range n {
			others := 0.0 // expected relevant ones among the i before it in the group
			if n > 1 {
				others = float64(i) * float64(r-1) / float64(n-1)
			}
			sum += float64(r) / float64(n) * (float64(earlier+1) + others) / float64(before+i+1)
		}
		return true
	})
	return ratio(sum, q.total())
}

func (q ranked) recallAt(k int) float64 {
	sum := 0.0
	q.groups(func(before, n, r, _ int) bool {
		sum += float64(r) * min(1, float64(max(0, k-before))/float64(n))
		return before+n < k
	})
	return ratio(sum, q.total())
}

// hitAt: of n tied rows, r relevant, the first m hold none with the chance
// C(n−r, m)/C(n, m).
func (q ranked) hitAt(k int) float64 {
	miss := 1.0
	q.groups(func(before, n, r, _ int) bool {
		m := min(n, k-before)
		for i := range m {
			miss *= float64(max(0, n-r-i)) / float64(n-i)
		}
		return before+n < k
	})
	return 1 - miss
}

// queryPartial sorts rows by their query, since halves may part one.
type queryPartial struct {
	rows *sorter
	of   func(q ranked) float64
}

func (p *queryPartial) Add(s *Sample) error {
	for i, w := range s.Weight {
		if w == 0 {
			continue
		}
		if err := p.rows.addKey(uint64(s.Query[i])^1<<63, s.Pred[i], s.Target[i], w); err != nil {
			return err
		}
	}
	return nil
}

func (p *queryPartial) Merge(other Partial) error { return p.rows.merge(other.(*queryPartial).rows) }
func (p *queryPartial) Close() error              { return p.rows.close() }

func (p *queryPartial) Value() (float64, error) {
	var rows [][2]float64 // score, relevance
	var q ranked
	sum, total, weight := 0.0, 0.0, 0.0
	clash := false
	end := func() {
		if len(rows) == 0 {
			return
		}
		slices.SortStableFunc(rows, func(a, b [2]float64) int { return cmp.Compare(b[0], a[0]) })
		q.relevance, q.end = q.relevance[:0], q.end[:0]
		for j, row := range rows {
			q.relevance = append(q.relevance, row[1])
			if j+1 == len(rows) || rows[j+1][0] != row[0] {
				q.end = append(q.end, j+1)
			}
		}
		sum += weight * p.of(q)
		total += weight
		rows = rows[:0]
	}
	var query uint64
	err := p.rows.eachKey(func(key uint64, cols []float64) {
		if key != query {
			end()
			query = key
		}
		clash = clash || len(rows) > 0 && weight != cols[2]
		weight = cols[2]
		rows = append(rows, [2]float64{cols[0], cols[1]})
	})
	end()
	if err == nil && clash {
		err = errors.New("rows of one query have different weights: a query counts as one, give its rows one weight")
	}
	return sum / total, err
}
