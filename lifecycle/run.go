package lifecycle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/report"
	"github.com/hone-ml/hone/store"
	"github.com/hone-ml/hone/train"
)

// Version is the program's, set by the door.
var Version = "dev"

// numerics is raised by every change that changes the bits of training, so
// that a run begun by an older program is not continued by this one.
const numerics = 5

// Run carries out the whole run of a configuration. An unfinished run of the
// same configuration, data and program is continued.
func Run(ctx context.Context, c *Config, watch Watcher) (*Summary, error) {
	if watch == nil {
		watch = func(Event) {}
	}
	r := &run{c: c, used: c, watch: watch, began: time.Now()}
	return r.do(ctx)
}

// run is a run in progress.
type run struct {
	c     *Config
	watch Watcher
	began time.Time
	stage string

	endPrepare func(summary string) // ends StagePrepare

	p      *prepared
	store  store.Store
	entry  store.Run
	unlock func() error

	crossed  *crossed // nil: no cross-validation
	used     *Config  // the configuration with the changes of the trials that were kept
	fit      *fitted
	improved *evaluate.Improvement // nil: no trials
	linear   *fitted               // nil where the folds' is the test
	resumed  bool
	profile  *Profile       // nil: none was asked for
	pictures map[int]string // small images of the rows that failures tell of, by number
}

func (r *run) do(ctx context.Context) (summary *Summary, err error) {
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, r.close(err))
	}()
	if err := r.enter(); err != nil {
		return nil, err
	}
	p := r.p
	var end func(string)
	if p.folds != nil {
		end = r.begin(StageFolds)
		if r.crossed, err = r.crossValidate(ctx); err != nil {
			return nil, err
		}
		end(fmt.Sprintf("%d folds, each of which the whole procedure was carried out for", len(r.crossed.result[0].Each)))
	}
	if err := r.train(ctx); err != nil {
		return nil, err
	}

	if r.c.Optimize.Trials > 0 {
		end = r.begin(StageOptimise)
		best, chain, err := r.improve(ctx, contender{r.c, r.p, r.fit}, "")
		r.used, r.p, r.fit, r.improved = best.c, best.p, best.fit, chain
		if IsStopped(err) {
			r.keepBest(r.fit.model, "network", r.fit.result.BestEpoch)
		}
		if err != nil {
			return nil, err
		}
		end(chain.Sentence())
	}

	end = r.begin(StageBaseline)
	if err := r.calibrate(r.used, r.p, r.fit, "network"); err != nil {
		return nil, err
	}
	r.chooseAbstention() // by the probabilities as they are corrected
	if p.test == nil {
		end("a linear model was trained for every fold")
	} else {
		if r.linear, err = r.fitLinear(ctx, r.c, r.p, r.fit, linearBaseline); err != nil {
			return nil, err
		}
		end("a linear model on the same inputs")
	}

	end = r.begin(StageEvaluate)
	var result *evaluate.Result
	if err := Await(ctx, func() (err error) { result, err = r.evaluate(ctx); return err }); err != nil {
		return nil, err
	}
	if p.test == nil {
		end(fmt.Sprintf("%d rows, each predicted by models that never saw it", result.Rows.Test))
	} else {
		end(fmt.Sprintf("%d test rows, read once", result.Rows.Test))
	}

	end = r.begin(StagePublish)
	summary, err = r.publish(ctx, result)
	if err != nil {
		return nil, err
	}
	end(summary.Bundle)
	return summary, nil
}

// prepare does the stage of that name up to the register, which enter ends.
func (r *run) prepare(ctx context.Context) error {
	r.endPrepare = r.begin(StagePrepare)
	if err := Await(ctx, func() (err error) { r.p, err = r.c.prepare(); return err }); err != nil {
		return err
	}
	for _, n := range r.p.notes {
		r.watch(Event{Stage: r.stage, Note: n})
	}
	for _, w := range r.p.warnings {
		r.watch(Event{Stage: r.stage, Warning: w})
	}
	return nil
}

// enter takes the run's place in the register. Whatever comes of it, the run must
// be closed.
func (r *run) enter() error {
	if err := writable(r.c.doc.Dir()); err != nil {
		return err
	}
	if err := r.open(); err != nil {
		return err
	}
	if err := r.p.writeRejected(filepath.Join(r.entry.Dir, rejectedFile)); err != nil {
		return err
	}
	r.endPrepare(fmt.Sprintf("%s; %d inputs", r.p.divided(), len(r.p.model.Inputs)))
	return nil
}

// train does the stage of that name.
func (r *run) train(ctx context.Context) error {
	end := r.begin(StageTrain)
	finish, err := r.startProfile()
	if err != nil {
		return err
	}
	r.fit, err = r.fitNetwork(ctx, r.c, r.p, "network")
	if err := errors.Join(err, finish(err)); err != nil {
		return err
	}
	outcome := fmt.Sprintf("%d epochs, the best was %d: %s", len(r.fit.result.History), r.fit.result.BestEpoch, r.fit.result.Stopped)
	if r.p.bag != nil {
		outcome = fmt.Sprintf("%d networks; that in the middle: %s", len(r.p.bag), outcome)
	}
	end(outcome)
	return nil
}

// writable finds out before training whether the bundle can be put into a
// folder afterwards.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".hone-*")
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the name of the probe says nothing
		}
		return mistake("the bundle could not be put beside the configuration, into the folder %s: %v: copy the configuration to a folder that can be written", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Await returns what f returns, or the context's error once it is cancelled: f
// then runs on to no effect until the process ends. It is for work that writes
// nothing and that a user should not have to wait for after Ctrl-C.
func Await(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin announces a stage and returns the function that ends it.
func (r *run) begin(stage string) func(summary string) {
	r.stage = stage
	r.watch(Event{Stage: stage})
	began := time.Now()
	return func(summary string) {
		r.watch(Event{Stage: stage, Ended: &Ended{time.Since(began).Seconds(), summary}})
	}
}

// open finds the unfinished run to continue, or enters a new one, and locks
// its folder.
func (r *run) open() (err error) {
	dir := home(r.c.doc.Dir())
	if r.store, err = store.Open(filepath.Join(dir, "runs.db")); err != nil {
		return err
	}
	// Two runs that are started together look and enter one after the other.
	enter, err := atomicfile.LockWithin(filepath.Join(dir, "enter.lock"), 10*time.Second)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, enter()) }()
	sum := sha256.Sum256(fmt.Appendf(nil, "hone %d\n%s\n%s", numerics, r.p.fingerprint, r.c.Text(false)))
	print := hex.EncodeToString(sum[:])
	runs, err := r.store.List(0)
	if err != nil {
		return err
	}
	var last *store.Run // the newest of this name
	for i, old := range runs {
		if old.Name != r.c.Name {
			continue
		}
		if last == nil {
			last = &runs[i]
		}
		if old.Fingerprint != print || old.Status == store.Done || old.Status == store.Failed || r.c.Profile {
			continue
		}
		// `hone runs` holds it for a moment, to see whether anybody does.
		unlock, err := atomicfile.LockWithin(filepath.Join(old.Dir, "lock"), 200*time.Millisecond)
		var locked *atomicfile.LockedError
		switch {
		case errors.As(err, &locked):
			return mistake("this run is going on already, as %s in process %s: wait for it, or stop it first", old.ID, locked.PID)
		case errors.Is(err, fs.ErrNotExist): // somebody deleted its folder
			continue
		case err != nil:
			return err
		}
		r.entry, r.unlock, r.resumed = old, unlock, true
		r.watch(Event{Stage: r.stage, Note: "going on with the unfinished run " + old.ID})
		break
	}
	if r.unlock == nil {
		if last != nil && last.Fingerprint != print && (last.Status == store.Stopped || StatusOf(*last) == "killed") {
			r.watch(Event{Stage: r.stage, Note: fmt.Sprintf("the unfinished run %s had another configuration, other data or another program: starting anew", last.ID)})
		}
		id := store.NewID(time.Now(), uint16(rand.Uint32()))
		r.entry = store.Run{ID: id, Name: r.c.Name, Created: time.Now(), Dir: filepath.Join(dir, "runs", id), Fingerprint: print, Seed: r.c.Seed, Version: Version}
		if err := os.MkdirAll(r.entry.Dir, 0o755); err != nil {
			return err
		}
		if r.unlock, err = atomicfile.Lock(filepath.Join(r.entry.Dir, "lock")); err != nil {
			return err
		}
		if err := atomicfile.WriteBytes(filepath.Join(r.entry.Dir, "config.yaml"), r.c.Text(false)); err != nil {
			return err
		}
	}
	r.entry.Status, r.entry.Error = store.Running, ""
	r.entry.Config = string(r.c.Text(false))
	return r.store.Put(r.entry)
}

// close enters how the run ended and lets go of it.
func (r *run) close(err error) error {
	if r.unlock == nil {
		if r.store != nil {
			return r.store.Close()
		}
		return nil
	}
	switch {
	case err == nil:
	case errors.Is(err, train.ErrStopped) || errors.Is(err, context.Canceled):
		r.entry.Status = store.Stopped
		err = nil
	case errors.As(err, new(*UserError)):
		r.entry.Status, r.entry.Error = store.Failed, err.Error()
		r.entry.Finished = time.Now()
		err = removeCheckpoints(r.entry.Dir) // the same command would fail the same way
	default: // a full disk, a folder that is gone: the same command goes on once that is mended
		r.entry.Status, r.entry.Error = store.Stopped, err.Error()
		err = nil
	}
	return errors.Join(err, r.store.Put(r.entry), r.unlock(), r.store.Close())
}

// evaluate measures the model and the baselines on the test rows, which
// nothing has read before, or takes what the folds predicted where all rows were
// tested by them.
func (r *run) evaluate(ctx context.Context) (*evaluate.Result, error) {
	by, err := r.testPredictions(ctx)
	if err != nil {
		return nil, err
	}
	y, truth, err := r.fit.model.AllTargets(r.p.held())
	if err != nil {
		return nil, &UserError{"validation rows: " + err.Error()}
	}
	weights := weigh(y, truth, r.p.shares(r.used), r.p.weights(r.p.held()))
	var result *evaluate.Result
	for i, o := range r.fit.model.Outputs() {
		in := evaluate.Input{
			Target: o.Column, Validation: r.fit.held[i].sample(), Baselines: map[string]*metric.Sample{},
			Training: training(r.fit.result, evaluate.Headline(o.Feature.Kind()), r.fit.model.Members),
		}
		options := r.c.Evaluate
		options.Seed = r.c.Seed
		options.Also = r.c.gated(o.Column, i == 0)
		if i == 0 {
			in.TrivialLoss = r.fit.model.ConstantLoss(y, weights)
		} else {
			options.Metrics = nil
		}
		for k, h := range by[i] {
			if s := h.sample(); k == 0 {
				in.Test = s
			} else {
				in.Baselines[predictors[k]] = s
			}
		}
		in.Rows = r.p.rows(o.Column)
		in.Rows.Test = in.Test.Rows()
		one, err := evaluate.Evaluate(in, options)
		if err != nil && i > 0 {
			return nil, mistake("output %q: %v", o.Column, err)
		}
		if err != nil {
			return nil, &UserError{err.Error()}
		}
		if note := unseenLabels(o, r.p.test); note != "" {
			one.Notes = append(one.Notes, note)
		}
		if r.crossed != nil {
			one.CrossValidation = r.crossed.result[i]
		}
		one.Recalibration = r.fit.recalibration(i)
		if one.Importance, err = r.importance(ctx, i, truth[i]); err != nil {
			return nil, err
		}
		if one.PredictionSets, err = r.conform(i, o, in.Test); err != nil {
			return nil, err
		}
		if one.Abstain, err = r.measureAbstention(o.Column, by[i][0], options); err != nil {
			return nil, err
		}
		switch {
		case i == 0:
			result = one
			if err := r.fail(result, by[0][0], in.Test); err != nil {
				return nil, err
			}
			if err := r.diagnose(ctx, result, in.Test); err != nil {
				return nil, err
			}
			continue
		case result.Outputs == nil:
			result.Outputs = map[string]*evaluate.OutputResult{}
		}
		result.Outputs[o.Column] = one.Output()
	}
	result.Weight, result.Improvement = r.p.weight, r.improved.WithoutTimes()
	return result, nil
}

// predictors are the names of what is measured side by side; the first is the
// model.
var predictors = []string{"", "linear", "trivial"}

// predict returns what the predictors say of rows: for each output, in their order.
func (p *prepared) predict(ctx context.Context, network, linear *fitted, t *data.Table) ([][]*model.Predictions, error) {
	a, err := network.model.PredictAll(ctx, t)
	if err != nil {
		return nil, err
	}
	b, err := linear.model.PredictAll(ctx, t)
	if err != nil {
		return nil, err
	}
	var by [][]*model.Predictions
	for i := range p.outputs {
		c, err := p.trivial(i, t.Rows)
		if err != nil {
			return nil, err
		}
		by = append(by, []*model.Predictions{a[i], b[i], c})
	}
	return by, nil
}

// testPredictions returns the predictions of the test rows: for each output, in
// the order of predictors.
func (r *run) testPredictions(ctx context.Context) ([][]heldOut, error) {
	var all [][]heldOut
	add := func(by []*model.Predictions, truth, weight []float64) {
		var one []heldOut
		for _, p := range by {
			one = append(one, heldOut{p, truth, weight})
		}
		all = append(all, one)
	}
	if r.p.test == nil {
		for _, o := range r.crossed.repeats[0] {
			add(o.by, o.truth, pick(r.p.weights(r.p.source), o.rows, 1))
		}
		return all, nil
	}
	_, targets, err := r.fit.model.AllTargets(r.p.test)
	if err != nil {
		return nil, &UserError{"test rows: " + err.Error()}
	}
	by, err := r.p.predict(ctx, r.fit, r.linear, r.p.test)
	for i := range by {
		add(by[i], targets[i], r.p.weights(r.p.test))
	}
	return all, err
}

// training turns the history into learning curves.
func training(res *train.Result, headline string, members int) evaluate.Training {
	t := evaluate.Training{Best: res.BestEpoch, Metric: headline, Members: members}
	for _, e := range res.History {
		for name := range e.Scores {
			t.Metric = name
		}
		t.Epochs = append(t.Epochs, evaluate.Epoch{
			Epoch: e.Epoch, TrainLoss: evaluate.Number(e.Loss), ValidationLoss: evaluate.Number(e.Validation),
			Metric: evaluate.Number(e.Scores[t.Metric]), LearningRate: evaluate.Number(e.LearningRate),
		})
	}
	return t
}

// publish writes bundle and report, measures the latency of the bundle as it
// would be served, and registers the run.
func (r *run) publish(ctx context.Context, result *evaluate.Result) (*Summary, error) {
	m := r.fit.model
	rep := &report.Report{
		Name: r.c.Name, Seed: r.c.Seed, Version: Version, Config: string(r.used.Text(false)), Data: r.p.facts,
		Network: describeNetwork(m), Parameters: m.Parameters(), Bundle: r.c.Name + ".hone", Result: result,
		About: r.c.Report.Card, Language: report.LanguageOf(r.c.Report.Language),
	}
	// What is in the bundle follows from configuration, data and seed alone, so
	// that the same run gives the same file: no times, no run.
	var card bytes.Buffer
	if err := report.ModelCard(&card, rep); err != nil {
		return nil, err
	}
	kept := *result
	kept.Failures = result.Failures.WithoutValues()
	metrics, err := json.MarshalIndent(&kept, "", "  ")
	if err != nil {
		return nil, err
	}
	inRun := filepath.Join(r.entry.Dir, r.c.Name+".hone")
	parts, err := r.p.answersPart()
	if err != nil {
		return nil, err
	}
	if err := m.Save(inRun, Version, append(parts,
		bundle.Part{Name: "config.yaml", Content: []byte(rep.Config)},
		bundle.Part{Name: "metrics.json", Content: append(metrics, '\n')},
		bundle.Part{Name: "model_card.md", Content: card.Bytes()},
		bundle.Part{Name: serving, Content: config.Show(&serves{r.c.Serve}, false)},
	)...); err != nil {
		return nil, err
	}
	some := r.p.train
	if r.p.test != nil {
		some = r.p.test
	}
	latency, err := measureLatency(ctx, inRun, some)
	if err != nil {
		return nil, err
	}
	beside := absolute(filepath.Join(r.c.doc.Dir(), r.c.Name+".hone"))
	// A model that does not meet its gates does not replace one that may.
	met := r.c.gatesMet(result)
	switch _, err := os.Stat(beside); {
	case !met:
		r.watch(Event{Stage: r.stage, Warning: "the gates are not met: the bundle stays in the run's folder, and none is put beside the configuration"})
		beside = inRun
	case err == nil:
		r.watch(Event{Stage: r.stage, Note: "replaces the earlier " + filepath.Base(beside)})
	}
	if met {
		if err := copyFile(inRun, beside); err != nil {
			return nil, err
		}
	}
	rep.RunID, rep.Date, rep.Machine = r.entry.ID, time.Now().Format("2006-01-02 15:04"), machine()
	rep.Pictures = r.pictures
	rep.TrainingSeconds, rep.LatencyMS = r.fit.result.Seconds, latency
	page := filepath.Join(r.entry.Dir, "report.html")
	if err := atomicfile.Write(page, func(w io.Writer) error { return report.HTML(w, rep) }); err != nil {
		return nil, err
	}
	s := &Summary{
		Bundle: beside, Report: page, Run: r.entry.ID, Name: r.c.Name, Seed: r.c.Seed, Target: m.Target, Task: result.Task,
		Headline: headline(result), Test: result.Test, Validation: result.Validation, Baselines: result.Baselines, Rows: result.Rows,
		Members: m.Members, Parameters: rep.Parameters, Epochs: len(r.fit.result.History), BestEpoch: r.fit.result.BestEpoch,
		Cleaned: r.p.facts.Cleaned, Answers: answered(result), Against: against(result), Improvement: r.improved, Resumed: r.resumed, Seconds: time.Since(r.began).Seconds(), LatencyMS: latency,
	}
	s.Outputs, s.Profile, s.Abstain, s.Importance = outputSummaries(result), r.profile, result.Abstain, result.Importance
	s.Findings = s.Answers.All()
	s.Failures, s.Diagnosis = kept.Failures, result.Diagnosis
	if r.crossed != nil {
		s.CrossValidation, s.OutOfFold = result.CrossValidation, filepath.Join(r.entry.Dir, outOfFold)
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	r.entry.Status, r.entry.Finished, r.entry.Bundle, r.entry.Task, r.entry.Result = store.Done, time.Now(), beside, result.Task, raw
	// Checkpoints have done their work. A kill before this leaves them, and the
	// run unfinished in the register, to be finished by the same command.
	if err := r.store.Put(r.entry); err != nil {
		return nil, err
	}
	return s, removeCheckpoints(r.entry.Dir)
}

// removeCheckpoints also removes halves of files that a kill left.
func removeCheckpoints(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) == ".checkpoint" || strings.Contains(f.Name(), ".tmp-") {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// headline is the metric that the outcome is told by: the first one that the
// test rows define.
func headline(r *evaluate.Result) string {
	for _, m := range r.Metrics {
		if _, ok := r.Test[m.Name]; ok {
			return m.Name
		}
	}
	return r.Metrics[0].Name
}

// against says, for each baseline, how the network did by the headline metric.
func against(r *evaluate.Result) map[string]string {
	out := map[string]string{}
	for name := range r.Baselines {
		if c := r.Compare(name, headline(r)); c != nil {
			out[name] = c.Outcome
		}
	}
	return out
}

func copyFile(from, to string) error {
	return atomicfile.Write(to, func(w io.Writer) error {
		f, err := os.Open(from)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

func machine() string {
	return fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}
