package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
)

// A result is one case on so many threads.
type result struct {
	Group   string   `json:"group"`
	Case    string   `json:"case"`
	Threads int      `json:"threads"`
	Epoch   bool     `json:"epoch,omitempty"` // seconds are an epoch's
	Floor   float64  `json:"floor_seconds"`   // by the ceilings
	GFLOP   float64  `json:"gflop"`
	Hone    timing   `json:"hone"`
	Peers   []timing `json:"peers"`
}

// A timing is how long a competitor took: medians over the rounds.
type timing struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	P99     float64 `json:"p99_seconds,omitempty"` // over the calls of all rounds
	// Ratio is the median of the rounds' ratios of the peer's time to hone's in the
	// same round: above 1 hone is faster. The interval holds the median with the
	// chance of Level (see interval).
	Ratio float64 `json:"ratio,omitempty"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	// Allocs and Bytes are hone's heap allocations of a step and what they take.
	Allocs float64 `json:"allocs_per_step"`
	Bytes  float64 `json:"bytes_per_step"`
	// Apart is how far the values are from hone's, that were compared before
	// anything was timed: the largest difference over the largest value.
	Apart float64 `json:"apart,omitempty"`
}

// A memory is the most that a competitor's process had resident over the cases
// of a group.
type memory struct {
	Group   string  `json:"group"`
	Name    string  `json:"name"`
	Threads int     `json:"threads"`
	PeakMB  float64 `json:"peak_mb"`
}

// A failure is a peer that was not measured, and why.
type failure struct {
	Name    string `json:"name"`
	Case    string `json:"case,omitempty"`
	Problem string `json:"problem"`
}

// results are what one call has measured, as -json writes it.
type results struct {
	Ceilings cpu.Ceilings      `json:"ceilings"`
	Rounds   int               `json:"rounds"`
	Level    float64           `json:"level"` // of the intervals
	Versions map[string]string `json:"versions"`
	Results  []result          `json:"results"`
	Means    []mean            `json:"means,omitempty"` // set when all is measured
	Memory   []memory          `json:"memory"`
	Failures []failure         `json:"failures,omitempty"`
}

// Before anything is timed, the losses of the first steps, or some numbers of the
// result, are held against hone's.
const (
	checkedSteps = 10
	// tolerance is on the largest difference, as a share of the largest value. Sums
	// in another order differ by about 1e-6, and ten steps carry them on. In table
	// the vectors of values that a batch lacks stay, where the peers' AdamW moves
	// them on.
	tolerance      = 2e-5
	tableTolerance = 1e-4
	denseTolerance = 1e-3 // the same of every vector of n-grams
)

// apart is the largest difference of two lists as a share of the largest value.
func apart(a, b []float64) float64 {
	if len(a) != len(b) || len(a) == 0 {
		return math.Inf(1)
	}
	most, scale := 0.0, 0.0
	for i := range a {
		d := math.Abs(a[i] - b[i])
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		most, scale = max(most, d), max(scale, math.Abs(a[i]))
	}
	if most == 0 {
		return 0
	}
	return most / scale
}

func (c *Case) tolerance(peer string) float64 {
	switch {
	case peer == avx2Name: // the same bits
		return 0
	case isKeras(peer):
		return kerasTolerance
	case peer == torchDenseName:
		return denseTolerance
	}
	if c.Table != nil {
		return tableTolerance
	}
	return tolerance
}

// A bench is a run of measurements.
type bench struct {
	place    place
	rounds   int
	block    time.Duration // that one competitor measures at a time, about
	progress io.Writer
	results
	gone map[string]bool     // peers that are not installed
	read map[reading]float64 // seconds
}

// A reading is of the bytes that a case's step must go through.
type reading struct {
	c       *Case
	threads int
}

// begin measures the machine, for the numbers of threads if there are any, and
// writes the cases' files, in a process that is for this alone.
func (b *bench) begin(cases []*Case, counts []int) error {
	h, err := b.place.start(honeName, slices.Max(append([]int{1}, counts...)))
	if err != nil {
		return err
	}
	defer h.end()
	if len(counts) > 0 {
		r, err := h.ask(request{Do: "ceilings", Threads: counts})
		if err != nil {
			return err
		}
		b.Ceilings = *r.Ceilings
	}
	for i, c := range cases {
		c.Dir = filepath.Join(b.place.dir, fmt.Sprint(i))
		if _, err := h.ask(request{Do: "write", Case: c}); err != nil {
			return err
		}
		w, err := c.work()
		if err != nil {
			return err
		}
		for _, n := range counts {
			r, err := h.ask(request{Do: "read", Steps: w.held / 4, Threads: []int{n}})
			if err != nil {
				return err
			}
			b.read[reading{c, n}] = r.Seconds[0]
		}
	}
	return nil
}

// group measures the cases of one group on so many threads: every competitor has
// a process, and they take turns.
func (b *bench) group(cases []*Case, threads int) error {
	var all []*competitor
	defer func() {
		for _, c := range all {
			if mb := c.end(); mb > 0 {
				b.Memory = append(b.Memory, memory{cases[0].Group, c.name, threads, mb})
			}
		}
	}()
	for _, name := range append([]string{honeName}, peersOf(cases)...) {
		if b.gone[name] {
			continue
		}
		c, err := b.place.start(name, threads)
		if err != nil {
			if name == honeName {
				return err
			}
			b.gone[name] = true
			b.fail(name, "", err)
			continue
		}
		if name != honeName && name != avx2Name {
			b.Versions[name] = c.version
		}
		all = append(all, c)
	}
	for _, c := range cases {
		if err := b.measure(c, threads, all); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) fail(name, of string, err error) {
	f := failure{name, of, err.Error()}
	if !slices.Contains(b.Failures, f) {
		fmt.Fprintf(b.progress, "%s: %s: %v\n", of, name, err)
		b.Failures = append(b.Failures, f)
	}
}

// measure checks that all compute the same and then lets them take turns.
func (b *bench) measure(c *Case, threads int, all []*competitor) error {
	var ready []*competitor
	var differs []float64
	var first []float64
	for _, o := range all {
		if o.name != honeName && !slices.Contains(c.competing(), o.name) {
			continue
		}
		r, err := o.ask(request{Do: "prepare", Case: c, Steps: checkedSteps, Exact: true})
		d := 0.0
		if err == nil && o.name == honeName {
			first = r.Values
		} else if err == nil {
			if d = apart(first, r.Values); d > c.tolerance(o.name) {
				err = fmt.Errorf("it does not compute what hone does: found %v, expected %v within %g", head(r.Values), head(first), c.tolerance(o.name))
			}
		}
		if err == nil && c.Table != nil { // again, with dropout
			_, err = o.ask(request{Do: "prepare", Case: c, Steps: checkedSteps})
		}
		if err != nil {
			if o.name == honeName {
				return err
			}
			b.fail(o.name, c.Group+" "+c.Name, err)
			continue
		}
		ready, differs = append(ready, o), append(differs, d)
	}
	seconds, calls, errs := b.turns(c, ready)
	if errs[0] != nil {
		return errs[0]
	}
	w, err := c.work()
	if err != nil {
		return err
	}
	r := result{Group: c.Group, Case: c.Name, Threads: threads, Epoch: c.rowsPerEpoch > 0, Floor: c.floor(w, b.Ceilings, threads, b.read[reading{c, threads}]), GFLOP: c.steps() * w.flops / 1e9}
	for i, o := range ready {
		if errs[i] != nil {
			b.fail(o.name, c.Group+" "+c.Name, errs[i])
			continue
		}
		t := timing{Name: o.name, Seconds: median(seconds[i]), Apart: differs[i]}
		if c.latency {
			t.P99 = quantile(calls[i], 0.99)
		}
		if i == 0 {
			r.Hone = t
			if r.Hone.Allocs, r.Hone.Bytes, err = c.allocations(o, t.Seconds); err != nil {
				return err
			}
			continue
		}
		ratios := make([]float64, len(seconds[i]))
		for k := range ratios {
			ratios[k] = seconds[i][k] / seconds[0][k]
		}
		t.Ratio = median(ratios)
		t.Low, t.High, _ = interval(ratios)
		r.Peers = append(r.Peers, t)
	}
	fmt.Fprintf(b.progress, "%s %s, %d threads: hone %s", c.Group, c.Name, threads, duration(r.Hone.Seconds))
	for _, t := range r.Peers {
		fmt.Fprintf(b.progress, ", %s %s", t.Name, times(t.Ratio))
	}
	fmt.Fprintln(b.progress)
	b.Results = append(b.Results, r)
	return nil
}

// allocations asks hone, over steps of half a second or so.
func (c *Case) allocations(o *competitor, seconds float64) (count, bytes float64, err error) {
	r, err := o.ask(request{Do: "allocations", Steps: int(min(max(2, 0.5*c.steps()/seconds), 1000))})
	if err != nil {
		return 0, 0, err
	}
	if len(r.Values) != 2 {
		return 0, 0, fmt.Errorf("allocations: found %v, expected their number and bytes", r.Values)
	}
	return r.Values[0], r.Values[1], nil
}

func head(x []float64) []float64 { return x[:min(3, len(x))] }

// turns lets the competitors take turns, every other round in reverse, and
// returns the seconds of a result by competitor and round, those of all calls,
// and the errors of who could not go on. How many steps a turn has is fixed
// before, by turns that are not counted.
func (b *bench) turns(c *Case, ready []*competitor) (seconds, calls [][]float64, errs []error) {
	steps := make([]int, len(ready))
	seconds, calls, errs = make([][]float64, len(ready)), make([][]float64, len(ready)), make([]error, len(ready))
	for i, o := range ready {
		if errs[i] = c.settled(o); errs[i] == nil {
			steps[i], errs[i] = b.stepsOf(o)
		}
	}
	for round := range b.rounds {
		for _, i := range order(len(ready), round) {
			if errs[i] != nil {
				continue
			}
			time.Sleep(pause)
			err := c.settled(ready[i])
			var r reply
			if err == nil {
				r, err = ready[i].ask(request{Do: "time", Steps: steps[i], Each: c.latency})
			}
			if err != nil {
				errs[i] = err
				continue
			}
			one := 0.0
			if c.latency {
				one = median(r.Seconds)
				calls[i] = append(calls[i], r.Seconds...)
			} else {
				one = r.Seconds[0] / float64(steps[i])
			}
			seconds[i] = append(seconds[i], one*c.steps())
		}
	}
	return seconds, calls, errs
}

// settled lets a competitor work, untimed, for as long as the case asks.
func (c *Case) settled(o *competitor) error {
	began := time.Now()
	for steps := 1; time.Since(began) < c.settle; steps *= 2 {
		if _, err := o.ask(request{Do: "time", Steps: steps}); err != nil {
			return err
		}
	}
	return nil
}

// order is who measures after whom in a round: hone first, or last.
func order(n, round int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
		if round%2 == 1 {
			list[i] = n - 1 - i
		}
	}
	return list
}

// stepsOf is how many steps of a competitor take about a block.
func (b *bench) stepsOf(o *competitor) (int, error) {
	for steps := 1; ; steps *= 2 {
		r, err := o.ask(request{Do: "time", Steps: steps})
		if err != nil {
			return 0, err
		}
		if s := r.Seconds[0]; s >= b.block.Seconds()/2 {
			return max(1, int(float64(steps)*b.block.Seconds()/s+0.5)), nil
		}
	}
}

// pause lets the threads of who was measured before come to rest.
const pause = 5 * time.Millisecond

// median is the middle of xs, of an even number the mean of the two.
func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// quantile is the smallest x that a share of xs does not exceed.
func quantile(xs []float64, share float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[min(len(s)-1, int(math.Ceil(share*float64(len(s))))-1)]
}

// interval is the narrowest interval of two order statistics, as far from the
// lower end as from the upper, that holds the median with a chance of 95 % at
// least, and that chance: of n independent values k are below the median with
// the chance of k heads in n tosses. Of fewer than six values it is the whole
// range, whose chance is less.
func interval(xs []float64) (low, high, level float64) {
	s := slices.Sorted(slices.Values(xs))
	n := len(s)
	ways, below := 1.0, 0.0 // n over k, and its sum over the values left out on one side
	total := math.Pow(2, float64(n))
	k := 0
	level = 1 - 2/total
	for {
		next := below + ways
		if l := 1 - 2*(next+ways*float64(n-k)/float64(k+1))/total; l < 0.95 {
			break
		} else {
			level = l
		}
		below = next
		ways *= float64(n-k) / float64(k+1)
		k++
	}
	return s[k], s[n-1-k], level
}
