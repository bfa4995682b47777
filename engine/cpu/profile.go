package cpu

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Profile collects what the steps of all programs take that run while it is
// on. It is for one look at a program: it allocates and takes a lock at the end
// of every run. While none is on, a run pays one look at a pointer.
type Profile struct {
	began time.Time

	mu       sync.Mutex
	first    int64 // when the first run began, and
	last     int64 // the last one ended
	programs []*profiled
	tracks   atomic.Int32
}

// profiling is the profile that is on, or nil.
var profiling atomic.Pointer[Profile]

// StartProfile turns a profile on. There is one at a time.
func StartProfile() (*Profile, error) {
	p := &Profile{began: time.Now()}
	if !profiling.CompareAndSwap(nil, p) {
		return nil, errors.New("cpu: a profile is being taken already")
	}
	return p, nil
}

// Stop turns the profile off. Runs that have begun are told of to their end.
func (p *Profile) Stop() {
	profiling.CompareAndSwap(p, nil)
}

// now is the time since the profile began, in nanoseconds.
func (p *Profile) now() int64 { return int64(time.Since(p.began)) }

// profiled is what is known of a program.
type profiled struct {
	exe     *executable
	compile time.Duration
	runs    int
	rows    int
	ns      int64 // of whole runs
	steps   []spent

	traced []traced // of the first runs
	events int
}

// spent is what a step took in all runs.
type spent struct {
	calls        int
	ns, worker   int64 // as the run saw it, and by all workers together
	flops, bytes float64
}

// of finds a program, under mu.
func (p *Profile) of(e *executable) *profiled {
	for _, o := range p.programs {
		if o.exe == e {
			return o
		}
	}
	o := &profiled{exe: e, steps: make([]spent, len(e.steps))}
	p.programs = append(p.programs, o)
	return o
}

// compiled is told of a program that was compiled while the profile is on.
func (p *Profile) compiled(e *executable, took time.Duration) {
	p.mu.Lock()
	p.of(e).compile = took
	p.mu.Unlock()
}

// A recording is one run as the profile sees it.
type recording struct {
	p       *Profile
	in      *instance
	began   int64
	step    int // that is running, or −1
	since   int64
	ns      []int64
	worker  atomic.Int64 // of the current step
	workers []int64
	events  []event // nil where the run is not traced
	next    atomic.Int32
}

// The trace has the first runs of each program, at most so many and with at most
// so many events, so that the file stays small.
const (
	tracedRuns   = 10
	tracedEvents = 10_000
)

// begin starts the recording of a run.
func (p *Profile) begin(in *instance, began int64) *recording {
	r := &recording{p: p, in: in, began: began, step: -1, ns: make([]int64, len(in.count)), workers: make([]int64, len(in.count))}
	events := 1
	for _, n := range in.count {
		if n == 1 {
			events++
		} else if n > 1 {
			events += 1 + n
		}
	}
	p.mu.Lock()
	o := p.of(in.exe)
	if len(o.traced) < tracedRuns && o.events+events <= tracedEvents {
		o.events += events
		o.traced = append(o.traced, traced{in.rows, nil}) // counted already, though it may end later
		r.events = make([]event, events)
	}
	p.mu.Unlock()
	if in.w.track == 0 {
		in.w.track = callerTrack + p.tracks.Add(1)
	}
	return r
}

// enter ends the step before and begins step i.
func (r *recording) enter(i int) {
	now := r.p.now()
	r.leave(now)
	r.step, r.since = i, now
}

func (r *recording) leave(now int64) {
	if r.step < 0 {
		return
	}
	r.ns[r.step] = now - r.since
	r.workers[r.step] = r.worker.Swap(0)
	r.add(event{step: int32(r.step), task: -1, track: r.in.w.track, from: r.since, to: now})
	r.step = -1
}

// task does a task of the current step on a worker.
func (r *recording) task(s step, task int, w *worker) {
	from := r.p.now()
	s.run(r.in, task, w)
	to := r.p.now()
	r.worker.Add(to - from)
	if r.in.count[r.step] > 1 {
		r.add(event{step: int32(r.step), task: int32(task), track: w.track, from: from, to: to})
	}
}

func (r *recording) add(e event) {
	if i := int(r.next.Add(1)) - 1; i < len(r.events) {
		r.events[i] = e
	}
}

// end hands the run to the profile.
func (r *recording) end() {
	now := r.p.now()
	r.add(event{step: -1, task: -1, track: r.in.w.track, from: r.began, to: now})
	e, rows := r.in.exe, r.in.rows
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	o := r.p.of(e)
	if r.p.last == 0 || r.began < r.p.first {
		r.p.first = r.began
	}
	r.p.last = max(r.p.last, now)
	o.runs++
	o.rows += rows
	o.ns += now - r.began
	for i, s := range e.steps {
		if r.in.count[i] == 0 {
			continue
		}
		t := &o.steps[i]
		t.calls++
		t.ns += r.ns[i]
		t.worker += r.workers[i]
		t.flops += flopsOf(s, e.units[i], rows)
		t.bytes += e.plan.bytesOf(s, e.units[i], rows)
	}
	if r.events != nil {
		i := slices.IndexFunc(o.traced, func(t traced) bool { return t.events == nil })
		o.traced[i] = traced{rows, r.events[:min(int(r.next.Load()), len(r.events))]}
	}
}

// A Report is what a profile found, as JSON.
type Report struct {
	Ceilings Ceilings         `json:"ceilings"`
	Threads  int              `json:"threads"`
	Seconds  float64          `json:"seconds"` // from the first run's beginning to the last one's end
	Programs []ProgramProfile `json:"programs"`
}

// A ProgramProfile is what the runs of a program took.
type ProgramProfile struct {
	Program string  `json:"program"`
	Compile float64 `json:"compile_seconds"` // all together, where it was compiled several times
	Runs    int     `json:"runs"`
	Rows    int     `json:"rows"`    // of all runs
	Seconds float64 `json:"seconds"` // of all runs
	// Ops are the steps that took longest first. Those of the same op on the same
	// sizes and variables are one.
	Ops []OpProfile `json:"ops"`
	// Rest is what runs took beside their steps: binding, outputs, copied writes.
	Rest float64 `json:"rest_seconds"`
}

// An OpProfile is what one op of a program took.
type OpProfile struct {
	Op        string   `json:"op"`                  // as in "matmul rows×784×512"
	Variables []string `json:"variables,omitempty"` // that it writes or reads
	Calls     int      `json:"calls"`
	Seconds   float64  `json:"seconds"`        // of all calls
	Worker    float64  `json:"worker_seconds"` // the same added up over the threads
	Share     float64  `json:"share"`          // of the program's seconds
	GFLOPS    float64  `json:"gflop_per_s"`
	GBPerS    float64  `json:"gb_per_s"`
	// Roofline is the least time that the ceilings allow, for its arithmetic or for
	// its bytes, as a share of the time that it took.
	Roofline float64 `json:"roofline"`
}

// Report measures the ceilings, which takes a second or two, and returns what the
// profile found. Call it after Stop.
func (p *Profile) Report() *Report {
	threads := Threads()
	return p.report(MeasureCeilings([]int{threads}), measureTraffic(threads), threads)
}

func (p *Profile) report(c Ceilings, speed *traffic, threads int) *Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &Report{Ceilings: c, Threads: threads, Seconds: float64(p.last-p.first) / 1e9, Programs: []ProgramProfile{}}
	type key struct{ program, op, variables string }
	sums := map[key]*spent{}
	for _, o := range p.programs {
		name := o.exe.program.Name
		i := slices.IndexFunc(r.Programs, func(q ProgramProfile) bool { return q.Program == name })
		if i < 0 {
			i = len(r.Programs)
			r.Programs = append(r.Programs, ProgramProfile{Program: name, Ops: []OpProfile{}})
		}
		q := &r.Programs[i]
		q.Compile += o.compile.Seconds()
		q.Runs += o.runs
		q.Rows += o.rows
		q.Seconds += float64(o.ns) / 1e9
		for k, s := range o.steps {
			if s.calls == 0 {
				continue
			}
			what, variables := o.exe.plan.label(o.exe.steps[k], o.exe.units[k])
			id := key{name, what, join(variables)}
			if sums[id] == nil {
				sums[id] = &spent{}
				q.Ops = append(q.Ops, OpProfile{Op: what, Variables: variables})
			}
			t := sums[id]
			t.calls, t.ns, t.worker, t.flops, t.bytes = t.calls+s.calls, t.ns+s.ns, t.worker+s.worker, t.flops+s.flops, t.bytes+s.bytes
		}
	}
	for i := range r.Programs {
		q := &r.Programs[i]
		q.Rest = q.Seconds
		for k := range q.Ops {
			op := &q.Ops[k]
			s := sums[key{q.Program, op.Op, join(op.Variables)}]
			op.Calls, op.Seconds, op.Worker = s.calls, float64(s.ns)/1e9, float64(s.worker)/1e9
			q.Rest -= op.Seconds
			if s.ns == 0 {
				continue
			}
			op.Share = op.Seconds / q.Seconds
			op.GFLOPS, op.GBPerS = s.flops/float64(s.ns), s.bytes/float64(s.ns)
			floor := s.flops / (float64(threads) * c.PeakGFLOPS * 1e9)
			if b := s.bytes / float64(s.calls); b > 0 {
				floor = max(floor, s.bytes/speed.of(b))
			}
			op.Roofline = floor / op.Seconds
		}
		slices.SortStableFunc(q.Ops, func(a, b OpProfile) int { return cmp.Compare(b.Seconds, a.Seconds) })
	}
	return r
}
