package metric

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const metricsIntro = `# Metrics

Every metric by its name, as in ` + "`evaluate.metrics`, `hone evaluate --metrics`, `--require`" + ` and JSON. Those marked * are computed only where they are named; ` + "`--metrics all`" + ` names all. The number in ` + "`top_3_accuracy`, `pinball_90`, `tweedie_15`, `ndcg_at_10`, `hit_rate_at_10` and `recall_at_10`" + ` may be another: places, percent, tenths of the power.

Values agree with the source that is named, to 1e-12 where it has a program (metric/testdata; bench/agreement has the table for real and hostile rows). A row counts by its weight, as if repeated. A metric that is undefined on the rows is left out of what is shown. ` + "`metric.Stream`" + ` computes all of them from batches of rows, in memory that does not grow: what needs an order is sorted on disk.

This page is written by ` + "`go test ./metric -update`" + `.
`

// TestDocs holds docs/metrics.md against the table of metrics.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(metricsIntro)
	for kind, what := range []string{"Two classes", "Several classes", "Numbers", "Any number of labels", "Rankings of the rows of a query", "Texts", "Likelihood of texts"} {
		fmt.Fprintf(&b, "\n## %s\n\n| name | better | what it says | formula | source |\n| --- | --- | --- | --- | --- |\n", what)
		for _, m := range For(Kind(kind)) {
			if m.Name == "profit" { // the examples' own
				continue
			}
			name, way := "`"+m.Name+"`", "lower"
			if m.OnRequest {
				name += " *"
			}
			if m.HigherIsBetter {
				way = "higher"
			}
			for i, cell := range []string{name, way, m.Doc, m.Formula, m.Source} {
				if i == 0 {
					b.WriteString("|")
				}
				b.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
			}
			b.WriteString("\n")
		}
	}
	const path = "../docs/metrics.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != b.String() {
		t.Errorf("docs/metrics.md is not what the table of metrics says (%v): go test ./metric -update", err)
	}
}
