package names

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Unknown returns an error that says which kind of thing name is not, offers
// the nearest key of table where one is near, and lists them all.
func Unknown[T any](kind, name string, table map[string]T) error {
	known := slices.Sorted(maps.Keys(table))
	best, least := "", len(name)/3+2 // more changes than that make another word
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d < least {
			best, least = k, d
		}
	}
	hint := ""
	if best != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", best)
	}
	return fmt.Errorf("unknown %s %q%s, expected one of %s", kind, name, hint, strings.Join(known, ", "))
}

// distance is the number of single-byte insertions, deletions and changes
// from a to b (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
