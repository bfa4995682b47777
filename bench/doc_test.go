package bench

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every measurement is listed in doc.go, and every requirement pinned.
func TestListed(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	commands, err := filepath.Glob("*/main.go")
	if err != nil || len(commands) < 8 {
		t.Fatalf("found %q, %v", commands, err)
	}
	for _, c := range commands {
		if name := filepath.Dir(c); !strings.Contains(string(doc), "//\t"+name+" ") {
			t.Errorf("%s is not listed in doc.go", name)
		}
	}
	lists, err := filepath.Glob("*/requirements*.txt")
	if err != nil || len(lists) < 5 {
		t.Fatalf("found %q, %v", lists, err)
	}
	pinned := regexp.MustCompile(`^(#.*|[a-zA-Z0-9_.-]+==[0-9][0-9a-z.]*)?$`)
	for _, l := range lists {
		raw, err := os.ReadFile(l)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(raw), "\n") {
			if !pinned.MatchString(line) {
				t.Errorf("%s:%d: %q pins no version", l, i+1, line)
			}
		}
	}
}
