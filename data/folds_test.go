package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFoldsDivideAllRows(t *testing.T) {
	table := people(t, 200)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 200).Draw(rt, "n")
		spec := FoldSpec{Folds: rapid.IntRange(2, 10).Draw(rt, "folds"), Repeats: rapid.IntRange(1, 3).Draw(rt, "repeats")}
		spec.Method = rapid.SampledFrom([]string{"", "random", "stratified", "group", "expanding"}).Draw(rt, "method")
		spec.Column = map[string]string{"group": "group", "expanding": "hour"}[spec.Method]
		if spec.Method == "expanding" {
			spec.Repeats = 1
		}
		part := table.Slice(0, n)
		seed := rapid.Uint64().Draw(rt, "seed")
		all, err := Folds(part, spec, "class", seed)
		if err != nil {
			if !strings.Contains(err.Error(), "without any") {
				rt.Fatal(err)
			}
			return
		}
		again, err := Folds(part, spec, "class", seed)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(all) {
			rt.Fatalf("the same seed gives other folds: %v", err)
		}
		if len(all) != spec.Repeats {
			rt.Fatalf("%d repeats, want %d", len(all), spec.Repeats)
		}
		for _, folds := range all {
			if len(folds) != spec.Folds {
				rt.Fatalf("%d folds, want %d", len(folds), spec.Folds)
			}
			tested := map[int]int{}
			for k, f := range folds {
				if len(f.Train) == 0 || len(f.Test) == 0 || !slices.IsSorted(f.Train) || !slices.IsSorted(f.Test) {
					rt.Fatalf("fold %d: %v", k, f)
				}
				for _, i := range f.Test {
					tested[i]++
				}
				both := slices.Concat(f.Train, f.Test)
				slices.Sort(both)
				if len(slices.Compact(both)) != len(f.Train)+len(f.Test) {
					rt.Fatalf("fold %d has a row on both sides", k)
				}
				if spec.Method != "expanding" && len(both) != n {
					rt.Fatalf("fold %d has %d rows of %d", k, len(both), n)
				}
				checkFold(rt, part, spec, k, f)
			}
			for i, times := range tested {
				if times != 1 {
					rt.Fatalf("row %d is tested %d times", i, times)
				}
			}
			if spec.Method != "expanding" && len(tested) != n {
				rt.Fatalf("%d of %d rows are tested", len(tested), n)
			}
		}
	})
}

// checkFold holds a fold against what its method promises.
func checkFold(rt *rapid.T, t *Table, spec FoldSpec, k int, f Fold) {
	switch spec.Method {
	case "group":
		c := t.Column("group")
		train := map[string]bool{}
		for _, i := range f.Train {
			train[c.Text(i)] = true
		}
		for _, i := range f.Test {
			if train[c.Text(i)] {
				rt.Fatalf("fold %d: group %s is on both sides", k, c.Text(i))
			}
		}
	case "expanding":
		c := t.Column("hour")
		last, first := math.Inf(-1), math.Inf(1)
		for _, i := range f.Train {
			last = max(last, c.Numbers[i])
		}
		for _, i := range f.Test {
			first = min(first, c.Numbers[i])
		}
		if first <= last {
			rt.Fatalf("fold %d: trains on times up to %g, tests from %g", k, last, first)
		}
	case "stratified":
		c := t.Column("class")
		for _, class := range c.Dict {
			all, test := 0, 0
			for i := range t.Rows {
				if c.Text(i) == class {
					all++
				}
			}
			for _, i := range f.Test {
				if c.Text(i) == class {
					test++
				}
			}
			if even := float64(all) / float64(spec.Folds); math.Abs(float64(test)-even) >= 1 {
				rt.Fatalf("fold %d has %d rows of class %s, want within one of %g", k, test, class, even)
			}
		}
		fallthrough
	case "", "random":
		if even := float64(t.Rows) / float64(spec.Folds); math.Abs(float64(len(f.Test))-even) >= 1 {
			rt.Fatalf("fold %d has %d rows, want within one of %g", k, len(f.Test), even)
		}
	}
}

func TestFolds(t *testing.T) {
	table := people(t, 1000)
	folds := func(spec FoldSpec, seed uint64) [][]Fold {
		t.Helper()
		all, err := Folds(table, spec, "class", seed)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	two := folds(FoldSpec{Folds: 5, Repeats: 2, Method: "stratified"}, 1)
	if slices.Equal(two[0][0].Test, two[1][0].Test) {
		t.Error("the second repeat is the first again")
	}
	if other := folds(FoldSpec{Folds: 5, Method: "stratified"}, 2); slices.Equal(two[0][0].Test, other[0][0].Test) {
		t.Error("another seed gives the same folds")
	}
	// The rows themselves, so that no release and no machine changes them unseen.
	if got, want := two[0][0].Test[:5], []int{6, 10, 14, 17, 18}; !slices.Equal(got, want) {
		t.Errorf("the first fold begins with %v, want %v", got, want)
	}
	for _, f := range folds(FoldSpec{Folds: 5, Method: "group", Column: "group"}, 1)[0] {
		if len(f.Test) < 150 || len(f.Test) > 250 { // groups of 27
			t.Errorf("a fold by group has %d rows, want about 200", len(f.Test))
		}
	}
	window := folds(FoldSpec{Folds: 4, Method: "expanding", Column: "hour"}, 1)[0]
	for k, f := range window {
		if len(f.Train) != 200*(k+1) || len(f.Test) != 200 {
			t.Errorf("expanding: fold %d trains on %d rows and tests on %d", k, len(f.Train), len(f.Test))
		}
	}
}

func TestFoldsErrors(t *testing.T) {
	table, _ := mustRead(t, "class,when,n\nx,2024-01-01,1\ny,,2\nz,2024-02-01,2\n", Options{})
	for _, c := range []struct {
		spec   FoldSpec
		target string
		want   string
	}{
		{FoldSpec{Folds: 1}, "", "evaluate.cross_validation: found 1 fold, expected 2 or more"},
		{FoldSpec{Folds: 4, Method: "random"}, "", "the random division of 3 rows into 4 parts leaves part 4 without any; set evaluate.cross_validation to fewer folds"},
		{FoldSpec{Folds: 2, Method: "expanding", Column: "n"}, "", "the expanding division of 3 rows into 3 parts leaves part"},
		{FoldSpec{Folds: 2, Method: "expanding", Column: "n", Repeats: 2}, "", "evaluate.cross_validation: an expanding window can be laid over the rows in one way only, found 2 repeats"},
		{FoldSpec{Folds: 2, Method: "stratified"}, "klass", `column "klass": a stratified cross-validation needs the target`},
		{FoldSpec{Folds: 2, Method: "group"}, "", "the cross-validation by group needs a column, and none is given; set evaluate.cross_validation.column to one of class, when, n"},
		{FoldSpec{Folds: 2, Method: "expanding", Column: "when"}, "", `column "when": row 2 has no time, and the cross-validation by expanding window needs one`},
	} {
		_, err := Folds(table, c.spec, c.target, 0)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("the error is\n%v\nwant\n%s…", err, c.want)
		}
	}
}

func TestConcat(t *testing.T) {
	a, reader := mustRead(t, "n,c,b,s\n1,x,yes,one is a number\n2,y,no,two\n", Options{Types: map[string]Type{"s": Text, "c": Category}})
	b, _ := mustRead(t, "n,c,b,s\n3,z,yes,three\n,x,,two\n", Options{Schema: reader.Schema()})
	all := Concat(a.Select([]int{1, 0}), b)
	for name, want := range map[string]string{"n": "2 1 3 ", "c": "y x z x", "b": "no yes yes ", "s": "two one is a number three two"} {
		var got []string
		for i := range all.Rows {
			got = append(got, all.Column(name).Text(i))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s holds %q, want %q", name, s, want)
		}
	}
}
