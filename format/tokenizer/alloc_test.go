package tokenizer

import (
	"slices"
	"testing"
)

// TestAllocations: what was seen before costs nothing per token, but for
// pieces of the same place in the cache; Encode allocates what it returns.
func TestAllocations(t *testing.T) {
	tokenizers, corpus := fixture(t)
	text := corpus[slices.IndexFunc(corpus, func(s string) bool { return len(s) > 300 })]
	for _, f := range tokenizers {
		if !slices.Contains([]string{"bert", "gpt2", "roberta", "llama3", "llama2", "suffix", "xlmr", "albert", "words"}, f.Name) {
			continue
		}
		k, err := Parse(f.Tokenizer)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int32
		if n := testing.AllocsPerRun(50, func() {
			if ids, err = k.AppendIDs(ids[:0], text); err != nil {
				t.Fatal(err)
			}
		}); n > float64(len(ids))/4 {
			t.Errorf("%s: AppendIDs allocates %v times for %d tokens, expected hardly ever", f.Name, n, len(ids))
		}
		if n := testing.AllocsPerRun(50, func() {
			if _, err := k.Encode(text); err != nil {
				t.Fatal(err)
			}
		}); n > 5+float64(len(ids))/4 {
			t.Errorf("%s: Encode allocates %v times for %d tokens, expected for its slices alone", f.Name, n, len(ids))
		}
	}
}
