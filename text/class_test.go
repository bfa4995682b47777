package text

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"unicode/utf8"
)

// TestEveryCodePoint holds the normalizers against digests of what those of
// tokenizers make of every code point, by testdata/classes.py.
func TestEveryCodePoint(t *testing.T) {
	b, err := os.ReadFile("testdata/points.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]Normalizer{
		"NFC": &NFC{}, "NFD": &NFD{}, "NFKC": &NFKC{}, "NFKD": &NFKD{}, "Lowercase": &Lowercase{}, "StripAccents": &StripAccents{}, "Nmt": &Nmt{},
		"BertNormalizer":       &BertNormalizer{CleanText: true, HandleChineseChars: true, Lowercase: true},
		"BertNormalizer cased": &BertNormalizer{CleanText: true, HandleChineseChars: true},
	} {
		t.Run(name, func(t *testing.T) {
			k := tokenizerOf(t, n)
			h := sha256.New()
			for r := range rune(utf8.MaxRune + 1) {
				if utf8.ValidRune(r) {
					h.Write([]byte(k.Normalize(string(r)) + "\n"))
				}
			}
			if got := hex.EncodeToString(h.Sum(nil)); got != want[name] {
				t.Errorf("digest %s, expected %s", got, want[name])
			}
		})
	}
}

// tokenizerOf returns a tokenizer that knows no word.
func tokenizerOf(t testing.TB, n Normalizer) *Tokenizer {
	t.Helper()
	v, err := NewVocab([]string{"[UNK]"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(Spec{Normalizer: n, Model: &WordLevel{Vocab: v, UnkToken: "[UNK]"}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}
