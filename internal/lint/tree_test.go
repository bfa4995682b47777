package lint

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// A file is one text file of the tree.
type file struct {
	path string // with slashes, from the root
	text []byte
	fset *token.FileSet
	ast  *ast.File // nil if it is not Go
}

func (f *file) dir() string     { return path.Dir(f.path) }
func (f *file) isGo() bool      { return f.ast != nil }
func (f *file) isTest() bool    { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) lines() []string { return strings.Split(string(f.text), "\n") }

// generated reports whether the file carries Go's mark of generated code.
func (f *file) generated() bool {
	for line := range bytes.Lines(f.text[:min(len(f.text), 4096)]) {
		if bytes.Contains(line, []byte("Code generated ")) && bytes.Contains(line, []byte("DO NOT EDIT.")) {
			return true
		}
	}
	return false
}

// kinds are the names and endings of what is read: sources and documents.
var kinds = []string{
	".go", ".s", ".mod", ".sql", ".ts", ".tsx", ".js", ".css", ".html", ".sh", ".py",
	".md", ".txt", ".txtar", ".yaml", ".yml", ".json", ".toml", ".tmpl", ".service", ".proto",
	"Dockerfile", "Makefile", ".gitignore", "LICENSE",
}

// load reads the tree. Folders that hold no sources of ours are left out, and
// so is testdata of this package, whose trees break the rules on purpose.
func load(t *testing.T, root fs.FS) []*file {
	t.Helper()
	var files []*file
	fset := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", ".hone", ".venv", "node_modules", "dist"}, d.Name()) || p == "internal/lint/testdata" {
				return fs.SkipDir
			}
			return nil
		}
		script := strings.HasPrefix(p, ".ci/")
		if !script && !slices.ContainsFunc(kinds, func(k string) bool { return strings.HasSuffix(p, k) }) {
			return nil
		}
		if info, err := d.Info(); err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := fs.ReadFile(root, p)
		if err != nil {
			return err
		}
		f := &file{path: p, text: text, fset: fset}
		// Go ignores testdata and names that begin with _, so do rules on packages.
		if strings.HasSuffix(p, ".go") && !slices.ContainsFunc(strings.Split(p, "/"), func(e string) bool { return e == "testdata" || e[0] == '_' }) {
			if f.ast, err = parser.ParseFile(fset, p, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				t.Errorf("%v", err)
				f.ast = nil
			}
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
