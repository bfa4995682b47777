package search

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The time of a query among 100,000 rows.

func BenchmarkVectors(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	embed := func(texts []string) ([][]float32, error) {
		out := make([][]float32, len(texts))
		for i := range out {
			out[i] = make([]float32, 384)
			for k := range out[i] {
				out[i][k] = float32(r.NormFloat64())
			}
		}
		return out, nil
	}
	v, err := NewVectors(make([]string, 100_000), embed, embed)
	if err != nil {
		b.Fatal(err)
	}
	query(b, v)
}

func BenchmarkWords(b *testing.B) { query(b, bm25(b, titles()...)) }

func BenchmarkNGrams(b *testing.B) { query(b, ngrams(b, titles()...)) }

// titles are of eight words, the commoner the shorter their number.
func titles() []string {
	r := rand.New(rand.NewPCG(3, 4))
	texts := make([]string, 100_000)
	for i := range texts {
		words := make([]string, 8)
		for k := range words {
			words[k] = fmt.Sprintf("w%dx", int(r.ExpFloat64()*2000))
		}
		texts[i] = strings.Join(words, " ")
	}
	return texts
}

func query(b *testing.B, s Scorer) {
	scores := make([]float64, s.Rows())
	for b.Loop() {
		if err := s.Score("w12x w345x w6789x w1000x w2000x", scores); err != nil {
			b.Fatal(err)
		}
		Top(scores, 10)
	}
}
