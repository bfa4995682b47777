package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "runs.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var ids []string
	for i := range 3 {
		r := Run{ID: NewID(began.Add(time.Duration(i)*time.Second), uint16(i)), Name: "n", Status: Running, Created: began.Add(time.Duration(i) * time.Second), Seed: 1 << 63}
		ids = append(ids, r.ID)
		if err := s.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Find(ids[1])
	if err != nil || r.Seed != 1<<63 {
		t.Fatalf("%+v, %v", r, err)
	}
	r.Status, r.Result = Done, json.RawMessage(`{"test":1}`)
	if err := s.Put(*r); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(path); err != nil { // a second life
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.List(2)
	if err != nil || len(list) != 2 || list[0].ID != ids[2] || list[1].Status != Done {
		t.Errorf("list: %+v, %v", list, err)
	}
	if r, err := s.Find("latest"); err != nil || r.ID != ids[2] {
		t.Errorf("latest: %+v, %v", r, err)
	}
	if r, err := s.Find(ids[0][:15]); err != nil || r.ID != ids[0] {
		t.Errorf("by first letters: %+v, %v", r, err)
	}
	var ambiguous *AmbiguousError
	if _, err := s.Find("2026"); !errors.As(err, &ambiguous) || ambiguous.Count != 3 {
		t.Errorf("ambiguous: %v", err)
	}
	for _, id := range []string{"nope", "", "%", "2026%"} {
		if _, err := s.Find(id); !IsNotFound(err) {
			t.Errorf("find %q: %v", id, err)
		}
	}
	if err := s.Delete(ids[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ids[0]); !IsNotFound(err) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestTwoConnectionsWriteAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.db")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for i := range 25 {
				if err := s.Put(Run{ID: fmt.Sprintf("%d-%d", w, i), Created: time.Now()}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if list, err := s.List(0); err != nil || len(list) != 100 {
		t.Errorf("%d runs, %v", len(list), err)
	}
}

func TestDamagedAndNewerRegisters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database at all ", 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), path) {
		t.Errorf("damaged: %v", err)
	}
	os.Remove(path)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.(*sqlite).db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("newer: %v", err)
	}
}
