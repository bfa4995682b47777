package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/store"
)

// The learning curve over data size carries out the procedure on parts of the training
// rows, each of which holds the smaller ones, and measures all of them on the same
// validation rows. Test rows are not read.

// learningParts is by what the training rows are divided, for each point.
var learningParts = []int{16, 8, 4, 2, 1}

// leastLearning is how many rows a point needs.
const leastLearning = 30

// learningPoint is what a finished training leaves: how the judged rows were predicted.
type learningPoint struct {
	Rows int                `json:"rows"`
	By   *model.Predictions `json:"by"`
}

// LearnCurve makes the learning curve of the first output, by a metric; "" takes the one
// that the task is told by. The run stays unfinished, and Run goes on from it: the last
// point is its training.
func LearnCurve(ctx context.Context, c *Config, name string, watch Watcher) (curve *evaluate.LearningCurve, err error) {
	if watch == nil {
		watch = func(Event) {}
	}
	r := &run{c: c, used: c, watch: watch, began: time.Now()}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	kind := r.p.model.Output.Kind()
	if name == "" {
		name = evaluate.Headline(kind)
	}
	m, err := metricFor(name, kind)
	if err != nil {
		return nil, mistake("--metric: %v", err)
	}
	defer func() {
		err = errors.Join(err, r.close(err))
	}()
	if err := r.enter(); err != nil {
		return nil, err
	}
	in, err := r.learn(ctx)
	if err != nil {
		return nil, err
	}
	r.entry.Status = store.Stopped
	options := c.Evaluate
	options.Seed = c.Seed
	curve, err = evaluate.Learn(*in, m, options)
	if err != nil {
		return nil, mistake("%v", err)
	}
	return curve, nil
}

// learn carries out the trainings.
func (r *run) learn(ctx context.Context) (*evaluate.LearningInput, error) {
	p := r.p
	train, judge, bagging := p.train, p.valid, "off"
	if p.bag != nil { // rows of the first fold judge, each by a network that did not see it
		train, judge = p.train.Select(p.bag[0].Train), p.train.Select(p.bag[0].Test)
		bagging = fmt.Sprint(len(p.bag))
	}
	small, err := r.c.derive([]string{"train.bagging=" + bagging})
	if err != nil {
		return nil, err
	}
	order, err := r.c.learningOrder(train)
	if err != nil {
		return nil, err
	}
	in := &evaluate.LearningInput{Target: p.model.Target}
	var points []*learningPoint
	for k, part := range learningParts {
		what := fmt.Sprintf("learning curve, %d of %d", k+1, len(learningParts))
		if part == 1 {
			if err := r.train(ctx); err != nil {
				return nil, err
			}
			by := r.fit.held[0].by
			if p.bag != nil {
				by = by.Select(p.bag[0].Test)
			}
			points = append(points, &learningPoint{train.Rows, by})
			continue
		}
		n := train.Rows / part
		if n < leastLearning {
			continue
		}
		end := r.begin(what)
		point, err := r.learnPoint(ctx, small, train.Select(order[:n]), judge, what)
		var mistaken *UserError
		if errors.As(err, &mistaken) {
			in.Notes = append(in.Notes, fmt.Sprintf("%d rows are left out of the curve: %v", n, err))
			end("left out")
			continue
		}
		if err != nil {
			return nil, err
		}
		points = append(points, point)
		end(fmt.Sprintf("%d rows", n))
	}
	truth, weights := r.fit.held[0].truth, r.fit.held[0].weight
	if p.bag != nil {
		truth, weights = pick(truth, p.bag[0].Test, 1), pick(weights, p.bag[0].Test, 1)
		in.Notes = append(in.Notes, fmt.Sprintf("with bagging (train.bagging), the %d rows that judge are predicted by networks that did not train on them, but on others of them", judge.Rows))
	}
	for _, point := range points {
		in.Rows = append(in.Rows, point.Rows)
		in.Samples = append(in.Samples, heldOut{inClasses(point.By, r.fit.model.Output.Classes()), truth, weights}.sample())
	}
	return in, nil
}

// learnPoint is a training on some rows, or what an interrupted one left of it.
func (r *run) learnPoint(ctx context.Context, c *Config, train, judge *data.Table, what string) (*learningPoint, error) {
	path := r.checkpoint(what)
	var done learningPoint
	found, err := readOutcome(path, r.fingerprint(c), &done)
	if found && done.By != nil && done.By.Rows() == judge.Rows {
		return &done, nil
	}
	if err != nil {
		r.watch(Event{Stage: r.stage, Warning: fmt.Sprintf("what was kept of %s %v: it is carried out anew", what, err)})
	}
	var p *prepared
	if err := Await(ctx, func() (err error) { p, err = r.p.on(c, train, judge, nil); return err }); err != nil {
		return nil, err
	}
	fit, err := r.fitNetwork(ctx, c, p, what+", network")
	if err != nil {
		return nil, err
	}
	by := fit.held[0].by
	if p.bag != nil { // the judged rows stand after the others
		rows := make([]int, judge.Rows)
		for i := range rows {
			rows[i] = train.Rows + i
		}
		by = by.Select(rows)
	}
	done = learningPoint{train.Rows, by}
	return &done, writeOutcome(path, r.fingerprint(c), &done)
}

// learningOrder is an order of training rows of which every beginning is like a table
// with fewer rows: by chance, each class as often as in all; groups stay together, and
// where rows are divided by time, it is the latest that come first.
func (c *Config) learningOrder(t *data.Table) ([]int, error) {
	split := c.splitSpec()
	r := rand.New(rand.NewPCG(c.Seed, 0x6f72646572))
	order := r.Perm(t.Rows)
	by := t.Column(split.Column)
	switch {
	case split.Method == "time" && by != nil:
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(by.Numbers[b], by.Numbers[a]) })
		return order, nil
	case split.Method == "group" && by != nil:
		place := map[string]int{}
		for i, row := range order {
			if _, ok := place[by.Text(row)]; !ok {
				place[by.Text(row)] = i
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(place[by.Text(a)], place[by.Text(b)]) })
		return order, nil
	}
	target := t.Column(c.Outputs[0].Name)
	if target == nil {
		return nil, fmt.Errorf("the training rows have no column %q", c.Outputs[0].Name)
	}
	if target.Type == data.Number && len(uniques(target, 51)) > 50 {
		return order, nil
	}
	count, seen, share := map[string]float64{}, map[string]float64{}, make([]float64, t.Rows)
	for _, row := range order {
		count[target.Text(row)]++
	}
	for _, row := range order { // which share of its class has come with it
		class := target.Text(row)
		share[row] = (seen[class] + 0.5) / count[class]
		seen[class]++
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(share[a], share[b]) })
	return order, nil
}

// uniques are the values of a column, at most so many.
func uniques(c *data.Column, most int) map[string]bool {
	out := map[string]bool{}
	for i := 0; i < c.Len() && len(out) < most; i++ {
		out[c.Text(i)] = true
	}
	return out
}
