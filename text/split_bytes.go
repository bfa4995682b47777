package text

import (
	"strings"
	"unicode/utf8"
)

// ByteLevel cuts a text into words as GPT-2 does and writes every byte as a
// visible character.
type ByteLevel struct {
	AddPrefixSpace bool `json:"add_prefix_space" required:"true"` // a space before a text without one
	TrimOffsets    bool `json:"trim_offsets" required:"true"`     // for the processor ByteLevel
	UseRegex       bool `json:"use_regex"`                        // cut into words
}

func (t *ByteLevel) pretokenize(s *state) {
	if t.AddPrefixSpace {
		for _, p := range s.pieces {
			if p.id < 0 && s.b[p.from] != ' ' {
				s.rewriteAll(prefixSpace{})
				break
			}
		}
	}
	if t.UseRegex {
		s.splitAll(gpt2)
	}
	s.rewriteAll(byteChars{})
}

type prefixSpace struct{}

func (prefixSpace) rewrite(s *state, p piece) {
	if s.b[p.from] != ' ' {
		s.put(' ', s.at(int(p.from)))
	}
	s.keep(int(p.from), int(p.to))
}

// byteRunes has the character that GPT-2 writes for each byte: itself where
// it is visible in Latin-1, else one from U+0100 on.
var byteRunes = func() (runes [256]rune) {
	n := rune(0x100)
	for b := range runes {
		r := rune(b)
		if !('!' <= r && r <= '~' || 0xA1 <= r && r <= 0xAC || 0xAE <= r && r <= 0xFF) {
			r = n
			n++
		}
		runes[b] = r
	}
	return runes
}()

// runeBytes is the inverse of byteRunes.
var runeBytes = func() map[rune]byte {
	m := map[rune]byte{}
	for b, r := range byteRunes {
		m[r] = byte(b)
	}
	return m
}()

type byteChars struct{}

func (byteChars) rewrite(s *state, p piece) {
	for i := int(p.from); i < int(p.to); {
		c := s.b[i]
		if c < utf8.RuneSelf {
			s.put(byteRunes[c], s.at(i))
			i++
			continue
		}
		_, n := runeAt(s.b, i)
		o := s.at(i)
		for range n {
			s.put(byteRunes[s.b[i]], o)
			i++
		}
	}
}

// A wordScanner does what a regular expression of a known family does, which
// looks ahead and so is beyond Go's regexp: contractions, words, numbers,
// symbols and white space, the last space of which belongs to what follows.
type wordScanner struct {
	// newer: after cl100k_base, else as GPT-2.
	newer  bool
	digits int // at most so many in one number; 0: any
}

var gpt2 = &wordScanner{}

// knownPatterns are the regular expressions that wordScanner stands for.
var knownPatterns = map[string]*wordScanner{
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`:                                          gpt2,
	`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`:                                             gpt2,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: {true, 3},
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:      {true, 1},
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:     {true, 0},
}

func (w *wordScanner) split(s *state, p piece) {
	b := s.b[p.from:p.to]
	for i := 0; i < len(b); {
		n := w.next(b[i:])
		s.cut(p, int(p.from)+i, int(p.from)+i+n)
		i += n
	}
}

func (w *wordScanner) match(dst []segment, b []byte) []segment {
	for i := 0; i < len(b); {
		n := w.next(b[i:])
		dst = append(dst, segment{i, i + n, true})
		i += n
	}
	return dst
}

// run returns the length of the run of characters at the start of b that have
// a class of want (any, where want is 0) and none of not.
func run(b []byte, want, not class) int {
	i := 0
	for i < len(b) {
		r, n := runeAt(b, i)
		if c := classOf(r); want != 0 && c&want == 0 || c&not != 0 {
			break
		}
		i += n
	}
	return i
}

// next returns the length of the match at the start of b, which is not empty.
func (w *wordScanner) next(b []byte) int {
	if b[0] == '\'' {
		if n := w.contraction(b[1:]); n > 0 {
			return 1 + n
		}
	}
	r, n := runeAt(b, 0)
	c := classOf(r)
	if w.newer {
		if c&(letter|number) == 0 && r != '\r' && r != '\n' {
			if k := run(b[n:], letter, 0); k > 0 {
				return n + k
			}
		}
	}
	space := 0 // a space that the word takes with it
	if b[0] == ' ' && len(b) > 1 {
		if next, _ := runeAt(b, 1); classOf(next)&white == 0 && !(w.newer && classOf(next)&(letter|number) != 0) {
			space, c = 1, classOf(next)
		}
	}
	switch {
	case c&letter != 0:
		return space + run(b[space:], letter, 0)
	case c&number != 0:
		return space + w.number(b[space:])
	case c&white == 0:
		k := space + run(b[space:], 0, white|letter|number)
		for w.newer && k < len(b) && (b[k] == '\r' || b[k] == '\n') {
			k++
		}
		return k
	}
	k := run(b, white, 0)
	if w.newer {
		for j := k; j > 0; j-- {
			if b[j-1] == '\r' || b[j-1] == '\n' {
				return j
			}
		}
	}
	if k < len(b) { // leave the last space, unless it is the only one
		if _, n := utf8.DecodeLastRune(b[:k]); n < k {
			k -= n
		}
	}
	return k
}

func (w *wordScanner) number(b []byte) int {
	if w.digits == 0 {
		return run(b, number, 0)
	}
	i := 0
	for k := 0; k < w.digits && i < len(b); k++ {
		r, n := runeAt(b, i)
		if classOf(r)&number == 0 {
			break
		}
		i += n
	}
	return i
}

// contraction returns the length of what follows an apostrophe in 's, 't,
// 're, 've, 'm, 'll or 'd; in newer patterns in any case, the long s included.
func (w *wordScanner) contraction(b []byte) int {
	if w.newer && strings.HasPrefix(string(b[:min(len(b), 2)]), "ſ") {
		return 2
	}
	var c [2]byte
	n := copy(c[:], b)
	if w.newer {
		lowerASCII(c[:n])
	}
	switch c[0] {
	case 's', 't', 'm', 'd':
		return 1
	}
	switch string(c[:n]) {
	case "re", "ve", "ll":
		return 2
	}
	return 0
}
