package embed

import (
	"slices"
	"strings"
	"testing"
)

// TestNeighbours: a text has the same vector alone and beside texts of any length.
func TestNeighbours(t *testing.T) {
	for _, dir := range []string{"bert", "sentence", "roberta", "distilbert", "electra", "xlm-roberta"} {
		e, err := Load("testdata/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for n := range 40 {
			texts = append(texts, strings.Repeat("card ", n)+"the loan", strings.Repeat("x my ", n/3))
		}
		all, err := e.Embed(texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			one, err := e.Embed([]string{text})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one[0], all[i]) {
				t.Errorf("%s: text %d is %v alone and %v among others", dir, i, one[0][:3], all[i][:3])
			}
		}
	}
}
