package tokenizer

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/hone-ml/hone/text"
)

// recorded is what tokenizers made of a text, by testdata/fixture.py.
type recorded struct {
	Text, Error    string
	Pair           *string
	IDs            []int32
	Tokens         []string
	Offsets        [][2]int32
	Types          []int32
	Words          []*int32
	Sequences      []*int8
	Mask           []int8
	Overflow       []recorded
	Decoded, Whole string
}

type recordedTokenizer struct {
	Name      string
	Tokenizer json.RawMessage
	Cases     []recorded
}

// fixture returns the recorded tokenizers, and the texts they were trained on.
func fixture(t testing.TB) ([]recordedTokenizer, []string) {
	t.Helper()
	b, err := os.ReadFile("testdata/fixture.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Corpus     []string
		Tokenizers []recordedTokenizer
	}
	if err := json.NewDecoder(z).Decode(&f); err != nil {
		t.Fatal(err)
	}
	return f.Tokenizers, f.Corpus
}

// characters counts in characters what o counts in bytes of s.
func characters(s string, o text.Span) [2]int32 {
	return [2]int32{int32(utf8.RuneCountInString(s[:o.From])), int32(utf8.RuneCountInString(s[:o.To]))}
}

// compare reports the first difference between what was recorded and e.
func compare(c recorded, e *text.Encoding) error {
	if !slices.Equal(e.IDs, c.IDs) || !slices.Equal(e.Tokens, c.Tokens) {
		return fmt.Errorf("tokens %q %d, expected %q %d", e.Tokens, e.IDs, c.Tokens, c.IDs)
	}
	for i := range e.IDs {
		in := c.Text
		if e.Sequences[i] == 1 {
			in = *c.Pair
		}
		if got := characters(in, e.Offsets[i]); got != c.Offsets[i] {
			return fmt.Errorf("token %d %q has offsets %d (bytes %v), expected %d", i, e.Tokens[i], got, e.Offsets[i], c.Offsets[i])
		}
		if word := c.Words[i]; word == nil && e.Words[i] != -1 || word != nil && e.Words[i] != *word {
			return fmt.Errorf("token %d %q is of word %d, expected %v of %d", i, e.Tokens[i], e.Words[i], word, len(c.Words))
		}
		if k := c.Sequences[i]; k == nil && e.Sequences[i] != -1 || k != nil && e.Sequences[i] != *k {
			return fmt.Errorf("token %d %q is of sequence %d, expected otherwise", i, e.Tokens[i], e.Sequences[i])
		}
	}
	if !slices.Equal(e.TypeIDs, c.Types) || !slices.Equal(e.Attention, c.Mask) {
		return fmt.Errorf("types %d and mask %d, expected %d and %d", e.TypeIDs, e.Attention, c.Types, c.Mask)
	}
	if len(e.Overflow) != len(c.Overflow) {
		return fmt.Errorf("%d parts of overflow, expected %d", len(e.Overflow), len(c.Overflow))
	}
	for i, o := range c.Overflow { // whose own overflow tokenizers repeats
		o.Overflow = nil
		o.Text, o.Pair = c.Text, c.Pair
		if err := compare(o, e.Overflow[i]); err != nil {
			return fmt.Errorf("overflow %d: %w", i, err)
		}
	}
	return nil
}

func TestAgreesWithTokenizers(t *testing.T) {
	tokenizers, _ := fixture(t)
	for _, f := range tokenizers {
		t.Run(f.Name, func(t *testing.T) {
			k, err := Parse(f.Tokenizer)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range f.Cases {
				var e *text.Encoding
				if c.Pair != nil {
					e, err = k.EncodePair(c.Text, *c.Pair)
				} else {
					e, err = k.Encode(c.Text)
				}
				if c.Error != "" {
					if err == nil {
						t.Errorf("%q: no error, expected one such as %s", c.Text, c.Error)
					}
					continue
				}
				if err == nil {
					err = compare(c, e)
				}
				if err != nil {
					t.Errorf("%q: %v", c.Text, err)
					continue
				}
				if c.Pair != nil {
					continue
				}
				for skip, want := range map[bool]string{true: c.Decoded, false: c.Whole} {
					if got, err := k.Decode(e.IDs, skip); err != nil || got != want {
						t.Errorf("%q: decoded to %q, %v, expected %q", c.Text, got, err, want)
					}
				}
				// Without padding, the quick way gives the same.
				ids, err := k.AppendIDs(nil, c.Text)
				var want []int32
				for i, id := range e.IDs {
					if e.Attention[i] == 1 {
						want = append(want, id)
					}
				}
				if err != nil || !slices.Equal(ids, want) {
					t.Errorf("%q: AppendIDs gives %d, %v, Encode %d", c.Text, ids, err, want)
				}
			}
		})
	}
}

func TestWrittenIsReadBack(t *testing.T) {
	tokenizers, _ := fixture(t)
	for _, f := range tokenizers {
		k, err := Parse(f.Tokenizer)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		b, err := Format(k)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		var got, want any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if err := json.Unmarshal(f.Tokenizer, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: written as\n%.2000s\nexpected\n%.2000s", f.Name, b, f.Tokenizer)
		}
		again, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if c, err := Format(again); err != nil || !bytes.Equal(b, c) {
			t.Errorf("%s: the second time it is written otherwise (%v)", f.Name, err)
		}
		if err := Portable(k); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// TestOlderFiles: what files said before today's tokenizers.
func TestOlderFiles(t *testing.T) {
	tokenizers, _ := fixture(t)
	for _, f := range tokenizers {
		var file map[string]json.RawMessage
		if err := json.Unmarshal(f.Tokenizer, &file); err != nil {
			t.Fatal(err)
		}
		var model map[string]json.RawMessage
		if err := json.Unmarshal(file["model"], &model); err != nil {
			t.Fatal(err)
		}
		delete(model, "type")
		if raw := model["merges"]; raw != nil {
			var pairs [][2]string
			if err := json.Unmarshal(raw, &pairs); err != nil {
				t.Fatal(err)
			}
			lines := []string{"#version: 0.2"}
			for _, p := range pairs {
				lines = append(lines, p[0]+" "+p[1])
			}
			model["merges"], _ = json.Marshal(lines)
		}
		file["model"], _ = json.Marshal(model)
		if string(file["pre_tokenizer"]) == `{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":true}` {
			file["pre_tokenizer"] = json.RawMessage(`{"type":"Metaspace","replacement":"▁","str_rep":"▁","add_prefix_space":false}`)
		}
		old, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		k, err := Parse(old)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		got, err := Format(k)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(f.Tokenizer)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := Format(again); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: an older file is another tokenizer (%v)", f.Name, err)
		}
	}
}
