package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// Ops reads the source of package graph in dir and returns the exported types
// that have a method Infer, which are the ops, and for each exported type
// named …Kind, its constants in the order of their values. Completeness tests
// use it, so that a new op without its reference or its gradient check fails.
func Ops(dir string) (types []string, kinds map[string][]string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, nil, err
	}
	kinds = map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if t := receiver(d); d.Name.Name == "Infer" && ast.IsExported(t) {
					types = append(types, t)
				}
			case *ast.GenDecl:
				if d.Tok != token.CONST {
					continue
				}
				kind := "" // of an iota block: the type is stated once
				for _, s := range d.Specs {
					v := s.(*ast.ValueSpec)
					if id, ok := v.Type.(*ast.Ident); ok {
						kind = id.Name
					}
					if strings.HasSuffix(kind, "Kind") {
						for _, n := range v.Names {
							kinds[kind] = append(kinds[kind], n.Name)
						}
					}
				}
			}
		}
	}
	return types, kinds, nil
}

// receiver returns the name of the type a method is of, or "".
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	t := d.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
