package lint

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// documentation finds packages without a doc.go that says what they are for.
// A program may say it in any of its files.
func documentation(files []*file) (offences []string) {
	type pkg struct{ main, code, file, comment bool }
	packages := map[string]*pkg{}
	for _, f := range files {
		if !f.isGo() {
			continue
		}
		p := packages[f.dir()]
		if p == nil {
			p = &pkg{}
			packages[f.dir()] = p
		}
		if f.isTest() {
			continue
		}
		p.code = true
		p.main = p.main || f.ast.Name.Name == "main"
		documented := f.ast.Doc != nil && strings.HasPrefix(f.ast.Doc.Text(), "Package ")
		if f.ast.Name.Name == "main" {
			documented = f.ast.Doc != nil
		}
		doc := strings.HasSuffix(f.path, "doc.go")
		p.file = p.file || doc
		p.comment = p.comment || (documented && (doc || f.ast.Name.Name == "main"))
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		switch p := packages[dir]; {
		case !p.code: // tests alone, of a command
		case p.main && !p.comment:
			offences = append(offences, dir+": a program without a comment that says what it does")
		case !p.main && !p.file:
			offences = append(offences, dir+": no doc.go")
		case !p.main && !p.comment:
			offences = append(offences, dir+"/doc.go: no comment that begins with \"Package \"")
		}
	}
	return offences
}

// safety finds cgo, and panics that do not say on their line which mistake of
// a programmer they stand for: a user never sees one.
func safety(files []*file) (offences []string) {
	for _, f := range files {
		if !f.isGo() {
			continue
		}
		for _, spec := range f.ast.Imports {
			if spec.Path.Value == `"C"` {
				offences = append(offences, fmt.Sprintf("%v: cgo: the binary is built without a C compiler", f.fset.Position(spec.Pos())))
			}
		}
		if f.isTest() {
			continue
		}
		lines := f.lines()
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			id, ok := call.Fun.(*ast.Ident)
			if !ok || id.Name != "panic" {
				return true
			}
			first, last := f.fset.Position(call.Pos()), f.fset.Position(call.End())
			for i := first.Line; i <= last.Line; i++ {
				if _, comment, ok := strings.Cut(lines[i-1], "//"); ok && strings.Contains(comment, "programmer error") {
					return true
				}
			}
			offences = append(offences, fmt.Sprintf("%v: panic without \"// programmer error\" on its line: return an error, or say whose mistake it is", first))
			return true
		})
	}
	return offences
}

const maxLines = 900

// length finds sources that are too long to read in one sitting.
func length(files []*file) (offences []string) {
	for _, f := range files {
		source := slices.ContainsFunc([]string{".go", ".s", ".ts", ".tsx", ".js", ".css", ".sh", ".py", ".sql"}, func(end string) bool { return strings.HasSuffix(f.path, end) })
		if n := strings.Count(string(f.text), "\n"); source && n > maxLines && !f.generated() {
			offences = append(offences, fmt.Sprintf("%s: %d lines, at most %d: split it by what its parts are about", f.path, n, maxLines))
		}
	}
	return offences
}
