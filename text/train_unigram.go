package text

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// Settings of Unigram's training, as SentencePiece has them.
const (
	maxPiece      = 16   // characters of a token
	shrink        = 0.75 // what pruning leaves of the tokens
	spare         = 1.1  // pruning ends at so many times the size
	subIterations = 2    // rounds of EM between prunings
	// seedsPerToken bounds the first candidates; SentencePiece takes a million.
	seedsPerToken = 20
)

// TrainUnigram finds tokens and their probabilities by expectation and
// maximization from all frequent substrings, of which the least useful are
// pruned again and again (Kudo 2018, "Subword Regularization: Improving Neural
// Network Translation Models with Multiple Subword Candidates", section 3.2;
// the maximization with a sparse prior after Liang and Klein 2007, as in
// SentencePiece). Every character of the texts is a token, the most frequent
// of them where they would fill more than half of the vocabulary.
func TrainUnigram(texts []string, o TrainOptions) (*Tokenizer, error) {
	if err := o.prepare(true); err != nil {
		return nil, err
	}
	pre := NewMetaspace()
	s := Spec{Normalizer: o.normalizer(&Replace{Pattern: Pattern{Regex: `\s+`}, Content: " "}, &Strip{true, true}), PreTokenizer: pre, Decoder: NewMetaspace()}
	words, err := counts(texts, s)
	if err != nil {
		return nil, err
	}
	size := o.Size - len(o.Special)
	u := newUnigramTrainer(words, size)
	for {
		for range subIterations {
			u.maximize(u.expect())
		}
		if u.left <= int(spare*float64(size)) {
			break
		}
		u.prune(size)
	}
	unk := slices.Index(o.Special, "[UNK]")
	m := &Unigram{UnkID: &unk}
	for _, t := range o.Special {
		m.Vocab = append(m.Vocab, ScoredToken{t, 0})
	}
	for _, t := range u.best(size) {
		if !slices.Contains(o.Special, t.Token) {
			m.Vocab = append(m.Vocab, t)
		}
	}
	s.Model = m
	return o.finish(s)
}

type unigramTrainer struct {
	words  []wordCount
	trie   *trie // of the pieces that are left, by place
	pieces []string
	single []bool // one character: kept
	score  []float64
	alive  []bool
	left   int // alive
}

// newUnigramTrainer finds the seeds: characters, and the substrings of words
// that occur more than once and longest with what they occur in, by how many
// characters of the texts they cover.
func newUnigramTrainer(words []wordCount, size int) *unigramTrainer {
	u := &unigramTrainer{}
	chars := alphabet(words, size/alphabetShare)
	known := map[rune]bool{}
	for _, r := range chars {
		known[r] = true
	}
	// Words are cut where a character is that will be no token.
	for _, w := range words {
		from := 0
		for i, r := range w.word {
			if !known[r] {
				if from < i {
					u.words = append(u.words, wordCount{w.word[from:i], w.count})
				}
				from = i + utf8.RuneLen(r)
			}
		}
		if from < len(w.word) {
			u.words = append(u.words, wordCount{w.word[from:], w.count})
		}
	}
	weight := map[rune]int{}
	for _, w := range u.words {
		for _, r := range w.word {
			weight[r] += w.count
		}
	}
	for _, r := range chars {
		u.pieces = append(u.pieces, string(r))
		u.single = append(u.single, true)
		u.score = append(u.score, float64(weight[r]))
	}
	seeds := substrings(u.words)
	slices.SortFunc(seeds, func(a, b wordCount) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.word, b.word)) })
	for _, s := range seeds[:min(len(seeds), max(seedsPerToken*size, 10000))] {
		u.pieces = append(u.pieces, s.word)
		u.single = append(u.single, false)
		u.score = append(u.score, float64(s.count))
	}
	sum := 0.0
	for i := range u.pieces {
		sum += u.score[i]
		u.alive = append(u.alive, true)
	}
	for i := range u.score {
		u.score[i] = math.Log(u.score[i] / sum)
	}
	u.left = len(u.pieces)
	u.plant()
	return u
}

// plant makes the trie.
func (u *unigramTrainer) plant() {
	var texts []string
	var ids []int32
	for i, p := range u.pieces {
		if u.alive[i] {
			texts, ids = append(texts, p), append(ids, int32(i))
		}
	}
	u.trie = newTrie(texts, ids)
}

// substrings returns the substrings of two to maxPiece characters that occur
// at least twice, each with its characters times its occurrences. Of those
// that always occur within one longer one, only that is taken: they are the
// inner nodes of a suffix tree, found from sorted suffixes.
func substrings(words []wordCount) []wordCount {
	type suffix struct {
		text  string // up to maxPiece characters
		count int
	}
	var suffixes []suffix
	for _, w := range words {
		var starts [maxPiece]int // of the last characters, in turn
		for n, i := 0, 0; i <= len(w.word); n++ {
			if n >= maxPiece {
				suffixes = append(suffixes, suffix{w.word[starts[n%maxPiece]:i], w.count})
			}
			if i == len(w.word) {
				for k := max(n-maxPiece+1, 0); k < n; k++ {
					suffixes = append(suffixes, suffix{w.word[starts[k%maxPiece]:], w.count})
				}
				break
			}
			starts[n%maxPiece] = i
			_, size := utf8.DecodeRuneInString(w.word[i:])
			i += size
		}
	}
	slices.SortFunc(suffixes, func(a, b suffix) int { return cmp.Compare(a.text, b.text) })
	type open struct {
		length int // in bytes, of what the suffixes from first on share
		first  int
	}
	total := make([]int, len(suffixes)+1)
	for i, s := range suffixes {
		total[i+1] = total[i] + s.count
	}
	var out []wordCount
	var stack []open
	for i := 1; i <= len(suffixes); i++ {
		shared := 0
		if i < len(suffixes) {
			shared = common(suffixes[i-1].text, suffixes[i].text)
		}
		first := i - 1
		for len(stack) > 0 && stack[len(stack)-1].length > shared {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			first = top.first
			piece := suffixes[top.first].text[:top.length]
			if n := utf8.RuneCountInString(piece); n > 1 {
				out = append(out, wordCount{piece, n * (total[i] - total[top.first])})
			}
		}
		if shared > 0 && (len(stack) == 0 || stack[len(stack)-1].length < shared) {
			stack = append(stack, open{shared, first})
		}
	}
	return out
}

// common returns the length of the characters that a and b begin with.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return n
}

// edge is a token in a word.
type edge struct {
	from, to int
	id       int32
}

// edges adds the tokens that begin at a place of a word.
func (u *unigramTrainer) edges(dst []edge, word string, from int) []edge {
	node := int32(0)
	for j := from; j < len(word); j++ {
		var ok bool
		if node, ok = u.trie.child(node, word[j]); !ok {
			break
		}
		if id := u.trie.ids[node]; id >= 0 && u.alive[id] {
			dst = append(dst, edge{from, j + 1, id})
		}
	}
	return dst
}

// parts is into how many parts words are divided, whatever the number of
// processors: sums are added in their order.
const parts = 16

// inParts calls f for each part with the places of its words.
func (u *unigramTrainer) inParts(f func(part, from, to int)) {
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() { f(p, p*len(u.words)/parts, (p+1)*len(u.words)/parts) })
	}
	wg.Wait()
}

// expect returns how often each token is expected to occur.
func (u *unigramTrainer) expect() []float64 {
	var sums [parts][]float64
	u.inParts(func(part, from, to int) {
		sum := make([]float64, len(u.pieces))
		var all []edge
		var alpha, beta []float64
		for _, w := range u.words[from:to] {
			n := len(w.word)
			alpha, beta = reset(alpha, n+1), reset(beta, n+1)
			alpha[0], beta[n] = 0, 0
			all = all[:0]
			for i := range w.word {
				k := len(all)
				all = u.edges(all, w.word, i)
				for _, e := range all[k:] {
					alpha[e.to] = logAdd(alpha[e.to], alpha[i]+u.score[e.id])
				}
			}
			for i := len(all) - 1; i >= 0; i-- {
				e := all[i]
				beta[e.from] = logAdd(beta[e.from], beta[e.to]+u.score[e.id])
			}
			for _, e := range all {
				sum[e.id] += float64(w.count) * math.Exp(alpha[e.from]+u.score[e.id]+beta[e.to]-alpha[n])
			}
		}
		sums[part] = sum
	})
	for _, s := range sums[1:] {
		for i, v := range s {
			sums[0][i] += v
		}
	}
	return sums[0]
}

func reset(s []float64, n int) []float64 {
	s = slices.Grow(s[:0], n)[:n]
	for i := range s {
		s[i] = math.Inf(-1)
	}
	return s
}

// logAdd is the logarithm of exp a + exp b.
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// least is the expected count from which a token is kept.
const least = 0.5

// maximize sets the scores from expected counts.
func (u *unigramTrainer) maximize(expected []float64) {
	sum := 0.0
	for i, e := range expected {
		if !u.alive[i] {
			continue
		}
		if e < least {
			if !u.single[i] {
				u.alive[i] = false
				u.left--
				continue
			}
			expected[i] = least
		}
		sum += expected[i]
	}
	log := digamma(sum)
	for i, e := range expected {
		if u.alive[i] {
			u.score[i] = digamma(e) - log
		}
	}
}

// digamma is the logarithmic derivative of the gamma function, by recurrence
// up to 7 and the asymptotic series around x - 1/2 from there.
func digamma(x float64) float64 {
	sum := 0.0
	for ; x < 7; x++ {
		sum -= 1 / x
	}
	x -= 0.5
	s := 1 / (x * x)
	return sum + math.Log(x) + s*(1.0/24-s*(7.0/960-s*(31.0/8064-s*127.0/30720)))
}

// cut sets path to the best cut of a word, without the token not.
func (u *unigramTrainer) cut(path []edge, best []step, all []edge, word string, not int32) ([]edge, []step, []edge) {
	best = best[:0]
	for range len(word) + 1 {
		best = append(best, step{from: -1})
	}
	for i := range word {
		if i > 0 && best[i].from < 0 {
			continue
		}
		all = u.edges(all[:0], word, i)
		for _, e := range all {
			if e.id == not {
				continue
			}
			if s := best[i].score + u.score[e.id]; best[e.to].from < 0 || s > best[e.to].score {
				best[e.to] = step{s, int32(i), e.id}
			}
		}
	}
	path = path[:0]
	for i := len(word); i > 0; i = int(best[i].from) {
		if best[i].from < 0 {
			return path[:0], best, all
		}
		path = append(path, edge{int(best[i].from), i, best[i].id})
	}
	return path, best, all
}

// prune leaves the tokens without which the texts would lose most: the loss
// of a token is that of writing each of its occurrences by the tokens of its
// next best cut.
func (u *unigramTrainer) prune(size int) {
	var counts [parts][]float64
	u.inParts(func(part, from, to int) {
		count := make([]float64, len(u.pieces))
		var path, all []edge
		var best []step
		for _, w := range u.words[from:to] {
			path, best, all = u.cut(path, best, all, w.word, -1)
			for _, e := range path {
				count[e.id] += float64(w.count)
			}
		}
		counts[part] = count
	})
	count, sum := counts[0], 0.0
	for _, c := range counts[1:] {
		for i, v := range c {
			count[i] += v
		}
	}
	for _, c := range count {
		sum += c
	}
	type candidate struct {
		id   int
		loss float64
	}
	var candidates []candidate
	kept := 0
	var path, all []edge
	var best []step
	for i, p := range u.pieces {
		if !u.alive[i] {
			continue
		}
		if u.single[i] {
			kept++
			continue
		}
		path, best, all = u.cut(path, best, all, p, -1)
		if count[i] == 0 || len(path) > 1 { // its own best cut is another
			u.alive[i] = false
			u.left--
			continue
		}
		path, best, all = u.cut(path, best, all, p, int32(i))
		after := math.Log(sum + count[i]*float64(len(path)-1))
		loss := math.Log(count[i]) - math.Log(sum)
		for _, e := range path {
			loss -= math.Log(count[e.id]+count[i]) - after
		}
		candidates = append(candidates, candidate{i, count[i] / sum * loss})
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.loss, a.loss), cmp.Compare(a.id, b.id))
	})
	target := max(int(spare*float64(size)), int(shrink*float64(kept+len(candidates))))
	for _, c := range candidates[min(len(candidates), max(target-kept, 0)):] {
		u.alive[c.id] = false
		u.left--
	}
	u.plant()
}

// best returns the characters and the best of the other tokens, sorted by
// their scores.
func (u *unigramTrainer) best(size int) []ScoredToken {
	var chars, rest []ScoredToken
	for i, p := range u.pieces {
		switch {
		case u.single[i]:
			chars = append(chars, ScoredToken{p, u.score[i]})
		case u.alive[i]:
			rest = append(rest, ScoredToken{p, u.score[i]})
		}
	}
	order := func(a, b ScoredToken) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Token, b.Token))
	}
	slices.SortFunc(rest, order)
	all := append(chars, rest[:min(len(rest), max(size-len(chars), 0))]...)
	slices.SortFunc(all, order)
	return all
}
