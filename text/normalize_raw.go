package text

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// The normalizers of this file are hone's own, for text as people and pages
// write it. Other readers of tokenizer.json do not know them.

// HTML reads text that was cut out of a page: character references (&amp;,
// &#39;) are the characters that they stand for, and a tag or a comment is a
// space.
type HTML struct{}

var tag = regexp.MustCompile(`^<(?:/?[A-Za-z][^<>]*>|![A-Za-z][^<>]*>)`)

var commentBegins, commentEnds = []byte("<!--"), []byte("-->")

func (t *HTML) normalize(s *state) {
	if bytes.ContainsAny(s.b, "<&") {
		s.rewriteAll(t)
	}
}

func (*HTML) rewrite(s *state, p piece) {
	last := int(p.from) // what lies before it is written
	closed := true      // a comment may still end
	for i := last; i < int(p.to); {
		rest := s.b[i:p.to]
		n, with := 0, ""
		switch rest[0] {
		case '<':
			if bytes.HasPrefix(rest, commentBegins) {
				if closed { // else each of many beginnings would search the text again
					to := bytes.Index(rest[len(commentBegins):], commentEnds)
					if closed = to >= 0; closed {
						n = len(commentBegins) + to + len(commentEnds)
					}
				}
			} else {
				n = len(tag.Find(rest))
			}
			if n > 0 {
				with = " "
			}
		case '&':
			if end := bytes.IndexByte(rest[:min(len(rest), 40)], ';'); end > 0 {
				ref := string(rest[:end+1])
				if with = html.UnescapeString(ref); with != ref && utf8.ValidString(with) {
					n = end + 1
				}
			}
		}
		if n == 0 {
			i++
			continue
		}
		s.keep(last, i)
		s.putString(with, Span{s.at(i).From, s.at(i + n - 1).To})
		i += n
		last = i
	}
	s.keep(last, int(p.to))
}

// URLs writes With in place of every address of the web.
type URLs struct {
	With string `json:"with"`
}

var address = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"]+[^\s<>".,;:!?'()\]。，；：！？）】]`)

func (t *URLs) prepare() error {
	if !utf8.ValidString(t.With) {
		return fmt.Errorf("with: %q is not UTF-8", t.With)
	}
	return nil
}

func (t *URLs) normalize(s *state) {
	if bytes.Contains(s.b, []byte("://")) || bytes.Contains(bytes.ToLower(s.b), []byte("www.")) {
		s.rewriteAll(t)
	}
}

func (t *URLs) rewrite(s *state, p piece) {
	last := int(p.from)
	for _, m := range address.FindAllIndex(s.b[p.from:p.to], -1) {
		from, to := int(p.from)+m[0], int(p.from)+m[1]
		s.keep(last, from)
		s.putString(t.With, Span{s.at(from).From, s.at(to - 1).To})
		last = to
	}
	s.keep(last, int(p.to))
}

// Emoji says what becomes of emoji: "remove" them, or "isolate" each sequence
// (a person with its skin, a family, a flag) between spaces, to be a word.
type Emoji struct {
	Policy string `json:"policy" required:"true"`
}

func (t *Emoji) prepare() error {
	if t.Policy != "remove" && t.Policy != "isolate" {
		return fmt.Errorf("policy: found %q, expected remove or isolate", t.Policy)
	}
	return nil
}

func (t *Emoji) normalize(s *state) {
	if !ascii(s.b) {
		s.rewriteAll(t)
	}
}

func (t *Emoji) rewrite(s *state, p piece) {
	for i := int(p.from); i < int(p.to); {
		n := emojiAt(s.b[i:p.to])
		switch {
		case n == 0:
			_, n = runeAt(s.b, i)
			s.keep(i, i+n)
		case t.Policy == "isolate":
			s.put(' ', s.at(i))
			s.keep(i, i+n)
			s.put(' ', s.at(i+n-1))
		}
		i += n
	}
}

const joiner, variant, keycap = 0x200D, 0xFE0F, 0x20E3

// emojiAt returns the length of the emoji sequence that begins b, or 0.
func emojiAt(b []byte) int {
	n := oneEmoji(b)
	for n > 0 && n < len(b) {
		switch k, size := runeAt(b, n); {
		case k == variant, k == keycap, 0x1F3FB <= k && k <= 0x1F3FF, 0xE0020 <= k && k <= 0xE007F: // skin, tags of flags
			n += size
		case k == joiner && n+size < len(b):
			m := oneEmoji(b[n+size:])
			if m == 0 {
				return n // it joins nothing
			}
			n += size + m
		default:
			return n
		}
	}
	return n
}

// oneEmoji returns the length of the emoji that begins b, or 0.
func oneEmoji(b []byte) int {
	r, n := runeAt(b, 0)
	next := func() rune {
		if n < len(b) {
			r, _ := runeAt(b, n)
			return r
		}
		return 0
	}
	switch {
	case 0x1F1E6 <= r && r <= 0x1F1FF: // a flag is two
		if k := next(); 0x1F1E6 <= k && k <= 0x1F1FF {
			n += 4
		}
	case 0x1F000 <= r && r <= 0x1FAFF, 0x2600 <= r && r <= 0x27BF, r == 0x231A, r == 0x231B, 0x23E9 <= r && r <= 0x23FA,
		r == 0x2B1B, r == 0x2B1C, r == 0x2B50, r == 0x2B55:
	case next() == variant:
		if r < 0xA9 { // a digit is one only as a keycap
			if n += 3; next() != keycap {
				return 0
			}
		}
	default:
		return 0
	}
	return n
}

// Width writes full-width forms of ASCII in half, and half-width katakana and
// hangul in full.
type Width struct{}

func (t *Width) normalize(s *state) {
	if !ascii(s.b) {
		s.rewriteAll(t)
	}
}

func (*Width) rewrite(s *state, p piece) {
	for i := int(p.from); i < int(p.to); {
		r, n := runeAt(s.b, i)
		o := s.at(i)
		if r == 0x3000 {
			r = ' '
		} else if r >= 0xFF00 {
			if f := width.LookupRune(r).Folded(); f != 0 {
				r = f
			}
		}
		s.put(r, o)
		i += n
	}
}
