package text

import (
	"fmt"
	"unicode"
)

// Words cuts into words as people count them: runs of letters, marks and
// digits, and every run of other characters, at white space. Chinese and
// Japanese write no spaces: a run of ideographs, hiragana and katakana is cut
// into CJK: "bigrams", every character with the next, overlapping, or
// "characters". It is hone's own.
type Words struct {
	CJK string `json:"cjk"`
}

func (t *Words) prepare() error {
	if t.CJK != "bigrams" && t.CJK != "characters" {
		return fmt.Errorf("cjk: found %q, expected bigrams or characters", t.CJK)
	}
	return nil
}

func (t *Words) pretokenize(s *state) { s.splitAll(t) }

func (t *Words) split(s *state, p piece) {
	const cjk class = 1 << 15 // beside the classes of the table
	last, before := int(p.from), class(0)
	end := func(i int) {
		switch {
		case i == last || before == white:
		case before == cjk:
			t.run(s, p, last, i)
		default:
			s.cut(p, last, i)
		}
		last = i
	}
	for i := last; i < int(p.to); {
		r, n := runeAt(s.b, i)
		c := classOf(r) & (white | word)
		if r >= 0x2E80 && isCJK(r) {
			c = cjk
		}
		if c != before {
			end(i)
		}
		before = c
		i += n
	}
	end(int(p.to))
}

// run cuts a run of Chinese or Japanese.
func (t *Words) run(s *state, p piece, from, to int) {
	_, n := runeAt(s.b, from)
	if from+n == to {
		s.cut(p, from, to)
		return
	}
	for i := from; i < to; {
		_, n := runeAt(s.b, i)
		end := i + n
		if t.CJK == "bigrams" {
			if end == to {
				return
			}
			_, m := runeAt(s.b, end)
			end += m
		}
		s.cut(p, i, end)
		i += n
	}
}

func isCJK(r rune) bool {
	return isIdeograph(r) || 0x3040 <= r && r <= 0x30FF || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}
