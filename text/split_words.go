package text

import (
	"fmt"
	"unicode"
)

// Words cuts into words as people count them: runs of letters, marks and
// digits, and every run of other characters, at white space. Chinese and
// Japanese write no spaces: a run of ideographs, hiragana and katakana is cut
// into CJK: "bigrams", every character with the next, overlapping,
// "characters", or "both". It is hone's own.
type Words struct {
	CJK string `json:"cjk"`
}

func (t *Words) prepare() error {
	if t.CJK != "bigrams" && t.CJK != "characters" && t.CJK != "both" {
		return fmt.Errorf("cjk: found %q, expected bigrams, characters or both", t.CJK)
	}
	return nil
}

// Cut calls piece with each piece of a text, without a tokenizer around it. Its
// bytes are only for the call. A text of more than 64 MiB is refused.
func (t *Words) Cut(text string, piece func([]byte)) error {
	if err := t.prepare(); err != nil {
		return err
	}
	if err := checkLength(text); err != nil {
		return err
	}
	loadClasses()
	s := state{noOrigin: true}
	s.begin(text)
	for _, p := range s.pieces {
		t.split(&s, p)
	}
	for _, p := range s.next {
		piece(s.b[p.from:p.to])
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
		if t.CJK != "bigrams" {
			s.cut(p, i, end)
		}
		if t.CJK != "characters" && end < to {
			_, m := runeAt(s.b, end)
			s.cut(p, i, end+m)
		}
		i = end
	}
}

func isCJK(r rune) bool {
	return isIdeograph(r) || 0x3040 <= r && r <= 0x30FF || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}
