package text

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Span is a half-open range of bytes of the original text.
type Span struct{ From, To int32 }

// A piece is a stretch of state.b that is normalized and cut by itself.
type piece struct {
	from, to int32
	start    int32 // where its text begins in the original
	id       int32 // of the added token that it is, or -1
}

// A token is one that was found; from and to are bytes of state.b.
type token struct {
	id, from, to int32
	word         int32 // the piece it comes from
	surface      bool  // its string is its text, not that of the vocabulary
}

// state is what encoding one text needs. Its buffers are used again, so that
// encoding allocates for its result alone.
type state struct {
	source string // the original
	b      []byte // the text as it is rewritten
	// origin has for each byte of b which bytes of the original it stands
	// for, the same for all bytes of a code point. It is not kept while b is
	// the original, byte for byte, or where nobody asks for it.
	origin   []Span
	same     bool // b is the original, or equally long with equal characters
	noOrigin bool // nobody asks
	pieces   []piece
	tokens   []token
	err      error

	// What the next step writes, before it takes the place of the above.
	spare       []byte
	spareOrigin []Span
	next        []piece

	segments []segment
	changes  []change
	marks    []marked
	symbols  []symbol
	queue    []uint64
	best     []step
	scratch  []byte
}

// begin takes in a text. A byte that is no UTF-8 becomes U+FFFD.
func (s *state) begin(text string) {
	s.err, s.source = nil, text
	s.b, s.origin = s.b[:0], s.origin[:0]
	s.tokens, s.pieces = s.tokens[:0], s.pieces[:0]
	if s.same = utf8.ValidString(text); s.same {
		s.b = append(s.b, text...)
	} else {
		for i, r := range text {
			n := 1
			if r != utf8.RuneError || strings.HasPrefix(text[i:], "\uFFFD") {
				n = utf8.RuneLen(r)
			}
			k := len(s.b)
			s.b = utf8.AppendRune(s.b, r)
			s.stand(len(s.b)-k, Span{int32(i), int32(i + n)})
		}
	}
	if len(s.b) > 0 {
		s.pieces = append(s.pieces, piece{0, int32(len(s.b)), 0, -1})
	}
}

// stand adds the origin of n bytes of b.
func (s *state) stand(n int, o Span) {
	for range n {
		s.origin = append(s.origin, o)
	}
}

// at is what the character that byte i belongs to stands for.
func (s *state) at(i int) Span {
	if s.noOrigin {
		return Span{}
	}
	if !s.same {
		return s.origin[i]
	}
	j := i + 1
	for i > 0 && !utf8.RuneStart(s.b[i]) {
		i--
	}
	for j < len(s.b) && !utf8.RuneStart(s.b[j]) {
		j++
	}
	return Span{int32(i), int32(j)}
}

// cut makes a piece of the bytes from from to to, in next.
func (s *state) cut(p piece, from, to int) {
	if from == to {
		return
	}
	start := p.start
	switch {
	case !s.noOrigin:
		start = s.at(from).From
	case int32(from) > p.from:
		start = 1 // all that is asked then is whether it is 0
	}
	s.next = append(s.next, piece{int32(from), int32(to), start, -1})
}

// A splitter cuts a piece into pieces, by calls to cut.
type splitter interface{ split(s *state, p piece) }

// splitAll cuts all pieces but the added tokens.
func (s *state) splitAll(f splitter) {
	s.next = s.next[:0]
	for _, p := range s.pieces {
		if p.id >= 0 {
			s.next = append(s.next, p)
		} else {
			f.split(s, p)
		}
	}
	s.pieces, s.next = s.next, s.pieces
}

// A rewriter writes a new text for a piece, by calls to put and keep.
type rewriter interface{ rewrite(s *state, p piece) }

// room is how long a text may become by normalization: far more than text does,
// but normalizers that each write two characters for one would fill any memory.
func (s *state) room() int { return min(1<<20+64*len(s.source), 1<<28) }

func (s *state) tooLong() {
	if s.err == nil {
		s.err = fmt.Errorf("a text of %d bytes becomes more than %d by normalization", len(s.source), s.room())
	}
}

// rewriteAll writes all pieces but the added tokens anew. After an error it
// does nothing.
func (s *state) rewriteAll(f rewriter) {
	if s.err != nil {
		return
	}
	s.spare, s.spareOrigin = s.spare[:0], s.spareOrigin[:0]
	for i := range s.pieces {
		p := &s.pieces[i]
		from := len(s.spare)
		if p.id >= 0 {
			s.keep(int(p.from), int(p.to))
		} else {
			f.rewrite(s, *p)
		}
		if len(s.spare) > s.room() {
			s.tooLong()
		}
		if s.err != nil { // none are left, since some are rewritten and some not
			s.pieces = s.pieces[:0]
			return
		}
		p.from, p.to = int32(from), int32(len(s.spare))
	}
	s.b, s.spare = s.spare, s.b
	s.origin, s.spareOrigin = s.spareOrigin, s.origin
	s.same = false
}

// put writes a code point that stands for o.
func (s *state) put(r rune, o Span) {
	k := len(s.spare)
	if r < utf8.RuneSelf {
		s.spare = append(s.spare, byte(r))
	} else {
		s.spare = utf8.AppendRune(s.spare, r)
	}
	s.spareStand(len(s.spare)-k, o)
}

func (s *state) putString(text string, o Span) {
	if len(text) > s.room()-len(s.spare) {
		s.tooLong()
		return
	}
	s.spare = append(s.spare, text...)
	s.spareStand(len(text), o)
}

func (s *state) spareStand(n int, o Span) {
	if !s.noOrigin {
		for range n {
			s.spareOrigin = append(s.spareOrigin, o)
		}
	}
}

// keep writes the bytes from from to to as they are.
func (s *state) keep(from, to int) {
	s.spare = append(s.spare, s.b[from:to]...)
	switch {
	case s.noOrigin:
	case !s.same:
		s.spareOrigin = append(s.spareOrigin, s.origin[from:to]...)
	default:
		for i := from; i < to; {
			_, n := runeAt(s.b, i)
			s.spareStand(n, Span{int32(i), int32(i + n)})
			i += n
		}
	}
}

// A change is one code point of a rewritten piece and what it does to the old
// ones: with 0 it takes the place of one, with -n also those of the n behind
// it; with 1 it is inserted and stands for what the one before stands for.
type change struct {
	r rune
	n int
}

// apply writes what changes say of a piece.
func (s *state) apply(p piece, changes []change) {
	at, end := int(p.from), int(p.to)
	for _, c := range changes {
		var o Span
		switch {
		case s.noOrigin:
		case c.n <= 0:
			o = s.at(min(at, end-1))
		case at > int(p.from):
			o = s.at(at - 1)
		default:
			o = Span{p.start, p.start}
		}
		s.put(c.r, o)
		for range 1 - c.n {
			if at < end {
				_, n := runeAt(s.b, at)
				at += n
			}
		}
	}
}

// ascii reports whether all of the text is ASCII.
func ascii(b []byte) bool {
	for len(b) >= 8 {
		if (b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7])&0x80 != 0 {
			return false
		}
		b = b[8:]
	}
	return bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
