package main

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"math"
	"path/filepath"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// constants are those that math_generic.go declares, so that a polynomial's
// coefficients are written once.
var constants map[string]constant.Value

func readConstants(dir string) map[string]constant.Value {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filepath.Join(dir, "math_generic.go"), nil, 0)
	if err != nil {
		log.Fatal(err)
	}
	// What the file refers to elsewhere is missing and does not matter here.
	check := types.Config{Error: func(error) {}}
	pkg, _ := check.Check("kernel", files, []*ast.File{file}, nil)
	values := map[string]constant.Value{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok {
			values[name] = c.Val()
		}
	}
	return values
}

// vectors remembers the constants that the assembly holds.
var vectors = map[uint32]Mem{}

// bits is a word in memory, as often as a vector of AVX2 has it, which cannot
// broadcast within other instructions.
func bits(word uint32) Mem {
	if m, ok := vectors[word]; ok {
		return m
	}
	m := GLOBL("v"+hex(word), RODATA|NOPTR)
	for i := range to.copies(8) {
		DATA(4*i, U32(word))
	}
	vectors[word] = m
	return m
}

func (t *target) copies(n int) int {
	if t.wide {
		return 1
	}
	return n
}

func hex(word uint32) string {
	const digits = "0123456789abcdef"
	s := make([]byte, 8)
	for i := range s {
		s[i] = digits[word>>(28-4*i)&15]
	}
	return string(s)
}

// float is a vector of eight times v.
func float(v float32) Mem { return bits(math.Float32bits(v)) }

// named is a vector of the float32 constant of that name.
func named(name string) Mem {
	c, ok := constants[name]
	if !ok {
		log.Fatalf("math_generic.go has no constant %s", name)
	}
	v, _ := constant.Float32Val(constant.ToFloat(c))
	return float(v)
}

// named32 is a vector of the whole constant of that name.
func named32(name string) Mem {
	c, ok := constants[name]
	if !ok {
		log.Fatalf("math_generic.go has no constant %s", name)
	}
	v, exact := constant.Uint64Val(constant.ToInt(c))
	if !exact || v > math.MaxUint32 {
		log.Fatalf("%s = %s does not fit 32 bits", name, c)
	}
	return bits(uint32(v))
}

// doubles remembers the float64 constants that the assembly holds.
var doubles = map[string]Mem{}

// named64 is a vector of the float64 constant of that name.
func named64(name string) Mem {
	c, ok := constants[name]
	if !ok {
		log.Fatalf("math_generic.go has no constant %s", name)
	}
	if m, ok := doubles[name]; ok {
		return m
	}
	v, _ := constant.Float64Val(constant.ToFloat(c))
	m := GLOBL(name, RODATA|NOPTR)
	for i := range to.copies(4) {
		DATA(8*i, U64(math.Float64bits(v)))
	}
	doubles[name] = m
	return m
}

// The mask of n of 8 elements starts 8−n words into this table.
var maskTable Mem

func masks() Mem {
	if maskTable.Symbol.Name == "" {
		maskTable = GLOBL("masks", RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(0xffffffff))
		}
		for i := 8; i < 16; i++ {
			DATA(4*i, U32(0))
		}
	}
	return maskTable
}
