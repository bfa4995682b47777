package train

import (
	"fmt"
	"sort"

	"github.com/hone-ml/hone/internal/splitmix"
)

// sampling draws the rows of an epoch class by class.
type sampling struct {
	rows  [][]int32 // of each class that is drawn
	ends  []int     // place after the last draw of each class, before shuffling
	seeds []uint64
}

// SampleClasses makes every epoch draw from the classes in the proportions of
// share, instead of every row once. Class gives each row's index into share. An
// epoch keeps its number of rows: those of a rare class come several times,
// those of a common one not in every epoch. Draws of a class are without
// replacement, also from epoch to epoch: no row comes again before all others of
// its class came. Like the order, which is always shuffled, they follow from
// seed, epoch and step alone.
func (m *Memory) SampleClasses(class []int, share []float64) error {
	if len(class) != m.rows {
		return fmt.Errorf("train: %d classes for %d rows", len(class), m.rows)
	}
	rows := make([][]int32, len(share))
	for i, c := range class {
		if c < 0 || c >= len(share) {
			return fmt.Errorf("train: the class of row %d is %d, expected 0 to %d", i, c, len(share)-1)
		}
		rows[c] = append(rows[c], int32(i))
	}
	total := 0.0
	for c, s := range share {
		if !(s >= 0) || !finite(s) {
			return fmt.Errorf("train: the share of class %d is %g, expected a finite number of 0 or more", c, s)
		}
		if s > 0 && len(rows[c]) == 0 {
			return fmt.Errorf("train: class %d is to be sampled, but no row has it", c)
		}
		total += s
	}
	if total == 0 || !finite(total) {
		return fmt.Errorf("train: the shares of the classes add up to %g: there is nothing to sample", total)
	}
	s := &sampling{}
	end := 0
	for c, n := range apportion(m.rows, share, total) {
		if n == 0 {
			continue
		}
		end += n
		s.rows, s.ends = append(s.rows, rows[c]), append(s.ends, end)
		s.seeds = append(s.seeds, splitmix.Finish(m.seed^splitmix.Finish(uint64(c)+0x632be59bd9b4e019)))
	}
	m.sampled, m.shuffle = s, true
	return nil
}

// apportion divides n draws by shares: whole numbers, what is left to the
// largest remainders (Hamilton's method), ties to the first.
func apportion(n int, share []float64, total float64) []int {
	draws, left := make([]int, len(share)), n
	order, rest := make([]int, len(share)), make([]float64, len(share))
	for c, s := range share {
		exact := float64(n) * (s / total)
		draws[c] = min(int(exact), left)
		left -= draws[c]
		order[c], rest[c] = c, exact-float64(draws[c])
	}
	sort.SliceStable(order, func(i, j int) bool { return rest[order[i]] > rest[order[j]] })
	for i := 0; left > 0; i = (i + 1) % len(order) {
		if share[order[i]] > 0 {
			draws[order[i]]++
			left--
		}
	}
	return draws
}

// at returns the row of a place of an epoch, before shuffling.
func (s *sampling) at(epoch, place int) int {
	c := sort.SearchInts(s.ends, place+1)
	first := 0
	if c > 0 {
		first = s.ends[c-1]
	}
	// All draws of the class, over all epochs, are one sequence of rounds through
	// its rows, each in an order of its own.
	draw, n := epoch*(s.ends[c]-first)+place-first, len(s.rows[c])
	round := newPermutation(n, s.seeds[c], uint64(draw/n))
	return int(s.rows[c][round.at(draw%n)])
}
