package lifecycle

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/store"
)

// OpenRuns opens the register of the runs of configurations in a folder.
func OpenRuns(dir string) (store.Store, error) {
	path := filepath.Join(home(dir), "runs.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, mistake("there is no register of runs at %s: runs are kept beside their configuration (give its folder with --dir) or in $HONE_HOME", path)
	}
	return store.Open(path)
}

// StatusOf returns a run's status; one that is entered as running but whose
// folder no process holds was killed.
func StatusOf(r store.Run) string {
	if r.Status != store.Running {
		return r.Status
	}
	unlock, err := atomicfile.Lock(filepath.Join(r.Dir, "lock"))
	var locked *atomicfile.LockedError
	switch {
	case errors.As(err, &locked):
		return store.Running
	case err != nil:
		return "lost"
	}
	unlock()
	return "killed"
}

// RemoveRun deletes a run's folder and its entry. The bundle beside the
// configuration stays.
func RemoveRun(s store.Store, r store.Run) error {
	if _, err := os.Stat(r.Dir); err == nil {
		unlock, err := atomicfile.Lock(filepath.Join(r.Dir, "lock"))
		if err != nil {
			return err
		}
		defer unlock()
		// Only what is a run's folder is deleted, whatever the register says.
		if filepath.Base(r.Dir) != r.ID {
			return mistake("run %s has the folder %s, which is not named after it: remove it by hand", r.ID, r.Dir)
		}
		if err := os.RemoveAll(r.Dir); err != nil {
			return err
		}
	}
	return s.Delete(r.ID)
}
