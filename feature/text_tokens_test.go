package feature

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/text"
)

// newsColumn is of texts that every encoder can be fitted on.
func newsColumn() *data.Column {
	var all []string
	for i := range 60 {
		all = append(all, fmt.Sprintf("The card of row %d was LOST at sea, 股票大涨 %d", i%7, i%3))
	}
	return textColumn(all...)
}

// readers returns a small fitted text input of each encoder.
func readers(t testing.TB, change func(*TextOptions)) map[string]Input {
	t.Helper()
	all := map[string]Input{}
	for name := range (TextEncoder{}).Variants() {
		o := withDefaults(t, func(o *TextOptions) { o.Encoder.Type = name })
		o.Encoder.Options = TextEncoder{}.Variants()[name]
		defaults(t, o.Encoder.Options)
		switch e := o.Encoder.Options.(type) {
		case *TextCNNOptions:
			e.Filters, e.Dimension, e.MaxLength = 8, 8, 32
		case *TextTransformerOptions:
			e.Dimension, e.MaxLength = 8, 32
		case *TextGRUOptions:
			e.Dimension, e.Units, e.MaxLength = 8, 8, 32
		case *TextLSTMOptions:
			e.Dimension, e.Units, e.MaxLength = 8, 8, 32
		case *NGramOptions:
			e.Dimension, e.MaxLength = 8, 32
		case *PretrainedOptions:
			e.From, e.Tune, e.MaxLength = tinyEncoder, "all", 8
		}
		if change != nil {
			change(o)
		}
		all[name] = fitInput(t, o, newsColumn())
	}
	return all
}

// TestOddTexts: what is no proper text is read all the same, by every encoder, in
// bounded memory, and to finite numbers.
func TestOddTexts(t *testing.T) {
	odd := []string{"", " \t\n", "\xff\xfe", "caf\xe9 card", "never seen", strings.Repeat("card ", 200_000), strings.Repeat("z", 1_000_000),
		strings.Repeat("股", 300_000), strings.Repeat("e\u0301", 100_000), "👩‍👩‍👧‍👦 card", "\x00", "12.5"}
	for name, f := range readers(t, nil) {
		s, err := f.(Sequence).Sequences(textColumn(odd...))
		if err != nil {
			t.Fatal(err)
		}
		for i := range odd {
			if n := s.Offsets[i+1] - s.Offsets[i]; n > 32 {
				t.Errorf("%s: %.20q has %d tokens, expected at most 32", name, odd[i], n)
			}
		}
		y, _ := encode(t, f, textColumn(odd...), false)
		for i, v := range y.Floats() {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("%s: number %d is %v", name, i, v)
			}
		}
		for _, texts := range [][]string{{}, {"", ""}} {
			o := TextEncoder{}.Variants()[name]
			defaults(t, o)
			if _, err := o.Fit(texts); err == nil || !strings.Contains(err.Error(), "no text") {
				t.Errorf("%s: fitting %q: %v", name, texts, err)
			}
		}
	}
}

// TestFilledUp: how far a text is filled up changes no bit of what an encoder makes
// of it.
func TestFilledUp(t *testing.T) {
	c := textColumn("the card", "was lost at sea", "", "股票 card row 3 of the sea")
	for name, f := range readers(t, nil) {
		long, state := encode(t, f, c, false)
		for _, length := range []int{8, 16, 24} {
			if short := encodeAt(t, f, c, length, state); !slices.Equal(short.Floats(), long.Floats()) {
				t.Errorf("%s: texts filled up to %d and to 32 differ", name, length)
			}
		}
	}
}

func TestCut(t *testing.T) {
	ids := []int32{1, 2, 3, 4, 5, 6, 7}
	for cut, want := range map[string][]int32{"end": {1, 2, 3, 4, 5}, "start": {3, 4, 5, 6, 7}, "middle": {1, 2, 3, 6, 7}} {
		if got := (&tokens{Length: 5, Cut: cut}).cut(slices.Clone(ids)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, expected %v", cut, got, want)
		}
		if got := (&tokens{Length: 7, Cut: cut}).cut(ids); !slices.Equal(got, ids) {
			t.Errorf("%s: a text of the most tokens becomes %v", cut, got)
		}
	}
}

// TestTextWarnings: what is cut, and texts that are numbers, are told.
func TestTextWarnings(t *testing.T) {
	o := withDefaults(t, func(o *TextOptions) { o.Encoder.Type = "cnn" })
	e := withDefaults(t, func(o *TextCNNOptions) { o.MaxLength = 3 })
	o.Encoder.Options = e
	f := fitInput(t, o, textColumn("one two three", "one two three four", "2"))
	if w := f.(*Text).Warnings(); len(w) != 1 || !strings.Contains(w[0], "c: 1 of 3 training texts have more than 3 tokens, of which the first are read") {
		t.Errorf("%q", w)
	}
	f = fitInput(t, o, textColumn("1", "2.5", "-3e4", "x"))
	if w := f.(*Text).Warnings(); len(w) != 1 || !strings.Contains(w[0], "3 of 4 texts of c are numbers") {
		t.Errorf("%q", w)
	}
}

// TestTokenizerFrom: a tokenizer is read from a file, and one that is not there is an
// error that says so.
func TestTokenizerFrom(t *testing.T) {
	made, err := text.TrainWordPiece([]string{"low lower lowest", "new newer newest"}, text.TrainOptions{Size: 60, Around: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := tokenizer.WriteFile(path, made); err != nil {
		t.Fatal(err)
	}
	o := withDefaults(t, func(o *TextOptions) { o.Encoder.Type = "cnn" })
	e := withDefaults(t, func(o *TextCNNOptions) { o.Tokenizer.From = filepath.Base(path) })
	o.Encoder.Options = e
	o.Locate(func(p string) string { return filepath.Join(filepath.Dir(path), p) })
	f := fitInput(t, o, textColumn("lower", "newest"))
	s, err := f.(Sequence).Sequences(textColumn("lower newest"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Values[0].Len(), 4; got != want { // lo ##wer ne ##west, nothing around them
		t.Errorf("%d tokens, expected %d", got, want)
	}
	digest := f.(Weighted).Digest()
	if again := fitInput(t, o, textColumn("other texts")).(Weighted).Digest(); digest == "" || again != digest {
		t.Errorf("the tokenizer of one file has the digests %q and %q", digest, again)
	}
	if made, err = text.TrainWordPiece([]string{"low lower lowest", "new newer newer"}, text.TrainOptions{Size: 50}); err != nil {
		t.Fatal(err)
	}
	if err := tokenizer.WriteFile(path, made); err != nil {
		t.Fatal(err)
	}
	if fitInput(t, o, textColumn("lower", "newest")).(Weighted).Digest() == digest {
		t.Error("another tokenizer at the same place has the same digest: a run would be continued with it")
	}
	if e.Tokenizer.From != filepath.Base(path) {
		t.Errorf("from became %q, which a run shows and other folders read", e.Tokenizer.From)
	}
	e = withDefaults(t, func(o *TextCNNOptions) { o.Tokenizer.From = path + "x" })
	o.Encoder.Options = e
	if _, err := o.Fit(textColumn("lower")); err == nil || !strings.Contains(err.Error(), `column "c" cannot take its tokenizer`) {
		t.Errorf("%v", err)
	}
}

// TestNormalize: what is asked for happens before any encoder, and what is to be left
// is left.
func TestNormalize(t *testing.T) {
	same := func(a, b string, change func(*Normalization)) {
		t.Helper()
		for name, f := range readers(t, func(o *TextOptions) { change(&o.Normalize) }) {
			s, err := f.(Sequence).Sequences(textColumn(a, b))
			if err != nil {
				t.Fatal(err)
			}
			v := s.Values[0].Ints()
			if !slices.Equal(v[:s.Offsets[1]], v[s.Offsets[1]:]) {
				t.Errorf("%s: %q and %q differ", name, a, b)
			}
		}
	}
	same("the CARD", "the card", func(n *Normalization) {})
	same("the <b>card</b> was", "the card was", func(n *Normalization) { n.HTML = true })
	same("card https://a.example/x lost", "card  lost", func(n *Normalization) { n.URLs = "remove" })
	same("card 👩‍👧 lost", "card  lost", func(n *Normalization) { n.Emoji = "remove" })
	same("ｃａｒｄ", "card", func(n *Normalization) { n.Unicode, n.Width = "nfc", true })
	for name, f := range readers(t, func(o *TextOptions) { o.Normalize.Case = "keep" }) {
		if name == "pretrained" { // whose tokenizer has lower case alone
			continue
		}
		s, err := f.(Sequence).Sequences(textColumn("LOST", "lost"))
		if err != nil {
			t.Fatal(err)
		}
		v := s.Values[0].Ints()
		if slices.Equal(v[:s.Offsets[1]], v[s.Offsets[1]:]) {
			t.Errorf("%s: LOST and lost are the same where the case is kept", name)
		}
	}
	o := withDefaults(t, func(o *TextOptions) { o.Normalize.HTML = true })
	f := fitInput(t, o, newsColumn())
	raw, err := Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	again, err := UnmarshalInput(raw)
	if err != nil {
		t.Fatal(err)
	}
	s, err := again.(Sequence).Sequences(textColumn("<i>card</i>", "card"))
	if err != nil || s.Offsets[1] == 0 || s.Offsets[2] != 2*s.Offsets[1] {
		t.Errorf("after it was saved: %v, %v", s.Offsets, err)
	}
}
