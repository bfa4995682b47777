package text

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"strings"
)

// TrainBPE finds the merges of byte-pair encoding on bytes (Sennrich, Haddow
// and Birch 2016, algorithm 1; bytes as in Radford et al. 2019, section 2.2):
// the most frequent pair first, of equally frequent ones that of the lesser
// ids. Every text has a cut, so that no token is unknown.
func TrainBPE(texts []string, o TrainOptions) (*Tokenizer, error) {
	o.Form = cmp.Or(o.Form, "none")
	if err := o.prepare(false); err != nil {
		return nil, err
	}
	pre := &ByteLevel{TrimOffsets: true, UseRegex: true}
	s := Spec{Normalizer: o.normalizer(&NFC{}), PreTokenizer: pre, Decoder: pre}
	words, err := counts(texts, s)
	if err != nil {
		return nil, err
	}
	m := newMerger(o, "")
	for _, r := range slices.Sorted(slices.Values(byteRunes[:])) {
		m.add(string(r))
	}
	merges := m.train(words)
	v, err := NewVocab(m.tokens)
	if err != nil {
		return nil, err
	}
	s.Model = &BPE{Vocab: v, Merges: merges}
	return o.finish(s)
}

// alphabetShare bounds the characters of a vocabulary of WordPiece and
// Unigram to one part in so many: the rarest are unknown beyond it.
const alphabetShare = 2

// TrainWordPiece finds WordPiece's vocabulary as tokenizers does: by the
// merges of BPE, with ## before what does not begin a word.
func TrainWordPiece(texts []string, o TrainOptions) (*Tokenizer, error) {
	o.Form = cmp.Or(o.Form, "none")
	if err := o.prepare(true); err != nil {
		return nil, err
	}
	lower := o.Lowercase
	o.Lowercase = false
	s := Spec{
		Normalizer:   o.normalizer(&BertNormalizer{CleanText: true, HandleChineseChars: true, Lowercase: lower}),
		PreTokenizer: &BertPreTokenizer{}, Decoder: &WordPieceDecoder{Prefix: "##", Cleanup: true},
	}
	words, err := counts(texts, s)
	if err != nil {
		return nil, err
	}
	m := newMerger(o, "##")
	for _, r := range alphabet(words, (o.Size-len(o.Special))/alphabetShare) {
		m.add(string(r))
	}
	m.train(words)
	v, err := NewVocab(m.tokens)
	if err != nil {
		return nil, err
	}
	s.Model = &WordPiece{UnkToken: "[UNK]", ContinuingSubwordPrefix: "##", MaxInputCharsPerWord: 100, Vocab: v}
	return o.finish(s)
}

// alphabet returns the characters of words, the most frequent of them where
// there are more than limit, in order.
func alphabet(words []wordCount, limit int) []rune {
	count := map[rune]int{}
	for _, w := range words {
		for _, r := range w.word {
			count[r] += w.count
		}
	}
	runes := slices.SortedFunc(maps.Keys(count), func(a, b rune) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	runes = runes[:min(len(runes), max(limit, 1))]
	slices.Sort(runes)
	return runes
}

// merger grows a vocabulary by merging pairs.
type merger struct {
	options TrainOptions
	prefix  string // of tokens inside a word
	tokens  []string
	ids     map[string]int32

	words  [][]int32 // ids, merged as far as we are
	counts []int
	pairs  map[uint64]*pairCount
	queue  pairHeap
}

// pairCount is how often a pair occurs, and in which words; a word may be
// listed twice, or not have the pair any more.
type pairCount struct {
	count int
	words []int32
}

func newMerger(o TrainOptions, prefix string) *merger {
	m := &merger{options: o, prefix: prefix, ids: map[string]int32{}, pairs: map[uint64]*pairCount{}}
	for _, t := range o.Special {
		m.add(t)
	}
	return m
}

func (m *merger) add(token string) int32 {
	id, ok := m.ids[token]
	if !ok {
		id = int32(len(m.tokens))
		m.ids[token] = id
		m.tokens = append(m.tokens, token)
	}
	return id
}

// train merges until the vocabulary is full, and returns the merges. The
// characters of words that are no tokens are left out of them.
func (m *merger) train(words []wordCount) (merges Merges) {
	for _, w := range words {
		var ids []int32
		for i, r := range w.word {
			c := string(r)
			if _, ok := m.ids[c]; !ok {
				continue
			}
			if i > 0 {
				c = m.prefix + c
			}
			ids = append(ids, m.add(c))
		}
		m.words = append(m.words, ids)
		m.counts = append(m.counts, w.count)
	}
	for w, ids := range m.words {
		for i := 1; i < len(ids); i++ {
			m.change(ids[i-1], ids[i], int32(w), 1)
		}
	}
	for pair, p := range m.pairs {
		m.queue = append(m.queue, queued{p.count, pair})
	}
	heap.Init(&m.queue)
	var fresh []uint64
	for len(m.tokens) < m.options.Size && len(m.queue) > 0 {
		top := heap.Pop(&m.queue).(queued)
		p := m.pairs[top.pair]
		if p.count != top.count { // it has changed since
			if p.count > 0 {
				heap.Push(&m.queue, queued{p.count, top.pair})
			}
			continue
		}
		if p.count < m.options.MinCount {
			break
		}
		a, b := int32(top.pair>>32), int32(uint32(top.pair))
		merges = append(merges, [2]string{m.tokens[a], m.tokens[b]})
		id := m.add(m.tokens[a] + strings.TrimPrefix(m.tokens[b], m.prefix))
		slices.Sort(p.words)
		in := slices.Compact(p.words)
		p.words, p.count = nil, 0
		fresh = fresh[:0]
		for _, w := range in {
			fresh = m.merge(w, a, b, id, fresh)
		}
		slices.Sort(fresh)
		for _, pair := range slices.Compact(fresh) {
			if p := m.pairs[pair]; p.count > 0 {
				heap.Push(&m.queue, queued{p.count, pair})
			}
		}
	}
	return merges
}

// change adds n times the count of a word to a pair of it.
func (m *merger) change(a, b, word int32, n int) uint64 {
	pair := pairOf(a, b)
	p := m.pairs[pair]
	if p == nil {
		p = &pairCount{}
		m.pairs[pair] = p
	}
	p.count += n * m.counts[word]
	if n > 0 && (len(p.words) == 0 || p.words[len(p.words)-1] != word) {
		p.words = append(p.words, word)
	}
	return pair
}

// merge merges a pair in a word and adds the pairs that came about to fresh.
func (m *merger) merge(w, a, b, id int32, fresh []uint64) []uint64 {
	ids := m.words[w]
	k := 0 // what is merged already lies before it
	for i := 0; i < len(ids); i++ {
		if ids[i] != a || i+1 == len(ids) || ids[i+1] != b {
			ids[k] = ids[i]
			k++
			continue
		}
		if k > 0 {
			m.change(ids[k-1], a, w, -1)
			fresh = append(fresh, m.change(ids[k-1], id, w, 1))
		}
		if i+2 < len(ids) {
			m.change(b, ids[i+2], w, -1)
			fresh = append(fresh, m.change(id, ids[i+2], w, 1))
		}
		ids[k] = id
		k++
		i++
	}
	m.words[w] = ids[:k]
	return fresh
}

// queued is a pair and its count when it was queued.
type queued struct {
	count int
	pair  uint64
}

// pairHeap has the greatest count on top, then the least pair.
type pairHeap []queued

func (h pairHeap) Len() int { return len(h) }
func (h pairHeap) Less(i, j int) bool {
	return h[i].count > h[j].count || h[i].count == h[j].count && h[i].pair < h[j].pair
}
func (h pairHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *pairHeap) Push(v any)   { *h = append(*h, v.(queued)) }
func (h *pairHeap) Pop() any {
	v := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return v
}
