package lifecycle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPlanAgreesWithTheRun(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"bought", "level", "spend"} {
		dir := t.TempDir()
		shoppers(500, 31).only("id", "age", "income", "color", target).write(t, dir, "rows.csv")
		c := func() *Config {
			return configure(t, dir, "name: p\ndata: {source: rows.csv}\noutputs: ["+target+"]\n"+quick)
		}
		p, err := NewPlan(context.Background(), c())
		if err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 2 { // rows.csv, hone.yaml
			t.Errorf("the plan left %v", left)
		}
		s, w := mustRun(t, c())
		steps := 0
		for _, e := range w.events {
			if e.Step != nil && e.Stage == StageTrain {
				steps++
			}
		}
		if p.Rows != s.Rows || p.Parameters != s.Parameters || p.Parameters != w.trainings()[0].Parameters || p.Steps != steps || p.Target != s.Target || p.Name != s.Name {
			t.Errorf("%s: plan %+v\nrun %+v, %d steps", target, p, s, steps)
		}
		parameters := 0
		for _, l := range p.Layers {
			n := 1
			for _, d := range l.Shape {
				n *= d
			}
			parameters += n
		}
		if parameters != p.Parameters {
			t.Errorf("%s: the layers have %d parameters of %d", target, parameters, p.Parameters)
		}
		if candidates := len(w.trainings()) - 1; p.Candidates != candidates {
			t.Errorf("%s: %d candidates planned, %d trained", target, p.Candidates, candidates)
		}
		if p.Seconds <= 0 || p.Seconds > 600 {
			t.Errorf("%s: estimated %g s", target, p.Seconds)
		}
		if len(p.Inputs) != 3 || len(p.LeftOut) != 1 || !strings.HasPrefix(p.LeftOut[0], "id: ") || len(p.Stages) != len(Stages) {
			t.Errorf("%s: plan %+v", target, p)
		}
	}
}

// A perceptron of widths w multiplies 2·rows·Σ wᵢ·wᵢ₊₁ times and adds forwards,
// as much for the gradients of its weights, and as much but for the first layer
// for those of its values, unless that has embeddings below it.
func TestPlannedArithmetic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(500, 32).only("age", "color", "bought").change("age", 0, 0, nil).write(t, dir, "rows.csv")
	const rows = 64
	plan := func(inputs string) *Plan {
		t.Helper()
		p, err := NewPlan(context.Background(), configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\ninputs: "+inputs+"\nnetwork: {type: mlp, widths: [16, 8], dropout: 0.1}\ntrain: {bagging: off, batch_size: 64}"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan("[{name: age, type: number, embedding: none}]")
	forward := 2 * rows * (1*16 + 16*8 + 8*1)
	if want := 2*forward + 2*rows*(16*8+8*1); p.StepFLOP != want {
		t.Errorf("%d operations a step, expected %d", p.StepFLOP, want)
	}
	if want := 1*16 + 16 + 16*8 + 8 + 8 + 1; p.Parameters != want {
		t.Errorf("%d parameters, expected %d", p.Parameters, want)
	}
	// AdamW keeps two moments; every row has an input, a target, a weight, and
	// at least one value of each unit.
	least := 4 * (3*p.Parameters + rows*(1+1+16+8+1))
	if p.StepBytes < least || p.StepBytes > 8*least {
		t.Errorf("%d bytes a step, expected a little more than %d", p.StepBytes, least)
	}
	if want := 4 * 400 * 2; p.DataBytes != want {
		t.Errorf("%d bytes of rows, expected %d", p.DataBytes, want)
	}
	// With an embedding the first layer passes gradients down.
	p = plan("[{name: color, type: category, dimension: 5}]")
	if want := 3 * 2 * rows * (5*16 + 16*8 + 8*1); p.StepFLOP != want {
		t.Errorf("%d operations a step with an embedding, expected %d", p.StepFLOP, want)
	}
	// All rows at once.
	p, err := NewPlan(context.Background(), configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\ntrain: {bagging: off, batch_size: 0, epochs: 2}"))
	if err != nil || p.BatchSize != 400 || p.Steps != 2 {
		t.Errorf("batch %d, %d steps, %v", p.BatchSize, p.Steps, err)
	}
}

var (
	mermaidNode = `[a-z_0-9]+(?:\[\("[^"]*"\)\]|\["[^"]*"\]|\{\{"[^"]*"\}\})?`
	mermaidLine = regexp.MustCompile(`^  ` + mermaidNode + `(?: --> ` + mermaidNode + `)*$`)
	mermaidID   = regexp.MustCompile(`(?:^  |--> )([a-z_0-9]+)`)
	mermaidBox  = regexp.MustCompile(`(?:^  |--> )([a-z_0-9]+)[\[{]`)
)

func TestMermaidIsWellFormed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tab := shoppers(300, 33).only("age", "color", "income", "bought")
	tab.names = []string{`a "quoted" <age>`, "`tick`", "two\nlines #1;", "end"}
	tab.write(t, dir, "rows.csv")
	p, err := NewPlan(context.Background(), configure(t, dir, "name: x\ndata: {source: rows.csv, header: true}\noutputs: [end]"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(p.Mermaid(), "\n"), "\n")
	if lines[0] != "flowchart LR" || len(lines) < 10 {
		t.Fatalf("diagram %q", lines)
	}
	used, boxed := map[string]bool{}, map[string]bool{}
	for _, l := range lines[1:] {
		if !mermaidLine.MatchString(l) {
			t.Errorf("line %q", l)
		}
		for _, m := range mermaidID.FindAllStringSubmatch(l, -1) {
			used[m[1]] = true
		}
		for _, m := range mermaidBox.FindAllStringSubmatch(l, -1) {
			boxed[m[1]] = true
		}
	}
	for id := range used {
		if !boxed[id] {
			t.Errorf("node %s has no label", id)
		}
	}
	for _, want := range []string{"a #quot;quoted#quot; #lt;age#gt; (number)", "#96;tick#96; (category)", "two lines #35;1; (number)", "270 training rows", "x.hone"} {
		if !strings.Contains(p.Mermaid(), want) {
			t.Errorf("the diagram lacks %q:\n%s", want, p.Mermaid())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".hone")); !os.IsNotExist(err) {
		t.Error("the plan left a folder")
	}
}

// The loss before the first step reads 1024 rows, which are more batches here than
// are timed.
func TestPlanOfManySmallBatches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("x,y\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "%d.5,%s\n", i*7919%1000, []string{"no", "yes"}[i%2])
	}
	writeFile(t, dir, "rows.csv", b.String())
	p, err := NewPlan(context.Background(), configure(t, dir, "data: {source: rows.csv}\noutputs: [y]\ntrain: {bagging: off, batch_size: 64}"))
	if err != nil || p.Seconds <= 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
