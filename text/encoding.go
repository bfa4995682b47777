package text

import "fmt"

// An Encoding is what became of a text, or of two: for every token its id and
// what else a model or a reader wants of it. All slices are equally long.
type Encoding struct {
	IDs     []int32
	TypeIDs []int32  // which text by the processor's count, usually 0 and 1
	Tokens  []string // as in the vocabulary; of Unigram's unknown ones their text
	Offsets []Span   // bytes of the original text; empty for special tokens and padding
	// Words is which piece of the text the token comes from, in order, and -1
	// for special tokens and padding.
	Words []int32
	// Sequences is 0 for the first text, 1 for the second, -1 for special
	// tokens and padding.
	Sequences []int8
	Attention []int8 // 0 for padding, else 1
	// Overflow are the parts that truncation cut off, each complete by itself.
	Overflow []*Encoding
}

// Truncation cuts an encoding to a length.
type Truncation struct {
	Direction string `json:"direction"` // Right or Left: which end is cut off
	MaxLength int    `json:"max_length"`
	Strategy  string `json:"strategy"` // LongestFirst, OnlyFirst or OnlySecond: of two texts
	Stride    int    `json:"stride"`   // how many tokens the parts of Overflow share
}

// Padding fills an encoding up to a length.
type Padding struct {
	Fixed           int    `json:"-"`         // the length, or 0: the longest of a batch
	Direction       string `json:"direction"` // Right or Left: where padding goes
	PadToMultipleOf int    `json:"-"`         // 0: of any
	PadID           int32  `json:"pad_id"`
	PadTypeID       int32  `json:"pad_type_id"`
	PadToken        string `json:"pad_token"`
}

func (t *Truncation) prepare() error {
	switch {
	case t.Direction != "Right" && t.Direction != "Left":
		return fmt.Errorf("direction: found %q, expected Right or Left", t.Direction)
	case t.Strategy != "LongestFirst" && t.Strategy != "OnlyFirst" && t.Strategy != "OnlySecond":
		return fmt.Errorf("strategy: found %q, expected LongestFirst, OnlyFirst or OnlySecond", t.Strategy)
	case t.MaxLength < 0 || t.Stride < 0 || t.Stride > t.MaxLength:
		return fmt.Errorf("max_length %d and stride %d: expected 0 or more, and the stride no longer", t.MaxLength, t.Stride)
	}
	return nil
}

// maxPadding bounds what padding may allocate.
const maxPadding = 1 << 24

func (p *Padding) prepare() error {
	switch {
	case p.Direction != "Right" && p.Direction != "Left":
		return fmt.Errorf("direction: found %q, expected Right or Left", p.Direction)
	case p.Fixed < 0 || p.PadToMultipleOf < 0 || max(p.Fixed, p.PadToMultipleOf) > maxPadding:
		return fmt.Errorf("length %d, multiple %d: expected 0 to %d", p.Fixed, p.PadToMultipleOf, maxPadding)
	}
	return nil
}

// length is how long encodings of at most n tokens become.
func (p *Padding) length(n int) int {
	if p.Fixed > 0 {
		n = p.Fixed
	}
	if k := p.PadToMultipleOf; k > 0 && n%k > 0 {
		n += k - n%k
	}
	return n
}

// pad fills e and its overflow up to n tokens.
func (p *Padding) pad(e *Encoding, n int) {
	for _, o := range e.Overflow {
		p.pad(o, n)
	}
	k := n - len(e.IDs)
	if k <= 0 {
		return
	}
	fill(&e.IDs, k, p.PadID, p.Direction)
	fill(&e.TypeIDs, k, p.PadTypeID, p.Direction)
	fill(&e.Tokens, k, p.PadToken, p.Direction)
	fill(&e.Offsets, k, Span{}, p.Direction)
	fill(&e.Words, k, -1, p.Direction)
	fill(&e.Sequences, k, -1, p.Direction)
	fill(&e.Attention, k, 0, p.Direction)
}

func fill[T any](s *[]T, k int, v T, direction string) {
	n := len(*s)
	for range k {
		*s = append(*s, v)
	}
	if direction == "Left" {
		copy((*s)[k:], (*s)[:n])
		for i := range k {
			(*s)[i] = v
		}
	}
}

// windows returns the parts of n tokens when at most length are kept, the
// first first: the one that is kept, then the overflow.
func (t *Truncation) windows(n, length int) ([][2]int, error) {
	switch {
	case length >= n:
		return [][2]int{{0, n}}, nil
	case length == 0:
		return [][2]int{{0, 0}, {0, n}}, nil
	case t.Stride >= length:
		return nil, fmt.Errorf("truncation: its stride is %d and a text gets %d tokens, expected a smaller stride", t.Stride, length)
	}
	var parts [][2]int
	if t.Direction == "Left" {
		for to := n; ; to -= length - t.Stride {
			parts = append(parts, [2]int{max(to-length, 0), to})
			if to <= length {
				return parts, nil
			}
		}
	}
	for from := 0; ; from += length - t.Stride {
		parts = append(parts, [2]int{from, min(from+length, n)})
		if from+length >= n {
			return parts, nil
		}
	}
}

// lengths returns how many tokens each of two texts keeps, or the only one.
func (t *Truncation) lengths(n int, second int, pair bool, added int) (int, int, error) {
	most := max(t.MaxLength-added, 0)
	excess := n + second - most
	switch {
	case excess <= 0:
		return n, second, nil
	case most == 0:
		return 0, 0, nil
	case t.Strategy == "LongestFirst" && !pair:
		return most, 0, nil
	case t.Strategy == "LongestFirst":
		short, long := min(n, second), max(n, second)
		if short <= most {
			long = max(short, most-short)
		}
		if short+long > most {
			short = most / 2
			long = short + most%2
		}
		if n > second {
			short, long = long, short
		}
		return short, long, nil
	case t.Strategy == "OnlyFirst" && n > excess:
		return n - excess, second, nil
	case t.Strategy == "OnlySecond" && pair && second > excess:
		return n, second - excess, nil
	}
	return 0, 0, fmt.Errorf("truncation: %s cannot bring texts of %d and %d tokens to %d", t.Strategy, n, second, most)
}
