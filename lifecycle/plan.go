package lifecycle

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/train"
)

// A Plan says what a run would do.
type Plan struct {
	Name       string          `json:"name"`
	Target     string          `json:"target"`
	Task       string          `json:"task"`
	Outputs    []PlannedOutput `json:"outputs,omitempty"` // those after the first
	Rows       evaluate.Rows   `json:"rows"`
	Inputs     []PlannedInput  `json:"inputs"`
	LeftOut    []string        `json:"left_out"`
	Cleaned    []string        `json:"cleaned"` // what each step of data.clean changes
	Network    string          `json:"network"`
	Layers     []PlannedLayer  `json:"layers"`
	Parameters int             `json:"parameters"`
	BatchSize  int             `json:"batch_size"`
	Epochs     int             `json:"epochs"`     // at most
	Steps      int             `json:"steps"`      // at most
	StepBytes  int             `json:"step_bytes"` // a training step's batch, values in between, parameters, gradients and moments
	DataBytes  int             `json:"data_bytes"` // encoded rows
	StepFLOP   int             `json:"step_flop"`  // multiplications and additions of a training step's matrix products
	Seconds    float64         `json:"seconds"`    // estimate for training, at most
	Folds      int             `json:"folds"`      // of cross-validation in all repeats, 0: none
	Networks   int             `json:"networks"`   // whose mean is the model, 1: one by itself
	Trials     int             `json:"trials"`     // at most; each trains like the first model, or for longer
	Candidates int             `json:"candidates"` // networks trained: two where the target may be better logged
	Warnings   []string        `json:"warnings"`
	Stages     []PlannedStage  `json:"stages"`
}

// PlannedInput is a column and what was fitted on it.
type PlannedInput struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Note string `json:"note"`
}

// PlannedOutput is a column to predict beside the first.
type PlannedOutput struct {
	Target string  `json:"target"`
	Task   string  `json:"task"`
	Weight float64 `json:"weight"` // of its loss
}

// PlannedLayer is a variable of the network.
type PlannedLayer struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// PlannedStage is a stage and what it will do.
type PlannedStage struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// NewPlan reads the data and builds the network, trains it for a few steps to
// see how long they take, and forgets it.
func NewPlan(ctx context.Context, c *Config) (*Plan, error) {
	p, err := c.prepare()
	if err != nil {
		return nil, err
	}
	m := p.model
	o := c.options()
	_, state, err := train.Program(m.Task().At(0), o)
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	plan := &Plan{
		Name: c.Name, Target: m.Target, Task: m.Output.Type(),
		Rows:    evaluate.Rows{Train: p.train.Rows, Validation: rowsOf(p.valid)},
		Network: describeNetwork(m), Parameters: state.Parameters(),
		BatchSize: c.Train.BatchSize, Epochs: c.Train.Epochs, Candidates: 1, Networks: 1,
		Warnings: append([]string{}, p.warnings...), LeftOut: []string{}, Cleaned: []string{},
	}
	for _, k := range p.facts.Cleaned {
		plan.Cleaned = append(plan.Cleaned, k.String())
	}
	for i, o := range m.Others {
		plan.Outputs = append(plan.Outputs, PlannedOutput{o.Column, o.Feature.Type(), m.LossWeights[i+1]})
	}
	if p.logToo {
		plan.Candidates = 2
	}
	for _, folds := range p.folds {
		plan.Folds += len(folds)
	}
	switch {
	case p.test != nil:
		plan.Rows.Test = p.test.Rows
	default:
		for _, f := range p.folds[0] {
			plan.Rows.Test += len(f.Test)
		}
	}
	for _, in := range m.Inputs {
		plan.Inputs = append(plan.Inputs, PlannedInput{in.Column, in.Feature.Type(), in.Feature.Describe()})
	}
	for _, l := range p.facts.LeftOut {
		plan.LeftOut = append(plan.LeftOut, l.Name+": "+l.Reason)
	}
	for _, v := range state.Trainable() {
		plan.Layers = append(plan.Layers, PlannedLayer{v.Name, v.Value.Shape()})
	}
	learning := p.train
	if p.bag != nil {
		learning, plan.Networks = p.train.Select(p.bag[0].Train), len(p.bag)
	}
	rows, _, err := batches(m, learning, c.Train.BatchSize, true, c.Seed, nil, p.weights(learning))
	if err != nil {
		return nil, err
	}
	defer closeBatches(rows)
	if plan.BatchSize == 0 || plan.BatchSize > learning.Rows {
		plan.BatchSize = learning.Rows
	}
	plan.Steps = rows.Steps() * plan.Epochs * plan.Candidates * plan.Networks
	plan.DataBytes = rows.Bytes()
	arena := 0
	if plan.StepFLOP, arena, err = costs(m, rows.Sizes(), plan.BatchSize, o); err != nil {
		return nil, err
	}
	plan.StepBytes = arena + plan.DataBytes/rows.Rows()*plan.BatchSize
	for _, v := range state.Variables() {
		plan.StepBytes += v.Value.DType().Size() * v.Value.Len()
	}
	perStep, err := stepSeconds(ctx, m, rows, o)
	if err != nil {
		return nil, err
	}
	plan.Trials = c.Optimize.Trials
	plan.Seconds = perStep * float64(plan.Steps) * float64(1+plan.Folds) * float64(1+plan.Trials)
	plan.stages(p)
	return plan, nil
}

// costs returns the arithmetic of a step's products, the mean of those of rows of
// each size of sequences, and the memory of the largest, which all share.
func costs(m *model.Model, sizes []int, batch int, o train.Options) (flop, bytes int, err error) {
	rows, sum := 0, 0.0
	for size, n := range sizes {
		if n == 0 {
			continue
		}
		program, _, err := train.Program(m.Task().At(size), o)
		if err != nil {
			return 0, 0, err
		}
		exe, err := cpu.Compile(program)
		if err != nil {
			return 0, 0, err
		}
		rows, sum, bytes = rows+n, sum+float64(n)*float64(products(program, batch)), max(bytes, cpu.Bytes(exe, batch))
	}
	return int(sum / float64(rows)), bytes, nil
}

// Steps of the measurement: the first ones warm up and do not count.
const (
	warmSteps  = 3
	timedSteps = 12
)

// stepSeconds measures the time of a training step: a few are run on values
// of their own, and forgotten.
func stepSeconds(ctx context.Context, m *model.Model, rows rowBatches, o train.Options) (float64, error) {
	o.Epochs, o.Patience, o.Restore = 1, 0, false
	p := &probed{rowBatches: rows, seen: map[int]bool{}}
	all, timed, steps, warm := 0.0, 0.0, 0, 0
	last := time.Now()
	o.OnStep = func(train.Progress) {
		took := time.Since(last).Seconds()
		if steps++; steps > warmSteps && !p.fresh {
			timed, warm = timed+took, warm+1
		}
		all, last = all+took, time.Now()
	}
	if _, err := train.Run(ctx, m.Task(), graph.NewState(), p, nil, o); err != nil {
		return 0, explainTraining(err)
	}
	if warm == 0 { // too few to leave any out
		return all / float64(steps), nil
	}
	return timed / float64(warm), nil
}

// probed ends an epoch early.
type probed struct {
	rowBatches
	given int          // since Seek: the loss before the first step reads batches too
	seen  map[int]bool // sizes of batches
	fresh bool         // the last batch was the first of its size, for which a program was compiled
}

func (p *probed) Seek(epoch, step int) error {
	p.given, p.seen = 0, map[int]bool{}
	return p.rowBatches.Seek(epoch, step)
}

func (p *probed) Next(b *train.Batch) error {
	if p.given == warmSteps+timedSteps {
		return io.EOF
	}
	p.given++
	err := p.rowBatches.Next(b)
	p.fresh = !p.seen[b.Size]
	p.seen[b.Size] = true
	return err
}

// products returns the multiplications and additions of a program's matrix
// products.
func products(p *graph.Program, rows int) int {
	n := 0
	for _, node := range p.Nodes {
		switch op := node.Op.(type) {
		case graph.Product:
			k := node.In[0].Shape()[1]
			if op.TransA {
				k = node.In[0].Shape()[0]
			}
			n += 2 * node.Shape().Size().Of(rows) * k.Of(rows)
		case graph.Recurrent:
			n += 2 * node.In[0].Shape().Size().Of(rows) * node.In[1].Shape()[0].N
		case graph.RecurrentGrad:
			n += 2 * node.In[0].Shape().Size().Of(rows) * node.In[2].Shape()[1].N
		case graph.Convolution, graph.ConvolutionInput: // the kernel is the second operand
			k := node.In[1].Shape()
			places := node.Shape()
			if _, back := op.(graph.ConvolutionInput); back {
				places = node.In[0].Shape()
			}
			n += 2 * places[0].Of(rows) * places[1].N * places[2].N * k.Size().Of(rows)
		case graph.ConvolutionKernel: // the result is a kernel's gradient
			places := node.In[1].Shape()
			n += 2 * places[0].Of(rows) * places[1].N * places[2].N * node.Shape().Size().Of(rows)
		}
	}
	return n
}

func (p *Plan) stages(d *prepared) {
	add := func(name, what string) { p.Stages = append(p.Stages, PlannedStage{name, what}) }
	read := "read and divide the rows"
	if n := len(d.clean.steps); n > 0 {
		read = fmt.Sprintf("read, clean (data.clean, %d steps) and divide the rows", n)
	}
	add(StagePrepare, fmt.Sprintf("%s: %s; fit %d inputs on the training rows", read, d.divided(), len(p.Inputs)))
	if p.Folds > 0 {
		add(StageFolds, fmt.Sprintf("all that follows for each of %d folds, on their rows alone", p.Folds))
	}
	what := fmt.Sprintf("up to %d epochs of %d steps of %d rows", p.Epochs, p.Steps/p.Epochs/p.Candidates/p.Networks, p.BatchSize)
	if p.Networks > 1 {
		what = fmt.Sprintf("%d networks, each stopped by another part of the rows: %s", p.Networks, what)
	}
	if p.Candidates > 1 {
		what += ", twice: with the target as it is and as log(1+target); the validation rows choose"
	}
	add(StageTrain, what)
	if p.Trials > 0 {
		each := p.Seconds / float64(1+p.Trials) / float64(1+p.Folds)
		add(StageOptimise, fmt.Sprintf("at most %d trials, for what is found about the first model, each trained as it was: about %.2g s each, unless more epochs or a larger network are tried; what is better on held-out rows by a paired test is kept", p.Trials, each))
	}
	test := fmt.Sprintf("the %d test rows once", p.Rows.Test)
	if d.test == nil {
		add(StageBaseline, "nothing: the folds have linear models")
		test = fmt.Sprintf("the predictions that the folds made for their own test rows, %d in all", p.Rows.Test)
	} else {
		add(StageBaseline, "a linear model on the same inputs and rows")
	}
	add(StageEvaluate, test+", for the network, the linear model and the trivial prediction, with bootstrap intervals")
	add(StagePublish, "bundle "+p.Name+".hone, report.html, entry in the register")
}

// Mermaid returns the flow as a Mermaid diagram.
func (p *Plan) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	esc := func(s string) string {
		s = strings.Join(strings.Fields(s), " ")
		return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;").Replace(s)
	}
	b.WriteString("  data[(\"data\")] --> train_rows[\"" + fmt.Sprint(p.Rows.Train) + " training rows\"]\n")
	valid := fmt.Sprintf("%d validation rows", p.Rows.Validation)
	if p.Networks > 1 {
		valid = "for each network another part of them"
	}
	fmt.Fprintf(&b, "  data --> valid_rows[\"%s\"]\n  data --> test_rows[\"%d test rows\"]\n", valid, p.Rows.Test)
	for i, in := range p.Inputs {
		fmt.Fprintf(&b, "  train_rows --> in%d[\"%s (%s)\"] --> network\n", i, esc(in.Name), in.Type)
	}
	fmt.Fprintf(&b, "  network{{\"%s, %d parameters\"}} --> head[\"%s (%s)\"]\n", esc(p.Network), p.Parameters, esc(p.Target), p.Task)
	for i, o := range p.Outputs {
		fmt.Fprintf(&b, "  network --> head%d[\"%s (%s)\"]\n  head%[1]d --> evaluate\n", i+2, esc(o.Target), o.Task)
	}
	b.WriteString("  train_rows --> linear[\"linear baseline\"]\n  valid_rows --> choose[\"best epoch\"]\n  head --> choose\n")
	b.WriteString("  choose --> evaluate[\"evaluate\"]\n  linear --> evaluate\n  test_rows --> evaluate\n")
	fmt.Fprintf(&b, "  evaluate --> bundle[(\"%s.hone\")]\n  evaluate --> report[\"report.html\"]\n", esc(p.Name))
	return b.String()
}
