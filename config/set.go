package config

import (
	"fmt"
	"strconv"
	"strings"
)

const setFlag = "--set "

// Set applies overrides of the form path=value, as given by --set. The path
// is dotted: train.optimizer.learning_rate. An element of a list is given by
// its index or its name: inputs[0].type, inputs.age.type; a key that contains
// dots is quoted: optimize.search."train.epochs". The value is YAML. Whether
// the path exists is found when decoding, except for elements of lists.
func (d *Document) Set(assignments ...string) error {
	var problems []Problem
	for _, a := range assignments {
		if message, hint := d.set(a); message != "" {
			problems = append(problems, Problem{Flag: setFlag + a, Message: message, Hint: hint})
		}
	}
	return newError(problems)
}

func (d *Document) set(assignment string) (message, hint string) {
	path, text, ok := strings.Cut(assignment, "=")
	if !ok {
		return "found no =, expected key=value", ""
	}
	steps, err := splitPath(path)
	if err != nil {
		return err.Error(), "write it like train.optimizer.learning_rate=0.01"
	}
	value, problems := parse([]byte(text))
	if len(problems) > 0 {
		return "the value is not YAML: " + problems[0].Message, problems[0].Hint
	}
	at := place{flag: setFlag + assignment}
	value.stamp(at)

	n := d.root
	for i, s := range steps {
		if i == len(steps)-1 {
			return n.assign(s, value, at)
		}
		next := n.child(s)
		if next == nil {
			next = &node{kind: mapping, at: at}
			if message, hint := n.assign(s, next, at); message != "" {
				return message, hint
			}
		}
		switch next.kind {
		case scalar: // a shorthand such as "adam", which now gets keys
			short := *next
			*next = node{kind: mapping, at: at, short: &short}
		case null:
			*next = node{kind: mapping, at: at}
		}
		n = next
	}
	return "", ""
}

// stamp makes at the place of a value and of everything in it.
func (n *node) stamp(at place) {
	n.at = at
	for _, v := range n.items {
		v.stamp(at)
	}
	for i := range n.entries {
		n.entries[i].at = at
		n.entries[i].value.stamp(at)
	}
}

// child returns the value that a step of a path leads to, or nil.
func (n *node) child(s step) *node {
	switch n.kind {
	case mapping:
		if e := n.find(s.key); e != nil && !s.index {
			return e.value
		}
	case sequence:
		if i := n.element(s); i >= 0 {
			return n.items[i]
		}
	}
	return nil
}

// element returns the index of an element of a list by index or name, or -1.
func (n *node) element(s step) int {
	if i, err := strconv.Atoi(s.key); err == nil && i >= 0 && i < len(n.items) {
		return i
	}
	if !s.index {
		for i, v := range n.items {
			if name := v.name(); name != "" && name == s.key {
				return i
			}
		}
	}
	return -1
}

// name returns what an element of a list is called: its name, or itself.
func (n *node) name() string {
	switch {
	case n.kind == scalar:
		return n.text
	case n.kind != mapping:
	case n.find("name") != nil:
		return n.find("name").value.text
	case n.short != nil:
		return n.short.text
	}
	return ""
}

func (n *node) assign(s step, value *node, at place) (message, hint string) {
	switch {
	case n.kind == sequence:
		i := n.element(s)
		if i < 0 {
			var names []string
			for _, v := range n.items {
				if name := v.name(); name != "" {
					names = append(names, name)
				}
			}
			message = fmt.Sprintf("found no element %q in a list of %d", s.key, len(n.items))
			if hint = didYouMean(s.key, names); hint == "" {
				hint = "set the whole list to add to it"
			}
			return message, hint
		}
		n.items[i] = value
	case s.index:
		return fmt.Sprintf("found [%s] where the document has no list", s.key), "set the whole list, key=[a, b]"
	case n.find(s.key) != nil:
		e := n.find(s.key)
		e.at, e.value = at, value
	default:
		n.entries = append(n.entries, entry{s.key, at, value})
	}
	return "", ""
}

// A step leads from a value to one within it.
type step struct {
	key   string
	index bool // it was written [i]
}

// splitPath splits a dotted path.
func splitPath(path string) ([]step, error) {
	bad := fmt.Errorf("found %q, expected a dotted path", path)
	var steps []step
	for rest := path; ; {
		switch {
		case strings.HasPrefix(rest, `"`):
			key, after, ok := strings.Cut(rest[1:], `"`)
			if !ok || key == "" {
				return nil, bad
			}
			steps, rest = append(steps, step{key: key}), after
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, bad
			}
			steps, rest = append(steps, step{key: rest[:end]}), rest[end:]
		}
		for strings.HasPrefix(rest, "[") {
			i, after, ok := strings.Cut(rest[1:], "]")
			if _, err := strconv.ParseUint(i, 10, 31); !ok || err != nil {
				return nil, bad
			}
			steps, rest = append(steps, step{i, true}), after
		}
		if rest == "" {
			return steps, nil
		}
		if rest[0] != '.' {
			return nil, bad
		}
		rest = rest[1:]
	}
}

// join appends a key to a path, as splitPath reads it.
func join(path, key string) string {
	if key == "" || strings.ContainsAny(key, ".[]") {
		key = `"` + key + `"`
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
