package search

import (
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

var docs = []string{"Where is my parcel?", "How do I return a parcel that came damaged", "Opening hours of the shop",
	"The parcel shop is closed; where do I go?", "a I"}

func scores(t testing.TB, s Scorer, query string) []float64 {
	t.Helper()
	out := make([]float64, s.Rows())
	for i := range out {
		out[i] = 99 // a Scorer writes every place
	}
	if err := s.Score(query, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func bm25(t testing.TB, texts ...string) *BM25 {
	t.Helper()
	s, err := NewBM25(texts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ngrams(t testing.TB, texts ...string) *NGrams {
	t.Helper()
	s, err := NewNGrams(texts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReference: the values are those of testdata/reference.py.
func TestReference(t *testing.T) {
	for _, c := range []struct {
		query        string
		ngrams, bm25 []float64
	}{
		{"where is the parcel shop", []float64{0.6044968, 0.2182727, 0.3177232, 0.7093029, 0.0282118}, []float64{2.6229405, 0.4397439, 1.8556447, 3.2967724, 0}},
		{"Retour parcels parcels", []float64{0.4343077, 0.3472243, 0.0749791, 0.2910649, 0}, []float64{0, 0, 0, 0, 0}},
		{"i parcel parcel", []float64{0.4128200, 0.3425949, 0, 0.3859608, 0.1209675}, []float64{1.2347568, 1.3192318, 0, 1.3192318, 0.7363592}},
	} {
		for _, of := range []struct {
			name string
			s    Scorer
			want []float64
		}{{"ngrams", ngrams(t, docs...), c.ngrams}, {"bm25", bm25(t, docs...), c.bm25}} {
			for i, v := range scores(t, of.s, c.query) {
				if math.Abs(v-of.want[i]) > 2e-7 {
					t.Errorf("%s: %q, row %d scores %.7f, expected %.7f", of.name, c.query, i, v, of.want[i])
				}
			}
		}
	}
}

func TestOtherScripts(t *testing.T) {
	texts := []string{"我的包裹在哪里？", "怎么退货", "ＰＡＲＣＥＬ lost", "荷物はどこですか", "Wo ist mein Päckchen?"}
	for _, s := range []Scorer{bm25(t, texts...), ngrams(t, texts...)} {
		for query, want := range map[string]int{"包裹到哪了": 0, "退货流程": 1, "parcel": 2, "荷物": 3, "PA\u0308CKCHEN": 4} {
			hits, err := Search(s, query, 1)
			if err != nil || len(hits) != 1 || hits[0].Row != want {
				t.Errorf("%T: %q finds %v, %v, expected row %d", s, query, hits, err, want)
			}
		}
	}
	// 哪 stands alone in the query: characters are terms as well as bigrams.
	if hits, err := Search(bm25(t, texts...), "哪?", 1); err != nil || len(hits) != 1 || hits[0].Row != 0 {
		t.Errorf("a single character finds %v, %v", hits, err)
	}
}

func TestTop(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		k      int
		want   []Hit
	}{
		{[]float64{1, 3, 0, 3, 2}, 3, []Hit{{1, 3}, {3, 3}, {4, 2}}},
		{[]float64{1, 3, 0, 3, 2}, 1, []Hit{{1, 3}}},
		{[]float64{1, 3, 0, 3, 2}, 9, []Hit{{1, 3}, {3, 3}, {4, 2}, {0, 1}}},
		{[]float64{0, -1, 0, -2}, 9, []Hit{{1, -1}, {3, -2}}},
		{[]float64{2, 2, 2, 2}, 2, []Hit{{0, 2}, {1, 2}}},
		{[]float64{1}, 0, nil},
		{nil, 3, nil},
	} {
		if got := Top(c.scores, c.k); !reflect.DeepEqual(got, c.want) {
			t.Errorf("the best %d of %v are %v, expected %v", c.k, c.scores, got, c.want)
		}
	}
}

// fixed scores rows the same whatever is asked.
type fixed []float64

func (f fixed) Rows() int                              { return len(f) }
func (f fixed) Score(_ string, scores []float64) error { copy(scores, f); return nil }

func TestFused(t *testing.T) {
	got := scores(t, Fused{fixed{-1, 0, 3}, fixed{5, 5, 5}, fixed{30, 10, 20}}, "")
	for i, want := range []float64{1. / 3, 1. / 12, (1 + 0.5) / 3} {
		if math.Abs(got[i]-want) > 1e-15 {
			t.Errorf("fused scores are %v, expected %v in place %d", got, want, i)
		}
	}
}

// letters embeds a text by how often it has each letter.
func letters(texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		if strings.Contains(t, "!") {
			return nil, errors.New("the encoder knows no such character")
		}
		v := make([]float32, 26)
		for _, r := range strings.ToLower(t) {
			if r >= 'a' && r <= 'z' {
				v[r-'a']++
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func TestVectors(t *testing.T) {
	var texts []string
	for i := range 50000 { // enough for several workers
		texts = append(texts, strings.Repeat("a", i%7)+strings.Repeat("b", i%11)+strings.Repeat("z", i%3))
	}
	v, err := NewVectors(texts, letters, letters)
	if err != nil {
		t.Fatal(err)
	}
	got := scores(t, v, "aab")
	if got[0] != 0 {
		t.Errorf("a text without a vector scores %v, expected 0", got[0])
	}
	i := 7*11*3 - 1 // 6 a, 10 b, 2 z
	if want := (2*6 + 10) / math.Sqrt(5*(36+100+4)); math.Abs(got[i]-want) > 1e-6 {
		t.Errorf("row %d scores %v, expected the cosine %v", i, got[i], want)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if one := scores(t, v, "aab"); !reflect.DeepEqual(one, got) {
		t.Error("another number of workers gives other scores")
	}
	if err := v.Score("no!", got); err == nil {
		t.Error("an encoder's error is not returned")
	}
	if _, err := NewVectors([]string{"a", "no!"}, letters, letters); err == nil {
		t.Error("an encoder's error is not returned")
	}
}

func TestVectorsThatFail(t *testing.T) {
	for name, vectors := range map[string][][]float32{
		"too few": {{1, 2}}, "of two widths": {{1, 2}, {1}}, "not finite": {{1, 2}, {float32(math.NaN()), 1}},
	} {
		if _, err := NewVectors([]string{"a", "b"}, func([]string) ([][]float32, error) { return vectors, nil }, letters); err == nil {
			t.Errorf("vectors that are %s are taken", name)
		}
	}
}

func TestNothing(t *testing.T) {
	for _, texts := range [][]string{nil, {""}, {"", "?!"}} {
		for _, s := range []Scorer{bm25(t, texts...), ngrams(t, texts...), Fused{bm25(t, texts...), ngrams(t, texts...)}} {
			for _, query := range []string{"", "  ", "parcel", "\xff\xfe"} {
				if hits, err := Search(s, query, 5); err != nil || len(hits) > 0 {
					t.Errorf("%T of %q: %q finds %v, %v, expected nothing", s, texts, query, hits, err)
				}
			}
		}
	}
	if _, err := NewBM25([]string{"a", strings.Repeat("a", 1<<26+1)}); err == nil || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("a text of more than 64 MiB: %v", err)
	}
}
