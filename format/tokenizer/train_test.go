package tokenizer

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/text"
)

// TestTrainBPEAgreesWithTokenizers: on bytes, where tokenizers is
// deterministic too, both find the same merges in the same order.
func TestTrainBPEAgreesWithTokenizers(t *testing.T) {
	tokenizers, corpus := fixture(t)
	i := slices.IndexFunc(tokenizers, func(f recordedTokenizer) bool { return f.Name == "gpt2" })
	want, err := Parse(tokenizers[i].Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := text.TrainBPE(corpus, text.TrainOptions{Size: want.Size(), MinCount: 1, Special: []string{"<|eot|>"}})
	if err != nil {
		t.Fatal(err)
	}
	g, w := got.Spec().Model.(*text.BPE), want.Spec().Model.(*text.BPE)
	if !slices.Equal(g.Merges, w.Merges) {
		for i := range g.Merges {
			if g.Merges[i] != w.Merges[i] {
				t.Fatalf("merge %d is %q, expected %q", i, g.Merges[i], w.Merges[i])
			}
		}
		t.Fatalf("%d merges, expected %d", len(g.Merges), len(w.Merges))
	}
	a, _ := g.Vocab.MarshalJSON()
	b, _ := w.Vocab.MarshalJSON()
	if !bytes.Equal(a, b) {
		t.Errorf("the vocabularies differ")
	}
}

// TestTrainUnigramIsAsGood: the tokens of the training texts are hardly more
// than with what tokenizers finds.
func TestTrainUnigramIsAsGood(t *testing.T) {
	tokenizers, corpus := fixture(t)
	i := slices.IndexFunc(tokenizers, func(f recordedTokenizer) bool { return f.Name == "xlmr" })
	theirs, err := Parse(tokenizers[i].Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	var latin []string
	for _, c := range corpus {
		if strings.IndexFunc(c, func(r rune) bool { return r >= 0x2000 }) < 0 {
			latin = append(latin, c)
		}
	}
	ours, err := text.TrainUnigram(latin, text.TrainOptions{Size: theirs.Size()})
	if err != nil {
		t.Fatal(err)
	}
	count := func(k *text.Tokenizer) (n int) {
		for _, c := range latin {
			e, err := k.EncodePlain(c)
			if err != nil {
				t.Fatal(err)
			}
			n += len(e.IDs)
		}
		return n
	}
	if a, b := count(ours), count(theirs); float64(a) > 1.02*float64(b) {
		t.Errorf("%d tokens, expected about the %d of tokenizers", a, b)
	}
}

func TestTrain(t *testing.T) {
	_, corpus := fixture(t)
	corpus = corpus[:len(corpus)/2]
	for _, k := range text.Trainers {
		t.Run(k.Name, func(t *testing.T) {
			o := text.TrainOptions{Size: 900, Around: true, Lowercase: true, Raw: []text.Normalizer{&text.HTML{}}}
			got, err := k.Train(corpus, o)
			if err != nil {
				t.Fatal(err)
			}
			if n := got.Size(); n > o.Size || n < 200 {
				t.Errorf("%d tokens, expected up to %d", n, o.Size)
			}
			first, err := Format(got)
			if err != nil {
				t.Fatal(err)
			}
			// Neither the number of processors nor the order of a map matters.
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			again, err := k.Train(corpus, o)
			if err != nil {
				t.Fatal(err)
			}
			if second, err := Format(again); err != nil || !bytes.Equal(first, second) {
				t.Errorf("the second time it is another one (%v)", err)
			}
			read, err := Parse(first)
			if err != nil {
				t.Fatal(err)
			}
			if err := Portable(read); err == nil {
				t.Error("Portable finds nothing, expected HTML")
			}
			e, err := read.Encode("The rows of a <b>table</b> &amp; more: 中文")
			if err != nil {
				t.Fatal(err)
			}
			if e.Tokens[0] != "[CLS]" || e.Tokens[len(e.Tokens)-1] != "[SEP]" {
				t.Errorf("tokens %q, expected [CLS] and [SEP] around", e.Tokens)
			}
			unknown := 0
			for _, c := range corpus {
				e, err := read.Encode(c)
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range e.IDs {
					if token, _ := read.Token(id); token == "[UNK]" {
						unknown++
					}
				}
			}
			if k.Name == "bpe" && unknown > 0 {
				t.Errorf("%d unknown tokens, expected none: bytes are all known", unknown)
			}
			if k.Name == "bpe" {
				if s, err := read.Decode(e.IDs, true); err != nil || s != "the rows of a  table  & more: 中文" {
					t.Errorf("decoded to %q, %v", s, err)
				}
			}
		})
	}
}

func TestTrainMistakes(t *testing.T) {
	for want, o := range map[string]text.TrainOptions{
		"[UNK] is not among them": {Special: []string{"[PAD]"}},
		"[CLS] is not among them": {Special: []string{"[UNK]"}, Around: true},
		"expected more tokens":    {Size: 3},
		"policy: found":           {Raw: []text.Normalizer{&text.Emoji{}}},
	} {
		if _, err := text.TrainWords([]string{"a"}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, expected %q", o, err, want)
		}
	}
	for _, k := range text.Trainers { // no text at all
		if _, err := k.Train(nil, text.TrainOptions{}); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}
