package model

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// TestAtTheSameTime: predictions, vectors and texts of all lengths, asked for at the
// same time by several, as a server is, are those asked for one by one.
func TestAtTheSameTime(t *testing.T) {
	rows := articles(t, 48, 1)
	for _, encoder := range []string{"ngrams", "gru", "transformer", "pretrained none", "pretrained lora"} {
		m := reader(t, rows, encoder, &Linear{})
		m.Network = &MLP{Activation: "relu"}
		learnTexts(t, m, rows, 1)
		e, err := m.Embedder()
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		want, err := m.Predict(ctx, rows)
		if err != nil {
			t.Fatal(err)
		}
		vectors, err := e.Embed(ctx, rows)
		if err != nil {
			t.Fatal(err)
		}
		m.exes = nil // programs are compiled by those who come first
		if e, err = m.Embedder(); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				for k := range rows.Rows {
					i := (k*5 + g*7) % rows.Rows
					got, err := m.Predict(ctx, rows.Slice(i, i+1))
					if err != nil || got.Prob[0] != want.Prob[i] {
						t.Errorf("%s: row %d is %v, expected %v: %v", encoder, i, got, want.Prob[i], err)
						return
					}
					v, err := e.Embed(ctx, rows.Slice(i, i+1))
					if err != nil || !slices.Equal(v[0], vectors[i]) {
						t.Errorf("%s: the vector of row %d differs: %v", encoder, i, err)
						return
					}
				}
			})
		}
		all.Wait()
	}
}
