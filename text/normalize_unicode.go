package text

import (
	"slices"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NFC, NFD, NFKC and NFKD are the normalization forms of Unicode Standard
// Annex 15. Characters younger than Unicode 9 stay as they are, as they do in
// tokenizers; see class.
type (
	NFC  struct{}
	NFD  struct{}
	NFKC struct{}
	NFKD struct{}
)

func (t *NFC) normalize(s *state)  { normalizeForm(s, norm.NFC, t) }
func (t *NFD) normalize(s *state)  { normalizeForm(s, norm.NFD, t) }
func (t *NFKC) normalize(s *state) { normalizeForm(s, norm.NFKC, t) }
func (t *NFKD) normalize(s *state) { normalizeForm(s, norm.NFKD, t) }

func normalizeForm(s *state, f norm.Form, r rewriter) {
	if !ascii(s.b) && !f.IsNormal(s.b) {
		s.rewriteAll(r)
	}
}

func (*NFC) rewrite(s *state, p piece) {
	s.decompose(p, norm.NFD)
	s.compose()
	s.apply(p, s.changes)
}

func (*NFD) rewrite(s *state, p piece) {
	s.decompose(p, norm.NFD)
	s.apply(p, s.changes)
}

func (*NFKC) rewrite(s *state, p piece) {
	s.decompose(p, norm.NFKD)
	s.compose()
	s.apply(p, s.changes)
}

func (*NFKD) rewrite(s *state, p piece) {
	s.decompose(p, norm.NFKD)
	s.apply(p, s.changes)
}

// marked is a change with the canonical combining class of its character.
type marked struct {
	change
	class uint8
}

// decompose sets changes to the decomposition of a piece in canonical order.
func (s *state) decompose(p piece, f norm.Form) {
	s.changes, s.marks = s.changes[:0], s.marks[:0]
	for i := int(p.from); i < int(p.to); {
		n := s.decomposeAt(i, f, func(r rune, class uint8, n int) {
			if class == 0 {
				s.flushMarks()
				s.changes = append(s.changes, change{r, n})
			} else {
				s.marks = append(s.marks, marked{change{r, n}, class})
			}
		})
		i += n
	}
	s.flushMarks()
}

func (s *state) flushMarks() {
	slices.SortStableFunc(s.marks, func(a, b marked) int { return int(a.class) - int(b.class) })
	for _, m := range s.marks {
		s.changes = append(s.changes, m.change)
	}
	s.marks = s.marks[:0]
}

// decomposeAt calls f with each character that the one at i decomposes into,
// its canonical combining class and its change, and returns its length.
func (s *state) decomposeAt(i int, form norm.Form, f func(r rune, class uint8, n int)) int {
	r, n := runeAt(s.b, i)
	switch {
	case r < utf8.RuneSelf || classOf(r)&fresh != 0:
		f(r, 0, 0)
	case 0xAC00 <= r && r <= 0xD7A3: // Hangul, section 3.12 of the Unicode Standard
		k := r - 0xAC00
		f(0x1100+k/588, 0, 0)
		f(0x1161+k%588/28, 0, 1)
		if k%28 != 0 {
			f(0x11A7+k%28, 0, 1)
		}
	default:
		properties := form.Properties(s.b[i : i+n])
		d := properties.Decomposition()
		if d == nil {
			f(r, properties.CCC(), 0)
			break
		}
		for at, k := 0, 0; at < len(d); {
			r, n := utf8.DecodeRune(d[at:])
			f(r, form.Properties(d[at:at+n]).CCC(), min(k, 1))
			at += n
			k++
		}
	}
	return n
}

// compose replaces changes, a decomposition, by its canonical composition. A
// composed character stands for the one that begins it.
func (s *state) compose() {
	out := s.changes[:0]
	starter := -1 // the place in out of what may take more
	var last uint8
	for _, c := range s.changes {
		class := combiningClass(c.r)
		if starter >= 0 && (len(out) == starter+1 || last < class) {
			if r, ok := composed(out[starter].r, c.r); ok {
				out[starter] = change{r, out[starter].n + c.n - 1}
				continue
			}
		}
		if class == 0 {
			starter = len(out)
		}
		last = class
		out = append(out, c)
	}
	s.changes = out
}

func combiningClass(r rune) uint8 {
	if r < utf8.RuneSelf || classOf(r)&fresh != 0 {
		return 0
	}
	var b [utf8.UTFMax]byte
	return norm.NFD.Properties(b[:utf8.EncodeRune(b[:], r)]).CCC()
}

// compositions are the primary composites but Hangul.
var compositions = sync.OnceValue(func() map[[2]rune]rune {
	m := map[[2]rune]rune{}
	for r := rune(0xC0); r <= 0x2FA1D; r++ {
		var b [utf8.UTFMax]byte
		c := b[:utf8.EncodeRune(b[:], r)]
		if classOf(r)&fresh != 0 || !norm.NFC.IsNormal(c) {
			continue
		}
		d := norm.NFD.Properties(c).Decomposition()
		if len(d) == 0 {
			continue
		}
		second, n := utf8.DecodeLastRune(d)
		first := norm.NFC.Bytes(d[:len(d)-n])
		if k, n := utf8.DecodeRune(first); n == len(first) {
			m[[2]rune{k, second}] = r
		}
	}
	return m
})

func composed(a, b rune) (rune, bool) {
	switch {
	case 0x1100 <= a && a <= 0x1112 && 0x1161 <= b && b <= 0x1175:
		return 0xAC00 + ((a-0x1100)*21+b-0x1161)*28, true
	case 0xAC00 <= a && a <= 0xD7A3 && (a-0xAC00)%28 == 0 && 0x11A8 <= b && b <= 0x11C2:
		return a + b - 0x11A7, true
	}
	r, ok := compositions()[[2]rune{a, b}]
	return r, ok
}
