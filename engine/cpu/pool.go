package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A job is one step being run: tasks are claimed by whoever is free. It lives
// in an instance and is used again for every step.
type job struct {
	step step
	in   *instance
	// claim holds the first unclaimed task in the low word and the end of the
	// unclaimed ones in the high word. Both in one word, so that a worker that
	// read an earlier step's word cannot claim a task of the next by mistake. Who
	// offers the job takes tasks from the front, helpers from the back: so a core
	// tends to get the part of a step that it had of the last one, or of the same
	// step of the last run, and finds its data in its caches.
	claim atomic.Uint64
	done  atomic.Uint32
}

// work runs tasks until none is left to claim.
func (j *job) work(w *worker, helping bool) {
	for {
		c := j.claim.Load()
		end, first := uint32(c>>32), uint32(c)
		if first >= end {
			return
		}
		task, claimed := first, c+1
		if helping {
			task, claimed = end-1, c-1<<32
		}
		if j.claim.CompareAndSwap(c, claimed) {
			j.in.task(j.step, int(task), w)
			j.done.Add(1)
		}
	}
}

// A worker is what a goroutine needs to run tasks: scratch memory of its own.
type worker struct {
	scratch []float32
	track   int32 // in a trace
}

// floats returns scratch of at least n elements with undefined contents.
func (w *worker) floats(n int) []float32 {
	if cap(w.scratch) < n {
		w.scratch = make([]float32, n)
	}
	return w.scratch[:n]
}

// slots is how many runs may offer work at once; further ones run alone.
const slots = 16

// The pool is shared by all programs of the process. Its goroutines start
// with the first step that is worth sharing, spin briefly for more work, as a
// training step's next kernel follows within microseconds, and then park.
var pool struct {
	once    sync.Once
	mu      sync.Mutex
	jobs    [slots]atomic.Pointer[job]
	threads atomic.Int32 // wanted, the callers included
	started int32        // helpers started, under mu
	parked  atomic.Int32
	running atomic.Int32 // programs
	wake    chan struct{}
}

const maxThreads = 256

func startPool() {
	pool.wake = make(chan struct{}, maxThreads)
	if pool.threads.Load() == 0 {
		pool.threads.Store(int32(min(runtime.GOMAXPROCS(0), maxThreads)))
	}
}

// SetThreads sets how many threads a step may use, the caller's included; the
// default is GOMAXPROCS. It changes the speed, never the result.
func SetThreads(n int) {
	pool.threads.Store(int32(max(1, min(n, maxThreads))))
}

// Threads returns how many threads a step may use.
func Threads() int {
	pool.once.Do(startPool)
	return int(pool.threads.Load())
}

// share runs the tasks of a job on the pool and returns when all are done.
func share(j *job, tasks int, w *worker) {
	helpers := min(int32(Threads()), int32(tasks)) - 1
	j.done.Store(0)
	j.claim.Store(uint64(tasks) << 32)
	slot := -1
	if helpers > 0 {
		ensureHelpers(helpers)
		for i := range pool.jobs {
			if pool.jobs[i].CompareAndSwap(nil, j) {
				slot = i
				break
			}
		}
		for k := min(pool.parked.Load(), helpers); slot >= 0 && k > 0; k-- {
			select {
			case pool.wake <- struct{}{}:
			default:
			}
		}
	}
	j.work(w, false)
	if slot >= 0 {
		pool.jobs[slot].Store(nil)
	}
	for spins := 0; j.done.Load() < uint32(tasks); spins++ {
		if spins > 100 {
			runtime.Gosched()
		}
	}
}

func ensureHelpers(n int32) {
	pool.mu.Lock()
	for pool.started < n {
		id := pool.started
		pool.started++
		go help(id)
	}
	pool.mu.Unlock()
}

// help is the life of helper id. Helpers beyond the wanted number of threads
// stay parked.
func help(id int32) {
	w := worker{track: id + 1}
	idle := 0
	for {
		busy := false
		if id < pool.threads.Load()-1 {
			for i := range pool.jobs {
				if j := pool.jobs[i].Load(); j != nil {
					before := j.claim.Load()
					j.work(&w, true)
					busy = busy || uint32(before) < uint32(before>>32)
				}
			}
		}
		if busy {
			idle = 0
			continue
		}
		// About 30 µs of spinning, and while a program runs, whose next step may
		// be one to share, about a millisecond, as waking takes longer than many
		// steps; yielding now and then so that other goroutines of the process
		// are not kept waiting.
		if idle++; (idle < 2000 || idle < 64000 && pool.running.Load() > 0) && id < pool.threads.Load()-1 {
			if idle%64 == 0 {
				runtime.Gosched()
			}
			continue
		}
		idle = 0
		pool.parked.Add(1)
		if !workWaits() {
			<-pool.wake
		}
		pool.parked.Add(-1)
	}
}

// workWaits reports whether a job was offered between a helper's last look
// and its parking.
func workWaits() bool {
	for i := range pool.jobs {
		if j := pool.jobs[i].Load(); j != nil {
			if c := j.claim.Load(); uint32(c) < uint32(c>>32) {
				return true
			}
		}
	}
	return false
}
