package text

import (
	"golang.org/x/text/unicode/norm"
)

// BertNormalizer is the cleaning of BERT's basic tokenizer.
type BertNormalizer struct {
	CleanText          bool `json:"clean_text" required:"true"`           // no control characters, one kind of space
	HandleChineseChars bool `json:"handle_chinese_chars" required:"true"` // spaces around ideographs
	// StripAccents removes them; null: where Lowercase does.
	StripAccents *bool `json:"strip_accents"`
	Lowercase    bool  `json:"lowercase" required:"true"`
}

func (t *BertNormalizer) stripAccents() bool {
	if t.StripAccents != nil {
		return *t.StripAccents
	}
	return t.Lowercase
}

func (t *BertNormalizer) normalize(s *state) {
	if allPlain(s.pieces) && t.inPlace(s.b) {
		return
	}
	if t.stripAccents() && !ascii(s.b) && s.unordered() {
		t.stepwise(s)
		return
	}
	s.rewriteAll(t)
}

// inPlace does it to text that is all ASCII without control characters, which
// keeps its length.
func (t *BertNormalizer) inPlace(b []byte) bool {
	for _, c := range b {
		if c >= 0x7F || c < ' ' && (c != '\t' && c != '\n' && c != '\r') && t.CleanText {
			return false
		}
	}
	if t.Lowercase {
		lowerASCII(b)
	}
	if t.CleanText {
		for i, c := range b {
			if c < ' ' {
				b[i] = ' '
			}
		}
	}
	return true
}

// rewrite does all four steps in one pass. Every character that it writes
// stands for the one that it comes from.
func (t *BertNormalizer) rewrite(s *state, p piece) {
	strip := t.stripAccents()
	for i := int(p.from); i < int(p.to); {
		r, n := runeAt(s.b, i)
		c := classOf(r)
		o := s.at(i)
		switch {
		case t.CleanText && c&control != 0:
		case t.CleanText && c&white != 0:
			s.put(' ', o)
		case t.HandleChineseChars && isIdeograph(r):
			s.put(' ', o)
			t.accents(s, i, r, strip, o)
			s.put(' ', o)
		default:
			t.accents(s, i, r, strip, o)
		}
		i += n
	}
}

func (t *BertNormalizer) accents(s *state, i int, r rune, strip bool, o Span) {
	if r < 0xC0 || !strip {
		t.lower(s, r, o)
		return
	}
	s.decomposeAt(i, norm.NFD, func(r rune, _ uint8, _ int) {
		if classOf(r)&accent == 0 {
			t.lower(s, r, o)
		}
	})
}

func (t *BertNormalizer) lower(s *state, r rune, o Span) {
	if t.Lowercase {
		putLower(s, r, o)
	} else {
		s.put(r, o)
	}
}

// unordered reports whether the text has marks that canonical ordering may
// move and that are no accents, so that they are not removed; those of notes
// come from decomposition too.
func (s *state) unordered() bool {
	for i := 0; i < len(s.b); {
		r, n := runeAt(s.b, i)
		if r >= 0x300 && classOf(r)&(mark|accent) == mark && combiningClass(r) != 0 || 0x1D15E <= r && r <= 0x1D1C0 {
			return true
		}
		i += n
	}
	return false
}

// stepwise does one step after the other.
func (t *BertNormalizer) stepwise(s *state) {
	no := false
	s.rewriteAll(&BertNormalizer{CleanText: t.CleanText, HandleChineseChars: t.HandleChineseChars, StripAccents: &no})
	s.rewriteAll(&NFD{})
	s.rewriteAll(&BertNormalizer{StripAccents: t.StripAccents, Lowercase: t.Lowercase})
}

// isIdeograph is what BERT takes for a Chinese character.
func isIdeograph(r rune) bool {
	if r < 0x3400 {
		return false
	}
	return 0x4E00 <= r && r <= 0x9FFF || 0x3400 <= r && r <= 0x4DBF ||
		0x20000 <= r && r <= 0x2A6DF || 0x2A700 <= r && r <= 0x2B73F || 0x2B740 <= r && r <= 0x2B81F ||
		0x2B920 <= r && r <= 0x2CEAF || 0xF900 <= r && r <= 0xFAFF || 0x2F800 <= r && r <= 0x2FA1F
}
