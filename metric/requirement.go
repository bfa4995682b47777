package metric

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Requirement is a bound that a metric must keep: a quality gate.
type Requirement struct {
	Output string // of several, whose metric is meant; "": the first
	Metric string // the metric's name, never an alias
	Op     string // >=, >, <= or <
	Value  float64
}

// ParseRequirement reads a requirement such as "accuracy>=0.87" or, of one of
// several outputs, "churn.accuracy>=0.87".
func ParseRequirement(text string) (Requirement, error) {
	fail := func(format string, args ...any) (Requirement, error) {
		return Requirement{}, fmt.Errorf("requirement %q: %s", text, fmt.Sprintf(format, args...))
	}
	at := strings.IndexAny(text, "<>=")
	if at < 0 {
		return fail("no comparison found; expected one such as 'accuracy>=0.87' (quoted, or a shell takes > for a redirection)")
	}
	end := at + 1
	for end < len(text) && strings.ContainsRune("<>=", rune(text[end])) {
		end++
	}
	name, op, number := strings.TrimSpace(text[:at]), text[at:end], strings.TrimSpace(text[end:])
	switch op {
	case ">=", ">", "<=", "<":
	default:
		return fail("unknown comparison %q; expected >=, >, <= or <", op)
	}
	if name == "" {
		return fail("no metric before %s; expected one such as accuracy", op)
	}
	output := ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		if output, name = name[:dot], name[dot+1:]; output == "" || name == "" {
			return fail("expected a metric before %s, or OUTPUT.METRIC", op)
		}
	}
	m, err := Lookup(name)
	if err != nil {
		return fail("%v", err)
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return fail("found %q after %s; expected a number such as 0.87", number, op)
	}
	return Requirement{output, m.Name, op, value}, nil
}

// ParseRequirements reads requirements joined by "and", such as
// "accuracy>=0.9 and f1_macro>=0.85".
func ParseRequirements(text string) ([]Requirement, error) {
	var all []Requirement
	part := ""
	words := strings.Split(text, " ")
	for i, word := range words {
		last := i == len(words)-1
		joins := strings.EqualFold(word, "and") && strings.ContainsAny(part, "<>=") // else it is part of an output's name
		if !joins {
			part += " " + word
		}
		if strings.EqualFold(word, "or") && strings.ContainsAny(part, "<>=") {
			return nil, fmt.Errorf("requirement %q: requirements are joined by and alone: every one must be met", text)
		}
		if joins || last {
			r, err := ParseRequirement(strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			all, part = append(all, r), ""
		}
		if joins && last {
			return nil, fmt.Errorf("requirement %q: nothing follows the last and", text)
		}
	}
	return all, nil
}

// Of names what is measured: the metric, after its output if that is named.
func (r Requirement) Of() string {
	if r.Output != "" {
		return r.Output + "." + r.Metric
	}
	return r.Metric
}

// String gives the requirement as ParseRequirement reads it.
func (r Requirement) String() string {
	return r.Of() + r.Op + strconv.FormatFloat(r.Value, 'g', -1, 64)
}

// Check gives nil when a value of the metric keeps the requirement, and
// otherwise an error that says by how much it does not. An undefined value
// (NaN) never keeps it.
func (r Requirement) Check(value float64) error {
	kept := false
	switch r.Op {
	case ">=":
		kept = value >= r.Value
	case ">":
		kept = value > r.Value
	case "<=":
		kept = value <= r.Value
	case "<":
		kept = value < r.Value
	default:
		return fmt.Errorf("requirement on %s: unknown comparison %q; expected >=, >, <= or <", r.Metric, r.Op)
	}
	switch {
	case kept:
		return nil
	case math.IsNaN(value):
		return fmt.Errorf("%s is undefined on these rows, required %s %v", r.Of(), r.Op, r.Value)
	}
	return fmt.Errorf("%s is %.6g, required %s %v (off by %.3g)", r.Of(), value, r.Op, r.Value, math.Abs(value-r.Value))
}
