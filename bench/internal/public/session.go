package public

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// A Session is what a measurement begins with.
type Session struct {
	Data string // the folder of the tables
	Sets []Set  // those to measure
	Work string // a folder of its own, which Close removes
	Hone *Hone
}

// Begin checks what a measurement was asked for, and makes the command. Sets are
// names with commas, all of an empty list.
func Begin(data, sets string, seeds int) (*Session, error) {
	if data == "" {
		return nil, errors.New("give the folder of the tables with -data or HONE_DATA")
	}
	if seeds < 1 {
		return nil, fmt.Errorf("-seeds is %d, expected 1 or more", seeds)
	}
	s := &Session{}
	var err error
	if s.Data, err = filepath.Abs(data); err != nil {
		return nil, err
	}
	if s.Sets, err = Choose(sets); err != nil {
		return nil, err
	}
	if s.Work, err = os.MkdirTemp("", "hone-bench-"); err != nil {
		return nil, err
	}
	if s.Hone, err = Build(s.Work); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close removes the session's folder.
func (s *Session) Close() { os.RemoveAll(s.Work) }

// WriteJSON writes results to a file; an empty name is none.
func WriteJSON(file string, results any) error {
	if file == "" {
		return nil
	}
	raw, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(file, append(raw, '\n'))
}
