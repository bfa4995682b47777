package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces the file with what the function writes, or makes it. When it
// returns an error before the rename the old file is untouched and nothing is
// left beside it. A symbolic link is followed, the mode of an old file kept.
func Write(path string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(0o644)
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return cannot(path, filepath.Dir(path), err)
	case !info.Mode().IsRegular(): // renaming over a device would remove it
		return fmt.Errorf("%s is not a regular file: give another path to write to", path)
	default:
		mode = info.Mode().Perm()
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return cannot(path, dir, err)
	}
	renamed := false
	defer func() {
		if !renamed { // also where write panics
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	return syncDir(dir)
}

// cannot says why no file can be made in a folder, without the name that only
// Write knows.
func cannot(path, dir string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	remedy := "give another path to write to"
	if errors.Is(err, fs.ErrNotExist) {
		remedy = "make the folder first, or " + remedy
	}
	return fmt.Errorf("%s cannot be written: the folder %s: %w; %s", path, dir, err, remedy)
}

// WriteBytes replaces the file's content.
func WriteBytes(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
