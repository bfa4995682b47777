package names

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hone-ml/hone/internal/nearest"
)

// Unknown returns an error that says which kind of thing name is not, offers
// the nearest key of table where one is near, and lists them all.
func Unknown[T any](kind, name string, table map[string]T) error {
	known := slices.Sorted(maps.Keys(table))
	best := nearest.Name(name, known)
	hint := ""
	if best != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", best)
	}
	return fmt.Errorf("unknown %s %q%s, expected one of %s", kind, name, hint, strings.Join(known, ", "))
}
