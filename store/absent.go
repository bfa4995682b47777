package store

import (
	"fmt"

	"github.com/hone-ml/hone/internal/nearest"
)

// notFound is the error for a run that is not in the register.
type notFound struct {
	id   string
	hint string
}

func (e *notFound) Error() string {
	return fmt.Sprintf("no run %q in the register%s: `hone runs` lists them, latest is the newest", e.id, e.hint)
}
func (e *notFound) Unwrap() error   { return ErrNotFound }
func (e *notFound) UserError() bool { return true }

// absent returns the error for an ID that is not there, with the run that may
// have been meant: the newest of that name, else the one of the nearest ID.
func (s *sqlite) absent(id string) error {
	runs, err := s.List(0)
	if err != nil {
		return err
	}
	e := &notFound{id: id}
	least := 4 // more changes than that make another ID
	for _, r := range runs {
		if r.Name == id && id != "" {
			e.hint = fmt.Sprintf(" (the newest run named %s is %s)", id, r.ID)
			break
		}
		if d := nearest.Distance(id, r.ID); d < least {
			least, e.hint = d, fmt.Sprintf(" (did you mean %s?)", r.ID)
		}
	}
	return e
}
