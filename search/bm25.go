package search

import (
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/hone-ml/hone/text"
)

// Parameters of BM25, those that Lucene and most others take.
const (
	saturation = 1.2  // k₁: how soon a term's repeats stop counting
	lengthNorm = 0.75 // b: how much a long text's repeats count less
)

// BM25 scores rows by the words that they share with the query: Σ over the
// query's words of idf·tf·(k₁+1)/(tf + k₁·(1−b+b·length/mean length)), with
// k₁ = 1.2, b = 0.75 and idf = ln(1 + (n−df+½)/(df+½)), which is never negative
// (Robertson and Zaragoza 2009, The probabilistic relevance framework: BM25 and
// beyond, equation 3.15; the idf is Lucene's). Words are those of text.Words,
// without punctuation, in lower case; of a run of Chinese or Japanese its
// characters and its bigrams. They are not stemmed.
type BM25 struct{ *postings }

// NewBM25 makes the index of texts, one for each row.
func NewBM25(texts []string) (*BM25, error) {
	p, err := newPostings(texts, words)
	if err != nil {
		return nil, err
	}
	lengths, total := make([]float64, p.rows), 0.0
	for _, list := range p.lists {
		for _, q := range list {
			lengths[q.row] += float64(q.weight)
			total += float64(q.weight)
		}
	}
	n := float64(p.rows)
	for _, list := range p.lists {
		idf := math.Log(1 + (n-float64(len(list))+0.5)/(float64(len(list))+0.5))
		for i, q := range list {
			tf := float64(q.weight)
			list[i].weight = float32(idf * tf * (saturation + 1) / (tf + saturation*(1-lengthNorm+lengthNorm*lengths[q.row]*n/total)))
		}
	}
	return &BM25{p}, nil
}

// Score implements Scorer.
func (b *BM25) Score(query string, scores []float64) error {
	clear(scores)
	counts, err := b.count(query, words)
	for _, c := range counts {
		b.add(scores, c.term, c.n)
	}
	return err
}

var cutter = text.Words{CJK: "both"}

// words hands out the words of a text, in lower case.
func words(t string, word func([]byte)) error {
	return cutter.Cut(fold(t), func(piece []byte) {
		// A run of punctuation begins with none of these, and so it goes on.
		if r, _ := utf8.DecodeRune(piece); unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '_' {
			word(piece)
		}
	})
}
