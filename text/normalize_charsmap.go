package text

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Precompiled is the character map that a SentencePiece model carries: a
// double-array trie over bytes (darts-clone's units of 32 bits) whose values
// are places in a table of replacements that end in a zero byte.
type Precompiled struct {
	CharsMap []byte `json:"precompiled_charsmap" required:"true"`
	trie     []uint32
	table    []byte
	// plain are the ASCII characters that it leaves alone.
	plain [utf8.RuneSelf]bool
}

func (t *Precompiled) prepare() error {
	m := t.CharsMap
	if len(m) < 4 {
		return fmt.Errorf("precompiled_charsmap: %d bytes, expected at least 4", len(m))
	}
	size := binary.LittleEndian.Uint32(m)
	m = m[4:]
	if size%4 != 0 || size == 0 || uint64(size) > uint64(len(m)) {
		return fmt.Errorf("precompiled_charsmap: its trie has %d bytes, expected a multiple of 4 up to the %d that follow", size, len(m))
	}
	t.trie = make([]uint32, size/4)
	for i := range t.trie {
		t.trie[i] = binary.LittleEndian.Uint32(m[4*i:])
	}
	if t.table = m[size:]; !utf8.Valid(t.table) {
		return fmt.Errorf("precompiled_charsmap: its replacements are not UTF-8")
	}
	for c := range t.plain {
		_, found := t.lookup([]byte{byte(c)})
		t.plain[c] = !found && c != '\r'
	}
	return nil
}

// lookup returns the replacement of the shortest key that begins b.
func (t *Precompiled) lookup(b []byte) ([]byte, bool) {
	offset := func(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }
	at := offset(t.trie[0])
	for _, c := range b {
		if c == 0 {
			break
		}
		at ^= uint32(c)
		if int64(at) >= int64(len(t.trie)) {
			break
		}
		u := t.trie[at]
		if u&(1<<31|0xFF) != uint32(c) {
			break
		}
		at ^= offset(u)
		if u>>8&1 == 1 && int64(at) < int64(len(t.trie)) {
			k := int(t.trie[at] & (1<<31 - 1))
			if k > len(t.table) || k < len(t.table) && !utf8.RuneStart(t.table[k]) {
				return nil, false
			}
			v, _, _ := bytes.Cut(t.table[k:], []byte{0})
			return v, true
		}
	}
	return nil, false
}

func (t *Precompiled) normalize(s *state) {
	for _, c := range s.b {
		if c >= utf8.RuneSelf || !t.plain[c] {
			s.rewriteAll(t)
			return
		}
	}
}

// rewrite looks up grapheme clusters of up to five bytes, then characters.
// That is how tokenizers does it, to agree with SentencePiece.
func (t *Precompiled) rewrite(s *state, p piece) {
	s.changes = s.changes[:0]
	b := s.b[p.from:p.to]
	modified := false
	for len(b) > 0 && s.err == nil {
		if c := b[0]; c < utf8.RuneSelf && t.plain[c] && (len(b) == 1 || b[1] < utf8.RuneSelf) {
			s.changes = append(s.changes, change{rune(c), 0})
			b = b[1:]
			continue
		}
		clusters := graphemes.FromBytes(b)
		clusters.Next()
		cluster := clusters.Value()
		b = b[len(cluster):]
		if len(cluster) < 6 {
			if v, ok := t.lookup(cluster); ok {
				s.exchange(cluster, v)
				modified = true
				continue
			}
		}
		for len(cluster) > 0 {
			r, n := runeAt(cluster, 0)
			if v, ok := t.lookup(cluster[:n]); ok {
				s.exchange(cluster[:n], v)
				modified = true
			} else {
				s.changes = append(s.changes, change{r, 0})
			}
			cluster = cluster[n:]
		}
	}
	if modified {
		s.apply(p, s.changes)
	} else {
		s.keep(int(p.from), int(p.to))
	}
}

// exchange adds the changes that write v for old.
func (s *state) exchange(old, v []byte) {
	if len(v) > s.room()-len(s.changes) {
		s.tooLong()
		return
	}
	more := utf8.RuneCount(v) - utf8.RuneCount(old)
	for len(v) > 0 {
		r, n := runeAt(v, 0)
		s.changes = append(s.changes, change{r, 0})
		v = v[n:]
	}
	for i := range max(more, 0) {
		s.changes[len(s.changes)-1-i].n = 1
	}
	if k := len(s.changes); more < 0 && k > 0 {
		s.changes[k-1].n += more
	}
}
