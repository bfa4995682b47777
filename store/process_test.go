package store

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const writerEnv = "HONE_TEST_WRITER"

// TestMain lets the test run itself as a process that writes.
func TestMain(m *testing.M) {
	path := os.Getenv(writerEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := writeRuns(path, os.Getpid()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

const runsOfWriter, changesOfRun = 10, 5

func writeRuns(path string, writer int) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	for i := range runsOfWriter {
		id := fmt.Sprintf("%d-%d", writer, i)
		if err := s.Put(Run{ID: id, Created: time.Now()}); err != nil {
			return err
		}
		for range changesOfRun {
			if err := s.Put(Run{ID: id, Created: time.Now(), Seed: uint64(writer)}); err != nil {
				return err
			}
		}
	}
	return s.Close()
}

// TestProcessesWriteAtOnce begins with no file, so that processes make it at
// once, too. Its folder has a name that a URL would misread.
func TestProcessesWriteAtOnce(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "50% of #1 é?x=1&_pragma")
	path := filepath.Join(dir, "runs.db")
	const writers = 3
	var commands [writers]*exec.Cmd
	var outs [writers]bytes.Buffer
	for i := range commands {
		c := exec.Command(exe)
		c.Env = append(os.Environ(), writerEnv+"="+path)
		c.Stdout, c.Stderr = &outs[i], &outs[i]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		commands[i] = c
	}
	for i, c := range commands {
		if err := c.Wait(); err != nil {
			t.Errorf("writer %d: %v: %s", i, err, &outs[i])
		}
	}
	s := open(t, path)
	list, err := s.List(0)
	if err != nil || len(list) != writers*runsOfWriter {
		t.Fatalf("%d runs, want %d, %v", len(list), writers*runsOfWriter, err)
	}
	for _, r := range list {
		if want, _, _ := strings.Cut(r.ID, "-"); fmt.Sprint(r.Seed) != want {
			t.Errorf("run %s: the last change is not there: %+v", r.ID, r)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "runs.db") {
			t.Errorf("beside the register: %s", e.Name())
		}
	}
}

// TestOldRegister opens one that the first version of the layout made.
func TestOldRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.db")
	all := migrations
	migrations = all[:1]
	s, err := Open(path)
	migrations = all
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(Run{ID: "a", Name: "old"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if r, err := s.Find("a"); err != nil || r.Name != "old" {
		t.Errorf("the old run: %+v, %v", r, err)
	}
}

// TestTruncatedRegister cuts a register in the middle of its pages.
func TestTruncatedRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := s.Put(Run{ID: fmt.Sprint(i), Config: strings.Repeat("x", 4000)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path)
	if err == nil {
		defer s.Close()
		_, err = s.List(0)
	}
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a register cut in half: %v", err)
	}
}

// TestMovedRegister: folders of runs and bundles beside them are found from where
// the register is; what lies elsewhere stays where it is.
func TestMovedRegister(t *testing.T) {
	top := t.TempDir()
	before, after := filepath.Join(top, "before"), filepath.Join(top, "after")
	at := func(project string, elements ...string) string {
		return filepath.Join(append([]string{project}, elements...)...)
	}
	s := open(t, at(before, ".hone", "runs.db"))
	far := at(top, "far", "away", "m.hone")
	for _, r := range []Run{
		{ID: "a", Dir: at(before, ".hone", "runs", "a"), Bundle: at(before, "m.hone")},
		{ID: "b", Dir: at(before, ".hone", "runs", "b"), Bundle: far},
		{ID: "c"},
	} {
		if err := s.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := s.Find("a"); err != nil || r.Dir != at(before, ".hone", "runs", "a") || r.Bundle != at(before, "m.hone") {
		t.Errorf("before: %+v, %v", r, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(before, after); err != nil {
		t.Fatal(err)
	}
	s = open(t, at(after, ".hone", "runs.db"))
	for id, want := range map[string][2]string{"a": {at(after, ".hone", "runs", "a"), at(after, "m.hone")}, "b": {at(after, ".hone", "runs", "b"), far}, "c": {}} {
		if r, err := s.Find(id); err != nil || [2]string{r.Dir, r.Bundle} != want {
			t.Errorf("after: %+v, %v, expected %q", r, err, want)
		}
	}
}

func open(t *testing.T, path string) Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
