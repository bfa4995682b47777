package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/optim"
)

// A Task is what Run trains: it declares what a batch holds and builds the
// predictions and the loss. The programs of training and validation are both
// built from it, over one state.
type Task interface {
	// Inputs and Targets declare the inputs of the network and the targets: the
	// tensors of a batch, in this order.
	Inputs(b *graph.Builder) []*graph.Node
	Targets(b *graph.Builder) []*graph.Node
	// Forward returns the predictions, each [rows …].
	Forward(c *nn.Context, inputs []*graph.Node) []*graph.Node
	// Loss returns the loss of each row [rows], before row weights.
	Loss(c *nn.Context, outputs, targets []*graph.Node) *graph.Node
}

// A Sized task has sequences among its inputs, whose length depends on the size of
// a batch: a program is compiled for each size that comes, all over one state.
type Sized interface {
	Task
	// At returns the task for batches of a size, with inputs of SizeLength or the
	// most that they can be. All have the same variables.
	At(size int) Task
}

// programs are those of a task, one for each size of batches.
type programs struct {
	task  Task
	build func(Task) (graph.Executable, error)
	made  []graph.Executable // by size; nil: none has come yet
}

func (p *programs) at(size int) (exe graph.Executable, err error) {
	sized, ok := p.task.(Sized)
	if !ok {
		size = 0
	}
	if size < len(p.made) && p.made[size] != nil {
		return p.made[size], nil
	}
	task := p.task
	if ok {
		task = sized.At(size)
	}
	if exe, err = p.build(task); err != nil {
		return nil, err
	}
	p.made = append(p.made, make([]graph.Executable, max(0, size+1-len(p.made)))...)
	p.made[size] = exe
	return exe, nil
}

// ErrStopped is returned by Run, with the result so far, when its context was
// cancelled. The state holds the best values if there are any, and the
// checkpoint continues the run.
var ErrStopped = errors.New("training was stopped")

// A DivergedError says that the loss, or a value of the network, ceased to be
// a finite number, or that the loss grew out of all proportion.
type DivergedError struct {
	Epoch, Step  int
	Loss         float64
	LearningRate float64 // of the optimiser, before any schedule
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged: the loss became %g in epoch %d, step %d, at learning rate %g; lower the learning rate (try %g), bound the gradients (clip_norm: 1), or look for outliers and unscaled inputs",
		e.Loss, e.Epoch, e.Step, e.LearningRate, min(e.LearningRate/10, 0.01))
}

// trainer is a run in progress.
type trainer struct {
	task  Task
	state *graph.State
	opts  Options
	train Batches
	valid Batches

	step, evaluate *programs
	apply          graph.Executable // nil without accumulation
	outputs        int              // predictions of evaluate

	batch   Batch
	mixer   *mixer // nil: rows stay as they are
	lr      *tensor.Tensor
	seed    *tensor.Tensor
	count   *tensor.Tensor // the update's number
	feeds   []*tensor.Tensor
	results []*tensor.Tensor // weighted loss, weight

	progress
	best    map[string]*tensor.Tensor
	started time.Time
	saved   time.Time
	before  float64 // seconds of earlier sessions
}

// progress is what a checkpoint holds beside the state.
type progress struct {
	Epoch     int     `json:"epoch"`      // finished
	Step      int     `json:"step"`       // batches done in the current one
	Updates   int     `json:"updates"`    // in all
	Batches   int     `json:"batches"`    // in all
	LossSum   float64 `json:"loss_sum"`   // of the current epoch
	WeightSum float64 `json:"weight_sum"` //
	Rate      float64 `json:"rate"`       // learning rate of the last batch
	EpochTime float64 `json:"epoch_time"` // seconds into the current epoch
	History   []Epoch `json:"history"`    //
	BestEpoch int     `json:"best_epoch"` // 0: none yet
	BestScore float64 `json:"best_score"` //
	Lowest    float64 `json:"lowest"`     // loss: of the untrained network, or an epoch's
	Schedule  []byte  `json:"schedule"`   // of a schedule that has a memory
	Done      bool    `json:"done"`       //
	Stopped   string  `json:"stopped"`    // why it ended
	Total     float64 `json:"total"`      // seconds
	Resumed   bool    `json:"-"`          //
}

// Run trains the task's network, whose variables are created in state unless
// they are there, on the batches of train. With valid (else nil) every epoch
// ends with a validation, by which the best epoch is chosen and training may
// stop early.
//
// When ctx is cancelled it saves a checkpoint and returns ErrStopped. Where
// the checkpoint file exists and belongs to the same run (Fingerprint), it
// continues from there, to the same bits as if it had not been interrupted.
func Run(ctx context.Context, task Task, state *graph.State, train, valid Batches, opts Options) (*Result, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	if train == nil {
		return nil, errors.New("train: there are no batches to train on")
	}
	if opts.Restore && valid == nil {
		return nil, errors.New("train: taking the best epoch's values needs validation rows, by which epochs are compared")
	}
	// What predicts later is not to keep the memory of steps.
	defer state.Scratch.Store(nil)
	t := &trainer{task: task, state: state, opts: opts, train: train, valid: valid}
	if err := t.build(); err != nil {
		return nil, err
	}
	if err := t.resume(); err != nil {
		return nil, err
	}
	t.started, t.saved = time.Now(), time.Now()
	if !t.Resumed {
		if err := t.measureUntrained(); err != nil {
			return nil, err
		}
	}
	err := t.loop(ctx)
	if err != nil && !errors.Is(err, ErrStopped) {
		return nil, err
	}
	switch {
	case t.opts.Restore && t.best != nil:
		t.restoreBest()
	case t.opts.Average > 0:
		optim.SwapAverages(t.state)
	}
	return &Result{History: t.History, BestEpoch: t.BestEpoch, Stopped: t.Stopped, Steps: t.Updates, Resumed: t.Resumed, Seconds: t.elapsed()}, err
}

// epochPause is the least time between checkpoints at the end of epochs.
const epochPause = 300 * time.Millisecond

func (t *trainer) elapsed() float64 {
	if t.started.IsZero() {
		return t.before
	}
	return t.before + time.Since(t.started).Seconds()
}

func (t *trainer) loop(ctx context.Context) error {
	if t.Done {
		return nil
	}
	for t.Epoch < t.opts.Epochs {
		if err := t.epoch(ctx); err != nil {
			return err
		}
		reason, err := t.endEpoch()
		if err != nil {
			return err
		}
		if reason != "" || t.Epoch == t.opts.Epochs {
			if reason == "" {
				reason = fmt.Sprintf("all %d epochs done", t.opts.Epochs)
			}
			t.Stopped, t.Done = reason, true
		}
		// Writing costs more than quick epochs, which are soon done again.
		if t.Done || time.Since(t.saved) > epochPause {
			if err := t.save(); err != nil {
				return err
			}
		}
		if t.Done {
			return nil
		}
	}
	return nil
}

// epoch runs the batches that are left of the current epoch.
func (t *trainer) epoch(ctx context.Context) error {
	if err := t.train.Seek(t.Epoch, t.Step); err != nil {
		return err
	}
	steps := t.train.Steps()
	began, rows := time.Now(), 0
	base := t.EpochTime
	for {
		err := t.train.Next(&t.batch)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := t.trainBatch(t.Step == steps-1); err != nil {
			return err
		}
		t.Step++
		rows += t.batch.Rows
		t.EpochTime = base + time.Since(began).Seconds()
		if t.opts.OnStep != nil {
			t.opts.OnStep(Progress{
				Epoch: t.Epoch + 1, Epochs: t.opts.Epochs, Step: t.Step, Steps: steps,
				Loss: mean(t.LossSum, t.WeightSum), LearningRate: t.Rate,
				RowsPerSecond: float64(rows) / max(1e-9, time.Since(began).Seconds()),
			})
		}
		if ctx.Err() != nil {
			t.Stopped = "stopped"
			if err := t.save(); err != nil {
				return err
			}
			return ErrStopped
		}
		if t.opts.Checkpoint != "" && time.Since(t.saved) > t.opts.CheckpointEvery {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// trainBatch runs the training program on the batch, and the update where
// gradients are accumulated.
func (t *trainer) trainBatch(last bool) error {
	t.lr.Floats()[0] = float32(t.opts.Optimizer.LearningRate() * t.factor())
	t.Rate = float64(t.lr.Floats()[0])
	t.seed.Ints()[0], t.seed.Ints()[1] = int32(uint32(t.opts.Seed)), int32(uint32(t.opts.Seed>>32))
	t.count.Ints()[0] = int32(t.Batches)
	t.feeds = append(append(t.feeds[:0], t.batch.Tensors...), t.batch.Weights)
	if m := t.mixer; m != nil {
		m.mix(&t.batch, t.Epoch, t.Step)
		t.feeds = append(append(t.feeds, m.targets...), m.weights)
	}
	t.feeds = append(t.feeds, t.lr, t.seed, t.count)
	step, err := t.step.at(t.batch.Size)
	if err != nil {
		return err
	}
	if err := step.Run(t.feeds, t.results); err != nil {
		return err
	}
	t.Batches++
	loss, weight := float64(t.results[0].Floats()[0]), float64(t.results[1].Floats()[0])
	if !finite(loss) {
		return t.diverged(t.Step+1, loss)
	}
	t.LossSum += loss
	t.WeightSum += weight
	if t.apply != nil {
		if (t.Step+1)%t.opts.Accumulate != 0 && !last {
			return nil
		}
		t.feeds = append(t.feeds[:0], t.lr)
		if err := t.apply.Run(t.feeds, nil); err != nil {
			return err
		}
	}
	t.Updates++
	return nil
}

// factor is the schedule's factor for the next update.
func (t *trainer) factor() float64 {
	if t.opts.Schedule == nil {
		return 1
	}
	return t.opts.Schedule.Factor(t.Updates, t.updatesPerEpoch()*t.opts.Epochs)
}

func (t *trainer) updatesPerEpoch() int {
	return (t.train.Steps() + t.opts.Accumulate - 1) / t.opts.Accumulate
}

// endEpoch validates, keeps the best values, and returns a reason to stop.
func (t *trainer) endEpoch() (string, error) {
	e := Epoch{Epoch: t.Epoch + 1, Loss: mean(t.LossSum, t.WeightSum), LearningRate: t.Rate}
	began := time.Now()
	score, higher := e.Loss, false
	if e.Loss > 100*math.Abs(t.Lowest)+100 {
		return "", t.diverged(t.Step, e.Loss)
	}
	t.Lowest = min(t.Lowest, e.Loss)
	// The last update of an epoch may spoil a network whose last loss was fine.
	if !t.finiteModel() {
		return "", t.diverged(t.Step, math.NaN())
	}
	if t.opts.Average > 0 {
		optim.SwapAverages(t.state)
		defer optim.SwapAverages(t.state)
	}
	if t.valid != nil {
		v, err := t.validate()
		if err != nil {
			return "", err
		}
		e.Validation, e.Scores = v.loss, v.scores
		score = v.loss
		if t.opts.Monitor != "" {
			s, ok := v.scores[t.opts.Monitor]
			if !ok {
				return "", fmt.Errorf("train: the scores of epoch %d have no %q to monitor, or it is undefined on the validation rows; monitor another score, or the loss", e.Epoch, t.opts.Monitor)
			}
			score, higher = s, t.opts.Higher
		}
		if !finite(v.loss) {
			return "", t.diverged(t.Step, v.loss)
		}
	}
	t.EpochTime += time.Since(began).Seconds()
	e.Seconds = t.EpochTime
	gain := t.BestScore - score
	if higher {
		gain = -gain
	}
	if t.BestEpoch == 0 || gain > t.opts.MinDelta {
		t.BestEpoch, t.BestScore, e.Best = e.Epoch, score, true
		if t.opts.Restore {
			t.keepBest()
		}
	}
	t.History = append(t.History, e)
	t.Epoch++
	t.Step, t.LossSum, t.WeightSum, t.EpochTime = 0, 0, 0, 0
	if o, ok := t.opts.Schedule.(optim.Observer); ok {
		if higher {
			score = -score
		}
		o.Observe(score)
	}
	if t.opts.OnEpoch != nil {
		t.opts.OnEpoch(e)
	}
	if t.opts.Patience > 0 && t.Epoch-t.BestEpoch >= t.opts.Patience {
		return fmt.Sprintf("no improvement for %d epochs", t.opts.Patience), nil
	}
	return "", nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// mean returns sum/weight, and 0 where all weights were 0.
func mean(sum, weight float64) float64 {
	if weight == 0 {
		return 0
	}
	return sum / weight
}

func (t *trainer) diverged(step int, loss float64) error {
	return &DivergedError{t.Epoch + 1, step, loss, t.opts.Optimizer.LearningRate()}
}

// finiteModel reports whether every value of the network is a finite number.
func (t *trainer) finiteModel() bool {
	for _, v := range optim.ModelVariables(t.state) {
		if v.Value.DType() != tensor.Float32 {
			continue
		}
		// x·0 is 0 unless x is infinite or no number.
		var sum float32
		for _, x := range v.Value.Floats() {
			sum += x * 0
		}
		if sum != 0 {
			return false
		}
	}
	return true
}

// untrainedRows is how many training rows are measured where there are no
// validation rows.
const untrainedRows = 1024

// measureUntrained sets Lowest to the loss before training, against which the
// first epoch's loss is held.
func (t *trainer) measureUntrained() error {
	rows := t.valid
	if rows == nil {
		rows = &first{t.train, untrainedRows}
	}
	_, loss, err := predictAll(t.evaluate, rows, 0)
	if err == nil && !finite(loss) {
		return fmt.Errorf("train: the loss is %g before the first step; look for values in the data that are no numbers or far too large", loss)
	}
	t.Lowest = loss
	return err
}

// first is the first batches of an epoch, up to a number of rows.
type first struct {
	Batches
	left int
}

func (f *first) Next(b *Batch) error {
	if f.left <= 0 {
		return io.EOF
	}
	err := f.Batches.Next(b)
	f.left -= b.Rows
	return err
}

type validation struct {
	loss   float64
	scores map[string]float64
}

// validate runs the network over the validation rows.
func (t *trainer) validate() (validation, error) {
	want := 0
	if t.opts.Score != nil {
		want = t.outputs
	}
	pred, loss, err := predictAll(t.evaluate, t.valid, want)
	if err != nil {
		return validation{}, err
	}
	v := validation{loss: loss}
	if t.opts.Score != nil {
		v.scores, err = t.opts.Score(pred)
	}
	for name, s := range v.scores {
		if !finite(s) { // undefined on these rows
			delete(v.scores, name)
		}
	}
	return v, err
}

// predictAll runs an evaluation program over all batches of an epoch and
// returns the first predictions of the task, in the order of the data's rows, and
// the mean loss.
func predictAll(evaluate *programs, batches Batches, predictions int) ([][]float32, float64, error) {
	if err := batches.Seek(0, 0); err != nil {
		return nil, 0, err
	}
	var b Batch
	var feeds []*tensor.Tensor
	var pred [][]float32
	var sum, weight float64
	out := []*tensor.Tensor{tensor.Zeros(), tensor.Zeros()}
	for range predictions {
		out = append(out, tensor.Zeros(0))
	}
	for {
		err := batches.Next(&b)
		if err == io.EOF {
			return pred, mean(sum, weight), nil
		}
		if err != nil {
			return nil, 0, err
		}
		feeds = append(append(feeds[:0], b.Tensors...), b.Weights)
		exe, err := evaluate.at(b.Size)
		if err != nil {
			return nil, 0, err
		}
		if err := exe.Run(feeds, out); err != nil {
			return nil, 0, err
		}
		sum += float64(out[0].Floats()[0])
		weight += float64(out[1].Floats()[0])
		for i, o := range out[2:] {
			if len(pred) <= i {
				pred = append(pred, nil)
			}
			if b.At == nil {
				pred[i] = append(pred[i], o.Floats()...)
				continue
			}
			n := o.RowLen()
			if pred[i] == nil {
				pred[i] = make([]float32, batches.Rows()*n)
			}
			for k, row := range b.At {
				copy(pred[i][row*n:(row+1)*n], o.Floats()[k*n:])
			}
		}
	}
}

func (t *trainer) keepBest() {
	if t.best == nil {
		t.best = map[string]*tensor.Tensor{}
		for _, v := range optim.ModelVariables(t.state) {
			t.best[v.Name] = v.Value.Clone()
		}
		return
	}
	for _, v := range optim.ModelVariables(t.state) {
		copy(t.best[v.Name].Raw(), v.Value.Raw())
	}
}

func (t *trainer) restoreBest() {
	for _, v := range optim.ModelVariables(t.state) {
		copy(v.Value.Raw(), t.best[v.Name].Raw())
	}
}

// build makes the programs: one training step (or, with accumulation, one that
// adds up gradients and one that applies them) and one evaluation step.
func (t *trainer) build() error {
	t.step = &programs{task: t.task, build: func(task Task) (graph.Executable, error) {
		p, err := t.stepProgram(task)
		if err != nil {
			return nil, err
		}
		return cpu.Compile(p)
	}}
	// All variables are there from now on.
	if _, err := t.step.at(0); err != nil {
		return err
	}
	if t.opts.Accumulate > 1 {
		a := graph.New("update")
		optim.ApplyAccumulated(t.opts.Optimizer, t.state, a.Input("learning_rate", tensor.Float32), t.state.Trainable(), t.updateOptions())
		if err := compile(a, &t.apply); err != nil {
			return err
		}
	}
	t.lr, t.count = tensor.Scalar(0), tensor.New(tensor.Int32)
	t.seed = tensor.New(tensor.Int32, 2)
	t.results = []*tensor.Tensor{tensor.Zeros(), tensor.Zeros()}
	t.evaluate = evaluation(t.task, t.state, &t.outputs)
	_, err := t.evaluate.at(0)
	return err
}

func (t *trainer) updateOptions() optim.Options {
	return optim.Options{ClipNorm: t.opts.ClipNorm, L1: t.opts.L1, L2: t.opts.L2, Average: t.opts.Average}
}

// stepProgram is what runs for every batch.
func (t *trainer) stepProgram(task Task) (_ *graph.Program, err error) {
	b := graph.New("train")
	in := task.Inputs(b)
	targets := task.Targets(b)
	weights := b.Input("weights", tensor.Float32, graph.Rows)
	if t.mixer, err = newMixer(&t.opts, in, targets); err != nil {
		return nil, err
	}
	var others []*graph.Node
	var otherWeights *graph.Node
	if t.mixer != nil {
		for i, y := range targets {
			others = append(others, b.Input(fmt.Sprint("other target ", i), y.Type.DType, y.Shape()...))
		}
		otherWeights = b.Input("other weights", tensor.Float32, graph.Rows)
	}
	lr := b.Input("learning_rate", tensor.Float32)
	seed := b.Input("seed", tensor.Int32, graph.N(2))
	count := b.Input("step", tensor.Int32)
	c := &nn.Context{B: b, State: t.state, Training: true, Seed: seed, Step: count, InitSeed: t.opts.Seed}
	out := task.Forward(c, in)
	loss, sum, weight := meanLoss(task, c, out, targets, weights)
	if t.mixer != nil {
		_, otherSum, otherWeight := meanLoss(task, c, out, others, otherWeights)
		sum, weight = graph.Add(sum, otherSum), graph.Add(weight, otherWeight)
		loss = weightedMean(sum, weight)
	}
	if p := c.Penalties(); p != nil {
		loss = graph.Add(loss, p)
	}
	b.Output("loss", sum)
	b.Output("weight", weight)
	optim.AverageStatistics(b, t.state, t.opts.Average, t.opts.Accumulate)
	params := t.state.Trainable()
	if t.opts.Accumulate > 1 {
		optim.Accumulate(t.state, loss, weight, params)
	} else {
		optim.Apply(t.opts.Optimizer, t.state, loss, lr, params, t.updateOptions())
	}
	return b.Program()
}

// Program returns the program of a training step as Run would run it, with its
// own state: what a step costs in memory and arithmetic is read off them.
func Program(task Task, opts Options) (*graph.Program, *graph.State, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, nil, err
	}
	t := &trainer{task: task, state: graph.NewState(), opts: opts}
	p, err := t.stepProgram(task)
	return p, t.state, err
}

// evaluation returns the programs that return the weighted loss, the weight and
// the predictions of a batch, and sets outputs to the number of these.
func evaluation(task Task, state *graph.State, outputs *int) *programs {
	return &programs{task: task, build: func(task Task) (exe graph.Executable, err error) {
		exe, *outputs, err = buildEvaluation(task, state)
		return exe, err
	}}
}

func buildEvaluation(task Task, state *graph.State) (graph.Executable, int, error) {
	b := graph.New("evaluate")
	in := task.Inputs(b)
	targets := task.Targets(b)
	weights := b.Input("weights", tensor.Float32, graph.Rows)
	c := &nn.Context{B: b, State: state}
	out := task.Forward(c, in)
	_, sum, weight := meanLoss(task, c, out, targets, weights)
	b.Output("loss", sum)
	b.Output("weight", weight)
	for _, o := range out {
		b.Output("prediction", o)
	}
	var exe graph.Executable
	err := compile(b, &exe)
	return exe, len(out), err
}

// meanLoss returns the mean of the rows' losses by weight, and its numerator
// and denominator.
func meanLoss(task Task, c *nn.Context, out, targets []*graph.Node, weights *graph.Node) (mean, sum, weight *graph.Node) {
	rows := task.Loss(c, out, targets)
	if c.B.Err() == nil && !rows.Shape().Equal(weights.Shape()) {
		rows = c.B.Fail("loss", fmt.Errorf("the task's loss is %v, expected float32[rows]: one for each row, before any mean", rows.Type))
	}
	sum, weight = graph.Sum(graph.Mul(rows, weights)), graph.Sum(weights)
	return weightedMean(sum, weight), sum, weight
}

// weightedMean is sum/weight; that of a batch whose weights are all 0 is 0.
func weightedMean(sum, weight *graph.Node) *graph.Node {
	return graph.Div(sum, graph.Max(weight, sum.Builder().Scalar(1e-30)))
}

func compile(b *graph.Builder, exe *graph.Executable) error {
	p, err := b.Program()
	if err == nil {
		*exe, err = cpu.Compile(p)
	}
	return err
}
