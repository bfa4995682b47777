package cpu

import (
	"sync"
	"sync/atomic"
	"testing"
)

// countStep counts how often each task runs.
type countStep struct{ ran [100]atomic.Int32 }

func (s *countStep) tasks(int) int { return len(s.ran) }

func (s *countStep) run(_ *instance, task int, w *worker) {
	w.floats(10 + task)
	s.ran[task].Add(1)
}

// TestPoolRunsEveryTaskOnce from more callers than there are slots for jobs,
// and takes all jobs back.
func TestPoolRunsEveryTaskOnce(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	SetThreads(4)
	const rounds = 200
	var wg sync.WaitGroup
	for range slots + 4 {
		wg.Go(func() {
			var j job
			var w worker
			for round := range rounds {
				s := &countStep{}
				j.step, j.in = s, &instance{}
				n := 2 + round%(len(s.ran)-1)
				share(&j, n, &w)
				for i := range s.ran {
					want := int32(0)
					if i < n {
						want = 1
					}
					if got := s.ran[i].Load(); got != want {
						t.Errorf("task %d of %d ran %d times", i, n, got)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range pool.jobs {
		if pool.jobs[i].Load() != nil {
			t.Errorf("slot %d still holds a job", i)
		}
	}
}
