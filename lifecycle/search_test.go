package lifecycle

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/hone-ml/hone/data"
)

// TestSearchFindsRephrasedQuestions: by default, with nothing trained, rephrased
// questions find their threads at least as early as docs/results.md says.
func TestSearchFindsRephrasedQuestions(t *testing.T) {
	o := SearchOptions{File: filepath.Join(realData(t), "stackfaq", "stackfaq.jsonl"), Text: []string{"question", "answers"}, Asked: "rephrasings"}
	for method, least := range map[string]float64{"fused": 0.86, "ngrams": 0.84, "bm25": 0.8} {
		o.Method = method
		f, err := NewFinder(o)
		if err != nil {
			t.Fatal(err)
		}
		e, err := f.Evaluate(Queries{Column: "rephrasings"}, data.Options{}, []string{"mrr"}, 0, 0.95, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Metrics["mrr"].Value; got < least || e.Queries != 1249 {
			t.Errorf("%s: the MRR of %d queries is %.4f, expected %v of 1249", method, e.Queries, got, least)
		}
	}
}

// TestSearchByPretrainedEncoder: so do vectors of all-MiniLM-L6-v2, whose folder is
// too large to be here and is named by HONE_MINILM.
func TestSearchByPretrainedEncoder(t *testing.T) {
	folder := os.Getenv("HONE_MINILM")
	if folder == "" {
		t.Skip("set HONE_MINILM to the folder of all-MiniLM-L6-v2")
	}
	e, err := LoadEncoder(context.Background(), folder, Prefixes{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFinder(SearchOptions{
		File: filepath.Join(realData(t), "stackfaq", "stackfaq.jsonl"), Text: []string{"question", "answers"}, Asked: "rephrasings", Method: "vectors", Model: e,
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Evaluate(Queries{Column: "rephrasings"}, data.Options{}, []string{"mrr"}, 0, 0.95, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Metrics["mrr"].Value; got < 0.957 || v.Queries != 1249 {
		t.Errorf("the MRR of %d queries is %.4f, expected 0.957 of 1249", v.Queries, got)
	}
}
