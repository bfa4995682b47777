package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// How a run stands.
const (
	Running = "running" // or killed, if no process holds its folder's lock
	Done    = "done"
	Stopped = "stopped" // by the user; the same command goes on
	Failed  = "failed"
)

// A Run is one entry of the register. Its folder, and a bundle in the folder that
// the register's is in, are found again where that was moved.
type Run struct {
	ID          string          `json:"id"` // sorts by time: 20261124-161530-7f3a
	Name        string          `json:"name"`
	Status      string          `json:"status"`
	Error       string          `json:"error,omitempty"`
	Created     time.Time       `json:"created"`
	Finished    time.Time       `json:"finished,omitzero"`
	Dir         string          `json:"dir"`              // the run's folder
	Bundle      string          `json:"bundle,omitempty"` // the copy that users take
	Config      string          `json:"config"`           // YAML as given, with overrides applied
	Fingerprint string          `json:"fingerprint"`      // of configuration, data and program
	Seed        uint64          `json:"seed"`
	Version     string          `json:"version"` // of hone
	Task        string          `json:"task,omitempty"`
	Result      json.RawMessage `json:"result,omitempty"` // what `hone run --json` printed
}

// ErrNotFound is returned, wrapped, for a run that is not in the register.
var ErrNotFound = errors.New("no such run")

// An AmbiguousError says that several runs begin with the given letters.
type AmbiguousError struct {
	ID    string
	Count int
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d runs begin with %q: give more of the id, `hone runs` lists them", e.Count, e.ID)
}

// UserError marks the error as the user's to mend.
func (e *AmbiguousError) UserError() bool { return true }

// Store is the register.
type Store interface {
	// Put adds a run or replaces the one of the same ID.
	Put(Run) error
	// Find returns the run of an ID, of its first letters if only one run has
	// them, or the newest for "latest".
	Find(id string) (*Run, error)
	// List returns the newest runs first; limit 0 is all.
	List(limit int) ([]Run, error)
	// Delete removes a run from the register; its files are the caller's.
	Delete(id string) error
	Close() error
}
