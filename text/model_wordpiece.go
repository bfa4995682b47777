package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// WordPiece cuts a piece into the longest tokens of the vocabulary from its
// start on (Schuster and Nakajima 2012, as BERT does it). A piece that has no
// such cut is unknown as a whole.
type WordPiece struct {
	UnkToken                string `json:"unk_token" required:"true"`
	ContinuingSubwordPrefix string `json:"continuing_subword_prefix" required:"true"` // of tokens that begin inside a word
	MaxInputCharsPerWord    int    `json:"max_input_chars_per_word" required:"true"`  // a longer piece is unknown
	Vocab                   *Vocab `json:"vocab" required:"true"`

	unk     int32
	inner   map[string]int32 // tokens without their prefix
	longest int              // token of the vocabulary, in bytes
}

func (m *WordPiece) prepare() (err error) {
	if m.MaxInputCharsPerWord < 0 {
		return fmt.Errorf("max_input_chars_per_word: found %d, expected 0 or more", m.MaxInputCharsPerWord)
	}
	if m.unk, err = unknown(m.Vocab, m.UnkToken); err != nil {
		return err
	}
	m.inner = map[string]int32{}
	for t, id := range m.Vocab.ids {
		m.longest = max(m.longest, len(t))
		if inner, ok := strings.CutPrefix(t, m.ContinuingSubwordPrefix); ok {
			m.inner[inner] = id
		}
	}
	return nil
}

func (m *WordPiece) vocabulary() *Vocab { return m.Vocab }

func (m *WordPiece) tokenize(s *state, p piece) {
	b := s.b[p.from:p.to]
	first := len(s.tokens)
	known := len(b) <= m.MaxInputCharsPerWord || utf8.RuneCount(b) <= m.MaxInputCharsPerWord
	ids := m.Vocab.ids
	for start := 0; known && start < len(b); ids = m.inner {
		end := min(len(b), start+m.longest)
		for end > start && end < len(b) && !utf8.RuneStart(b[end]) {
			end--
		}
		for known = false; end > start; {
			if id, ok := ids[string(b[start:end])]; ok {
				s.emit(id, int(p.from)+start, int(p.from)+end)
				known = true
				break
			}
			_, n := utf8.DecodeLastRune(b[start:end])
			end -= n
		}
		start = end
	}
	if !known {
		s.tokens = s.tokens[:first]
		s.emit(m.unk, int(p.from), int(p.to))
	}
}
