package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// dependencies are the modules that go.mod may require directly, each with
// its reason. What a new one adds to the binary stands in docs/decisions.
var dependencies = map[string]string{
	"charm.land/bubbletea/v2":             "live view",
	"charm.land/lipgloss/v2":              "terminal styles",
	"github.com/clipperhouse/uax29/v2":    "grapheme clusters",
	"github.com/goccy/go-yaml":            "YAML",
	"github.com/klauspost/compress":       "zstd",
	"github.com/parquet-go/parquet-go":    "Parquet",
	"github.com/prometheus/client_golang": "metrics",
	"github.com/rogpeppe/go-internal":     "testscript",
	"github.com/spf13/cobra":              "commands",
	"github.com/spf13/pflag":              "commands",
	"golang.org/x/image":                  "WebP and BMP",
	"golang.org/x/sys":                    "locks",
	"golang.org/x/term":                   "terminal",
	"golang.org/x/text":                   "encodings",
	"gonum.org/v1/gonum":                  "statistics",
	"modernc.org/sqlite":                  "store",
	"pgregory.net/rapid":                  "properties",
}

// budget compares the direct requirements of go.mod with the list.
func budget(files []*file) (offences []string) {
	for _, f := range files {
		if f.path != "go.mod" {
			continue
		}
		direct := map[string]bool{}
		block := false
		for _, line := range f.lines() {
			code, comment, _ := strings.Cut(line, "//")
			fields := strings.Fields(code)
			switch {
			case len(fields) == 0:
				continue
			case fields[0] == "require" && len(fields) == 2:
				block = true
				continue
			case fields[0] == ")":
				block = false
				continue
			case fields[0] == "require":
				fields = fields[1:]
			case !block:
				continue
			}
			if strings.TrimSpace(comment) != "indirect" {
				direct[fields[0]] = true
			}
		}
		for _, m := range slices.Sorted(maps.Keys(direct)) {
			if dependencies[m] == "" {
				offences = append(offences, fmt.Sprintf("go.mod: %s is not in the budget: do without it, or give its reason in internal/lint/budget_test.go", m))
			}
		}
		for _, m := range slices.Sorted(maps.Keys(dependencies)) {
			if !direct[m] {
				offences = append(offences, fmt.Sprintf("go.mod: %s is in the budget and not required: take it off the list", m))
			}
		}
	}
	return offences
}
