package graph

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hone-ml/hone/engine/tensor"
)

// State is an ordered set of named variables that programs share: parameters,
// optimiser moments, running statistics. A backend takes the read lock while
// it runs a program that only reads the state and the write lock while it
// runs one that writes.
type State struct {
	Mu sync.RWMutex
	// Serial numbers states as they are made. Who locks several locks them in
	// this order, so that two programs cannot wait for each other.
	Serial uint64
	// Scratch is memory that a backend shares between the runs of programs over the
	// state, under a lock of its own; nil: there is none. Programs that are compiled
	// later share nothing with earlier ones once it was set to nil.
	Scratch atomic.Pointer[any]

	vars []*Variable
	name map[string]*Variable
}

// A Variable is a named tensor of fixed shape that outlives the runs of
// programs. Change its Value only while no program runs.
type Variable struct {
	Name      string
	Trainable bool // an optimiser may change it
	// Rate is what an optimiser multiplies its learning rate by for this variable;
	// 0 stands for 1.
	Rate  float64
	Value *tensor.Tensor
	State *State
}

var states atomic.Uint64

// NewState returns an empty state.
func NewState() *State { return &State{Serial: states.Add(1), name: map[string]*Variable{}} }

// Add adds a variable whose storage is value. A name in use is an error.
func (s *State) Add(name string, value *tensor.Tensor, trainable bool) (*Variable, error) {
	if s.name[name] != nil {
		return nil, fmt.Errorf("state: variable %q exists already", name)
	}
	v := &Variable{Name: name, Trainable: trainable, Value: value, State: s}
	s.vars = append(s.vars, v)
	s.name[name] = v
	return v, nil
}

// Lookup returns the variable of that name, or nil.
func (s *State) Lookup(name string) *Variable { return s.name[name] }

// Variables returns all variables in the order in which they were added.
func (s *State) Variables() []*Variable { return s.vars }

// Trainable returns the variables an optimiser may change, in order.
func (s *State) Trainable() []*Variable {
	var out []*Variable
	for _, v := range s.vars {
		if v.Trainable {
			out = append(out, v)
		}
	}
	return out
}

// Parameters returns the number of trainable elements.
func (s *State) Parameters() int {
	n := 0
	for _, v := range s.Trainable() {
		n += v.Value.Len()
	}
	return n
}
