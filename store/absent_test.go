package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheRunThatWasMeant: who asks for a run that is not there hears of the nearest.
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
