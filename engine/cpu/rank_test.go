package cpu

import (
	"math/rand/v2"
	"testing"
)

// TestRanks: by levels units follow as by searching the whole graph, while edges are
// added in any order, and after edges were changed behind their back.
func TestRanks(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		pl := &plan{}
		for range 30 {
			pl.units = append(pl.units, &unit{after: map[*unit]bool{}})
		}
		check := func() {
			for i, u := range pl.units {
				for j, v := range pl.units {
					if got, want := pl.follows(u, v), reaches(u, v, map[*unit]bool{}); got != want {
						t.Fatalf("seed %d: unit %d follows %d: found %v, expected %v", seed, i, j, got, want)
					}
				}
			}
		}
		for range 60 {
			u, d := pl.units[r.IntN(30)], pl.units[r.IntN(30)]
			if !reaches(d, u, map[*unit]bool{}) {
				u.follow(d)
			}
		}
		check()
		for range 20 {
			u, d := pl.units[r.IntN(30)], pl.units[r.IntN(30)]
			if !reaches(d, u, map[*unit]bool{}) {
				u.after[d] = true
			}
		}
		pl.rankUnits()
		check()
	}
}
