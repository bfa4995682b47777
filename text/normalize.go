package text

import (
	"bytes"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A Normalizer rewrites a text before it is cut.
type Normalizer interface{ normalize(s *state) }

// Normalizers are the normalizers of tokenizer.json by type, and hone's own.
// NormalizerSequence is their type "Sequence".
var Normalizers = []Kind[Normalizer]{
	{"BertNormalizer", func() Normalizer {
		return &BertNormalizer{CleanText: true, HandleChineseChars: true, Lowercase: true}
	}, false},
	{"ByteLevel", func() Normalizer { return &ByteLevelNormalizer{} }, false},
	{"Lowercase", func() Normalizer { return &Lowercase{} }, false},
	{"NFC", func() Normalizer { return &NFC{} }, false},
	{"NFD", func() Normalizer { return &NFD{} }, false},
	{"NFKC", func() Normalizer { return &NFKC{} }, false},
	{"NFKD", func() Normalizer { return &NFKD{} }, false},
	{"Nmt", func() Normalizer { return &Nmt{} }, false},
	{"Precompiled", func() Normalizer { return &Precompiled{} }, false},
	{"Prepend", func() Normalizer { return &Prepend{} }, false},
	{"Replace", func() Normalizer { return &Replace{} }, false},
	{"Strip", func() Normalizer { return &Strip{} }, false},
	{"StripAccents", func() Normalizer { return &StripAccents{} }, false},
	{"HTML", func() Normalizer { return &HTML{} }, true},
	{"URLs", func() Normalizer { return &URLs{} }, true},
	{"Emoji", func() Normalizer { return &Emoji{} }, true},
	{"Width", func() Normalizer { return &Width{} }, true},
}

// A Kind is a part of a tokenizer that tokenizer.json can name.
type Kind[T any] struct {
	Type string
	New  func() T // with its defaults
	// Own: only hone knows it; other readers of tokenizer.json do not.
	Own bool
}

// A preparer is a part that checks itself and makes itself ready for use.
type preparer interface{ prepare() error }

// NormalizerSequence applies normalizers one after another.
type NormalizerSequence struct {
	Normalizers []Normalizer `json:"normalizers"`
}

func (q *NormalizerSequence) normalize(s *state) {
	for _, n := range q.Normalizers {
		n.normalize(s)
	}
}

// Lowercase writes every character in lower case, one by one: the final
// sigma of a Greek word is not special.
type Lowercase struct{}

func (l *Lowercase) normalize(s *state) {
	if ascii(s.b) && allPlain(s.pieces) {
		lowerASCII(s.b)
		return
	}
	s.rewriteAll(l)
}

func (*Lowercase) rewrite(s *state, p piece) {
	for i := int(p.from); i < int(p.to); {
		r, n := runeAt(s.b, i)
		putLower(s, r, s.at(i))
		i += n
	}
}

// allPlain reports that no piece is an added token, so that the whole text
// may be changed in place.
func allPlain(pieces []piece) bool {
	for _, p := range pieces {
		if p.id >= 0 {
			return false
		}
	}
	return true
}

func lowerASCII(b []byte) {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

func putLower(s *state, r rune, o Span) {
	if r == 'İ' { // the only one whose lower case is longer
		s.put('i', o)
		s.put('\u0307', o)
		return
	}
	s.put(lower(r), o)
}

// lower is the lower case of r in Unicode 17, of which Go 1.26 lacks some.
func lower(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	case r == 0x1C89:
		return 0x1C8A
	case r == 0xA7CB:
		return 0x0264
	case r == 0xA7CC, r == 0xA7CE, r == 0xA7D2, r == 0xA7D4, r == 0xA7DA:
		return r + 1
	case r == 0xA7DC:
		return 0x019B
	case 0x10D50 <= r && r <= 0x10D65:
		return r + 0x20
	case 0x16EA0 <= r && r <= 0x16EB8:
		return r + 0x1B
	}
	return unicode.ToLower(r)
}

// Strip takes white space off the ends.
type Strip struct {
	Left  bool `json:"strip_left" required:"true"`
	Right bool `json:"strip_right" required:"true"`
}

func (t *Strip) normalize(s *state) {
	for i := range s.pieces {
		p := &s.pieces[i]
		if p.id >= 0 {
			continue
		}
		for t.Left && p.from < p.to {
			r, n := runeAt(s.b, int(p.from))
			if classOf(r)&white == 0 {
				break
			}
			p.from += int32(n)
		}
		for t.Right && p.from < p.to {
			r, n := utf8.DecodeLastRune(s.b[p.from:p.to])
			if classOf(r)&white == 0 {
				break
			}
			p.to -= int32(n)
		}
	}
}

// StripAccents removes combining marks; NFD or NFKD come before it.
type StripAccents struct{}

func (t *StripAccents) normalize(s *state) {
	if !ascii(s.b) {
		s.rewriteAll(t)
	}
}

func (*StripAccents) rewrite(s *state, p piece) {
	for i := int(p.from); i < int(p.to); {
		r, n := runeAt(s.b, i)
		if classOf(r)&mark == 0 {
			s.put(r, s.at(i))
		}
		i += n
	}
}

// Nmt is the cleaning of SentencePiece's rule nmt: control characters are
// removed, and what looks like a space is one.
type Nmt struct{}

func (t *Nmt) normalize(s *state) { s.rewriteAll(t) }

func (*Nmt) rewrite(s *state, p piece) {
	for i := int(p.from); i < int(p.to); {
		r, n := runeAt(s.b, i)
		switch {
		case 0x01 <= r && r <= 0x08, r == 0x0B, 0x0E <= r && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		case r == 0x09, r == 0x0A, r == 0x0C, r == 0x0D, r == 0x1680, 0x200B <= r && r <= 0x200F,
			r == 0x2028, r == 0x2029, r == 0x2581, r == 0xFEFF, r == 0xFFFD:
			s.put(' ', s.at(i))
		default:
			s.put(r, s.at(i))
		}
		i += n
	}
}

// Prepend writes a text before one that is not empty.
type Prepend struct {
	Prepend string `json:"prepend" required:"true"`
}

func (t *Prepend) normalize(s *state) { s.rewriteAll(t) }

func (t *Prepend) rewrite(s *state, p piece) {
	if p.from < p.to {
		s.putString(t.Prepend, s.at(int(p.from)))
		s.keep(int(p.from), int(p.to))
	}
}

// Replace writes content for every match of a pattern. What it writes stands
// for the last character of the match.
type Replace struct {
	Pattern Pattern `json:"pattern" required:"true"`
	Content string  `json:"content" required:"true"`
	matcher matcher
}

func (t *Replace) prepare() (err error) {
	if !utf8.ValidString(t.Content) {
		return fmt.Errorf("content: %q is not UTF-8", t.Content)
	}
	t.matcher, err = t.Pattern.compile()
	return err
}

func (t *Replace) normalize(s *state) {
	for _, p := range s.pieces {
		if p.id < 0 {
			s.segments = t.matcher.match(s.segments[:0], s.b[p.from:p.to])
			if slices.ContainsFunc(s.segments, func(g segment) bool { return g.match }) {
				s.rewriteAll(t)
				return
			}
		}
	}
}

func (t *Replace) rewrite(s *state, p piece) {
	last := int(p.from)
	s.segments = t.matcher.match(s.segments[:0], s.b[p.from:p.to])
	for _, g := range s.segments {
		from, to := int(p.from)+g.from, int(p.from)+g.to
		if !g.match {
			s.keep(from, to)
			last = to
			continue
		}
		o := Span{p.start, p.start}
		if to > int(p.from) {
			o = s.at(to - 1)
		}
		s.putString(t.Content, o)
		last = to
	}
	if last < int(p.to) {
		s.keep(last, int(p.to))
	}
}

// ByteLevelNormalizer writes every byte as a visible character, as GPT-2 does.
type ByteLevelNormalizer struct{}

func (*ByteLevelNormalizer) normalize(s *state) { s.rewriteAll(byteChars{}) }

// A Pattern is a text to be found, or a regular expression.
type Pattern struct {
	String string `json:"String,omitempty"`
	Regex  string `json:"Regex,omitempty"`
}

func (p Pattern) compile() (matcher, error) {
	switch {
	case (p.String == "") == (p.Regex == ""):
		return nil, fmt.Errorf("pattern: found String %q and Regex %q, expected one of them", p.String, p.Regex)
	case p.String != "":
		return stringMatcher(p.String), nil
	}
	m, err := compileRegex(p.Regex)
	if err != nil {
		return nil, fmt.Errorf("pattern.Regex: %w", err)
	}
	return m, nil
}

// A segment of a text is a match of a pattern or lies between two.
type segment struct {
	from, to int
	match    bool
}

// A matcher adds to dst the segments of b, all of it, in order. Only matches
// may be empty.
type matcher interface {
	match(dst []segment, b []byte) []segment
}

type stringMatcher string

func (m stringMatcher) match(dst []segment, b []byte) []segment {
	at := 0
	for {
		i := bytes.Index(b[at:], []byte(m))
		if i < 0 {
			break
		}
		if i > 0 {
			dst = append(dst, segment{at, at + i, false})
		}
		dst = append(dst, segment{at + i, at + i + len(m), true})
		at += i + len(m)
	}
	if at < len(b) {
		dst = append(dst, segment{at, len(b), false})
	}
	return dst
}
