package explain

import (
	"context"
	"math"
	"sort"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

const (
	firstPieces = 32 // of a way
	splitPieces = 32 // at most at a time
)

// along integrates the derivative of a prediction along the way from base to row. A
// way is cut into pieces, in the middle of which the derivative is taken. What a piece
// misses is known, since the prediction at its ends is: pieces that miss most are cut
// in two until all together miss no more than the tolerance, or most points are
// looked at. So points gather where the prediction bends.
func along(ctx context.Context, path *model.Path, row, base *data.Table, class int, tolerance float64, most int) (*model.Walk, int, error) {
	type piece struct{ lo, hi, from, to, middle, slope float64 }
	gap := func(p piece) float64 { return float64(p.slope*(p.hi-p.lo)) - (p.to - p.from) }
	looked := 0
	look := func(pieces []piece) (*model.Walk, error) {
		at, none := make([]float64, len(pieces)), make([]float64, len(pieces))
		for i, p := range pieces {
			at[i] = (p.lo + p.hi) / 2
		}
		w, err := path.Walk(ctx, row, base, class, at, none)
		if err != nil {
			return nil, err
		}
		for i := range pieces {
			pieces[i].middle, pieces[i].slope = w.Values[i], w.Slopes[i]
		}
		looked += len(pieces)
		return w, nil
	}
	// The edges of the first pieces are the points between them.
	edges := make([]float64, firstPieces-1)
	for i := range edges {
		edges[i] = float64(i+1) / firstPieces
	}
	w, err := path.Walk(ctx, row, base, class, edges, make([]float64, len(edges)))
	if err != nil {
		return nil, 0, err
	}
	pieces := make([]piece, firstPieces)
	for i := range pieces {
		pieces[i] = piece{lo: float64(i) / firstPieces, hi: float64(i+1) / firstPieces, from: w.Base, to: w.Value}
		if i > 0 {
			pieces[i].from = w.Values[i-1]
		}
		if i < len(edges) {
			pieces[i].to = w.Values[i]
		}
	}
	looked += len(edges)
	if _, err := look(pieces); err != nil {
		return nil, 0, err
	}
	for {
		sort.SliceStable(pieces, func(a, b int) bool { return math.Abs(gap(pieces[a])) > math.Abs(gap(pieces[b])) })
		sum, square := 0.0, 0.0
		for _, p := range pieces {
			sum, square = sum+gap(p), square+float64(gap(p)*gap(p))
		}
		// What pieces miss may cancel out by chance: its usual size counts as well.
		if max(math.Abs(sum), 2*math.Sqrt(square)) <= tolerance/2 || looked >= most {
			break
		}
		var halves []piece
		cut := 0
		for done := 0.0; cut < min(len(pieces), splitPieces) && done < 0.9*square; cut++ {
			p := pieces[cut]
			done += float64(gap(p) * gap(p))
			m := (p.lo + p.hi) / 2
			halves = append(halves, piece{lo: p.lo, hi: m, from: p.from, to: p.middle}, piece{lo: m, hi: p.hi, from: p.middle, to: p.to})
		}
		if halves[0].hi-halves[0].lo < 1e-7 { // narrower than 32 bits can tell
			break
		}
		if _, err := look(halves); err != nil {
			return nil, 0, err
		}
		pieces = append(pieces[cut:], halves...)
	}
	sort.Slice(pieces, func(a, b int) bool { return pieces[a].lo < pieces[b].lo })
	at, weight := make([]float64, len(pieces)), make([]float64, len(pieces))
	for i, p := range pieces {
		at[i], weight[i] = (p.lo+p.hi)/2, p.hi-p.lo
	}
	w, err = path.Walk(ctx, row, base, class, at, weight)
	return w, looked, err
}
