package kernel

// An Attention is that of one head, O = softmax(scale·Q·Kᵀ)·V, of Queries rows
// of Q and O and Keys rows of K and V, all of Width numbers and as far apart as
// the distances say. With Causal, query i sees the first Before+i+1 keys alone.
// A query that sees none gets zeros.
//
// The scores of a block of queries are computed, used and forgotten while they
// are in the caches; the gradient computes them again (after Dao et al. 2022,
// FlashAttention, without its rescaling: a block has whole rows of scores, so
// that memory still grows with the length alone).
//
// With sᵢⱼ the chain of fused multiply-adds of scale·qᵢ and kⱼ in ascending
// order, eᵢⱼ = exp(sᵢⱼ − maxⱼ sᵢⱼ) and lᵢ = Σⱼ eᵢⱼ as Sum adds them, row i of O is
// (Σⱼ eᵢⱼ·vⱼ)·(1/lᵢ), a chain in ascending j. So neither how queries are cut into
// blocks nor keys that are not seen change a bit.
type Attention struct {
	Queries, Keys, Width int
	Q, K, V              []float32
	LDQ, LDK, LDV        int
	Scale                float32
	Causal               bool
	Before               int
}

// scoresAtOnce is about how many scores a block of queries has: they stay in
// the first-level cache, or with long rows in the second.
const (
	scoresAtOnce = 8 << 10
	mostQueries  = 64
	keysAtOnce   = 512 // of one call into assembly
)

// block is how many queries are computed at once.
func (a *Attention) block() int {
	most := min(max(scoresAtOnce/max(a.Keys, 1), maxTile), mostQueries)
	return min(even(max(a.Queries, 1), most, 2), max(a.Queries, 1))
}

// seen is how many keys query i sees.
func (a *Attention) seen(i int) int {
	if a.Causal {
		return min(a.Keys, a.Before+i+1)
	}
	return a.Keys
}

// A cutter deals out scratch memory, line by line of the cache.
type cutter []float32

func (s *cutter) take(n int) []float32 {
	part := (*s)[:n]
	*s = (*s)[(n+15)/16*16:]
	return part
}

func lined(n int) int { return (n + 15) / 16 * 16 }

func panels(n int) int { return (n + panel - 1) / panel }

// Scratch returns how many float32s of scratch memory Run needs.
func (a *Attention) Scratch() int {
	b := a.block()
	return panels(a.Keys)*lined(apartPanels(a.Width)) + lined(a.Keys*a.Width) + 2*lined(b*a.Width) + lined(b*apart(a.Keys)) + 2*lined(b)
}

// GradientScratch returns how many Gradient needs.
func (a *Attention) GradientScratch() int {
	b := a.block()
	return 2*panels(a.Keys)*lined(apartPanels(a.Width)) + 3*lined(a.Keys*a.Width) + 3*lined(b*a.Width) + 2*lined(b*apart(a.Keys)) + 2*lined(b)
}

// Run computes rows lo to hi of o, which are ldo apart.
func (a *Attention) Run(o []float32, ldo, lo, hi int, scratch []float32) {
	if hi <= lo {
		return
	}
	s, d, b := cutter(scratch), a.Width, a.block()
	keys := a.seen(hi - 1)
	k := a.turn(&s, a.K, a.LDK, keys)
	v := s.take(keys * d)
	packMatrix(v, a.V, a.LDV, keys, d)
	row := apart(keys)
	q, out, e, sums := s.take(b*d), s.take(b*d), s.take(b*row), s.take(b)
	scales := s.take(b)
	fillGeneric(scales, a.Scale)
	for i := lo; i < hi; i += b {
		m := min(b, hi-i)
		n := a.seen(i + m - 1)
		a.weights(q, e, sums, scales, k, i, m, n, row)
		multiply(out, d, e, row, false, v, d, panel, m, d, n, false)
		scaleRows(o[i*ldo:], out, sums, m, d, ldo, d)
	}
}

// Gradient sets rows of dq, dk and dv to the gradient, from o as Run computes it
// and its gradient do.
func (a *Attention) Gradient(dq, dk, dv []float32, lddq, lddk, lddv int, o, do []float32, ldo, lddo int, scratch []float32) {
	s, d, b, keys := cutter(scratch), a.Width, a.block(), a.Keys
	k, v := a.turn(&s, a.K, a.LDK, keys), a.turn(&s, a.V, a.LDV, keys)
	rows, sumK, sumV := s.take(keys*d), s.take(keys*d), s.take(keys*d)
	packMatrix(rows, a.K, a.LDK, keys, d)
	clear(sumK)
	clear(sumV)
	row := apart(keys)
	q, g, out := s.take(b*d), s.take(b*d), s.take(b*d)
	e, de, sums := s.take(b*row), s.take(b*row), s.take(b)
	scales := s.take(b)
	fillGeneric(scales, a.Scale)
	for i := 0; i < a.Queries; i += b {
		m := min(b, a.Queries-i)
		n := a.seen(i + m - 1)
		a.weights(q, e, sums, scales, k, i, m, n, row)
		scaleRows(g, do[i*lddo:], sums, m, d, d, lddo) // from here on with the sum's inverse
		multiply(de, row, g, d, false, v, panel, lined(apartPanels(d)), m, n, d, false)
		dotRows(sums, g, o[i*ldo:], m, d, d, ldo)
		for r, k := 0, a.together(); r < m; r += k {
			slopeRows(de[r*row:], e[r*row:], sums[r:], min(k, m-r), row, a.seen(i+r), a.more(), a.Keys)
		}
		a.clearUnseen(de, i, m, n, row)
		multiply(out, d, de, row, false, rows, d, panel, m, d, n, false)
		scaleRows(dq[i*lddq:], out, scales, m, d, lddq, d)
		multiply(sumK, d, de, row, true, q, d, panel, n, d, m, true)
		multiply(sumV, d, e, row, true, g, d, panel, n, d, m, true)
	}
	for r := range keys {
		copy(dk[r*lddk:][:d], sumK[r*d:])
		copy(dv[r*lddv:][:d], sumV[r*d:])
	}
}

// weights sets m rows of e to the weights of queries i, i+1, … before they are
// divided by their sums, of which sums gets one over each; q gets the queries
// times the scale, which scales has as often as needed.
func (a *Attention) weights(q, e, sums, scales, k []float32, i, m, n, row int) {
	d := a.Width
	scaleRows(q, a.Q[i*a.LDQ:], scales, m, d, d, a.LDQ)
	multiply(e, row, q, d, false, k, panel, lined(apartPanels(d)), m, n, d, false)
	for r, k := 0, a.together(); r < m; r += k {
		softmaxRows(e[r*row:], sums[r:], min(k, m-r), row, a.seen(i+r), a.more(), a.Keys)
	}
	for r, l := range sums[:m] {
		if sums[r] = 0; n > 0 && a.seen(i+r) > 0 {
			sums[r] = 1 / l
		}
	}
	a.clearUnseen(e, i, m, n, row)
}

// together is how many rows of scores one call into assembly goes through.
func (a *Attention) together() int { return max(1, 2*rowAtOnce/max(a.Keys, 1)) }

// more is how many more keys a query sees than the one before.
func (a *Attention) more() int {
	if a.Causal {
		return 1
	}
	return 0
}

// clearUnseen sets to 0 what m rows of n have for keys that are not seen.
func (a *Attention) clearUnseen(x []float32, i, m, n, row int) {
	if a.Causal {
		for r := range m {
			clear(x[r*row+a.seen(i+r) : r*row+n])
		}
	}
}

// turn packs rows of x as panels of columns.
func (a *Attention) turn(s *cutter, x []float32, ld, rows int) []float32 {
	next := lined(apartPanels(a.Width))
	t := s.take(panels(rows) * next)
	packColumns(t, x, ld, rows, a.Width, next)
	return t
}

// packMatrix copies rows of x, which are ld apart, one after the other.
func packMatrix(dst, x []float32, ld, rows, width int) {
	if rows == 0 {
		return
	}
	whole := width / panel
	if whole > 0 {
		packBlock(dst, x, rows, whole, panel, ld, width, panel)
	}
	if part := width % panel; part > 0 {
		packBlock(dst[whole*panel:], x[whole*panel:], rows, 1, part, ld, width, 0)
	}
}

// multiply sets m×n of c, or adds to it, the product of a of m×k (k×m if
// transA) and b, of which row l, column j is b[j/16·nextB + l·rowB + j%16].
func multiply(c []float32, rowC int, a []float32, lda int, transA bool, b []float32, rowB, nextB, m, n, k int, more bool) {
	if k == 0 && !more {
		for i := range m {
			clear(c[i*rowC:][:n])
		}
	}
	blocking := &blockings[active]
	for i := 0; i < m; i += keysAtOnce {
		t := (&Gemm{TransA: transA, LDA: lda}).tiles(min(keysAtOnce, m-i), blocking.tile)
		for l := 0; l < k; l += keysAtOnce {
			call := tileCall{tiling: t, k: min(keysAtOnce, k-l), rowC: rowC, rowB: rowB, nextB: nextB, more: more || l > 0}
			call.a = a[i*t.nextA+l*t.colA:]
			for p := 0; p < n; p += blocking.strip {
				call.c, call.b = c[i*rowC+p:], b[l*rowB+p/panel*nextB:]
				call.columns = min(blocking.strip, n-p)
				call.tiles(0, t.tall+t.low, 0)
			}
		}
	}
}
