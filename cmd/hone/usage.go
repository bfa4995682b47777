package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hone-ml/hone/internal/nearest"
)

// A usageError is a command typed wrongly.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// unknownCommand finds a first argument that is no command, before its flags
// are looked at.
func unknownCommand(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	c, rest, _ := root.Find(args)
	if c != root || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil
	}
	return noSuchCommand(root, rest[0])
}

func noSuchCommand(c *cobra.Command, name string) error {
	var names []string
	for _, s := range c.Commands() {
		names = append(names, s.Name())
	}
	hint := ";"
	if near := nearest.Name(name, names); near != "" {
		hint = fmt.Sprintf("; did you mean `%s %s`?", c.CommandPath(), near)
	}
	return usagef("there is no command `%s %s`%s `%s --help` lists them", c.CommandPath(), name, hint, c.CommandPath())
}

// checkArguments makes a command, and those under it, take the arguments that
// its line of use names.
func checkArguments(c *cobra.Command) {
	c.Args = arguments
	for _, s := range c.Commands() {
		checkArguments(s)
	}
}

// arguments compares the arguments with the words of the line of use before
// its flags, as in "predict MODEL FILE". The last may be repeated, "rm RUN...", and
// one in brackets left out: "explain MODEL [FILE]", "search FILE [QUERY...]".
func arguments(c *cobra.Command, args []string) error {
	var names []string
	need, many := 0, false
	for _, word := range strings.Fields(c.Use)[1:] {
		if strings.HasPrefix(word, "-") {
			break
		}
		if !strings.HasPrefix(word, "[") {
			need++
		}
		word = strings.Trim(word, "[]")
		many = strings.HasSuffix(word, "...")
		names = append(names, word)
	}
	if f := c.Flags().Lookup("predictions"); f != nil && f.Changed {
		names, need = nil, 0 // they stand for the model and the file
	}
	switch {
	case len(args) < need:
		return usagef("%s is missing; usage: %s", strings.TrimSuffix(names[len(args)], "..."), c.UseLine())
	case len(args) <= len(names) || many:
		return nil
	case len(names) == 0 && c.HasSubCommands():
		return noSuchCommand(c, args[0])
	}
	return usagef("%q is one argument too many: put quotes around a name that has spaces; usage: %s", args[len(names)], c.UseLine())
}

// flagError explains a flag typed wrongly.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var bare *pflag.ValueRequiredError
	help := fmt.Sprintf("`%s --help` lists the flags", c.CommandPath())
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		hint := ";"
		if near := nearest.Name(unknown.GetSpecifiedName(), names); near != "" {
			hint = fmt.Sprintf("; did you mean --%s?", near)
		}
		return usagef("`%s` has no flag --%s%s %s", c.CommandPath(), unknown.GetSpecifiedName(), hint, help)
	case errors.As(err, &unknown):
		return usagef("`%s` has no flag -%s; %s", c.CommandPath(), unknown.GetSpecifiedName(), help)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		want := map[string]string{"int": "a whole number", "uint64": "a whole number of 0 or more", "bool": "true or false, or nothing"}[f.Value.Type()]
		if want == "" {
			want = "a " + f.Value.Type()
		}
		return usagef("--%s: found %q, expected %s; %s", f.Name, invalid.GetValue(), want, help)
	case errors.As(err, &bare):
		return usagef("--%s: its value is missing; %s", bare.GetFlag().Name, help)
	}
	return usagef("%w; %s", err, help)
}
