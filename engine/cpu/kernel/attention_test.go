package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// plainAttention is the definition, with chains of fused multiply-adds.
func plainAttention(a *Attention, o []float32, ldo int) {
	q, e := make([]float32, a.Width), make([]float32, a.Keys)
	for i := range a.Queries {
		for l := range q {
			q[l] = a.Q[i*a.LDQ+l] * a.Scale
		}
		seen := a.Keys
		if a.Causal {
			seen = min(seen, a.Before+i+1)
		}
		for j := range seen {
			e[j] = 0
			for l, v := range q {
				e[j] = fma32(v, a.K[j*a.LDK+l], e[j])
			}
		}
		inverse := float32(0)
		if seen > 0 {
			inverse = 1 / softmaxRowGeneric(e[:seen])
		}
		for l := range a.Width {
			sum := float32(0)
			for j := range seen {
				sum = fma32(e[j], a.V[j*a.LDV+l], sum)
			}
			o[i*ldo+l] = sum * inverse
		}
	}
}

// plainAttentionGradient likewise.
func plainAttentionGradient(a *Attention, dq, dk, dv []float32, ldd int, o, do []float32, ldo int) {
	e, g := make([]float32, a.Keys), make([]float32, a.Width)
	for j := range a.Keys {
		clear(dk[j*ldd:][:a.Width])
		clear(dv[j*ldd:][:a.Width])
	}
	for i := range a.Queries {
		q := make([]float32, a.Width)
		for l := range q {
			q[l] = a.Q[i*a.LDQ+l] * a.Scale
		}
		seen := a.Keys
		if a.Causal {
			seen = min(seen, a.Before+i+1)
		}
		for j := range seen {
			e[j] = 0
			for l, v := range q {
				e[j] = fma32(v, a.K[j*a.LDK+l], e[j])
			}
		}
		inverse := float32(0)
		if seen > 0 {
			inverse = 1 / softmaxRowGeneric(e[:seen])
		}
		for l := range g {
			g[l] = do[i*ldo+l] * inverse
		}
		dot := sumProductsGeneric(g, o[i*ldo:])
		sum := make([]float32, a.Width)
		for j := range seen {
			de := float32(0)
			for l, v := range g {
				de = fma32(v, a.V[j*a.LDV+l], de)
			}
			de = e[j] * float32(de-dot)
			for l := range a.Width {
				sum[l] = fma32(de, a.K[j*a.LDK+l], sum[l])
				dk[j*ldd+l] = fma32(de, q[l], dk[j*ldd+l])
				dv[j*ldd+l] = fma32(e[j], g[l], dv[j*ldd+l])
			}
		}
		for l, v := range sum {
			dq[i*ldd+l] = v * a.Scale
		}
	}
}

// TestAttention: every implementation gives the bits of the definition, with
// queries cut anyhow.
func TestAttention(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(27, 28))
		for trial := range 120 {
			a := &Attention{Queries: r.IntN(40), Keys: r.IntN(70), Width: 1 + r.IntN(40), Scale: 0.3}
			switch trial % 10 {
			case 0:
				a.Keys, a.Queries, a.Width = 600+r.IntN(9), 20, 8
			case 1:
				a.Keys, a.Queries, a.Width = 64, 130, 32
			case 2:
				a.Keys = 0
			}
			if r.IntN(2) == 0 {
				a.Causal, a.Before = true, r.IntN(4)
			}
			ld := 3*a.Width + r.IntN(3)
			x := newGuarded(max(a.Queries, a.Keys, 1) * ld)
			for i := range x.x {
				x.x[i] = float32(r.NormFloat64())
			}
			a.Q, a.K, a.V = x.x, x.x[a.Width:], x.x[2*a.Width:]
			a.LDQ, a.LDK, a.LDV = ld, ld, ld
			name := fmt.Sprintf("trial %d: %d queries, %d keys of %d, causal %v", trial, a.Queries, a.Keys, a.Width, a.Causal)
			ldo := a.Width + r.IntN(3)
			o, want := newGuarded(a.Queries*ldo), make([]float32, a.Queries*ldo)
			for i := range want {
				o.x[i], want[i] = 7, 7
			}
			cut := r.IntN(a.Queries + 1)
			scratch := make([]float32, max(a.Scratch(), a.GradientScratch()))
			for i := range scratch {
				scratch[i] = nan
			}
			a.Run(o.x, ldo, 0, cut, scratch[:a.Scratch()])
			a.Run(o.x, ldo, cut, a.Queries, scratch[:a.Scratch()])
			plainAttention(a, want, ldo)
			checkSame(t, name, o.x, want)
			o.check(t, name)

			do := make([]float32, a.Queries*ldo)
			for i := range do {
				do[i] = float32(r.NormFloat64())
			}
			dx, dwant := newGuarded(len(x.x)), make([]float32, len(x.x))
			clear(dx.x)
			a.Gradient(dx.x, dx.x[a.Width:], dx.x[2*a.Width:], ld, ld, ld, o.x, do, ldo, ldo, scratch[:a.GradientScratch()])
			plainAttentionGradient(a, dwant, dwant[a.Width:], dwant[2*a.Width:], ld, o.x, do, ldo)
			checkSame(t, name+", gradient", dx.x, dwant)
			dx.check(t, name)
		}
	})
}
