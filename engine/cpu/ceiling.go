package cpu

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hone-ml/hone/engine/cpu/kernel"
)

// Ceilings are what the machine can do at most, as MeasureCeilings finds it.
type Ceilings struct {
	Processor string `json:"processor"`
	Kernels   string `json:"kernels"` // the implementation in use, as HONE_CPU names it
	// PeakGFLOPS is the rate of one core's fused multiply-adds, two operations
	// each, when its operands come from the first-level cache.
	PeakGFLOPS float64 `json:"peak_gflops"`
	// Read and Copy are the bytes of 64 MiB again and again, by threads. A copy counts
	// what it reads and what it writes.
	Read    map[int]float64 `json:"read_gb_per_s"`
	Copy    map[int]float64 `json:"copy_gb_per_s"`
	CacheKB int             `json:"cache_kb"` // second level, of a core
}

// MeasureCeilings measures the machine while nothing else should run on it. It
// takes about a second for each number of threads.
func MeasureCeilings(threads []int) Ceilings {
	c := Ceilings{
		Processor: processor(), Kernels: kernel.Path(), PeakGFLOPS: peak() / 1e9, CacheKB: secondCache() >> 10,
		Read: map[int]float64{}, Copy: map[int]float64{},
	}
	from, to := ones(far), ones(far)
	for _, n := range threads {
		c.Read[n] = 4 * far / fastest(n, from, nil) / 1e9
		c.Copy[n] = 8 * far / fastest(n, from, to) / 1e9
	}
	return c
}

// far is how many numbers are read or copied: 64 MiB, more than a core's own
// caches hold.
const far = 16 << 20

// ones are numbers on pages of their own.
func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// ReadSpeed is the rate in bytes a second at which so many threads read so many
// numbers again and again: from the cache that holds them, or from memory.
func ReadSpeed(numbers, threads int) float64 {
	return 4 * float64(numbers) / fastest(threads, ones(numbers), nil)
}

// fastest is the least time, in seconds, in which n goroutines read from, each a
// part, or copy it. What is small they go through several times for one look at the
// clock.
func fastest(n int, from, to []float32) float64 {
	best, times := 0.0, max(1, atOnce/max(1, len(from)))
	part := func(i int) {
		lo, hi := i*len(from)/n, (i+1)*len(from)/n
		for range times {
			switch {
			case to == nil:
				kernel.Sum(from[lo:hi])
			case hi-lo > atOnce:
				copy(to[lo:hi], from[lo:hi]) // past the caches
			default:
				kernel.Abs(to[lo:hi], from[lo:hi])
			}
		}
	}
	for range max(5, far/(max(1, len(from))*times)) {
		began := time.Now()
		if n == 1 {
			part(0)
		} else {
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() { part(i) })
			}
			all.Wait()
		}
		if s := time.Since(began).Seconds() / float64(times); best == 0 || s < best {
			best = s
		}
	}
	return best
}

// atOnce is about how many numbers are gone through for one look at the clock.
const atOnce = 256 << 10

// peak is the rate of multiply-adds on one core in operations a second, the best
// of several moments.
func peak() (best float64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const calls, rounds = 100, 1000 // a call is short enough for a garbage collection
	for range 100 {
		operations, began := 0, time.Now()
		for range calls {
			operations += kernel.MultiplyAdds(rounds)
		}
		best = max(best, float64(operations)/time.Since(began).Seconds())
	}
	return best
}

// traffic is the most bytes a second at which so many threads go through so many
// bytes again and again, by footprint.
type traffic struct {
	threads int
	speeds  [footprints]float64 // of smallest<<(2·i) bytes a thread
}

const (
	smallest   = 16 << 10
	footprints = 7 // up to 64 MiB
)

// measureTraffic takes the better of reading, which the order of a sum holds back
// where the cache is fast, and of copying half as much.
func measureTraffic(threads int) *traffic {
	t := &traffic{threads: threads}
	from, to := ones(far), ones(far)
	for i := range t.speeds {
		n := smallest << (2 * i) / 4
		if n*4 > secondCache() { // memory and what is shared: all threads at once
			n = min(n*threads, far)
			t.speeds[i] = max(4*float64(n)/fastest(threads, from[:n], nil), 4*float64(n)/fastest(threads, from[:n/2], to[:n/2]))
			continue
		}
		t.speeds[i] = float64(threads) * max(4*float64(n)/fastest(1, from[:n], nil), 4*float64(n)/fastest(1, from[:n/2], to[:n/2]))
	}
	return t
}

// of is the speed for that many bytes: that of the next smaller footprint that
// was measured, which is no less.
func (t *traffic) of(bytes float64) float64 {
	i := 0
	for i+1 < footprints && float64(t.threads*(smallest<<(2*(i+1)))) <= bytes {
		i++
	}
	best := 0.0
	for _, s := range t.speeds[i:] { // a measurement that was disturbed is no ceiling
		best = max(best, s)
	}
	return best
}

// processor names the machine's processor where the system tells.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

// secondCache is the size of a core's second-level cache in bytes, 1 MiB where
// the system does not tell.
func secondCache() int {
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cache/index2/size")
	size, unit := strings.CutSuffix(strings.TrimSpace(string(text)), "K")
	if kb, bad := strconv.Atoi(size); err == nil && unit && bad == nil {
		return kb << 10
	}
	return 1 << 20
}
