package feature

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
)

func textColumn(values ...string) *data.Column { return coded(data.Text, values...) }

// ngrams fits a bag of n-grams that keeps everything.
func ngrams(t testing.TB, change func(*NGramOptions), texts ...string) *NGrams {
	t.Helper()
	o := withDefaults(t, func(o *NGramOptions) { o.MinCount = 1 })
	if change != nil {
		change(o)
	}
	f, err := o.Fit(texts)
	if err != nil {
		t.Fatal(err)
	}
	return f.(*NGrams)
}

// places returns the n-grams of a text, −1 left out, and their weights.
func places(t testing.TB, f *NGrams, text string) ([]int32, []float32) {
	t.Helper()
	s, err := f.Sequences([]string{text})
	if err != nil {
		t.Fatal(err)
	}
	specs := f.Specs()
	out := []*tensor.Tensor{specs[0].New(1), specs[1].New(1)}
	s.Fill(0, 0, out[0], 0)
	s.Fill(1, 0, out[1], 0)
	idx, w := out[0].Ints(), out[1].Floats()
	n := slices.Index(idx, -1)
	if n < 0 {
		n = len(idx)
	}
	for i := n; i < len(idx); i++ {
		if idx[i] != -1 || w[i] != 0 {
			t.Fatalf("%q: place %d after the last is %d with weight %v", text, i, idx[i], w[i])
		}
	}
	return idx[:n], w[:n]
}

// TestNGramCounts: how many different n-grams texts have, counted by hand.
func TestNGramCounts(t *testing.T) {
	words := func(n int) func(*NGramOptions) {
		return func(o *NGramOptions) { o.Words, o.Characters = n, nil }
	}
	characters := func(lo, hi int) func(*NGramOptions) {
		return func(o *NGramOptions) { o.Words, o.Characters = 0, []int{lo, hi} }
	}
	for _, c := range []struct {
		name   string
		change func(*NGramOptions)
		text   string
		want   int
	}{
		{"words", words(1), "the cat saw the dog", 4},
		{"words and pairs", words(2), "the cat saw the dog", 4 + 4},
		{"case and width", words(1), "Card ＣＡＲＤ card", 1},
		{"compatible forms", words(1), "ﬁne fine", 1},
		{"punctuation", words(1), "why?why", 2},
		{"marks belong to words", words(1), "nai\u0308ve naïve", 1},
		{"runs with ends", characters(2, 3), "abc", 4 + 3}, // _a ab bc c_ _ab abc bc_
		{"a short word", characters(5, 5), "a b", 2},
		{"runs stop at words", characters(2, 2), "ab cd", 6},
		{"Chinese", words(1), "股票大涨", 4 + 3},
		{"Chinese pairs and threes", words(2), "股票大涨", 4 + 3 + 2},
		{"mixed scripts", words(2), "买iPhone吧", 3 + 2},
		{"control and zero width", words(1), "a\u200bb\x00c", 3},
	} {
		f := ngrams(t, c.change, c.text)
		if n := len(f.Hashes) / 8; n != c.want {
			t.Errorf("%s: %q has %d n-grams, expected %d", c.name, c.text, n, c.want)
		}
	}
}

// TestNGramWeights: the values are those of scikit-learn 1.9.1, of
// TfidfVectorizer(sublinear_tf=True, token_pattern=r"\b\w+\b") fitted on the same
// three texts.
func TestNGramWeights(t *testing.T) {
	f := ngrams(t, func(o *NGramOptions) { o.Words, o.Characters = 1, nil }, "card card lost", "card stolen", "pin")
	_, w := places(t, f, "card card lost unseen")
	near(t, "weights of lost and card", slices.Sorted(slices.Values(w)), []float64{0.61335554, 0.78980693}, 1e-6)
}

// TestTextKeepsToItself: a text's n-grams depend on no other text, nor on the
// number of them.
func TestTextKeepsToItself(t *testing.T) {
	var many []string
	for i := range 1000 {
		many = append(many, strings.Repeat("the card was lost at sea ", i%7)+strings.Repeat("x", i%11))
	}
	f := fitInput(t, withDefaults[TextOptions](t, nil), textColumn(many...))
	all := transform(t, f, textColumn(many...))
	for _, i := range []int{0, 1, 255, 256, 999} {
		one := transform(t, f, textColumn(many[i]))
		n := all[0].RowLen()
		if !slices.Equal(all[0].Ints()[i*n:(i+1)*n], one[0].Ints()) || !slices.Equal(all[1].Floats()[i*n:(i+1)*n], one[1].Floats()) {
			t.Errorf("text %d has other n-grams by itself", i)
		}
	}
	again := fitInput(t, withDefaults[TextOptions](t, nil), textColumn(many...))
	if a, b := f.(*Text).FittedText.(*NGrams), again.(*Text).FittedText.(*NGrams); !slices.Equal(a.Hashes, b.Hashes) || !slices.Equal(a.Counts, b.Counts) {
		t.Error("fitting twice gives two vocabularies")
	}
}

// TestTextOdd: what is no proper text is read all the same.
func TestTextOdd(t *testing.T) {
	f := ngrams(t, func(o *NGramOptions) { o.MaxLength = 50 }, "a card", "another card")
	for _, s := range []string{"", " \t\n", "\xff\xfe", strings.Repeat("never seen ", 1000), strings.Repeat("card ", 200_000), strings.Repeat("z", 1_000_000), "👩‍👩‍👧‍👦 card"} {
		idx, w := places(t, f, s)
		sum := 0.0
		for _, v := range w {
			sum += float64(v) * float64(v)
		}
		if len(idx) > 0 && math.Abs(sum-1) > 1e-5 {
			t.Errorf("%.20q: the weights have length %v, expected 1", s, math.Sqrt(sum))
		}
	}
	if _, w := places(t, f, "nothing known"); len(w) > 0 && slices.Contains(w, float32(math.NaN())) {
		t.Error("a text of unknown words has no weights")
	}
	for _, texts := range [][]string{{}, {"", ""}, {" "}} {
		if _, err := withDefaults[NGramOptions](t, nil).Fit(texts); err == nil || !strings.Contains(err.Error(), "no text") {
			t.Errorf("fitting %q: %v", texts, err)
		}
	}
}

// TestNGramLimits: what is rare is left out, and never everything.
func TestNGramLimits(t *testing.T) {
	word := func(o *NGramOptions) { o.Words, o.Characters = 1, nil }
	if f := ngrams(t, func(o *NGramOptions) { word(o); o.MinCount = 2 }, "a b", "a c", "d"); len(f.Hashes) != 8 {
		t.Errorf("%d words stand in two texts, expected 1", len(f.Hashes)/8)
	}
	if f := ngrams(t, func(o *NGramOptions) { word(o); o.MinCount = 2 }, "a", "b"); len(f.Hashes) != 16 {
		t.Errorf("%d words where all are rare, expected 2", len(f.Hashes)/8)
	}
	f := ngrams(t, func(o *NGramOptions) { word(o); o.MaxFeatures = 1 }, "a b", "b c")
	if len(f.Hashes) != 8 {
		t.Fatalf("%d words are kept, expected 1", len(f.Hashes)/8)
	}
	if idx, _ := places(t, f, "b"); len(idx) != 1 {
		t.Error("the word of two texts is not the one that is kept")
	}
}

func FuzzNGrams(f *testing.F) {
	for _, s := range []string{"", "a card", "股票大涨", "\xff", "e\u0301 👩‍👧"} {
		f.Add(s)
	}
	fitted := ngrams(f, nil, "a card", "股票", "é")
	f.Fuzz(func(t *testing.T, s string) {
		idx, w := places(t, fitted, s)
		if !slices.IsSorted(idx) {
			t.Errorf("places %v do not ascend", idx)
		}
		for _, v := range w {
			if !(v > 0 && v <= 1.00001) {
				t.Errorf("weight %v", v)
			}
		}
	})
}
