package text

import (
	"fmt"
	"strings"
	"testing"
)

// A megabyte of what begins a tag, a comment or an added token is read in one
// pass. Were each beginning to look at all that follows, or at all tokens, this
// would take hours.
func TestMegabytesOfBeginnings(t *testing.T) {
	v, err := NewVocab([]string{"[UNK]"})
	if err != nil {
		t.Fatal(err)
	}
	var added []AddedToken
	for i := range 50_000 {
		added = append(added, AddedToken{ID: int32(1 + i), Content: fmt.Sprintf("<unused%d>", i)})
	}
	k, err := New(Spec{
		Added: added, Normalizer: &NormalizerSequence{[]Normalizer{&HTML{}, &URLs{With: "url"}}},
		PreTokenizer: &WhitespaceSplit{}, Model: &WordLevel{Vocab: v, UnkToken: "[UNK]"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<!--", "<", "<a ", "&", "<unused", "www.", "http://,"} {
		if _, err := k.Encode(strings.Repeat(part, 4<<20/len(part))); err != nil {
			t.Errorf("%q: %v", part, err)
		}
	}
}

// Of added tokens the longest at the leftmost place is found, of equal ones (once
// they are normalized) the first.
func TestAddedTokens(t *testing.T) {
	v, err := NewVocab([]string{"[UNK]", "x"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(Spec{
		Added: []AddedToken{
			{ID: 2, Content: "ab"}, {ID: 3, Content: "abcd"}, {ID: 4, Content: "b"}, {ID: 5, Content: "<é>"},
			{ID: 6, Content: "QQ", Normalized: true}, {ID: 7, Content: "qq", Normalized: true}, {ID: 8, Content: "a"},
		},
		Normalizer: &Lowercase{}, PreTokenizer: &WhitespaceSplit{}, Model: &WordLevel{Vocab: v, UnkToken: "[UNK]"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"abcd":      "[3]",
		"abc":       "[2 0]",
		"abcabcd":   "[2 0 3]",
		"xb<é><é":   "[1 4 5 0]",
		"qq Qq x a": "[6 6 1 8]",
	} {
		ids, err := k.AppendIDs(nil, text)
		if got := fmt.Sprint(ids); err != nil || got != want {
			t.Errorf("%q: %s, %v; expected %s", text, got, err, want)
		}
	}
}

// Normalizers that double a text again and again, or write much for little, are
// an error before they fill the memory, also where an added token is normalized.
func TestTextsThatGrow(t *testing.T) {
	v, err := NewVocab([]string{"[UNK]"})
	if err != nil {
		t.Fatal(err)
	}
	var twice []Normalizer
	for range 40 {
		twice = append(twice, &Replace{Pattern: Pattern{String: "a"}, Content: "aa"})
	}
	long := &Replace{Pattern: Pattern{String: "a"}, Content: strings.Repeat("b", 1<<19)}
	for _, n := range []Normalizer{&NormalizerSequence{twice}, long} {
		spec := Spec{Normalizer: n, Model: &WordLevel{Vocab: v, UnkToken: "[UNK]"}}
		k, err := New(spec)
		if err != nil {
			t.Fatal(err)
		}
		const want = "a text of 5 bytes becomes more than 1048896 by normalization"
		if _, err := k.Encode("aaaaa"); err == nil || err.Error() != want {
			t.Errorf("%T: %v, expected %s", n, err, want)
		}
		if _, err := k.AppendIDs(nil, "aaaaa"); err == nil || err.Error() != want {
			t.Errorf("%T: %v, expected %s", n, err, want)
		}
		if got := k.Normalize("aaaaa"); got != "" {
			t.Errorf("%T: %d bytes, expected none", n, len(got))
		}
		if ids, err := k.AppendIDs(nil, "x"); err != nil || len(ids) != 1 {
			t.Errorf("%T: after that %v, %v", n, ids, err)
		}
		spec.Added = []AddedToken{{ID: 1, Content: "aaaaa", Normalized: true}}
		if _, err := New(spec); err == nil || !strings.Contains(err.Error(), "added_tokens[0].content: "+want) {
			t.Errorf("%T: %v", n, err)
		}
	}
}
