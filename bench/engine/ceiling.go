package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hone-ml/hone/engine/cpu/kernel"
)

// Ceilings are what the machine can do at most, as this program measures it.
type Ceilings struct {
	Processor string `json:"processor"`
	Kernels   string `json:"kernels"` // the implementation that hone uses, as HONE_CPU names it
	// PeakGFLOPS is the rate of one core's fused multiply-adds, two operations
	// each, when its operands come from the first-level cache.
	PeakGFLOPS float64 `json:"peak_gflops"`
	// Read and Copy are the bytes of 64 MiB again and again, by threads. A copy counts
	// what it reads and what it writes.
	Read    map[int]float64 `json:"read_gb_per_s"`
	Copy    map[int]float64 `json:"copy_gb_per_s"`
	CacheKB int             `json:"cache_kb"` // second level, of a core
}

// measureCeilings takes about a second for each number of threads.
func measureCeilings(threads []int) Ceilings {
	c := Ceilings{
		Processor: processor(), Kernels: kernel.Path(), PeakGFLOPS: peak() / 1e9, CacheKB: secondCache() >> 10,
		Read: map[int]float64{}, Copy: map[int]float64{},
	}
	from, to := make([]float32, far), make([]float32, far)
	for i := range from {
		from[i], to[i] = 1, 1 // pages of their own
	}
	for _, n := range threads {
		c.Read[n] = 4 * far / fastest(n, from, nil) / 1e9
		c.Copy[n] = 8 * far / fastest(n, from, to) / 1e9
	}
	return c
}

// far is how many numbers are read or copied: 64 MiB, as many as the largest
// matrix has, more than a core's own caches hold.
const far = 16 << 20

// readSpeed is the rate in bytes a second at which n threads read so many numbers
// again and again: from the cache that holds them, or from memory.
func readSpeed(numbers, n int) float64 {
	x := make([]float32, numbers)
	for i := range x {
		x[i] = 1
	}
	return 4 * float64(numbers) / fastest(n, x, nil)
}

// fastest is the least time, in seconds, in which n goroutines read from, each a
// part, or copy it.
func fastest(n int, from, to []float32) float64 {
	best := 0.0
	for range max(5, far/len(from)) {
		began := time.Now()
		var all sync.WaitGroup
		for i := range n {
			lo, hi := i*len(from)/n, (i+1)*len(from)/n
			all.Go(func() {
				if to == nil {
					kernel.Sum(from[lo:hi])
				} else {
					copy(to[lo:hi], from[lo:hi])
				}
			})
		}
		all.Wait()
		if s := time.Since(began).Seconds(); best == 0 || s < best {
			best = s
		}
	}
	return best
}

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
