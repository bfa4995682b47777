package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/hone-ml/hone"

// floors are the rooms of docs/architecture.md from the top. A room imports
// from the floors below and, on its own floor, from rooms listed under it.
// Folders inside a room belong to it. "." is the root package.
var floors = [][]string{
	{"cmd/hone", "examples", "bench", "."},
	{"lifecycle", "serve", "web", "optimize", "report", "explain", "evaluate", "store"},
	{"model", "feature", "embed", "data", "train", "calibrate", "metric", "nn", "format", "search", "text", "config"},
	{"engine/internal/reference", "engine/cpu", "engine/pjrt", "engine/graph", "engine/tensor"},
	{"internal"}, // small helpers that every room may import
}

// never are arrows that the order would allow and the design does not: each
// line is a room, what it must not import, and why.
var never = []struct{ from, to, why string }{
	{".", "lifecycle", "who only predicts inherits no database"},
	{"examples", "lifecycle", "nothing but cmd/hone imports lifecycle"},
	{"bench", "lifecycle", "nothing but cmd/hone imports lifecycle"},
	{"metric", "nn", "metrics know neither models nor files"},
	{"metric", "format", "metrics know neither models nor files"},
	{"nn", "format", "layers know no files"},
	{"engine/cpu", "engine/internal/reference", "the reference is for tests"},
}

// place returns a folder's room, its floor and its place there.
func place(dir string) (room string, floor, at int) {
	floor = -1
	for i, rooms := range floors {
		for j, r := range rooms {
			inside := dir == r || (r != "." && strings.HasPrefix(dir, r+"/"))
			if inside && len(r) > len(room) {
				room, floor, at = r, i, j
			}
		}
	}
	return room, floor, at
}

// arrows finds imports against the order of the house, and folders of Go
// files that are no room. Tests may import any room of their own floor too.
func arrows(files []*file) (offences []string) {
	var unknown []string
	for _, f := range files {
		if !f.isGo() {
			continue
		}
		room, floor, at := place(f.dir())
		if floor < 0 {
			if !slices.Contains(unknown, f.dir()) {
				unknown = append(unknown, f.dir())
				offences = append(offences, fmt.Sprintf("%s: Go files in a folder that is no room: move them into one, or give it a place in floors (internal/lint/arrows_test.go)", f.dir()))
			}
			continue
		}
		for _, spec := range f.ast.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the parser has said so
			}
			target, inside := strings.CutPrefix(p, module+"/")
			if p == module {
				target, inside = ".", true
			}
			if !inside {
				continue
			}
			to, toFloor, toAt := place(target)
			why := ""
			switch {
			case toFloor < 0:
				why = "which is no room"
			case to == room:
			case toFloor < floor:
				why = "a floor above"
			case f.isTest():
			case toFloor == floor && toAt < at:
				why = "which stands above it on the same floor"
			default:
				for _, n := range never {
					if n.from == room && n.to == to {
						why = n.why
					}
				}
			}
			if why != "" {
				offences = append(offences, fmt.Sprintf("%v: %s imports %s: %s", f.fset.Position(spec.Pos()), room, target, why))
			}
		}
	}
	return offences
}
