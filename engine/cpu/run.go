package cpu

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"
	"weak"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// A step is one kernel call of the flat list, cut into tasks.
type step interface {
	// tasks returns the number of tasks for a number of rows. It depends on
	// shapes alone.
	tasks(rows int) int
	// run does one task. Tasks of a step write to disjoint places.
	run(in *instance, task int, w *worker)
}

// A preparing step needs another one to run before it, whose tasks must all be
// done when its own start.
type preparing interface {
	step
	before() step
}

// A planned step looks at the plan once values have their places.
type planned interface{ planned(pl *plan) }

// A sharing step leaves that many words in instance.common to the next one.
type sharing interface{ commonFloats(rows int) int }

// lowerings maps the type of an op to the function that makes its step. A
// file of steps adds its own by register.
var lowerings = map[reflect.Type]func(*graph.Node) (step, error){}

func register[T graph.Op](lower func(op T, n *graph.Node) (step, error)) {
	t := reflect.TypeFor[T]()
	if lowerings[t] != nil {
		panic("cpu: " + t.String() + " is registered twice") // programmer error
	}
	lowerings[t] = func(n *graph.Node) (step, error) { return lower(n.Op.(T), n) }
}

// executable is a compiled program. It does not change; each run borrows an
// instance, which holds the arena.
type executable struct {
	program *graph.Program
	plan    *plan
	steps   []step
	units   []*unit // by step: what it computes
	limits  []limit
	bound   []*graph.Node // nodes whose words are the caller's or a variable's
	states  []*graph.State
	writes  map[*graph.State]bool
	arenas  *arenas

	mu   sync.Mutex
	free []*instance
}

// An arena is the memory of a run's values, by the power of rows that its size grows
// with.
type arena struct {
	words [maxPower + 1][]float32
	last  weak.Pointer[instance] // whose words point into it
}

// arenas are those that no run has at the moment. Programs over one state share
// them: a network is compiled for several lengths of sequences, of which one is
// trained on at a time.
type arenas struct {
	mu   sync.Mutex
	free []arena
}

// take gives an instance an arena: the one that it had, or else the last that was
// given back, to which nobody's words point from then on, so that what a larger one
// replaces is free.
func (a *arenas) take(in *instance) (m arena) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := -1
	for i := range a.free {
		if k < 0 || a.free[k].last != in.self {
			k = i
		}
	}
	if k >= 0 {
		m = a.free[k]
		a.free = slices.Delete(a.free, k, k+1)
		if last := m.last.Value(); last != nil && last != in {
			last.forget()
		}
	}
	m.last = in.self
	return m
}

func (a *arenas) put(m arena) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = append(a.free, m)
}

// arenasOf returns those of a program's state, or of its own where it has none.
func arenasOf(states []*graph.State) *arenas {
	if len(states) == 0 {
		return &arenas{}
	}
	for {
		if p := states[0].Scratch.Load(); p != nil {
			return (*p).(*arenas)
		}
		var fresh any = &arenas{}
		states[0].Scratch.CompareAndSwap(nil, &fresh)
	}
}

// A limit bounds the indices of an int32 feed, or lengths, checked before a run
// changes anything.
type limit struct {
	feed, least, n int
	what           string
}

// instance is what one run at a time uses.
type instance struct {
	exe   *executable
	self  weak.Pointer[instance]
	rows  int
	arena arena
	base  [maxPower + 1]*float32 // of the arena that words point into
	words [][]float32            // by node ID
	count []int                  // tasks by step
	busy  []int                  // steps that have any

	sorted [][]int32 // by node ID, of unique indices: the places of those they are of, in order

	// common is memory that all tasks of a step and of the next one share.
	common []float32
	w      worker
	job    job
	err    error
	errMu  sync.Mutex

	recording *recording // nil where no profile is taken
}

// Compile makes a program ready to run on this machine.
func Compile(p *graph.Program) (graph.Executable, error) {
	began := time.Now()
	e, err := compile(p)
	if err != nil {
		return nil, err
	}
	if p := profiling.Load(); p != nil {
		p.compiled(e, time.Since(began))
	}
	return e, nil
}

func compile(p *graph.Program) (*executable, error) {
	e := &executable{program: p, writes: map[*graph.State]bool{}}
	if len(p.Nodes) == 0 {
		return nil, fmt.Errorf("cpu: program %s has no outputs and no writes", p.Name)
	}
	if err := checkRows(p); err != nil {
		return nil, err
	}
	pl := makeUnits(p)
	pl.placeWrites()
	pl.mergeRows()
	pl.order()
	if err := pl.placeValues(); err != nil {
		return nil, err
	}
	e.plan = pl
	for _, u := range pl.units {
		s, err := pl.lower(u)
		if err != nil {
			return nil, fmt.Errorf("cpu: %s: %w", p.Name, err)
		}
		if p, ok := s.(preparing); ok {
			first := p.before()
			pl.before[first] = true
			e.steps, e.units = append(e.steps, first), append(e.units, u)
		}
		e.steps, e.units = append(e.steps, s), append(e.units, u)
	}
	e.collectLimits()
	for _, n := range p.Nodes {
		if s := pl.storage[n.ID]; s.place == inFeed || s.place == inVariable {
			e.bound = append(e.bound, n)
		}
	}
	addState := func(s *graph.State) {
		if !slices.Contains(e.states, s) {
			e.states = append(e.states, s)
		}
	}
	for _, n := range p.Nodes {
		if r, ok := n.Op.(*graph.Read); ok {
			addState(r.Variable.State)
		}
	}
	for _, w := range p.Writes {
		addState(w.Variable.State)
		e.writes[w.Variable.State] = true
	}
	slices.SortFunc(e.states, func(a, b *graph.State) int { return cmp.Compare(a.Serial, b.Serial) })
	e.arenas = arenasOf(e.states)
	return e, nil
}

// checkRows reports a program whose values depend on the number of rows while
// no input tells it.
func checkRows(p *graph.Program) error {
	perRow := func(n *graph.Node) bool { return n.Shape().Size().Power > 0 }
	if slices.ContainsFunc(p.Inputs, perRow) {
		return nil
	}
	for _, n := range p.Nodes {
		if _, count := n.Op.(graph.RowCount); count || perRow(n) {
			return fmt.Errorf("cpu: %s: %s is %v, but no input tells the number of rows: declare one with a dimension of rows", p.Name, n.Op.Name(), n.Type)
		}
	}
	return nil
}

func (pl *plan) lower(u *unit) (step, error) {
	if u.fused {
		return pl.lowerFused(u)
	}
	n := u.nodes[0]
	lower := lowerings[reflect.TypeOf(n.Op)]
	if lower == nil {
		return nil, fmt.Errorf("no kernel for %s (%T)", n.Op.Name(), n.Op)
	}
	s, err := lower(n)
	if err != nil {
		return nil, err
	}
	if p, ok := s.(planned); ok {
		p.planned(pl)
	}
	switch c := s.(type) {
	case *forwardStep:
		err = pl.complete(u, &c.convolution)
	case *backwardStep:
		err = pl.complete(u, &c.convolution)
	case *weightsStep:
		err = pl.complete(u, &c.convolution)
	}
	return s, err
}

// indexLimits gives, for ops that read indices or lengths, their place among the
// inputs, the least that is valid and what they must be below.
func indexLimits(n *graph.Node) (in, least, limit int) {
	switch op := n.Op.(type) {
	case graph.Lookup, graph.Bag:
		return 1, -1, n.In[0].Shape()[0].N
	case graph.Spread:
		return 0, -1, op.N
	case graph.Hot:
		return 0, -1, op.Classes
	case graph.Put:
		return 1, -1, n.Shape()[0].N
	case graph.CrossEntropy, graph.CrossEntropyGrad:
		return 1, -1, lastDim(n.In[0])
	case graph.Recurrent:
		return 2, 0, n.In[0].Shape()[1].N + 1
	case graph.Attend:
		if op.Lengths {
			_, keys, _ := op.Widths(n.In)
			return len(n.In) - 1, 0, keys + 1
		}
	}
	return -1, 0, 0
}

func (e *executable) collectLimits() {
	for _, n := range e.program.Nodes {
		i, least, lim := indexLimits(n)
		if i < 0 {
			continue
		}
		if in, ok := rootOf(n.In[i]).Op.(*graph.Input); ok {
			l := limit{e.plan.storage[n.In[i].ID].offset, least, lim, n.Op.Name() + " of input " + in.ID}
			if !slices.Contains(e.limits, l) { // all layers of a transformer have the same lengths
				e.limits = append(e.limits, l)
			}
		}
	}
}

// Run implements graph.Executable.
func (e *executable) Run(feeds, outputs []*tensor.Tensor) error {
	var began int64
	profile := profiling.Load()
	if profile != nil {
		began = profile.now()
	}
	rows, err := e.checkFeeds(feeds, len(outputs))
	if err != nil {
		return err
	}
	e.lock()
	defer e.unlock()
	in := e.borrow()
	defer e.giveBack(in)
	if err := in.bind(rows, feeds); err != nil {
		return err
	}
	if profile != nil {
		in.recording = profile.begin(in, began)
		defer in.record()
	}
	pool.running.Add(1)
	defer pool.running.Add(-1)
	alone := Threads() == 1
	for _, i := range in.busy {
		s, n := e.steps[i], in.count[i]
		if in.recording != nil {
			in.recording.enter(i)
		}
		if n == 1 || alone {
			for task := range n {
				in.task(s, task, &in.w)
			}
			continue
		}
		in.job.step, in.job.in = s, in
		share(&in.job, n, &in.w)
	}
	if in.recording != nil {
		in.recording.leave(profile.now())
	}
	if in.err != nil {
		return in.err
	}
	for i, o := range e.program.Outputs {
		if i < len(outputs) && outputs[i] != nil {
			var dims [8]int
			t := outputs[i]
			t.Reset(o.Node.Shape().Of(dims[:0], rows)...)
			kernel.Copy(t.Raw(), in.words[o.Node.ID])
		}
	}
	in.copyWrites()
	return nil
}

// task does one task of a step.
func (in *instance) task(s step, task int, w *worker) {
	if in.recording != nil {
		in.recording.task(s, task, w)
		return
	}
	s.run(in, task, w)
}

// record ends the recording of a run.
func (in *instance) record() {
	in.recording.end()
	in.recording = nil
}

// copyWrites stores the values that could not be computed in place. A value
// that is itself a variable's old one is saved first, since another write may
// be about to replace it.
func (in *instance) copyWrites() {
	writes := in.exe.plan.writes
	saved := 0
	for _, w := range writes {
		if in.exe.plan.storage[w.Node.ID].place == inVariable {
			saved += w.Variable.Value.Len()
		}
	}
	scratch := in.w.floats(saved)
	at := 0
	for _, w := range writes {
		if in.exe.plan.storage[w.Node.ID].place == inVariable {
			n := w.Variable.Value.Len()
			kernel.Copy(scratch[at:at+n], in.words[w.Node.ID])
			at += n
		}
	}
	at = 0
	for _, w := range writes {
		dst := w.Variable.Value.Raw()
		if in.exe.plan.storage[w.Node.ID].place == inVariable {
			kernel.Copy(dst, scratch[at:])
			at += len(dst)
		} else {
			kernel.Copy(dst, in.words[w.Node.ID])
		}
	}
}

func (e *executable) lock() {
	for _, s := range e.states {
		if e.writes[s] {
			s.Mu.Lock()
		} else {
			s.Mu.RLock()
		}
	}
}

func (e *executable) unlock() {
	for _, s := range e.states {
		if e.writes[s] {
			s.Mu.Unlock()
		} else {
			s.Mu.RUnlock()
		}
	}
}

func (e *executable) borrow() *instance {
	in := e.instance()
	in.arena = e.arenas.take(in)
	return in
}

func (e *executable) instance() *instance {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k := len(e.free); k > 0 {
		in := e.free[k-1]
		e.free = e.free[:k-1]
		return in
	}
	in := &instance{exe: e, rows: -1, words: make([][]float32, len(e.plan.root)), count: make([]int, len(e.steps)), sorted: make([][]int32, len(e.plan.root))}
	in.self = weak.Make(in)
	return in
}

// forget lets an arena go that the instance does not have any more.
func (in *instance) forget() {
	clear(in.words)
	in.base, in.rows = [maxPower + 1]*float32{}, -1
}

func (e *executable) giveBack(in *instance) {
	for _, n := range e.bound { // do not keep the caller's tensors alive
		in.words[n.ID] = nil
	}
	e.arenas.put(in.arena)
	in.arena = arena{}
	e.mu.Lock()
	e.free = append(e.free, in)
	e.mu.Unlock()
}

// checkFeeds holds the feeds against the declared inputs and returns the
// number of rows.
func (e *executable) checkFeeds(feeds []*tensor.Tensor, outputs int) (int, error) {
	p := e.program
	if len(feeds) != len(p.Inputs) {
		return 0, fmt.Errorf("%s: got %d feeds, expected %d: %s", p.Name, len(feeds), len(p.Inputs), inputNames(p))
	}
	if outputs > len(p.Outputs) {
		return 0, fmt.Errorf("%s: got %d tensors for %d outputs", p.Name, outputs, len(p.Outputs))
	}
	rows := -1
	for i, n := range p.Inputs {
		t, want := feeds[i], n.Type
		if t == nil {
			return 0, fmt.Errorf("%s: %s is not fed", p.Name, n.Op.Name())
		}
		ok := t.DType() == want.DType && len(t.Shape()) == len(want.Shape)
		for k := 0; ok && k < len(want.Shape); k++ {
			d, got := want.Shape[k], t.Shape()[k]
			if !d.PerRow {
				ok = d.N == got
				continue
			}
			if d.N == 0 || got%d.N != 0 {
				ok = false
				break
			}
			r := got / d.N
			if rows >= 0 && r != rows {
				return 0, fmt.Errorf("%s: %s has %d rows, an earlier input %d", p.Name, n.Op.Name(), r, rows)
			}
			rows = r
		}
		if !ok {
			return 0, fmt.Errorf("%s: %s is %v, expected %v", p.Name, n.Op.Name(), t, want)
		}
	}
	for _, l := range e.limits {
		for i, v := range tensor.Ints(feeds[l.feed].Raw()) {
			if int(v) < l.least || int(v) >= l.n {
				kind, least := "index", "−1"
				if l.least == 0 {
					kind, least = "length", "0"
				}
				return 0, fmt.Errorf("%s: %s: %s %d at position %d, expected %s to %d", p.Name, l.what, kind, v, i, least, l.n-1)
			}
		}
	}
	if rows < 0 {
		rows = 1 // nothing depends on it
	}
	return rows, nil
}

func inputNames(p *graph.Program) string {
	var names []string
	for _, n := range p.Inputs {
		names = append(names, n.Op.(*graph.Input).ID)
	}
	return strings.Join(names, ", ")
}

// bind points every node at its words.
func (in *instance) bind(rows int, feeds []*tensor.Tensor) error {
	e := in.exe
	in.err = nil
	moved := false
	for power, factor := range e.plan.arena {
		n, err := sizeOf(graph.Size{Factor: factor, Power: power}, rows)
		if err != nil {
			in.rows = -1 // words may point anywhere
			return fmt.Errorf("%s: %d rows: %w", e.program.Name, rows, err)
		}
		if cap(in.arena.words[power]) < n {
			in.arena.words[power] = make([]float32, n)
			largePages(in.arena.words[power])
		}
		in.arena.words[power] = in.arena.words[power][:n]
		if at := unsafe.SliceData(in.arena.words[power]); at != in.base[power] {
			in.base[power], moved = at, true
		}
	}
	if rows != in.rows || moved {
		for _, n := range e.program.Nodes {
			s := &e.plan.storage[n.ID]
			size := s.size.Of(rows)
			switch s.place {
			case inArena:
				at := graph.Size{Factor: s.offset, Power: s.power}.Of(rows)
				in.words[n.ID] = in.arena.words[s.power][at : at+size : at+size]
			case inConstant:
				in.words[n.ID] = s.words
			}
		}
		in.busy = in.busy[:0]
		for i, s := range e.steps {
			if in.count[i] = s.tasks(rows); in.count[i] > 0 {
				in.busy = append(in.busy, i)
			}
			if c, ok := s.(sharing); ok {
				if n := c.commonFloats(rows); len(in.common) < n {
					in.common = make([]float32, n)
				}
			}
		}
		in.rows = rows
	}
	for _, n := range e.bound {
		if s := &e.plan.storage[n.ID]; s.place == inFeed {
			in.words[n.ID] = feeds[s.offset].Raw()
		} else {
			in.words[n.ID] = s.v.Value.Raw()
		}
	}
	return nil
}

func sizeOf(z graph.Size, rows int) (int, error) {
	dims := [maxPower + 1]int{z.Factor, 1, 1}
	for i := range z.Power {
		dims[i+1] = rows
	}
	return tensor.Elements(dims[:])
}

// fail records the first error of a run.
func (in *instance) fail(err error) {
	in.errMu.Lock()
	if in.err == nil {
		in.err = err
	}
	in.errMu.Unlock()
}

func (in *instance) floats(n *graph.Node) []float32 { return in.words[n.ID] }
func (in *instance) ints(n *graph.Node) []int32     { return tensor.Ints(in.words[n.ID]) }

// chunks returns how many tasks of per units cover n units: at least one, so
// that empty results are written too.
func chunks(n, per int) int { return max(1, (n+per-1)/per) }

// chunk returns the range of a task of chunks(n, per).
func chunk(n, per, task int) (lo, hi int) { return min(task*per, n), min((task+1)*per, n) }

// Bytes returns the memory that a run of an executable of this package needs
// for that many rows, apart from feeds, outputs and variables.
func Bytes(exe graph.Executable, rows int) int {
	n, common := 0, 0
	for power, factor := range exe.(*executable).plan.arena {
		n += graph.Size{Factor: factor, Power: power}.Of(rows)
	}
	for _, s := range exe.(*executable).steps {
		if c, ok := s.(sharing); ok {
			common = max(common, c.commonFloats(rows))
		}
	}
	return 4 * (n + common)
}
