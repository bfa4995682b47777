package feature

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestGramsStandWhereTheyAre holds the n-grams of a text against those that
// Transform counts, and each against the text that it spans.
func TestGramsStandWhereTheyAre(t *testing.T) {
	texts := []string{"The cat sat on the mat.", "", "a", "Größe ﬁne ①② Ｆｕｌｌ e\u0301te\u0301", "我喜欢猫, cats too!", "x\xffy", "  spaced\tout  ", "ab", strings.Repeat("the cat ", 20)}
	for _, o := range []NGramOptions{{Words: 2, Characters: []int{2, 5}}, {Words: 3}, {Characters: []int{4, 4}}} {
		o.MinCount, o.MaxFeatures, o.MaxLength, o.Dimension = 1, 100000, 4096, 2
		fitted, err := o.Fit(texts)
		if err != nil {
			t.Fatal(err)
		}
		f := fitted.(*NGrams)
		rows, err := f.Sequences(texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			var want, got []int32
			want = append(want, rows.Values[0].Ints()[rows.Offsets[i]:rows.Offsets[i+1]]...)
			seen := map[int32]string{}
			for _, g := range f.Grams(text) {
				got = append(got, g.Place)
				if g.Start < 0 || g.Start >= g.End || g.End > len(text) {
					t.Fatalf("%q: a gram reaches from %d to %d", text, g.Start, g.End)
				}
				if !norm.NFKC.IsNormalString(text) {
					continue // it reaches over whole characters
				}
				// A gram is the same text everywhere, but for the spaces between words and
				// those that end it.
				said := strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(text[g.Start:g.End]))), " ")
				if old, ok := seen[g.Place]; ok && old != said {
					t.Errorf("%q: one gram is %q and %q", text, old, said)
				}
				seen[g.Place] = said
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("%q: %d grams, Transform has %d", text, len(got), len(want))
			}
		}
	}
}

// TestTypical: what stands for a column is a value that it can have.
func TestTypical(t *testing.T) {
	for _, c := range []struct {
		in   Input
		want any
	}{
		{fitInput(t, withDefaults[NumberOptions](t, nil), numbers(1, 3, 8)), 3.0},
		{&Number{Mean: 4}, 4.0},
		{fitInput(t, withDefaults(t, func(o *CategoryOptions) { o.MinCount = 1 }), categories("b", "a", "b")), "b"},
		{fitInput(t, withDefaults[DatetimeOptions](t, nil), dates(86400, 3*86400)), 2 * 86400.0},
		{&Boolean{}, nil}, {&Category{}, nil}, {&Image{}, nil},
	} {
		if got := Typical(c.in); got != c.want {
			t.Errorf("%s: typical is %v, want %v", c.in.Type(), got, c.want)
		}
	}
}
