package search

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A Scorer scores the rows of a table for a query. It is safe for concurrent
// use.
type Scorer interface {
	// Rows is the number of rows.
	Rows() int
	// Score writes how well each row answers the query, the higher the better, 0
	// where it has nothing in common with it; scores has Rows() places.
	Score(query string, scores []float64) error
}

// A Hit is a row that was found.
type Hit struct {
	Row   int // from 0
	Score float64
}

// Top returns the k rows of the highest scores, falling; of equal ones that which
// stands first. A row of score 0, which has nothing in common with the query, is
// no hit.
func Top(scores []float64, k int) []Hit {
	if k <= 0 {
		return nil
	}
	var hits []Hit // in falling order
	for row, s := range scores {
		if s == 0 || len(hits) == k && s <= hits[k-1].Score {
			continue
		}
		at, _ := slices.BinarySearchFunc(hits, s, func(h Hit, s float64) int {
			if h.Score >= s {
				return -1
			}
			return 1
		})
		if len(hits) == k {
			hits = hits[:k-1]
		}
		hits = slices.Insert(hits, at, Hit{row, s})
	}
	return hits
}

// Search returns the k best rows for a query.
func Search(s Scorer, query string, k int) ([]Hit, error) {
	scores := make([]float64, s.Rows())
	if err := s.Score(query, scores); err != nil {
		return nil, err
	}
	return Top(scores, k), nil
}

// Fused scores rows by the mean of several scorers of the same rows, after each
// was brought to 0 for its lowest and 1 for its highest score. That convex
// combination finds more than reciprocal ranks do, with no constant to choose
// (Bruch, Gai and Ingber 2023, An analysis of fusion functions for hybrid
// retrieval, section 4; Lee 1997, Analyses of multiple evidence combination).
type Fused []Scorer

// Rows implements Scorer.
func (f Fused) Rows() int { return f[0].Rows() }

// Score implements Scorer.
func (f Fused) Score(query string, scores []float64) error {
	clear(scores)
	one := make([]float64, len(scores))
	for _, s := range f {
		if err := s.Score(query, one); err != nil {
			return err
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range one {
			low, high = min(low, v), max(high, v)
		}
		if low == high {
			continue // it cannot tell the rows apart
		}
		for i, v := range one {
			scores[i] += (v - low) / (high - low) / float64(len(f))
		}
	}
	return nil
}

// fold writes a text in the compatible form of Unicode (NFKC) and in lower case,
// so that full-width letters and capitals are no difference.
func fold(text string) string { return strings.Map(unicode.ToLower, norm.NFKC.String(text)) }

// postings is an inverted index: for every term the rows that contain it.
type postings struct {
	rows  int
	terms map[string]int32
	lists [][]posting // ascending by row
}

// posting is a row that contains a term, and first how often, then with what
// weight.
type posting struct {
	row    int32
	weight float32
}

// terms hands out the terms of a text one by one, each for the call alone.
type terms func(text string, term func([]byte)) error

// newPostings counts the terms of each text.
func newPostings(texts []string, of terms) (*postings, error) {
	p := &postings{rows: len(texts), terms: map[string]int32{}}
	for row, t := range texts {
		err := of(t, func(term []byte) {
			id, ok := p.terms[string(term)]
			if !ok {
				id = int32(len(p.lists))
				p.terms[string(term)] = id
				p.lists = append(p.lists, nil)
			}
			list := p.lists[id]
			if n := len(list); n > 0 && list[n-1].row == int32(row) {
				list[n-1].weight++
				return
			}
			p.lists[id] = append(list, posting{int32(row), 1})
		})
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row+1, err)
		}
	}
	return p, nil
}

// Rows implements Scorer.
func (p *postings) Rows() int { return p.rows }

// A count is how often a query has a known term.
type count struct {
	term int32
	n    float64
}

// count counts the query's known terms, in a fixed order, so that scores are sums
// in a fixed order.
func (p *postings) count(query string, of terms) ([]count, error) {
	var found []int32
	err := of(query, func(term []byte) {
		if id, ok := p.terms[string(term)]; ok {
			found = append(found, id)
		}
	})
	slices.Sort(found)
	var counts []count
	for _, id := range found {
		if n := len(counts); n > 0 && counts[n-1].term == id {
			counts[n-1].n++
		} else {
			counts = append(counts, count{id, 1})
		}
	}
	return counts, err
}

// add adds a term's weights, times w, to the scores of its rows.
func (p *postings) add(scores []float64, term int32, w float64) {
	for _, q := range p.lists[term] {
		scores[q.row] += float64(w * float64(q.weight)) // converted, so that it is never fused
	}
}
