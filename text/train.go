package text

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// TrainOptions say how a tokenizer is trained. The same options and texts
// make the same tokenizer.
type TrainOptions struct {
	// Size is how many tokens the vocabulary has at most, special ones
	// included; default 8000.
	Size int
	// MinCount is how often a word or a merge has to occur; default 2.
	MinCount int
	// Special are tokens for the use of models, from id 0 on; default
	// [PAD], [UNK], [CLS], [SEP], [MASK]. But for BPE, [UNK] has to be
	// among them.
	Special []string
	// Around puts [CLS] before and [SEP] behind every text.
	Around bool
	// Lowercase writes texts in lower case; WordPiece also strips accents.
	Lowercase bool
	// Raw are normalizers that come before the trainer's own.
	Raw []Normalizer
	// Form is the form of Unicode that texts are brought to: nfkc, nfc or none. The
	// default is nfkc, but of BPE and WordPiece, which do as GPT-2 and BERT, none.
	Form string
	// CJK is what TrainWords cuts Chinese and Japanese into (see Words); default
	// bigrams.
	CJK string
}

// Trainers are the kinds of tokenizers that can be trained.
var Trainers = []struct {
	Name  string
	Train func(texts []string, o TrainOptions) (*Tokenizer, error)
}{
	{"words", TrainWords},
	{"characters", TrainCharacters},
	{"bpe", TrainBPE},
	{"wordpiece", TrainWordPiece},
	{"unigram", TrainUnigram},
}

func (o *TrainOptions) prepare(unknown bool) error {
	if o.Size == 0 {
		o.Size = 8000
	}
	if o.MinCount == 0 {
		o.MinCount = 2
	}
	if o.Special == nil {
		o.Special = []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	}
	for _, name := range []string{"[UNK]", "[CLS]", "[SEP]"} {
		if (name == "[UNK]" && unknown || name != "[UNK]" && o.Around) && !slices.Contains(o.Special, name) {
			return fmt.Errorf("special tokens %q: %s is not among them", o.Special, name)
		}
	}
	switch o.Form {
	case "":
		o.Form = "nfkc"
	case "nfkc", "nfc", "none":
	default:
		return fmt.Errorf("form %q, expected nfkc, nfc or none", o.Form)
	}
	if o.Size <= len(o.Special) || o.MinCount < 1 {
		return fmt.Errorf("size %d, least count %d: expected more tokens than the %d special ones, and a count of at least 1", o.Size, o.MinCount, len(o.Special))
	}
	return nil
}

// normalizer joins normalizers after those of the options.
func (o *TrainOptions) normalizer(own ...Normalizer) Normalizer {
	all := slices.Clone(o.Raw)
	switch o.Form {
	case "nfkc":
		all = append(all, &NFKC{})
	case "nfc":
		all = append(all, &NFC{})
	}
	all = append(all, own...)
	if o.Lowercase {
		all = append(all, &Lowercase{})
	}
	if len(all) == 1 {
		return all[0]
	}
	return &NormalizerSequence{all}
}

// finish adds to a spec what all kinds have, and makes the tokenizer.
func (o *TrainOptions) finish(s Spec) (*Tokenizer, error) {
	for i, name := range o.Special {
		s.Added = append(s.Added, AddedToken{ID: int32(i), Content: name, Special: true})
	}
	if o.Around {
		s.Processor = &BertProcessing{
			Cls: NamedID{"[CLS]", int32(slices.Index(o.Special, "[CLS]"))},
			Sep: NamedID{"[SEP]", int32(slices.Index(o.Special, "[SEP]"))},
		}
	}
	return New(s)
}

// A wordCount is a piece of the texts and how often it occurs.
type wordCount struct {
	word  string
	count int
}

// counts returns the pieces that a spec makes of texts, sorted. Its model is
// not used.
func counts(texts []string, s Spec) ([]wordCount, error) {
	v, err := NewVocab([]string{"[UNK]"})
	if err != nil {
		return nil, err
	}
	s.Model = &WordLevel{Vocab: v, UnkToken: "[UNK]"}
	t, err := New(s)
	if err != nil {
		return nil, err
	}
	count := map[string]*int{}
	state := t.state()
	for i, text := range texts {
		if err := t.cut(state, text); err != nil {
			return nil, fmt.Errorf("text %d: %w", i, err)
		}
		for _, p := range state.pieces {
			b := state.b[p.from:p.to]
			if n := count[string(b)]; n != nil {
				*n++
			} else {
				one := 1
				count[string(b)] = &one
			}
		}
	}
	words := make([]wordCount, 0, len(count))
	for _, w := range slices.Sorted(maps.Keys(count)) {
		words = append(words, wordCount{w, *count[w]})
	}
	return words, nil
}

// TrainWords takes the most frequent words.
func TrainWords(texts []string, o TrainOptions) (*Tokenizer, error) {
	return trainWordLevel(texts, o, &Words{CJK: cmp.Or(o.CJK, "bigrams")}, nil)
}

// TrainCharacters takes the most frequent characters.
func TrainCharacters(texts []string, o TrainOptions) (*Tokenizer, error) {
	return trainWordLevel(texts, o, &FixedLength{Length: 1}, &Fuse{})
}

func trainWordLevel(texts []string, o TrainOptions, pre PreTokenizer, d Decoder) (*Tokenizer, error) {
	if err := o.prepare(true); err != nil {
		return nil, err
	}
	s := Spec{Normalizer: o.normalizer(), PreTokenizer: pre, Decoder: d}
	words, err := counts(texts, s)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(words, func(a, b wordCount) int { return cmp.Compare(b.count, a.count) })
	tokens := slices.Clone(o.Special)
	for _, w := range words {
		if len(tokens) < o.Size && w.count >= o.MinCount && !slices.Contains(o.Special, w.word) {
			tokens = append(tokens, w.word)
		}
	}
	v, err := NewVocab(tokens)
	if err != nil {
		return nil, err
	}
	s.Model = &WordLevel{Vocab: v, UnkToken: "[UNK]"}
	return o.finish(s)
}
