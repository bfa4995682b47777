package optim

import (
	"encoding/json"
	"math"
)

// A Schedule gives the factor on the learning rate for an update.
type Schedule interface {
	// Factor is for update step (from 0) of a run of total updates at most.
	Factor(step, total int) float64
}

// An Observer is a schedule that follows a monitored value. Its memory is what
// it marshals to JSON and takes back, so that a resumed run goes on alike; use
// a fresh one for every run.
type Observer interface {
	Schedule
	json.Marshaler
	json.Unmarshaler
	// Observe takes the monitored value after an epoch; lower is better.
	Observe(value float64)
}

// Constant keeps the learning rate.
type Constant struct{}

// Factor implements Schedule.
func (Constant) Factor(int, int) float64 { return 1 }

// Cosine falls from 1 to Floor along half a cosine over Steps updates, or all
// of the run if Steps is 0, and stays there (Loshchilov and Hutter 2017,
// equation 5).
type Cosine struct {
	Steps int
	Floor float64
}

// Factor implements Schedule.
func (c Cosine) Factor(step, total int) float64 {
	if c.Steps > 0 {
		total = c.Steps
	}
	x := min(1, float64(step)/float64(max(1, total)))
	return c.Floor + (1-c.Floor)*(1+math.Cos(math.Pi*x))/2
}

// StepDecay multiplies by Gamma after every Every updates.
type StepDecay struct {
	Every int
	Gamma float64
}

// Factor implements Schedule.
func (d StepDecay) Factor(step, _ int) float64 {
	return math.Pow(d.Gamma, float64(step/max(1, d.Every)))
}

// Exponential multiplies by Gamma over every Every updates, a little at each.
type Exponential struct {
	Every int
	Gamma float64
}

// Factor implements Schedule.
func (e Exponential) Factor(step, _ int) float64 {
	return math.Pow(e.Gamma, float64(step)/float64(max(1, e.Every)))
}

// ReduceOnPlateau multiplies by Gamma, not falling below Floor, once the
// observed value has not become lower by more than MinDelta for more than
// Patience epochs, and starts to count again.
type ReduceOnPlateau struct {
	Gamma    float64
	Patience int
	MinDelta float64
	Floor    float64

	memory plateau
}

// plateau is the memory; its zero value is that of a run that has not begun.
type plateau struct {
	Reductions int      `json:"reductions"`
	Best       *float64 `json:"best"` // nil before the first finite value
	Bad        int      `json:"bad"`  // epochs since
}

// Factor implements Schedule.
func (r *ReduceOnPlateau) Factor(int, int) float64 {
	return max(math.Pow(r.Gamma, float64(r.memory.Reductions)), min(1, r.Floor))
}

// Observe implements Observer. A value that is not finite is no improvement.
func (r *ReduceOnPlateau) Observe(value float64) {
	m := &r.memory
	finite := !math.IsNaN(value) && !math.IsInf(value, 0)
	if finite && (m.Best == nil || value < *m.Best-r.MinDelta) {
		m.Best, m.Bad = &value, 0
		return
	}
	if m.Bad++; m.Bad > r.Patience {
		m.Reductions++
		m.Bad = 0
	}
}

// MarshalJSON returns the schedule's memory.
func (r *ReduceOnPlateau) MarshalJSON() ([]byte, error) { return json.Marshal(r.memory) }

// UnmarshalJSON takes a memory back.
func (r *ReduceOnPlateau) UnmarshalJSON(b []byte) error {
	var m plateau
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	r.memory = m
	return nil
}

// WarmUp rises linearly from 1/Steps to 1 over the first Steps updates (Goyal
// et al. 2017, section 2.2) and then follows Then, as of a run that begins
// there, or stays where Then is nil.
type WarmUp struct {
	Steps int
	Then  Schedule
}

// Factor implements Schedule.
func (w *WarmUp) Factor(step, total int) float64 {
	if step < w.Steps {
		return float64(step+1) / float64(w.Steps)
	}
	if w.Then == nil {
		return 1
	}
	return w.Then.Factor(step-w.Steps, total-w.Steps)
}

// Observe implements Observer.
func (w *WarmUp) Observe(value float64) {
	if o, ok := w.Then.(Observer); ok {
		o.Observe(value)
	}
}

// MarshalJSON returns the memory of what follows the warm-up.
func (w *WarmUp) MarshalJSON() ([]byte, error) {
	if o, ok := w.Then.(Observer); ok {
		return o.MarshalJSON()
	}
	return []byte("null"), nil
}

// UnmarshalJSON takes a memory back.
func (w *WarmUp) UnmarshalJSON(b []byte) error {
	if o, ok := w.Then.(Observer); ok {
		return o.UnmarshalJSON(b)
	}
	return nil
}
