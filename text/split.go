package text

import (
	"fmt"
	"unicode/utf8"
)

// A PreTokenizer cuts a text into pieces that a model then cuts into tokens;
// no token crosses their borders.
type PreTokenizer interface{ pretokenize(s *state) }

// PreTokenizers are the pre-tokenizers of tokenizer.json by type, and hone's
// own.
// PreTokenizerSequence is their type "Sequence".
var PreTokenizers = []Kind[PreTokenizer]{
	{"BertPreTokenizer", func() PreTokenizer { return &BertPreTokenizer{} }, false},
	{"ByteLevel", func() PreTokenizer { return &ByteLevel{AddPrefixSpace: true, TrimOffsets: true, UseRegex: true} }, false},
	{"CharDelimiterSplit", func() PreTokenizer { return &CharDelimiterSplit{} }, false},
	{"Digits", func() PreTokenizer { return &Digits{} }, false},
	{"FixedLength", func() PreTokenizer { return &FixedLength{Length: 5} }, false},
	{"Metaspace", func() PreTokenizer { return NewMetaspace() }, false},
	{"Punctuation", func() PreTokenizer { return &Punctuation{Behavior: Isolated} }, false},
	{"Split", func() PreTokenizer { return &Split{} }, false},
	{"Whitespace", func() PreTokenizer { return &Whitespace{} }, false},
	{"WhitespaceSplit", func() PreTokenizer { return &WhitespaceSplit{} }, false},
	{"Words", func() PreTokenizer { return &Words{CJK: "bigrams"} }, true},
}

// PreTokenizerSequence applies pre-tokenizers one after another.
type PreTokenizerSequence struct {
	PreTokenizers []PreTokenizer `json:"pretokenizers"`
}

func (q *PreTokenizerSequence) pretokenize(s *state) {
	for _, p := range q.PreTokenizers {
		p.pretokenize(s)
	}
}

// A Behavior says what becomes of the matches that a text is cut at.
type Behavior string

// With "the-final--countdown" cut at "-":
const (
	Removed            Behavior = "Removed"            // the, final, countdown
	Isolated           Behavior = "Isolated"           // the, -, final, -, -, countdown
	MergedWithPrevious Behavior = "MergedWithPrevious" // the-, final-, -, countdown
	MergedWithNext     Behavior = "MergedWithNext"     // the, -final, -, -countdown
	Contiguous         Behavior = "Contiguous"         // the, -, final, --, countdown
)

func (b Behavior) prepare() error {
	switch b {
	case Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous:
		return nil
	}
	return fmt.Errorf("behavior: found %q, expected %s, %s, %s, %s or %s", b, Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous)
}

// cutSegments cuts a piece at the matches among its segments.
func (s *state) cutSegments(p piece, segments []segment, b Behavior) {
	if b == MergedWithNext {
		// From the end: a match takes what follows, unless that is a match.
		k := len(segments)
		after := false
		for i := len(segments) - 1; i >= 0; i-- {
			g := segments[i]
			if g.match && !after && k < len(segments) {
				segments[k].from = g.from
			} else {
				k--
				segments[k] = g
			}
			after = g.match
		}
		segments = segments[k:]
	}
	open := segment{from: -1} // what later segments may still join
	before := false
	for _, g := range segments {
		join := false
		switch b {
		case Removed:
			if g.match {
				continue
			}
		case Contiguous:
			join = g.match == before
		case MergedWithPrevious:
			join = g.match && !before
		}
		before = g.match
		if join && open.from >= 0 {
			open.to = g.to
			continue
		}
		if open.from >= 0 {
			s.cut(p, int(p.from)+open.from, int(p.from)+open.to)
		}
		open = g
	}
	if open.from >= 0 {
		s.cut(p, int(p.from)+open.from, int(p.from)+open.to)
	}
}

// A classMatcher matches single characters of some classes.
type classMatcher class

func (m classMatcher) match(dst []segment, b []byte) []segment {
	last := 0
	for i := 0; i < len(b); {
		r, n := runeAt(b, i)
		if classOf(r)&class(m) != 0 {
			if last < i {
				dst = append(dst, segment{last, i, false})
			}
			dst = append(dst, segment{i, i + n, true})
			last = i + n
		}
		i += n
	}
	if last < len(b) {
		dst = append(dst, segment{last, len(b), false})
	}
	return dst
}

// cutting cuts pieces at the matches of a matcher.
type cutting struct {
	matcher
	behavior Behavior
	invert   bool
}

func (c *cutting) split(s *state, p piece) {
	s.segments = c.match(s.segments[:0], s.b[p.from:p.to])
	if c.invert {
		for i := range s.segments {
			s.segments[i].match = !s.segments[i].match
		}
	}
	s.cutSegments(p, s.segments, c.behavior)
}

// WhitespaceSplit cuts at white space.
type WhitespaceSplit struct{}

func (t *WhitespaceSplit) pretokenize(s *state) { s.splitAll(t) }

func (*WhitespaceSplit) split(s *state, p piece) {
	last := int(p.from)
	for i := last; i < int(p.to); {
		r, n := runeAt(s.b, i)
		if classOf(r)&white != 0 {
			s.cut(p, last, i)
			last = i + n
		}
		i += n
	}
	s.cut(p, last, int(p.to))
}

// Whitespace cuts into runs of word characters and runs of others, at white
// space: \w+|[^\w\s]+.
type Whitespace struct{}

func (t *Whitespace) pretokenize(s *state) { s.splitAll(t) }

func (*Whitespace) split(s *state, p piece) {
	last, before := int(p.from), class(0)
	for i := last; i < int(p.to); {
		r, n := runeAt(s.b, i)
		c := classOf(r) & (white | word)
		if i > last && c != before {
			if before != white {
				s.cut(p, last, i)
			}
			last = i
		}
		before = c
		i += n
	}
	if before != white {
		s.cut(p, last, int(p.to))
	}
}

// BertPreTokenizer cuts at white space and isolates punctuation.
type BertPreTokenizer struct{}

func (t *BertPreTokenizer) pretokenize(s *state) { s.splitAll(t) }

func (*BertPreTokenizer) split(s *state, p piece) {
	last := int(p.from)
	for i := last; i < int(p.to); {
		r, n := runeAt(s.b, i)
		if c := classOf(r); c&(white|punct) != 0 {
			s.cut(p, last, i)
			last = i + n
			if c&white == 0 {
				s.cut(p, i, last)
			}
		}
		i += n
	}
	s.cut(p, last, int(p.to))
}

// Punctuation cuts at punctuation.
type Punctuation struct {
	Behavior Behavior `json:"behavior"`
}

func (t *Punctuation) prepare() error { return t.Behavior.prepare() }

func (t *Punctuation) pretokenize(s *state) {
	s.splitAll(&cutting{classMatcher(punct), t.Behavior, false})
}

// Digits isolates numbers, or each digit.
type Digits struct {
	IndividualDigits bool `json:"individual_digits" required:"true"`
}

func (t *Digits) pretokenize(s *state) {
	c := &cutting{classMatcher(numeric), Contiguous, false}
	if t.IndividualDigits {
		c.behavior = Isolated
	}
	s.splitAll(c)
}

// CharDelimiterSplit cuts at a character.
type CharDelimiterSplit struct {
	Delimiter string `json:"delimiter" required:"true"`
}

func (t *CharDelimiterSplit) prepare() error { return oneRune("delimiter", t.Delimiter) }

func (t *CharDelimiterSplit) pretokenize(s *state) {
	s.splitAll(&cutting{stringMatcher(t.Delimiter), Removed, false})
}

func oneRune(key, s string) error {
	if utf8.RuneCountInString(s) != 1 || !utf8.ValidString(s) {
		return fmt.Errorf("%s: found %q, expected one character", key, s)
	}
	return nil
}

// FixedLength cuts into pieces of so many characters.
type FixedLength struct {
	Length int `json:"length"`
}

func (t *FixedLength) prepare() error {
	if t.Length < 1 {
		return fmt.Errorf("length: found %d, expected at least 1", t.Length)
	}
	return nil
}

func (t *FixedLength) pretokenize(s *state) { s.splitAll(t) }

func (t *FixedLength) split(s *state, p piece) {
	last, k := int(p.from), 0
	for i := last; i < int(p.to); k++ {
		if k == t.Length {
			s.cut(p, last, i)
			last, k = i, 0
		}
		_, n := runeAt(s.b, i)
		i += n
	}
	s.cut(p, last, int(p.to))
}

// Split cuts at a pattern, or with Invert at what lies between its matches.
type Split struct {
	Pattern  Pattern  `json:"pattern" required:"true"`
	Behavior Behavior `json:"behavior" required:"true"`
	Invert   bool     `json:"invert" required:"true"`
	cutting  cutting
}

func (t *Split) prepare() error {
	if err := t.Behavior.prepare(); err != nil {
		return err
	}
	m, err := t.Pattern.compile()
	t.cutting = cutting{m, t.Behavior, t.Invert}
	return err
}

func (t *Split) pretokenize(s *state) { s.splitAll(&t.cutting) }

// Metaspace writes a visible character for every space, also before the text,
// and cuts before it.
type Metaspace struct {
	Replacement   string `json:"replacement" required:"true"`
	PrependScheme string `json:"prepend_scheme"` // always, first (only before the text) or never
	Split         bool   `json:"split"`
	// AddPrefixSpace is how older files say never: false.
	AddPrefixSpace *bool `json:"add_prefix_space,omitempty"`
}

// NewMetaspace returns the usual one.
func NewMetaspace() *Metaspace {
	return &Metaspace{Replacement: "▁", PrependScheme: "always", Split: true}
}

func (t *Metaspace) prepare() error {
	if err := oneRune("replacement", t.Replacement); err != nil {
		return err
	}
	if t.AddPrefixSpace != nil {
		if !*t.AddPrefixSpace {
			t.PrependScheme = "never"
		}
		t.AddPrefixSpace = nil
	}
	switch t.PrependScheme {
	case "always", "first", "never":
		return nil
	}
	return fmt.Errorf("prepend_scheme: found %q, expected always, first or never", t.PrependScheme)
}

func (t *Metaspace) pretokenize(s *state) {
	s.rewriteAll(t)
	if t.Split {
		s.splitAll(t)
	}
}

func (t *Metaspace) rewrite(s *state, p piece) {
	b := s.b[p.from:p.to]
	starts := b[0] == ' ' || len(b) >= len(t.Replacement) && string(b[:len(t.Replacement)]) == t.Replacement
	if !starts && (t.PrependScheme == "always" || t.PrependScheme == "first" && p.start == 0) {
		s.putString(t.Replacement, s.at(int(p.from)))
	}
	for i := int(p.from); i < int(p.to); {
		if s.b[i] == ' ' {
			s.putString(t.Replacement, s.at(i))
			i++
			continue
		}
		j := i + 1
		for j < int(p.to) && s.b[j] != ' ' {
			j++
		}
		s.keep(i, j)
		i = j
	}
}

// split cuts before every replacement but where one follows another's cut:
// MergedWithNext.
func (t *Metaspace) split(s *state, p piece) {
	s.segments = stringMatcher(t.Replacement).match(s.segments[:0], s.b[p.from:p.to])
	s.cutSegments(p, s.segments, MergedWithNext)
}
