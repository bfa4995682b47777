package cpu

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// traced is a run whose events are kept.
type traced struct {
	rows   int
	events []event
}

// An event is a stretch of time on one worker, in nanoseconds of the profile: a
// task, a step (task −1) or a run (step −1).
type event struct {
	step, task, track int32
	from, to          int64
}

// Helper i of the pool is track i+1. Who calls Run takes part too, and has a track
// after all of them.
const callerTrack = maxThreads

func join(names []string) string { return strings.Join(names, " ") }

// A traceEvent is one of the trace event format.
type traceEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	TS    json.Number    `json:"ts,omitempty"`  // microseconds
	Dur   json.Number    `json:"dur,omitempty"` // microseconds
	PID   int            `json:"pid"`
	TID   int32          `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

// WriteTrace writes the first runs of every program as JSON in Chrome's trace
// event format, which ui.perfetto.dev and chrome://tracing open: a track for each
// worker thread; on the caller's a slice for each run and in it one for each
// step; a slice for each task where a step was shared. Call it after Stop.
//
// The format is described in "Trace Event Format" (Duvall, Google).
func (p *Profile) WriteTrace(w io.Writer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := bufio.NewWriter(w)
	fmt.Fprint(out, `{"displayTimeUnit":"ns","traceEvents":[`)
	first := true
	write := func(e traceEvent) error {
		raw, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteByte('\n')
		_, err = out.Write(raw)
		return err
	}
	type slice struct {
		event
		name string
		args map[string]any
	}
	var all []slice
	tracks := map[int32]bool{}
	for _, o := range p.programs {
		for run, t := range o.traced {
			for _, e := range t.events {
				s := slice{event: e, name: fmt.Sprintf("%s %d", o.exe.program.Name, run+1), args: map[string]any{"rows": t.rows}}
				if e.step >= 0 {
					what, variables := o.exe.plan.label(o.exe.steps[e.step], o.exe.units[e.step])
					s.name, s.args = what, map[string]any{}
					if len(variables) > 0 {
						s.args["variables"] = join(variables)
					}
					if e.task >= 0 {
						s.args["task"] = e.task
					}
				}
				tracks[e.track] = true
				all = append(all, s)
			}
		}
	}
	// What begins first comes first, and of those what ends last: then a slice
	// follows the one that it lies in.
	slices.SortStableFunc(all, func(a, b slice) int {
		return cmp.Or(cmp.Compare(a.track, b.track), cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(a.step, b.step), cmp.Compare(a.task, b.task))
	})
	if err := write(traceEvent{Name: "process_name", Phase: "M", PID: 1, Args: map[string]any{"name": "hone"}}); err != nil {
		return err
	}
	for t := range tracks {
		name, order := fmt.Sprintf("worker %d", t), t
		if t > callerTrack {
			name, order = fmt.Sprintf("caller %d", t-callerTrack), t-callerTrack-maxThreads // above the helpers
		}
		for _, e := range []traceEvent{
			{Name: "thread_name", Args: map[string]any{"name": name}},
			{Name: "thread_sort_index", Args: map[string]any{"sort_index": order}},
		} {
			e.Phase, e.PID, e.TID = "M", 1, t
			if err := write(e); err != nil {
				return err
			}
		}
	}
	micro := func(ns int64) json.Number { return json.Number(fmt.Sprintf("%d.%03d", ns/1000, ns%1000)) }
	for _, s := range all {
		cat := "task"
		switch {
		case s.step < 0:
			cat = "run"
		case s.task < 0:
			cat = "step"
		}
		if err := write(traceEvent{Name: s.name, Cat: cat, Phase: "X", TS: micro(s.from), Dur: micro(s.to - s.from), PID: 1, TID: s.track, Args: s.args}); err != nil {
			return err
		}
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}
