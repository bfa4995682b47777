package feature

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerText("ngrams", textEncoder{
		options: func() TextEncoderOptions { return &NGramOptions{} },
		fitted:  func() FittedText { return &NGrams{} },
	})
}

// NGramOptions are the options of a bag of n-grams.
type NGramOptions struct {
	Words       int     `yaml:"words" default:"2" min:"0" max:"5" doc:"longest run of words that has a vector; where a script has no spaces between words, of characters, and one more; 0: none"`
	Characters  []int   `yaml:"characters" default:"[2, 5]" min:"1" max:"8" doc:"shortest and longest run of characters of a word, with the space at its ends, that has a vector; []: none"`
	MinCount    int     `yaml:"min_count" default:"2" min:"1" doc:"what fewer training texts contain has no vector"`
	MaxFeatures int     `yaml:"max_features" default:"200000" min:"1" max:"10000000" doc:"only what most texts contain is kept"`
	MaxLength   int     `yaml:"max_length" default:"4096" min:"1" max:"100000" doc:"different n-grams of a text at most; of more, those of the lowest hashes, which are of all parts of the text"`
	Dimension   int     `yaml:"dimension" default:"256" min:"1" max:"4096" doc:"length of the vectors"`
	Silenced    float64 `yaml:"silenced" default:"0.3" min:"0" max:"0.95" doc:"share of a text's n-grams silenced in training"`
	Dropout     float64 `yaml:"dropout" default:"0.5" min:"0" max:"0.95" doc:"share of the units of the text's vector silenced in training"`

	form
}

// Validate finds runs that make no sense.
func (o *NGramOptions) Validate() error {
	switch n := len(o.Characters); {
	case n != 0 && n != 2 || n == 2 && o.Characters[0] > o.Characters[1]:
		return fmt.Errorf("characters is %v, expected the shortest and the longest run, as in [2, 5], or []", o.Characters)
	case n == 0 && o.Words == 0:
		return errors.New("neither words nor characters are counted: set words to 1 or more")
	}
	return nil
}

// NGrams is a fitted bag of n-grams: the text is the weighted sum of the learned
// vectors of the runs of words and of characters that it contains, as in fastText
// (Joulin et al. 2017, section 2). The weights are those of TF-IDF with sublinear
// counts, of length 1 (Salton and Buckley 1988: (1+ln tf)·(1+ln((1+n)/(1+df)))).
type NGrams struct {
	Words      int     `json:"words"`
	Characters []int   `json:"characters,omitempty"`
	Texts      int     `json:"texts"`  // seen in training
	Hashes     []byte  `json:"hashes"` // of the known n-grams, 64 bits each, ascending; little-endian
	Counts     []byte  `json:"counts"` // of training texts that contain them, 32 bits each
	Length     int     `json:"length"` // most n-grams of a text
	Dimension  int     `json:"dimension"`
	Silenced   float64 `json:"silenced"`
	Dropout    float64 `json:"dropout"`
	form

	index map[uint64]int32
	idf   []float32
}

// Fit implements TextEncoderOptions.
func (o *NGramOptions) Fit(texts []string) (FittedText, error) {
	f := &NGrams{Words: o.Words, Characters: o.Characters, Texts: len(texts), Dimension: o.Dimension, Silenced: o.Silenced, Dropout: o.Dropout, Length: o.MaxLength, form: o.form}
	var mu sync.Mutex
	count := map[uint64]uint32{}
	byRows(len(texts), func(lo, hi int) {
		part := map[uint64]uint32{}
		var s ngramScanner
		for _, t := range texts[lo:hi] {
			for _, h := range distinct(s.scan(t, f)) {
				part[h]++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for h, n := range part {
			count[h] += n
		}
	})
	if len(count) == 0 {
		return nil, errors.New("has no text in the training rows: leave it out of inputs")
	}
	least := uint32(o.MinCount)
	hashes := make([]uint64, 0, len(count))
	for {
		for h, n := range count {
			if n >= least {
				hashes = append(hashes, h)
			}
		}
		if len(hashes) > 0 || least == 1 {
			break
		}
		least = 1 // every text is of its own kind
	}
	if len(hashes) > o.MaxFeatures {
		slices.SortFunc(hashes, func(a, b uint64) int {
			if count[a] != count[b] {
				return int(count[b]) - int(count[a])
			}
			return compare(a, b)
		})
		hashes = hashes[:o.MaxFeatures]
	}
	slices.Sort(hashes)
	for _, h := range hashes {
		f.Hashes = binary.LittleEndian.AppendUint64(f.Hashes, h)
		f.Counts = binary.LittleEndian.AppendUint32(f.Counts, count[h])
	}
	return f, f.valid()
}

func compare(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// valid checks what was read and prepares it for lookups.
func (f *NGrams) valid() error {
	n := len(f.Hashes) / 8
	if n == 0 || len(f.Hashes)%8 != 0 || len(f.Counts) != 4*n || n > math.MaxInt32 {
		return fmt.Errorf("%d bytes of hashes and %d of counts, expected 8 and 4 for each n-gram", len(f.Hashes), len(f.Counts))
	}
	if err := (&NGramOptions{Words: f.Words, Characters: f.Characters}).Validate(); err != nil {
		return err
	}
	if f.Words < 0 || f.Words > 5 || len(f.Characters) == 2 && (f.Characters[0] < 1 || f.Characters[1] > 8) {
		return fmt.Errorf("words is %d and characters %v, expected 0 to 5, and runs of 1 to 8", f.Words, f.Characters)
	}
	if f.Dimension < 1 || f.Dimension > 1<<16 || f.Length < 1 || f.Length > 1<<20 || !(f.Silenced >= 0 && f.Silenced < 1) || !(f.Dropout >= 0 && f.Dropout < 1) {
		return fmt.Errorf("dimension %d, length %d, silenced %v and dropout %v: at least one is impossible", f.Dimension, f.Length, f.Silenced, f.Dropout)
	}
	f.index, f.idf = make(map[uint64]int32, n), make([]float32, n)
	for i := range n {
		df := binary.LittleEndian.Uint32(f.Counts[4*i:])
		f.index[binary.LittleEndian.Uint64(f.Hashes[8*i:])] = int32(i)
		f.idf[i] = float32(1 + math.Log(float64(1+f.Texts)/float64(1+df)))
	}
	if len(f.index) != n {
		return errors.New("an n-gram stands twice among the hashes")
	}
	return nil
}

// Type implements FittedText.
func (*NGrams) Type() string { return "ngrams" }

// Specs implements FittedText: places in the table, and weights.
func (f *NGrams) Specs() []Spec {
	return []Spec{{tensor.Int32, []int{f.Length}, bagUnit}, {tensor.Float32, []int{f.Length}, bagUnit}}
}

// known returns the places of the text's n-grams that have a vector, in the order
// in which they stand in the text.
func (f *NGrams) known(s *ngramScanner, text string) []int32 {
	s.places = s.places[:0]
	for _, h := range s.scan(text, f) {
		if i, ok := f.index[h]; ok {
			s.places = append(s.places, i)
		}
	}
	return s.places
}

// Sequences implements FittedText.
func (f *NGrams) Sequences(texts []string) (*Sequences, error) {
	places, weights := make([][]int32, len(texts)), make([][]float32, len(texts))
	byRows(len(texts), func(lo, hi int) {
		var s ngramScanner
		for i := lo; i < hi; i++ {
			places[i], weights[i] = f.row(f.known(&s, texts[i]))
		}
	})
	s := newSequences(places)
	s.add(weights)
	return s, nil
}

// row returns a text's n-grams, ascending, and their weights.
func (f *NGrams) row(known []int32) (places []int32, weights []float32) {
	slices.Sort(known)
	n := min(f.Length, len(known))
	places, weights = make([]int32, 0, n), make([]float32, 0, n)
	norm := 0.0
	for lo := 0; lo < len(known) && len(places) < f.Length; {
		hi := lo + 1
		for hi < len(known) && known[hi] == known[lo] {
			hi++
		}
		w := (1 + math.Log(float64(hi-lo))) * float64(f.idf[known[lo]])
		places, weights = append(places, known[lo]), append(weights, float32(w))
		norm += float64(w * w)
		lo = hi
	}
	for i := range weights {
		weights[i] *= float32(1 / math.Sqrt(norm))
	}
	return places, weights
}

// Encode implements FittedText: ReLU of the bag's vector and a bias [rows
// dimension]. A linear model gets a shorter one as it is, which makes it one of
// low rank.
func (f *NGrams) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	places, weights := in[0], in[1]
	dimension := f.Dimension
	if linear {
		dimension = min(dimension, linearDimension)
	} else {
		weights = nn.Dropout(f.Silenced).Apply(c, weights)
	}
	// Vectors of length 1 change little with one of a hundred n-grams: the scale
	// lets a learning rate fit tables of vectors and dense layers alike.
	bag := graph.BagSum(c.Param("table", []int{len(f.idf), dimension}, nn.Uniform(0.05)), places, graph.Scale(weights, bagScale))
	if linear {
		return bag
	}
	bag = graph.Add(bag, c.Param("bias", []int{dimension}, nn.Zeros))
	return nn.Dropout(f.Dropout).Apply(c, graph.Relu(bag))
}

const (
	linearDimension = 64
	bagScale        = 4
	bagUnit         = 8 // n-grams beside a token of another encoder, about
)

// Describe implements FittedText.
func (f *NGrams) Describe() string {
	return fmt.Sprintf("%d n-grams, vectors of %d", len(f.idf), f.Dimension)
}

// byRows calls do for parts of 0 … n−1, at the same time where there are many.
func byRows(n int, do func(lo, hi int)) {
	const part = 256
	if n <= part {
		do(0, n)
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for lo := range next {
				do(lo, min(lo+part, n))
			}
		})
	}
	for lo := 0; lo < n; lo += part {
		next <- lo
	}
	close(next)
	wg.Wait()
}

// distinct sorts hashes and leaves one of each.
func distinct(hashes []uint64) []uint64 {
	slices.Sort(hashes)
	return slices.Compact(hashes)
}

// ngramScanner finds the n-grams of a text. It is used again for the next one.
type ngramScanner struct {
	text   []byte
	tokens []uint64 // hashes of words, punctuation and characters of scripts without spaces
	dense  []bool   // tokens that are such characters
	word   []rune
	hashes []uint64
	places []int32

	trace bool   // whether spans are kept
	at    []span // of tokens
	spans []span // of hashes
}

// A span is a part of the scanned text, in bytes.
type span struct{ lo, hi int }

// scan returns the hashes of all n-grams of a text, repeats included.
func (s *ngramScanner) scan(text string, f *NGrams) []uint64 {
	words, characters, lower := f.Words, f.Characters, unicode.ToLower
	if f.Case == "keep" {
		lower = func(r rune) rune { return r }
	}
	s.text = f.appendTo(s.text[:0], text)
	s.at, s.spans = s.at[:0], s.spans[:0]
	s.tokens, s.dense, s.hashes = s.tokens[:0], s.dense[:0], s.hashes[:0]
	for i := 0; i < len(s.text); {
		r, n := utf8.DecodeRune(s.text[i:])
		begin := i
		i += n
		switch kindOf(r) {
		case wordRune:
			s.word = append(s.word[:0], ' ', lower(r))
			for i < len(s.text) {
				r, n := utf8.DecodeRune(s.text[i:])
				if kindOf(r) != wordRune {
					break
				}
				s.word = append(s.word, lower(r))
				i += n
			}
			s.word = append(s.word, ' ')
			s.token(hashRunes(wordSeed, s.word), false, span{begin, i})
			if len(characters) == 2 {
				s.runs(characters[0], characters[1])
			}
		case denseRune:
			s.token(hashRunes(wordSeed, append(s.word[:0], r)), true, span{begin, i})
		case symbolRune:
			s.token(hashRunes(wordSeed, append(s.word[:0], r)), false, span{begin, i})
		}
	}
	for i := range s.tokens {
		longest := words
		if s.dense[i] && words > 0 {
			longest++
		}
		h := uint64(0)
		for k := 0; k < longest && i+k < len(s.tokens); k++ {
			h = splitmix.Next(h ^ s.tokens[i+k])
			if k < words || !slices.Contains(s.dense[i:i+k+1], false) {
				s.hashes = append(s.hashes, h)
				if s.trace {
					s.spans = append(s.spans, span{s.at[i].lo, s.at[i+k].hi})
				}
			}
		}
	}
	return s.hashes
}

func (s *ngramScanner) token(h uint64, dense bool, at span) {
	s.tokens, s.dense = append(s.tokens, h), append(s.dense, dense)
	if s.trace {
		s.at = append(s.at, at)
	}
}

// runs adds the runs of lo to hi characters of the word, which has a space at
// both ends; a shorter word is one.
func (s *ngramScanner) runs(lo, hi int) {
	var bounds []int // of the characters; the spaces take no room
	if s.trace {
		at := s.at[len(s.at)-1]
		bounds = append(bounds, at.lo)
		for i := range string(s.text[at.lo:at.hi]) {
			bounds = append(bounds, at.lo+i)
		}
		bounds = append(bounds, at.hi, at.hi)
	}
	if len(s.word) < lo {
		s.hashes = append(s.hashes, hashRunes(characterSeed, s.word))
		if s.trace {
			s.spans = append(s.spans, s.at[len(s.at)-1])
		}
		return
	}
	for i := range s.word {
		h := uint64(characterSeed)
		for k, r := range s.word[i:min(i+hi, len(s.word))] {
			h = splitmix.Next(h ^ uint64(r))
			if k+1 >= lo {
				s.hashes = append(s.hashes, h)
				if s.trace {
					s.spans = append(s.spans, span{bounds[i], bounds[i+k+1]})
				}
			}
		}
	}
}

const (
	wordSeed      = 0x243f6a8885a308d3
	characterSeed = 0x13198a2e03707344
)

func hashRunes(seed uint64, runes []rune) uint64 {
	h := seed
	for _, r := range runes {
		h = splitmix.Next(h ^ uint64(r))
	}
	return h
}

type runeKind uint8

const (
	spaceRune runeKind = iota
	wordRune
	denseRune // of a script without spaces between words
	symbolRune
)

func kindOf(r rune) runeKind {
	switch {
	case r < utf8.RuneSelf:
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_':
			return wordRune
		case r <= ' ' || r == 0x7f:
			return spaceRune
		}
		return symbolRune
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return denseRune
	case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
		return wordRune
	case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
		return spaceRune
	}
	return symbolRune
}
