package data

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// find returns the findings as column:kind, in order.
func find(t testing.TB, table *Table, target string) ([]string, []Finding) {
	t.Helper()
	_, findings, err := Profile(table, target)
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, f := range findings {
		s = append(s, f.Column+":"+f.Kind)
		if f.Message == "" || f.Remedy == "" || len(f.Evidence) == 0 {
			t.Errorf("%s:%s lacks its message, remedy or evidence: %+v", f.Column, f.Kind, f)
		}
	}
	return s, findings
}

// invented is a table of n rows whose columns are made by row number.
func invented(n int, columns map[string]func(i int) string) string {
	var names []string
	for name := range columns {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(strings.Join(names, ","))
	for i := range n {
		b.WriteByte('\n')
		for j, name := range names {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(columns[name](i))
		}
	}
	return b.String()
}

func TestProfileSummary(t *testing.T) {
	table, _ := mustRead(t, "n,cat,flag,day\n4,b,yes,2024-01-02\n1,a,no,2024-01-01\n,b,,2024-01-03\n1,,no,\n", Options{})
	s, findings, err := Profile(table, "")
	if err != nil || len(findings) != 0 {
		t.Fatal(findings, err)
	}
	// numpy 2.3: mean and std of [4, 1, 1].
	n := s[0].Numbers
	if n == nil || n.Min != 1 || n.Max != 4 || n.Median != 1 || n.Mean != 2 || math.Abs(n.Std-math.Sqrt2) > 1e-15 || s[0].Missing != 0.25 || s[0].Distinct != 2 {
		t.Errorf("the number's summary is %+v, %+v", s[0], n)
	}
	if got, want := fmt.Sprint(s[1].Top), "[{b 0.5} {a 0.25}]"; got != want || s[1].Distinct != 2 {
		t.Errorf("the category's values are %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(s[2].Top), "[{no 0.5} {yes 0.25}]"; got != want {
		t.Errorf("the boolean's values are %s, want %s", got, want)
	}
	if s[3].First != "2024-01-01" || s[3].Last != "2024-01-03" {
		t.Errorf("the dates are from %s to %s", s[3].First, s[3].Last)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	if _, _, err := Profile(table, "flags"); err == nil || !strings.Contains(err.Error(), `did you mean "flag"?`) {
		t.Errorf("an absent target gives %v", err)
	}
}

func TestFindings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	class := repeat(1000, func(int) string { return []string{"stay", "stay", "leave"}[r.IntN(3)] })
	noise := repeat(1000, func(int) string { return fmt.Sprintf("%.6f", r.NormFloat64()) })
	is := func(i int) float64 {
		if class[i] == "leave" {
			return 1
		}
		return 0
	}
	table, _ := mustRead(t, invented(1000, map[string]func(int) string{
		"class":    func(i int) string { return class[i] },
		"noise":    func(i int) string { return noise[i] },
		"copy":     func(i int) string { return noise[i] },
		"code":     func(i int) string { return fmt.Sprintf("u-%d", i*31%1000) },
		"currency": func(int) string { return "EUR" },
		"empty":    func(int) string { return "" },
		"flag":     func(i int) string { return []string{"", "x"}[i%2] },
		"rising":   func(i int) string { return fmt.Sprint(i*i + 3) },
		"said":     func(i int) string { return fmt.Sprintf("this is what customer %d said", i) },
		"reason": func(i int) string {
			return map[string]string{"stay": "", "leave": []string{"price", "moved"}[i%2]}[class[i]]
		},
		"final_bill": func(i int) string { return map[string]string{"stay": "", "leave": noise[999-i]}[class[i]] },
		"refund": func(i int) string {
			if class[i] == "leave" && i%10 < 8 {
				return noise[i/2]
			}
			return ""
		},
		"score":  func(i int) string { return fmt.Sprintf("%.4f", 10+is(i)+0.1*r.Float64()) },
		"both":   func(i int) string { return fmt.Sprintf("%.4f", math.Abs(r.Float64()-20*is(i)*float64(i%2)+5*is(i))) },
		"strong": func(i int) string { return fmt.Sprintf("%.4f", 2.5*is(i)+r.NormFloat64()) },
		"bought": func(i int) string { return fmt.Sprintf("2024-01-01 10:%02d", r.IntN(60)) },
	}), Options{Types: map[string]Type{"class": Category}})
	got, findings := find(t, table, "class")
	want := []string{"both:leak", "code:identifier", "currency:constant", "empty:constant", "final_bill:leak", "noise:duplicate", "reason:leak", "refund:leak", "rising:identifier", "score:leak"}
	if !slices.Equal(got, want) {
		t.Errorf("found %v\nwant  %v", got, want)
	}
	for _, f := range findings {
		if f.Column == "reason" && f.Evidence["auc"] < 0.999 {
			t.Errorf("the evidence against reason is %v", f.Evidence)
		}
		if f.Column == "refund" && (f.Evidence["share"] != 1 || math.Abs(f.Evidence["covered"]-0.8) > 0.05) {
			t.Errorf("the evidence against refund is %v", f.Evidence)
		}
	}
	// Without a target nothing gives it away.
	if got, _ := find(t, table, ""); slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ":leak") }) {
		t.Errorf("without a target found %v", got)
	}
}

func TestLeaksOfNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	n := 2000
	y := make([]float64, n)
	a := make([]float64, n)
	for i := range y {
		y[i] = math.Exp(2 * r.NormFloat64())
		a[i] = r.NormFloat64()
	}
	number := func(v float64) string { return fmt.Sprintf("%.9g", v) }
	table, _ := mustRead(t, invented(n, map[string]func(int) string{
		"y":      func(i int) string { return number(y[i]) },
		"scaled": func(i int) string { return number(3*y[i] - 7) },
		"log":    func(i int) string { return number(math.Log(y[i])) },
		"part":   func(i int) string { return number(a[i]) },
		"rest":   func(i int) string { return number((y[i] - a[i]) / 2) },
		"other":  func(i int) string { return number(r.NormFloat64()) },
		"near":   func(i int) string { return number(y[i] * math.Exp(0.3*r.NormFloat64())) },
		"level":  func(i int) string { return fmt.Sprintf("l%.0f", math.Log(y[i])) },
	}), Options{})
	got, _ := find(t, table, "y")
	// rest has nearly all of the target's variance, and together with part all.
	want := []string{"log:leak", "scaled:leak"}
	rest := slices.Contains(got, "rest:leak")
	if !rest {
		t.Errorf("found %v, want rest among them", got)
	}
	got = slices.DeleteFunc(got, func(s string) bool { return s == "rest:leak" || s == "part:leak" })
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}

	// Three numbers add up to the target, none is it alone, and one more only
	// stands beside them.
	b := make([]float64, n)
	for i := range b {
		b[i] = r.NormFloat64()
	}
	table, _ = mustRead(t, invented(n, map[string]func(int) string{
		"total": func(i int) string { return number(a[i] + 2*b[i] + a[n-1-i]) },
		"a":     func(i int) string { return number(a[i]) },
		"b":     func(i int) string { return number(b[i]) },
		"c":     func(i int) string { return number(a[n-1-i]) },
		"d":     func(i int) string { return number(a[i] + 0.1*r.NormFloat64()) },
	}), Options{})
	if got, _ := find(t, table, "total"); !slices.Equal(got, []string{"a:leak", "b:leak", "c:leak"}) {
		t.Errorf("found %v, want the parts of the sum", got)
	}
}

// Chance gives nothing away, in small tables of many columns either.
func TestNoiseIsNoLeak(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		columns := map[string]func(int) string{
			"class": func(int) string { return []string{"p", "q", "q", "q"}[r.IntN(4)] },
			"value": func(int) string { return fmt.Sprintf("%.5f", r.Float64()) },
		}
		for j := range 40 {
			columns[fmt.Sprintf("x%d", j)] = func(int) string { return fmt.Sprintf("%.3f", r.NormFloat64()) }
			columns[fmt.Sprintf("k%d", j)] = func(int) string { return fmt.Sprintf("k%d", r.IntN(30)) }
		}
		table, _ := mustRead(t, invented(120, columns), Options{})
		for _, target := range []string{"class", "value"} {
			if got, _ := find(t, table, target); len(got) != 0 {
				t.Errorf("seed %d: found %v for %s", seed, got, target)
			}
		}
	}
}

func TestTargetKind(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"yes", "no"}, TargetBinary},
		{[]string{"x", "y", ""}, TargetBinary},
		{[]string{"x", "y", "z"}, TargetCategory},
		{[]string{"0", "1", "1"}, TargetBinary},
		{[]string{"1", "2", "3", "2"}, TargetCategory},
		{[]string{"3", "4", "5"}, TargetNumber},
		{[]string{"0.5", "1", "2"}, TargetNumber},
		{repeat(50, func(i int) string { return fmt.Sprint(i) }), TargetNumber},
		{[]string{"x", "x"}, "error: column \"x\": the target has only the value \"x\", expected at least two to tell apart"},
		{[]string{"", "NA"}, "error: column \"x\": the target has no value in any row"},
		{[]string{"2024-01-01", "2024-01-02"}, "error: column \"x\": the target is of type datetime, expected a number, category or boolean"},
	} {
		col, _ := column(t, "x", c.values, Options{})
		got, why, err := TargetKind(col)
		if err != nil {
			got = "error: " + err.Error()
		} else if why == "" {
			t.Errorf("%q: no reason is given", c.values)
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
}
