package data

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the first rows suggest, one pass gives what two give: readText
// compares them. Values of another type come anywhere, often, rarely or never.
func TestOncePassProperty(t *testing.T) {
	values := [][]string{
		{"1", "2", "-3", "007", "12345678901234567"},
		{"1.5", "2e3", "0.12345678901234567", "7"},
		{"1,5", "2,25", "3"},
		{"yes", "no", "YES"},
		{"true", "false", "True"},
		{"2024-01-02", "2023-12-31"},
		{"01/02/2024", "13/02/2024", "02/03/2024"},
		{"2024-01-02 03:04:05", "2024-1-2 3:04:05"},
		{"red", " green", "blue ", "red"},
		{"a sentence of several words", "another one that is rather long"},
		{"", "NA", "?"},
		{"1e999", "inf"},
	}
	rapid.Check(t, func(rt *rapid.T) {
		rows, columns := rapid.IntRange(1, 60).Draw(rt, "rows"), rapid.IntRange(1, 4).Draw(rt, "columns")
		kinds := make([][2]int, columns)
		change := make([]int, columns)
		for j := range kinds {
			kinds[j] = [2]int{rapid.IntRange(0, len(values)-1).Draw(rt, "kind"), rapid.IntRange(0, len(values)-1).Draw(rt, "later")}
			change[j] = rapid.IntRange(0, 2*rows).Draw(rt, "change")
		}
		var b strings.Builder
		for j := range columns {
			fmt.Fprintf(&b, "c%d;", j)
		}
		b.WriteString("n id\n")
		unique := rapid.Bool().Draw(rt, "unique")
		for i := range rows {
			for j := range columns {
				k := kinds[j][0]
				if i == change[j] || i > change[j] && i%3 == 0 {
					k = kinds[j][1]
				}
				b.WriteString(rapid.SampledFrom(values[k]).Draw(rt, "value") + ";")
			}
			if unique {
				fmt.Fprintf(&b, "%d\n", 100+i)
			} else {
				fmt.Fprintf(&b, "k%d\n", i%7)
			}
		}
		yes := true
		_, _, err := readText(b.String(), Options{Header: &yes, Delimiter: ";"}, func(tn *tuning) {
			tn.workers, tn.block = 3, rapid.IntRange(16, 600).Draw(rt, "block")
		})
		if err != nil {
			if _, ok := err.(*Error); !ok {
				rt.Fatalf("%v\n%s", err, b.String())
			}
		}
	})
}
