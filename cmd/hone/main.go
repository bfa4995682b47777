// Command hone is the whole life of a deep model in one program.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/lifecycle"
)

// Exit codes, the same for every command.
const (
	exitOurs    = 1   // our fault
	exitUsers   = 2   // the user's mistake
	exitGate    = 3   // a quality gate was not met
	exitStopped = 130 // Ctrl-C
)

// version is set at release by -ldflags "-X main.version=…".
var version = ""

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process around it.
func run(args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "hone: internal error: %v\nthis is a mistake in hone, not yours: please report it with the lines below\n%s", p, debug.Stack())
			code = exitOurs
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lifecycle.Version = versionText()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	return report(err, stderr)
}

// report prints an error for people and returns the exit code.
func report(err error, stderr io.Writer) int {
	var gate *gateError
	var list *config.Error
	switch {
	case errors.As(err, &gate):
		fmt.Fprintf(stderr, "hone: %v\n", err)
		return exitGate
	case lifecycle.IsStopped(err):
		fmt.Fprintln(stderr, "hone: stopped; the same command goes on from here")
		return exitStopped
	case errors.As(err, &list):
		fmt.Fprintf(stderr, "hone: %s\n", list.Text())
		return exitUsers
	}
	fmt.Fprintf(stderr, "hone: %v\n", err)
	if isUsers(err) {
		return exitUsers
	}
	return exitOurs
}

// isUsers reports whether an error is the user's to mend.
func isUsers(err error) bool {
	var u interface{ UserError() bool }
	var usage *usageError
	var locked *atomicfile.LockedError
	return errors.As(err, &u) && u.UserError() || errors.As(err, &usage) || errors.As(err, &locked) ||
		errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission)
}

// A usageError is a command typed wrongly.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// A gateError says that a --require was not met.
type gateError struct{ msg string }

func (e *gateError) Error() string { return e.msg }

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hone",
		Short: "The whole life of a deep model in one program",
		Long: `hone takes data from a file to a served model: it prepares the data, trains a
neural network, evaluates it honestly beside baselines, and serves it.

Begin with:
  hone init customers.csv --target churn     look at the data, write hone.yaml
  hone run hone.yaml                         prepare, train, evaluate, publish
  hone serve churn.hone                      answer requests`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       versionText(),
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := kernel.Setup(); err != nil {
				return &usageError{err}
			}
			return nil
		},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; `%s --help` tells what it takes", err, c.CommandPath())}
	})
	root.AddGroup(
		&cobra.Group{ID: "life", Title: "A model's life:"},
		&cobra.Group{ID: "use", Title: "A model's use:"},
		&cobra.Group{ID: "look", Title: "Looking at things:"},
	)
	for _, c := range commands() {
		args := c.Args
		c.Args = func(c *cobra.Command, a []string) error {
			if args == nil {
				return nil
			}
			if err := args(c, a); err != nil {
				return &usageError{fmt.Errorf("%s: %w; usage: %s", c.Name(), err, c.UseLine())}
			}
			return nil
		}
		root.AddCommand(c)
	}
	return root
}

// commands lists the verbs, each from a file of its own.
func commands() []*cobra.Command {
	return []*cobra.Command{
		initCommand(), planCommand(), runCommand(),
		predictCommand(), evaluateCommand(), serveCommand(),
		runsCommand(), showCommand(), configCommand(),
	}
}

// printJSON ends a command that was given --json with one object on standard
// output.
func printJSON(c *cobra.Command, v any) error {
	e := json.NewEncoder(c.OutOrStdout())
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
