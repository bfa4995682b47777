package store

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, path string) Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.db")
	s := open(t, path)
	for _, id := range []string{"20260102-030405-0000", "20260102-030406-0001"} {
		if err := s.Put(Run{ID: id, Name: "churn", Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	const id = "20260102-030405-0000"
	inf := math.Inf(1)
	if err := s.AppendHistory(id, Point{1, "train.loss", 0.7}, Point{1, "lr", 1e-3}); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendHistory(id, Point{10, "train.loss", inf}, Point{2, "train.loss", math.NaN()}); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendHistory(id, Point{1, "train.loss", 0.1}); err != nil { // the epoch again, after a kill
		t.Fatal(err)
	}
	if err := s.Put(Run{ID: id, Name: "churn", Status: Done}); err != nil { // must not take the history along
		t.Fatal(err)
	}
	want := []Point{{1, "lr", 1e-3}, {1, "train.loss", 0.1}, {2, "train.loss", math.NaN()}, {10, "train.loss", inf}}
	got, err := open(t, path).History(id)
	if err != nil || len(got) != len(want) {
		t.Fatalf("history %v, %v", got, err)
	}
	for i, w := range want {
		g := got[i]
		if g.Epoch != w.Epoch || g.Name != w.Name || math.Float64bits(g.Value) != math.Float64bits(w.Value) {
			t.Errorf("point %d is %v, want %v", i, g, w)
		}
	}
	if err := s.AppendHistory("20260102-030405-0009", Point{1, "loss", 1}); !IsNotFound(err) || !strings.Contains(err.Error(), "did you mean "+id) {
		t.Errorf("history of a run that is not there: %v", err)
	}
	if err := s.Delete(id); err != nil {
		t.Fatal(err)
	}
	if got, err := s.History(id); err != nil || len(got) != 0 {
		t.Errorf("history of a deleted run: %v, %v", got, err)
	}
}

func TestTheRunThatWasMeant(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "runs.db"))
	if _, err := s.Find("latest"); !IsNotFound(err) {
		t.Errorf("latest of none: %v", err)
	}
	for i, id := range []string{"20260102-030405-7f3a", "20261111-161530-00aa"} {
		if err := s.Put(Run{ID: id, Name: "churn", Created: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	for given, hint := range map[string]string{
		"20260102-030405-7f3b": "did you mean 20260102-030405-7f3a?",
		"20261111-161530-aa":   "did you mean 20261111-161530-00aa?",
		"churn":                "the newest run named churn is 20261111-161530-00aa",
		"something":            `no run "something" in the register: `,
		"":                     `no run "" in the register: `,
	} {
		if _, err := s.Find(given); !IsNotFound(err) || !strings.Contains(err.Error(), hint) {
			t.Errorf("find %q: %v, want %q", given, err, hint)
		}
	}
}
