package data

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hone-ml/hone/internal/splitmix"
)

// FoldSpec says how rows are divided for cross-validation.
type FoldSpec struct {
	Folds   int    `yaml:"folds" json:"folds" shorthand:"true" default:"0" min:"0" max:"1000" doc:"parts of which each is predicted by a model trained on the others; 0: no cross-validation"`
	Repeats int    `yaml:"repeats" json:"repeats" default:"1" min:"1" max:"1000" doc:"divisions, each another one"`
	Method  string `yaml:"method" json:"method" enum:"stratified,random,group,expanding" doc:"stratified keeps the target's distribution in every fold; group keeps rows with the same value of column together; expanding trains on all rows that are earlier by column than those it predicts; default: as data.split divides, else stratified"`
	Column  string `yaml:"column" json:"column,omitempty" doc:"of the groups or times; default: data.split.column"`
}

// Validate finds folds that are none.
func (s *FoldSpec) Validate() error {
	switch {
	case s.Folds == 1:
		return fmt.Errorf("found 1 fold, expected 2 or more, such as 5, or 0 for no cross-validation")
	case s.Method == "expanding" && s.Repeats > 1:
		return fmt.Errorf("an expanding window can be laid over the rows in one way only, found %d repeats, expected 1", s.Repeats)
	}
	return nil
}

// Fold is rows to train on and rows to measure on, both in ascending order.
type Fold struct {
	Train, Test []int
}

// Folds divides the table's rows for cross-validation; the folds of a repeat
// stand together. It depends on the rows and the seed alone, on every machine.
// A fold without rows is an error.
//
// But for the expanding window, every row is in the test part of exactly one fold
// of each repeat, and trained on in the others. A stratified division takes the
// classes of target, or its deciles as [Split] does, and gives each fold a share of
// every class that is within one row of even. In one by group the folds are as even
// as whole groups in a random order allow; rows without a group are each their own.
//
// The expanding window cuts the rows by time into one piece more than folds: each
// fold trains on all pieces before its own, so that the first is never predicted.
// Rows of one time are not divided.
func Folds(t *Table, spec FoldSpec, target string, seed uint64) ([][]Fold, error) {
	if err := spec.Validate(); err != nil {
		return nil, &Error{Problem: "evaluate.cross_validation: " + err.Error()}
	}
	if err := checkBy(t, "cross-validation", "evaluate.cross_validation", spec.Method, spec.Column, target); err != nil {
		return nil, err
	}
	var all [][]Fold
	for repeat := range max(1, spec.Repeats) {
		parts := foldParts(t, spec, target, splitmix.Next(seed+uint64(repeat)))
		for i, rows := range parts {
			if len(rows) == 0 {
				return nil, &Error{Problem: fmt.Sprintf("the %s division of %d rows into %d parts leaves part %d without any", cmp.Or(spec.Method, "random"), t.Rows, len(parts), i+1), Remedy: "set evaluate.cross_validation to fewer folds, or bring more rows, groups or times"}
			}
			slices.Sort(rows)
		}
		var folds []Fold
		if spec.Method == "expanding" {
			for i := range spec.Folds {
				folds = append(folds, Fold{slices.Concat(parts[:i+1]...), parts[i+1]})
			}
		} else {
			for i := range parts {
				folds = append(folds, Fold{slices.Concat(slices.Concat(parts[:i]...), slices.Concat(parts[i+1:]...)), parts[i]})
			}
		}
		for _, f := range folds {
			slices.Sort(f.Train)
		}
		all = append(all, folds)
	}
	return all, nil
}

// foldParts divides the rows into the parts that folds are made of.
func foldParts(t *Table, spec FoldSpec, target string, seed uint64) [][]int {
	key := func(i int) uint64 { return splitmix.Next(seed ^ splitmix.Next(uint64(i))) }
	parts := make([][]int, spec.Folds)
	order := make([]int, t.Rows)
	for i := range order {
		order[i] = i
	}
	switch spec.Method {
	case "group":
		for _, g := range groups(t.Column(spec.Column), key) {
			least := 0
			for p := range parts {
				if len(parts[p]) < len(parts[least]) {
					least = p
				}
			}
			parts[least] = append(parts[least], g...)
		}
	case "expanding":
		parts = append(parts, nil)
		c := t.Column(spec.Column)
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Numbers[a], c.Numbers[b]) })
		p := 0
		for k, i := range order {
			same := k > 0 && c.Numbers[i] == c.Numbers[order[k-1]]
			for !same && p < spec.Folds && k*len(parts) >= (p+1)*t.Rows {
				p++
			}
			parts[p] = append(parts[p], i)
		}
	default:
		stratum := make([]int, t.Rows)
		if spec.Method == "stratified" {
			stratum = strata(t.Column(target))
		}
		// Dealt one after another, the rows of a class are spread as evenly as all
		// rows are.
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(stratum[a], stratum[b]), cmp.Compare(key(a), key(b)), a-b)
		})
		for k, i := range order {
			parts[k%spec.Folds] = append(parts[k%spec.Folds], i)
		}
	}
	return parts
}

// Concat returns the rows of tables of one schema one after another, copied.
func Concat(tables ...*Table) *Table {
	rows := 0
	for _, t := range tables {
		rows += t.Rows
	}
	var a appender
	for _, t := range tables {
		a.add(t, rows)
	}
	a.table.Cleaned = !slices.ContainsFunc(tables, func(t *Table) bool { return !t.Cleaned })
	return a.table
}
