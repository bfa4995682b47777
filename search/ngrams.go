package search

import (
	"math"
	"strings"
	"unicode/utf8"
)

// shortest and longest are the lengths of the runs of characters.
const shortest, longest = 2, 5

// NGrams scores rows by the cosine of TF-IDF vectors of runs of 2 to 5 characters
// of their words, a space at both ends of each: it finds inflected, compound and
// misspelled words without knowing a language. Weights are (1+ln tf)·(1+ln((1+n)/
// (1+df))), as scikit-learn's TfidfVectorizer(analyzer="char_wb",
// ngram_range=(2, 5), sublinear_tf=True) has them (Salton and Buckley 1988,
// Term-weighting approaches in automatic text retrieval).
type NGrams struct {
	*postings
	idf []float64
}

// NewNGrams makes the index of texts, one for each row.
func NewNGrams(texts []string) (*NGrams, error) {
	p, err := newPostings(texts, runs)
	if err != nil {
		return nil, err
	}
	g := &NGrams{p, make([]float64, len(p.lists))}
	squares := make([]float64, p.rows)
	for t, list := range p.lists {
		g.idf[t] = 1 + math.Log(float64(1+p.rows)/float64(1+len(list)))
		for _, q := range list {
			w := tfidf(float64(q.weight), g.idf[t])
			squares[q.row] += w * w
		}
	}
	for t, list := range p.lists {
		for i, q := range list {
			list[i].weight = float32(tfidf(float64(q.weight), g.idf[t]) / math.Sqrt(squares[q.row]))
		}
	}
	return g, nil
}

func tfidf(tf, idf float64) float64 { return (1 + math.Log(tf)) * idf }

// Score implements Scorer: the cosine, from 0 to 1.
func (g *NGrams) Score(query string, scores []float64) error {
	clear(scores)
	counts, err := g.count(query, runs)
	squares := 0.0
	for _, c := range counts {
		w := tfidf(c.n, g.idf[c.term])
		squares += w * w
	}
	for _, c := range counts {
		g.add(scores, c.term, tfidf(c.n, g.idf[c.term])/math.Sqrt(squares))
	}
	return err
}

// runs hands out the runs of characters of each word between white space, a word
// that is shorter than a run as one.
func runs(t string, run func([]byte)) error {
	var word []byte
	var starts []int // of the characters, and the end
	for field := range strings.FieldsSeq(fold(t)) {
		word = append(append(append(word[:0], ' '), field...), ' ')
		starts = starts[:0]
		for i := 0; i < len(word); {
			starts = append(starts, i)
			_, n := utf8.DecodeRune(word[i:])
			i += n
		}
		starts = append(starts, len(word))
		characters := len(starts) - 1
		for n := shortest; n <= longest; n++ {
			for i := 0; i == 0 || i+n <= characters; i++ {
				run(word[starts[i]:starts[min(i+n, characters)]])
			}
			if characters <= n {
				break
			}
		}
	}
	return nil
}
