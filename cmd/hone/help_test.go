package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// words splits a line as a shell does, up to a redirection.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		for _, w := range strings.Fields(part) {
			if w == ">" || w == "|" {
				return out
			}
			out = append(out, w)
		}
	}
	return out
}

// TestHelp reads the help of every command: it says what the command does,
// every flag is explained, and its examples can be typed.
func TestHelp(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, s := range c.Commands() {
			if s.Name() != "help" && s.Name() != "completion" { // cobra's own
				walk(s)
			}
		}
		name := c.CommandPath()
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || len(c.Short) > 80 {
			t.Errorf("%s: its line is %q, expected up to 80 characters without a full stop", name, c.Short)
		}
		for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
			if len([]rune(line)) > 90 {
				t.Errorf("%s: a line of help is too long for a terminal: %q", name, line)
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s is not explained", name, f.Name)
			}
			if kind, _ := pflag.UnquoteUsage(f); f.Value.Type() != "bool" && strings.ToUpper(kind) != kind {
				t.Errorf("%s: --%s %s: what it takes has no name: put `NAME` into its explanation", name, f.Name, kind)
			}
		})
		if !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s has no example", name)
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if strings.TrimSpace(line) == "" {
				continue
			}
			args := words(line)
			if args[0] != "hone" {
				t.Errorf("%s: %q does not begin with hone", name, line)
				continue
			}
			root := newRoot() // flags keep what they were set to
			root.SetErr(io.Discard)
			if err := unknownCommand(root, args[1:]); err != nil {
				t.Errorf("%q: %v", line, err)
				continue
			}
			target, rest, err := root.Find(args[1:])
			if err != nil {
				t.Errorf("%q: %v", line, err)
				continue
			}
			if err := target.ParseFlags(rest); err != nil {
				t.Errorf("%q: %v", line, err)
			} else if err := target.ValidateArgs(target.Flags().Args()); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			if top := strings.Fields(name); len(top) > 1 && args[1] != top[1] {
				t.Errorf("%q is an example of another command than %s", line, name)
			}
		}
	}
	walk(newRoot())
}

// TestEveryCommandTakesJSON is what docs/json.md promises.
func TestEveryCommandTakesJSON(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, s := range c.Commands() {
			walk(s)
		}
		if !c.HasSubCommands() && c.Flags().Lookup("json") == nil && c.InheritedFlags().Lookup("json") == nil {
			t.Errorf("%s has no --json", c.CommandPath())
		}
	}
	walk(newRoot())
}
