package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// A runGroup is models that are runs of one procedure by different seeds.
type runGroup struct {
	name  string
	names []string // of the candidates
}

// runGroups are those of a comparison; nil where every model stands for itself.
type runGroups []runGroup

// first returns the candidate that a standing's facts are of.
func (g runGroups) first(name string) string {
	for _, one := range g {
		if one.name == name {
			return one.names[0]
		}
	}
	return name
}

// candidates finds what the arguments name: a model each, or, as NAME=A,B,C or
// A,B,C, the runs of one procedure.
func (o *CompareOptions) candidates() ([]*candidate, runGroups, error) {
	var all []*candidate
	var groups runGroups
	var sizes []int
	several := false
	for _, arg := range o.Models {
		name, parts := "", []string{arg}
		if _, err := os.Lstat(arg); errors.Is(err, fs.ErrNotExist) && strings.Contains(arg, ",") {
			list := arg
			if before, after, ok := strings.Cut(arg, "="); ok {
				name, list = before, after
			}
			parts = strings.Split(list, ",")
			several = true
		}
		for _, part := range parts {
			c, err := findCandidate(part, o.Dir)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, c)
		}
		groups, sizes = append(groups, runGroup{name: name}), append(sizes, len(parts))
	}
	if err := distinctCandidates(all); err != nil {
		return nil, nil, err
	}
	if !several {
		return all, nil, nil
	}
	at := 0
	for i, n := range sizes {
		g := &groups[i]
		for _, c := range all[at : at+n] {
			g.names = append(g.names, c.name)
		}
		at += n
		if g.name == "" {
			if g.name = g.names[0]; n > 1 {
				g.name += fmt.Sprintf(" and %d more", n-1)
			}
		}
		if slices.ContainsFunc(groups[:i], func(o runGroup) bool { return o.name == g.name }) {
			return nil, nil, mistake("two groups are named %q: give one another name, as NAME=A,B,C", g.name)
		}
	}
	return all, groups, nil
}

// rank ranks models, or the procedures that they are runs of.
func rank(entries []evaluate.Entry, groups runGroups, o evaluate.RankOptions) (*evaluate.Leaderboard, error) {
	if groups == nil {
		return evaluate.Rank(entries, o)
	}
	samples := map[string]*metric.Sample{}
	for _, e := range entries {
		samples[e.Name] = e.Sample
	}
	var of []evaluate.Procedure
	for _, g := range groups {
		one := evaluate.Procedure{Name: g.name}
		for _, n := range g.names {
			one.Samples = append(one.Samples, samples[n])
		}
		of = append(of, one)
	}
	return evaluate.RankProcedures(of, o)
}
