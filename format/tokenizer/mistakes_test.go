package tokenizer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hone-ml/hone/text"
)

const small = `{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
 "post_processor": null, "decoder": null, "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}}`

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{small, " \n", "an empty file"},
		{small, "{", "not JSON in line 1: unexpected end of JSON input"},
		{small, "[1]", "found array, expected an object"},
		{`null,`, "nul,", "not JSON in line 1"},
		{small, "\xff", "not UTF-8"},
		{`"1.0"`, `"2.0"`, `version: found "2.0", expected "1.0"`},
		{`"decoder": null`, `"decoders": null`, "decoders: unknown key, expected one of version, truncation, padding, added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model"},
		{`"model"`, `"mode"`, "mode: unknown key"},
		{`"Whitespace"`, `"Whitespaces"`, `pre_tokenizer.type: found "Whitespaces", expected one of BertPreTokenizer, ByteLevel, `},
		{`{"type": "Whitespace"}`, `{"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true}, {"type": "UnicodeScripts"}]}`, `pre_tokenizer.pretokenizers[1].type: found "UnicodeScripts", expected one of `},
		{`{"type": "Whitespace"}`, `{"type": "Whitespace", "speed": 3}`, "pre_tokenizer.speed: unknown key"},
		{`{"type": "Whitespace"}`, `{"type": "Digits"}`, "pre_tokenizer.individual_digits: missing"},
		{`{"type": "Whitespace"}`, `{"type": "Digits", "individual_digits": "yes"}`, "pre_tokenizer.individual_digits: found string, expected true or false"},
		{`{"type": "Whitespace"}`, `{"type": "Split", "pattern": {"Regex": "(?<=a)b"}, "behavior": "Removed", "invert": false}`, `pre_tokenizer.pattern.Regex: cannot match "(?<=a)b": (?< is not known; known beyond`},
		{`{"type": "Whitespace"}`, `{"type": "Split", "pattern": {"Regex": "a(?!b)"}, "behavior": "Removed", "invert": false}`, "(?! is not known"},
		{`{"type": "Whitespace"}`, `{"type": "Split", "pattern": {"Regex": "(a"}, "behavior": "Removed", "invert": false}`, "missing closing )"},
		{`{"type": "Whitespace"}`, `{"type": "Split", "pattern": {"String": "a"}, "behavior": "Keep", "invert": false}`, `behavior: found "Keep", expected Removed, `},
		{`{"type": "Whitespace"}`, `{"type": "Metaspace", "replacement": "ab"}`, `replacement: found "ab", expected one character`},
		{`{"type": "Whitespace"}`, strings.Repeat(`{"type": "Sequence", "pretokenizers": [`, 40) + strings.Repeat("]}", 40), "sequences lie more than 16 deep"},
		{`"normalizer": null`, `"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA/w=="}`, "normalizer.precompiled_charsmap: its trie has"},
		{`"normalizer": null`, `"normalizer": {"type": "Precompiled", "precompiled_charsmap": "*"}`, "normalizer: illegal base64"},
		{`"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}], "pair": [], "special_tokens": {}}`, `post_processor.single[0].SpecialToken.id: "[X]" is not in special_tokens`},
		{`"truncation": null`, `"truncation": {"max_length": 2, "strategy": "Some", "stride": 0}`, `truncation.strategy: found "Some"`},
		{`"padding": null`, `"padding": {"strategy": {"Fixed": 1e12}, "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}`, "padding.strategy: found"},
		{`"added_tokens": []`, `"added_tokens": [{"id": 9, "content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}]`, `added_tokens[0].id: "<x>" has 9, and 2 by the vocabulary`},
		{`"unk_token": "[UNK]"`, `"unk_token": "<unk>"`, `model.unk_token: "<unk>" is not in the vocabulary of 2 tokens`},
		{`"a": 1`, `"a": 4000000000`, "model.vocab: found number 4000000000, expected a whole number"},
		{`"a": 1`, `"a": 400000000`, `model: token "a" has id 400000000 in a vocabulary of 2`},
		{`"a": 1`, `"a": 0`, `model: tokens "[UNK]" and "a" have the same id 0`},
		{`{"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}`, `{"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}`, `model.merges[0]: "a" and "b" are not both in the vocabulary`},
		{`{"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}`, `{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b c"]}`, `model: merges[0]: found "a b c", expected two tokens`},
		{`{"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}`, `{"type": "BPE", "dropout": 0.1, "vocab": {}, "merges": []}`, `model.dropout: found 0.1, expected null`},
		{`{"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}`, `{"type": "Unigram", "unk_id": 3, "vocab": [["a", -1]]}`, `model.unk_id: found 3, expected less than the 1 tokens`},
		{`{"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}`, `null`, `model: found none, expected one of BPE, Unigram, WordLevel, WordPiece`},
	} {
		if !strings.Contains(small, c.old) {
			t.Fatalf("%q is not in the file", c.old)
		}
		_, err := Parse([]byte(strings.Replace(small, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s instead of %s: %v, expected %q", c.new, c.old, err, c.want)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), "found no tokenizer.json and no vocab.txt") {
		t.Errorf("an empty folder: %v", err)
	}
	vocab := filepath.Join(dir, "vocab.txt")
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n")
	if _, err := ReadFile(vocab); err == nil || !strings.Contains(err.Error(), "[SEP] is not among its 3 lines") {
		t.Errorf("without [SEP]: %v", err)
	}
	write("vocab.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nhello\r\nHello\r\n##s\r\n")
	for lower, want := range map[string]string{"true": "[CLS] hello ##s [SEP]", "false": "[CLS] Hello ##s [SEP]"} {
		write("tokenizer_config.json", `{"do_lower_case": `+lower+`}`)
		k, err := ReadFile(dir)
		if err != nil {
			t.Fatal(err)
		}
		e, err := k.Encode("Hellos")
		if err != nil || strings.Join(e.Tokens, " ") != want {
			t.Errorf("do_lower_case %s: %q, %v, expected %q", lower, e.Tokens, err, want)
		}
		if err := WriteVocab(vocab, k); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(filepath.Join(t.TempDir(), "tokenizer.json"), k); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(vocab); err != nil || string(b) != "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nHello\n##s\n" {
		t.Errorf("written as %q, %v", b, err)
	}
	k, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteVocab(vocab, k); err == nil || !strings.Contains(err.Error(), "the model is WordLevel") {
		t.Errorf("WordLevel as vocab.txt: %v", err)
	}
	path := filepath.Join(dir, "tokenizer.json")
	if err := WriteFile(path, k); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(dir); err != nil {
		t.Errorf("tokenizer.json: %v", err)
	}
}

// TestLongTexts: a million characters without a space take no time that grows
// with their square, whatever the model.
func TestLongTexts(t *testing.T) {
	tokenizers, _ := fixture(t)
	long := []string{strings.Repeat("a", 1<<20), strings.Repeat("中文", 1<<19), strings.Repeat("e\u0301\u0327", 1<<18), strings.Repeat(" ", 1<<20), strings.Repeat("\xff", 1<<18)}
	for _, f := range tokenizers {
		if !slices.Contains([]string{"bert", "llama2", "gpt2", "xlmr", "albert", "suffix", "metaspace"}, f.Name) {
			continue
		}
		k, err := Parse(f.Tokenizer)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range long {
			e, err := k.Encode(l)
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
				continue
			}
			for _, o := range e.Offsets {
				if o.From < 0 || o.From > o.To || int(o.To) > len(l) {
					t.Fatalf("%s: offsets %v of %d bytes", f.Name, o, len(l))
				}
			}
		}
		if _, err := k.Encode(strings.Repeat("a", 1<<26+1)); err == nil || !strings.Contains(err.Error(), "expected at most 67108864") {
			t.Errorf("%s: a text beyond the limit: %v", f.Name, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	tokenizers, corpus := fixture(t)
	corpus = corpus[:300]
	for _, f := range tokenizers[:20] {
		k, err := Parse(f.Tokenizer)
		if err != nil {
			t.Fatal(err)
		}
		want, err := k.EncodeBatch(corpus)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i, c := range corpus {
					e, err := k.EncodePlain(c)
					ids, err2 := k.AppendIDs(nil, c)
					if err != nil || err2 != nil {
						t.Errorf("%s: %v, %v", f.Name, err, err2)
						return
					}
					full := want[i].IDs
					if p := k.Spec().Padding; p == nil && !slices.Equal(ids, full) || p == nil && len(e.IDs) > len(full) && k.Spec().Truncation == nil {
						t.Errorf("%s: %q has other tokens than in the batch", f.Name, c)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	tokenizers, _ := fixture(f)
	for _, k := range tokenizers {
		if len(k.Tokenizer) < 4000 {
			f.Add([]byte(k.Tokenizer))
		}
	}
	f.Add([]byte(strings.Replace(small, `"normalizer": null`, `"normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAA="}`, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := Parse(b)
		if err != nil {
			return
		}
		out, err := Format(k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(out); err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, out)
		}
		if _, err := k.Encode("Hello, World! 中文 e\u0301 \xff 123"); err == nil {
			_, _ = k.EncodePair("a b", "c")
		}
	})
}

func FuzzEncode(f *testing.F) {
	tokenizers, _ := fixture(f)
	var all []*text.Tokenizer
	for _, k := range tokenizers {
		t, err := Parse(k.Tokenizer)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, t)
	}
	for _, c := range tokenizers[0].Cases {
		f.Add(c.Text, uint8(0))
	}
	f.Add("a\xff\xc3 \xe2\x82", uint8(9))
	f.Fuzz(func(t *testing.T, s string, which uint8) {
		k := all[int(which)%len(all)]
		e, err := k.Encode(s)
		if err != nil {
			return
		}
		for i, o := range e.Offsets {
			if o.From < 0 || o.From > o.To || int(o.To) > len(s) {
				t.Fatalf("token %d %q of %q has offsets %v", i, e.Tokens[i], s, o)
			}
		}
		if _, err := k.Decode(e.IDs, false); err != nil {
			t.Fatal(err)
		}
		ids, err := k.AppendIDs(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		var want []int32
		for i, id := range e.IDs {
			if e.Attention[i] == 1 {
				want = append(want, id)
			}
		}
		if !slices.Equal(ids, want) {
			t.Fatalf("AppendIDs of %q gives %d, Encode %d", s, ids, want)
		}
	})
}

// TestVocabIsBERT: vocab.txt alone gives the tokenizer that tokenizer.json
// says.
func TestVocabIsBERT(t *testing.T) {
	tokenizers, _ := fixture(t)
	f := tokenizers[0]
	k, err := Parse(f.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vocab.txt")
	if err := WriteVocab(path, k); err != nil {
		t.Fatal(err)
	}
	again, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		if c.Pair != nil {
			continue
		}
		e, err := again.Encode(c.Text)
		if err != nil {
			t.Fatal(err)
		}
		if err := compare(c, e); err != nil {
			t.Errorf("%q: %v", c.Text, err)
		}
	}
}
