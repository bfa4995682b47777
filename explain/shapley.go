package explain

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
)

// A game shares out what players bring about together, against each of several
// bases: rows to compare with, in whose place a player's value stands while it is out.
type game struct {
	players, bases int
	// play returns the outcome of each move.
	play func(ctx context.Context, moves []move) ([]float64, error)
}

// A move is who is in, and which base the others are of.
type move struct {
	in   []bool
	base int
}

// shares are what the players of a game are worth.
type shares struct {
	effect []float64
	err    []float64 // standard error of each; nil: exact
	played int       // moves
}

// exactPlayers is how many players have all their coalitions played, 1024, whatever
// the number of bases.
const exactPlayers = 10

// playMoves bounds what is played at once.
const playMoves = 4096

// exact computes the Shapley values, the mean over all orders of the players of what
// each adds when it comes in (Shapley 1953; for predictions Lundberg and Lee 2017, A
// unified approach to interpreting model predictions), where who is out has the value
// of a base, in the mean over the bases.
func (g *game) exact(ctx context.Context) (*shares, error) {
	n, all := g.players, 1<<g.players
	worth := make([]float64, all) // of each coalition, a bit for each player
	var moves []move
	var of []int
	flush := func() error {
		values, err := g.play(ctx, moves)
		for i, v := range values {
			worth[of[i]] += v / float64(g.bases)
		}
		moves, of = moves[:0], of[:0]
		return err
	}
	for c := range all {
		in := make([]bool, n)
		for i := range in {
			in[i] = c>>i&1 == 1
		}
		for b := range g.bases {
			if moves, of = append(moves, move{in, b}), append(of, c); len(moves) == playMoves {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	weight := make([]float64, n) // of coalitions of each size: |S|! (n−|S|−1)! / n!
	for k := range weight {
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(n - k))
		c, _ := math.Lgamma(float64(n + 1))
		weight[k] = math.Exp(a + b - c)
	}
	out := &shares{effect: make([]float64, n), played: all * g.bases}
	for c := range all {
		for i := range n {
			if c>>i&1 == 0 {
				out.effect[i] += float64(weight[bits.OnesCount(uint(c))] * (worth[c|1<<i] - worth[c]))
			}
		}
	}
	return out, nil
}

// sampled estimates the same from random orders of the players, each walked there and
// back (Štrumbelj and Kononenko 2014, Explaining prediction models and individual
// predictions with feature contributions, with the antithetic pairs of Mitchell et al.
// 2022, Sampling permutations for Shapley value estimation). A pair of walks is
// against one base and adds up to what lies between it and the row, so that the means
// add up exactly where every base has as many pairs: their number is a multiple of
// the bases, and about what the budget of moves allows. Order p is drawn by
// PCG(seed, p).
func (g *game) sampled(ctx context.Context, budget int, seed uint64) (*shares, error) {
	n := g.players
	pairs := max(2, (budget/(2*n)+g.bases/2)/g.bases) * g.bases
	out := &shares{effect: make([]float64, n), err: make([]float64, n)}
	square := make([]float64, n)
	var moves []move
	var orders [][]int
	flush := func() error {
		values, err := g.play(ctx, moves)
		if err != nil {
			return err
		}
		for w, order := range orders {
			// n+1 moves there, of which the first is the base and the last the row, and
			// n−1 back.
			there := values[w*2*n : w*2*n+n+1]
			back := append([]float64{there[n]}, values[w*2*n+n+1:(w+1)*2*n]...)
			back = append(back, there[0])
			for k, player := range order {
				// On the way back the players that came last go in first, which is the
				// reverse order from the base on.
				e := ((there[k+1] - there[k]) + (back[k] - back[k+1])) / 2
				out.effect[player] += e / float64(pairs)
				square[player] += float64(e*e) / float64(pairs)
			}
		}
		out.played += len(moves)
		moves, orders = moves[:0], orders[:0]
		return nil
	}
	for p := range pairs {
		order := rand.New(rand.NewPCG(seed, uint64(p))).Perm(n)
		in := make([]bool, n)
		add := func() { moves = append(moves, move{append([]bool(nil), in...), p % g.bases}) }
		add()
		for _, player := range order {
			in[player] = true
			add()
		}
		for _, player := range order[:n-1] {
			in[player] = false
			add()
		}
		if orders = append(orders, order); len(moves)+2*n > playMoves || p == pairs-1 {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	for i, e := range out.effect {
		out.err[i] = math.Sqrt(max(0, square[i]-float64(e*e)) / float64(pairs-1))
	}
	return out, nil
}

// solve is exact where that asks for no more moves than the budget, or the players
// are few.
func (g *game) solve(ctx context.Context, budget int, seed uint64) (*shares, error) {
	if g.players <= exactPlayers || g.players < 30 && (1<<g.players)*g.bases <= budget {
		return g.exact(ctx)
	}
	return g.sampled(ctx, budget, seed)
}
