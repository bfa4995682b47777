package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// people is a table to divide: a class of 10 %, one of one row, groups, times.
func people(t testing.TB, n int) *Table {
	var b strings.Builder
	b.WriteString("class,value,group,day,hour\n")
	for i := range n {
		class := "common"
		switch {
		case i == n/2:
			class = "single"
		case i%10 == 0:
			class = "rare"
		}
		fmt.Fprintf(&b, "%s,%d.5,g%d,2024-%02d-01,%d\n", class, i*7919%n, i%37, (n-i)%12+1, i/10)
	}
	table, _ := mustRead(t, b.String(), Options{})
	return table
}

func TestSplit(t *testing.T) {
	table := people(t, 1000)
	fractions := []float64{0.7, 0.2, 0.1}
	split := func(method, column, target string, seed uint64) [][]int {
		t.Helper()
		parts, err := Split(table, SplitSpec{Method: method, Fractions: fractions, Column: column}, target, seed)
		if err != nil {
			t.Fatal(err)
		}
		all := slices.Concat(parts...)
		slices.Sort(all)
		for i, r := range all {
			if i != r {
				t.Fatalf("%s: the parts are not a division of the rows", method)
			}
		}
		return parts
	}
	sizes := func(parts [][]int) (s []int) {
		for _, p := range parts {
			s = append(s, len(p))
		}
		return s
	}
	random := split("", "", "", 1)
	if got := sizes(random); !slices.Equal(got, []int{700, 200, 100}) {
		t.Errorf("random: the parts have %v rows", got)
	}
	if again := split("random", "", "", 1); !slices.Equal(random[2], again[2]) {
		t.Error("random: the same seed gives other rows")
	}
	if other := split("random", "", "", 2); slices.Equal(random[2], other[2]) {
		t.Error("random: another seed gives the same rows")
	}
	// The rows themselves, so that no release and no machine changes them unseen.
	if want := []int{0, 8, 12, 30, 48}; !slices.Equal(random[2][:5], want) {
		t.Errorf("random: the last part begins with %v, want %v", random[2][:5], want)
	}

	parts := split("stratified", "", "class", 3)
	class := table.Column("class")
	for p, rows := range parts {
		rare := 0
		for _, r := range rows {
			if class.Text(r) == "rare" {
				rare++
			}
		}
		all := 99 // the single row took one
		if want := fractions[p] * float64(all); math.Abs(float64(rare)-want) > 1.5 {
			t.Errorf("stratified: part %d has %d rare rows, want %.0f", p+1, rare, want)
		}
	}
	if !slices.Contains(parts[0], 500) {
		t.Error("stratified: the only row of a class is not in the largest part")
	}
	mean := func(rows []int) float64 {
		sum := 0.0
		for _, r := range rows {
			sum += table.Column("value").Numbers[r]
		}
		return sum / float64(len(rows))
	}
	for p, rows := range split("stratified", "", "value", 3) {
		if m := mean(rows); math.Abs(m-500) > 15 { // 29 is a standard error of the smallest part of a random split
			t.Errorf("stratified by a number: part %d has mean %.1f, want about 500", p+1, m)
		}
	}

	seen := map[string]int{}
	for p, rows := range split("group", "group", "", 5) {
		for _, r := range rows {
			g := table.Column("group").Text(r)
			if q, ok := seen[g]; ok && q != p {
				t.Fatalf("group: %s is in parts %d and %d", g, q+1, p+1)
			}
			seen[g] = p
		}
		if want := fractions[p] * 1000; math.Abs(float64(len(rows))-want) > 30 {
			t.Errorf("group: part %d has %d rows, want about %.0f", p+1, len(rows), want)
		}
	}

	for _, column := range []string{"day", "hour"} {
		last := math.Inf(-1)
		for p, rows := range split("time", column, "", 0) {
			low, high := math.Inf(1), math.Inf(-1)
			for _, r := range rows {
				v := table.Column(column).Numbers[r]
				low, high = min(low, v), max(high, v)
			}
			if low <= last {
				t.Errorf("time: part %d of %s begins at %v, the part before ends at %v", p+1, column, low, last)
			}
			last = high
		}
	}
}

func TestSplitDividesAllRows(t *testing.T) {
	table := people(t, 200)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(rt, "n")
		method := rapid.SampledFrom([]string{"random", "stratified", "group", "time"}).Draw(rt, "method")
		f := rapid.Float64Range(0.05, 0.95).Draw(rt, "fraction")
		spec := SplitSpec{Method: method, Fractions: []float64{f, 1 - f}, Column: map[string]string{"group": "group", "time": "hour"}[method]}
		parts, err := Split(table.Slice(0, n), spec, "class", rapid.Uint64().Draw(rt, "seed"))
		if err != nil {
			if !strings.Contains(err.Error(), "without any") {
				rt.Fatal(err)
			}
			return
		}
		all := slices.Concat(parts...)
		slices.Sort(all)
		if len(all) != n || all[0] != 0 || all[n-1] != n-1 || len(slices.Compact(all)) != n {
			rt.Fatalf("%v does not divide %d rows", parts, n)
		}
	})
}

func TestSplitErrors(t *testing.T) {
	table, _ := mustRead(t, "class,when,n\nx,2024-01-01,1\ny,,2\n", Options{})
	half := []float64{0.5, 0.5}
	for _, c := range []struct {
		spec   SplitSpec
		target string
		want   string
	}{
		{SplitSpec{Fractions: []float64{0.99, 0.01}}, "", "a random split of 2 rows leaves part 2 (fraction 0.01) without any; give it a larger fraction"},
		{SplitSpec{Fractions: []float64{0.5, 0.4}}, "", "data.split.fractions [0.5 0.4] sum to 0.9, expected 1"},
		{SplitSpec{}, "", "data.split.fractions [] sum to 0, expected 1"},
		{SplitSpec{Fractions: []float64{1.5, -0.5}}, "", "a fraction of data.split.fractions is 1.5, expected more than 0 and at most 1"},
		{SplitSpec{Fractions: []float64{math.NaN(), 1}}, "", "a fraction of data.split.fractions is NaN"},
		{SplitSpec{Method: "shuffle", Fractions: half}, "", `data.split.method is "shuffle", expected random, stratified, group or time`},
		{SplitSpec{Method: "stratified", Fractions: half}, "klass", `column "klass": a stratified split needs the target`},
		{SplitSpec{Method: "group", Fractions: half, Column: "clas"}, "", `column "clas": the split by group needs it, and there is no such column: it has class, when, n; did you mean "class"?`},
		{SplitSpec{Method: "time", Fractions: half}, "", "the split by time needs a column, and none is given; set data.split.column to one of class, when, n"},
		{SplitSpec{Method: "time", Fractions: half, Column: "class"}, "", `column "class": the split by time needs a datetime or a number, and this is of type category`},
		{SplitSpec{Method: "time", Fractions: half, Column: "when"}, "", `column "when": row 2 has no time`},
	} {
		_, err := Split(table, c.spec, c.target, 0)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("the error is\n%v\nwant\n%s…", err, c.want)
		}
	}
}

func TestSortedNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 5, 1023, 1024, 5000} {
		c := &Column{Type: Number}
		var want []float64
		for range n {
			v := []float64{r.NormFloat64() * math.Pow(10, 300*(r.Float64()*2-1)), math.Copysign(0, -1), 0, float64(r.IntN(9) - 4), math.NaN()}[r.IntN(5)]
			c.Numbers = append(c.Numbers, v)
			if !math.IsNaN(v) {
				want = append(want, v)
			}
		}
		slices.Sort(want)
		got := sortedNumbers(c)
		if !slices.Equal(got, want) {
			t.Errorf("%d values are not in order", n)
		}
		if slices.ContainsFunc(got, func(v float64) bool { return v == 0 && math.Signbit(v) }) {
			t.Error("-0 is not 0")
		}
	}
}
