package text

import (
	"encoding/json"
	"fmt"
	"strings"
)

// BPE is byte-pair encoding (Sennrich, Haddow and Birch 2016): the characters
// of a piece are merged in the order in which training found the merges.
type BPE struct {
	Dropout                 *float64 `json:"dropout"` // none: encoding is deterministic
	UnkToken                *string  `json:"unk_token"`
	ContinuingSubwordPrefix *string  `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string  `json:"end_of_word_suffix"`
	FuseUnk                 bool     `json:"fuse_unk"`      // neighbouring unknown characters are one token
	ByteFallback            bool     `json:"byte_fallback"` // tokens <0x00> to <0xFF> for unknown characters
	IgnoreMerges            bool     `json:"ignore_merges"` // a piece that is a token is not merged
	Vocab                   *Vocab   `json:"vocab" required:"true"`
	Merges                  Merges   `json:"merges" required:"true"`

	merges         map[uint64]merge
	byRank         []int32    // what a merge makes
	chars          [512]int32 // of single characters, id or -1
	prefix, suffix string
	unk            int32      // or -1
	bytes          [256]int32 // of <0x00>, …, id or -1
}

// Merges are the pairs of tokens that are merged, best first. In JSON a pair
// is an array, or in older files a string with a space between.
type Merges [][2]string

// UnmarshalJSON reads both forms.
func (m *Merges) UnmarshalJSON(b []byte) error {
	var pairs []pair
	if err := json.Unmarshal(b, &pairs); err != nil {
		return err
	}
	*m = make(Merges, 0, len(pairs))
	for i, p := range pairs {
		if p.version {
			continue
		}
		if p.err != "" {
			return fmt.Errorf("merges[%d]: %s", i, p.err)
		}
		*m = append(*m, p.parts)
	}
	return nil
}

type pair struct {
	parts   [2]string
	version bool // a line "#version: …" of merges.txt
	err     string
}

func (p *pair) UnmarshalJSON(b []byte) error {
	var parts []string
	if len(b) > 0 && b[0] == '"' {
		var line string
		if err := json.Unmarshal(b, &line); err != nil {
			return err
		}
		p.version = strings.HasPrefix(line, "#version")
		parts = strings.Split(line, " ")
	} else if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		p.err = fmt.Sprintf("found %s, expected two tokens", b)
		return nil
	}
	p.parts = [2]string(parts)
	return nil
}

// MarshalJSON writes the newer form.
func (m Merges) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, p := range m {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		out = appendString(out, p[0])
		out = append(out, ',')
		out = appendString(out, p[1])
		out = append(out, ']')
	}
	return append(out, ']'), nil
}

type merge struct{ rank, id int32 }

func pairOf(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }

func (m *BPE) prepare() error {
	if m.Vocab == nil {
		return fmt.Errorf("vocab: found null, expected an object")
	}
	if m.Dropout != nil && *m.Dropout != 0 {
		return fmt.Errorf("dropout: found %v, expected null: it makes encoding random, which hone does not do", *m.Dropout)
	}
	m.unk = -1
	if m.UnkToken != nil {
		id, err := unknown(m.Vocab, *m.UnkToken)
		if err != nil {
			return err
		}
		m.unk = id
	}
	if m.ContinuingSubwordPrefix != nil {
		m.prefix = *m.ContinuingSubwordPrefix
	}
	if m.EndOfWordSuffix != nil {
		m.suffix = *m.EndOfWordSuffix
	}
	find := func(t string) int32 {
		if id, ok := m.Vocab.ID(t); ok {
			return id
		}
		return -1
	}
	for r := range m.chars {
		m.chars[r] = find(string(rune(r)))
	}
	for b := range m.bytes {
		m.bytes[b] = find(fmt.Sprintf("<0x%02X>", b))
	}
	m.byRank = m.byRank[:0]
	m.merges = make(map[uint64]merge, len(m.Merges))
	for i, p := range m.Merges {
		a, b := find(p[0]), find(p[1])
		if a < 0 || b < 0 {
			return fmt.Errorf("merges[%d]: %q and %q are not both in the vocabulary", i, p[0], p[1])
		}
		inner := p[1]
		if len(inner) < len(m.prefix) {
			return fmt.Errorf("merges[%d]: %q is shorter than continuing_subword_prefix %q", i, inner, m.prefix)
		}
		merged := p[0] + inner[len(m.prefix):]
		id := find(merged)
		if id < 0 {
			return fmt.Errorf("merges[%d]: %q, of %q and %q, is not in the vocabulary", i, merged, p[0], p[1])
		}
		m.merges[pairOf(a, b)] = merge{int32(i), id}
		m.byRank = append(m.byRank, id)
	}
	return nil
}

func (m *BPE) vocabulary() *Vocab { return m.Vocab }

// A symbol is a token in the making, in a list that is linked by places.
type symbol struct {
	id         int32
	prev, next int32
	length     int32 // in bytes of the text; 0: it was merged into another
}

func (m *BPE) tokenize(s *state, p piece) {
	b := s.b[p.from:p.to]
	if m.IgnoreMerges {
		if id, ok := m.Vocab.ids[string(b)]; ok {
			s.emit(id, int(p.from), int(p.to))
			return
		}
	}
	m.symbols(s, b)
	m.mergeAll(s)
	at := int(p.from)
	for i := range s.symbols {
		y := &s.symbols[i]
		if y.length == 0 {
			continue
		}
		end := at + int(y.length)
		s.emit(y.id, min(at, int(p.to)), min(end, int(p.to)))
		at = end
	}
}

// symbols sets s.symbols to the tokens of single characters.
func (m *BPE) symbols(s *state, b []byte) {
	s.symbols = s.symbols[:0]
	add := func(id, length int32) {
		k := int32(len(s.symbols))
		if k > 0 {
			s.symbols[k-1].next = k
		}
		s.symbols = append(s.symbols, symbol{id, k - 1, -1, length})
	}
	var pending int32 // bytes of an unknown character that is not added yet
	for i := 0; i < len(b); {
		r, n := runeAt(b, i)
		id := int32(-1)
		text := b[i : i+n]
		if before, after := i > 0 && m.prefix != "", i+n == len(b) && m.suffix != ""; before || after {
			s.scratch = s.scratch[:0]
			if before {
				s.scratch = append(s.scratch, m.prefix...)
			}
			s.scratch = append(s.scratch, text...)
			if after {
				s.scratch = append(s.scratch, m.suffix...)
			}
			text = s.scratch
		}
		if len(text) == n && int(r) < len(m.chars) {
			id = m.chars[r]
		} else if k, ok := m.Vocab.ids[string(text)]; ok {
			id = k
		}
		i += n
		switch {
		case id >= 0:
			if pending > 0 {
				add(m.unk, pending)
				pending = 0
			}
			add(id, int32(n))
		case m.ByteFallback && m.hasBytes(text):
			for _, c := range text {
				add(m.bytes[c], 1)
			}
		case m.unk >= 0:
			if pending > 0 && !m.FuseUnk {
				add(m.unk, pending)
				pending = 0
			}
			pending += int32(n)
		}
	}
	if pending > 0 {
		add(m.unk, pending)
	}
}

func (m *BPE) hasBytes(text []byte) bool {
	for _, c := range text {
		if m.bytes[c] < 0 {
			return false
		}
	}
	return true
}

// mergeAll merges the pair of the best rank, the leftmost of it, until none
// is left. The queue is a heap of ranks and places.
func (m *BPE) mergeAll(s *state) {
	s.queue = s.queue[:0]
	offer := func(left int32) {
		y := s.symbols[left]
		if y.next < 0 {
			return
		}
		if g, ok := m.merges[pairOf(y.id, s.symbols[y.next].id)]; ok {
			s.push(uint64(uint32(g.rank))<<32 | uint64(uint32(left)))
		}
	}
	for i := range s.symbols {
		offer(int32(i))
	}
	for len(s.queue) > 0 {
		top := s.pop()
		left := &s.symbols[uint32(top)]
		if left.length == 0 || left.next < 0 {
			continue
		}
		right := &s.symbols[left.next]
		g, ok := m.merges[pairOf(left.id, right.id)]
		if !ok || g.id != m.byRank[top>>32] {
			continue // one of the two has been merged since
		}
		left.id = g.id
		left.length += right.length
		left.next = right.next
		right.length = 0
		if left.next >= 0 {
			s.symbols[left.next].prev = int32(uint32(top))
		}
		if left.prev >= 0 {
			offer(left.prev)
		}
		offer(int32(uint32(top)))
	}
}

func (s *state) push(v uint64) {
	s.queue = append(s.queue, v)
	i := len(s.queue) - 1
	for i > 0 {
		up := (i - 1) / 2
		if s.queue[up] <= v {
			break
		}
		s.queue[i] = s.queue[up]
		i = up
	}
	s.queue[i] = v
}

func (s *state) pop() uint64 {
	q := s.queue
	top, v := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	i := 0
	for {
		down := 2*i + 1
		if down >= len(q) {
			break
		}
		if down+1 < len(q) && q[down+1] < q[down] {
			down++
		}
		if v <= q[down] {
			break
		}
		q[i] = q[down]
		i = down
	}
	if len(q) > 0 {
		q[i] = v
	}
	s.queue = q
	return top
}
