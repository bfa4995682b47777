package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// A LockedError says that another process, or another part of this one, holds
// a lock.
type LockedError struct {
	Path string
	PID  string // as the holder wrote it; may be empty
}

func (e *LockedError) Error() string {
	if e.PID == "" {
		return fmt.Sprintf("%s is locked by another process", e.Path)
	}
	return fmt.Sprintf("%s is locked by process %s", e.Path, e.PID)
}

// Lock takes an exclusive lock on a file, which is created if need be. The
// system drops it when the process ends, however it ends. It fails with a
// LockedError at once where it is held. The file stays when it is unlocked:
// removing it would let two processes lock two files of one name. The lock
// lasts no longer than unlock is kept: hold on to it.
func Lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if ok, err := tryLock(f); err != nil || !ok {
		pid, _ := os.ReadFile(path)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, &LockedError{path, strings.TrimSpace(string(pid))}
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0) // for the message above only
	}
	return f.Close, nil
}

// LockWithin is Lock that tries again for a while before it fails: for locks
// that are held for moments only.
func LockWithin(path string, wait time.Duration) (unlock func() error, err error) {
	for end := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		unlock, err = Lock(path)
		var locked *LockedError
		if !errors.As(err, &locked) || time.Now().After(end) {
			return unlock, err
		}
	}
}
