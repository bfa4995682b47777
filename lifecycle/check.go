package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// copies is how often a network's numbers stand in memory while it is trained:
// weights, gradients, two moments, the best weights so far.
const copies = 5

// check finds what cannot be carried out before anything is trained: a network
// that cannot be built or held in memory, metrics of another task.
func (p *prepared) check(c *Config) error {
	_, state, err := p.model.Describe()
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the line of the program that built it
		}
		return mistake("%s: network: %v", c.doc.Name(), err)
	}
	need, have := copies*4*uint64(state.Parameters()), memory()
	if have > 0 && need > have {
		return mistake("%s: the network has %d parameters, and training it takes %.3g GB of memory, of which this machine has %.3g: take smaller layers (%s)",
			c.doc.Name(), state.Parameters(), float64(need)/1e9, float64(have)/1e9, describeNetwork(p.model))
	}
	kind := p.model.Output.Kind()
	if name := c.Train.EarlyStopping.Metric; name != "loss" {
		if _, err := metricFor(name, kind); err != nil {
			return mistake("%s: train.early_stopping.metric: %v", c.doc.Name(), err)
		}
	}
	for _, name := range c.Evaluate.Metrics {
		if _, err := metricFor(name, kind); err != nil {
			return mistake("%s: evaluate.metrics: %v", c.doc.Name(), err)
		}
	}
	if err := p.checkClasses(c); err != nil {
		return err
	}
	if err := p.checkSums(); err != nil {
		return err
	}
	return CheckGates(c.Gates, p.model)
}

// CheckGates finds requirements that no prediction of such a task can meet.
func CheckGates(gates []metric.Requirement, m *model.Model) error {
	for _, g := range gates {
		outputs := m.Outputs()
		at := 0
		if g.Output != "" {
			names := targetsOf(m)
			if at = slices.Index(names, g.Output); at < 0 {
				return mistake("--require %v: there is no output %q, expected one of %s%s", g, g.Output, strings.Join(names, ", "), didYouMean(g.Output, names))
			}
		}
		if _, err := metricFor(g.Metric, outputs[at].Feature.Kind()); err != nil {
			return mistake("--require %v: %v", g, err)
		}
	}
	return nil
}

// MetricFits finds a metric that measures none of a model's outputs.
func MetricFits(name string, m *model.Model) (err error) {
	for _, o := range m.Outputs() {
		if _, e := metricFor(name, o.Feature.Kind()); e == nil {
			return nil
		} else if err == nil {
			err = e
		}
	}
	return err
}

// gated are the metrics that gates ask of an output.
func (c *Config) gated(output string, first bool) (names []string) {
	for _, g := range c.Gates {
		if g.Output == output || g.Output == "" && first {
			names = append(names, g.Metric)
		}
	}
	return names
}

// gatesMet reports whether the test rows meet every gate.
func (c *Config) gatesMet(r *evaluate.Result) bool {
	for _, g := range c.Gates {
		scores := r.Test
		if o, ok := r.Outputs[g.Output]; ok { // the first is not among them
			scores = o.Test
		}
		v, ok := scores[g.Metric]
		if !ok || g.Check(v.Value) != nil {
			return false
		}
	}
	return true
}

// metricFor returns the metric of a name if it measures such a task.
func metricFor(name string, kind metric.Kind) (*metric.Metric, error) {
	m, err := metric.Lookup(name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(m.Kinds, kind) {
		var fit []string
		for _, m := range metric.For(kind) {
			fit = append(fit, m.Name)
		}
		return nil, fmt.Errorf("%s does not measure a %s task, expected one of %s", name, kind, strings.Join(fit, ", "))
	}
	return m, nil
}

// memory returns the bytes that this process may have at most, 0 where the
// system does not say.
func memory() uint64 {
	least := uint64(0)
	limit := func(n uint64, err error) {
		if err == nil && n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
				n, err := strconv.ParseUint(f[1], 10, 54)
				limit(n<<10, err)
			}
		}
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if raw, err := os.ReadFile(path); err == nil {
			limit(strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64))
		}
	}
	return least
}
