// Command hone is the whole life of a deep model in one program.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
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
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	lifecycle.Version = versionText()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := unknownCommand(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return 0
	}
	return failed(err, stderr)
}

// failed prints an error for people and returns the exit code.
func failed(err error, stderr io.Writer) int {
	var gate *gateError
	var list *config.Error
	switch {
	case errors.As(err, &gate):
		fmt.Fprintf(stderr, "hone: %v\n", err)
		return exitGate
	case lifecycle.IsStopped(err):
		fmt.Fprintf(stderr, "hone: %s\n", stopText(err))
		return exitStopped
	case errors.As(err, &list):
		fmt.Fprintf(stderr, "hone: %s\n", list.Text())
		return exitUsers
	}
	fmt.Fprintf(stderr, "hone: %v\n", err)
	if isUsers(err) {
		return exitUsers
	}
	fmt.Fprintln(stderr, "hone: this may be a fault of hone's own: if so, please report it with the command that you typed")
	return exitOurs
}

// A stoppedRun says that Ctrl-C ended a run, which can be taken up again.
type stoppedRun struct{ error }

func (e *stoppedRun) Unwrap() error { return e.error }

func stopText(err error) string {
	var run *stoppedRun
	if errors.As(err, &run) {
		return "stopped; the same command goes on from here"
	}
	return "stopped"
}

// environment are the system's errors that the user can mend: a disk that is
// full, a folder that is not there or cannot be written.
var environment = []error{
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT,
	syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EFBIG, syscall.EMFILE,
}

// isUsers reports whether an error is the user's to mend.
func isUsers(err error) bool {
	var u interface{ UserError() bool }
	var usage *usageError
	var locked *atomicfile.LockedError
	return errors.As(err, &u) && u.UserError() || errors.As(err, &usage) || errors.As(err, &locked) ||
		slices.ContainsFunc(environment, func(e error) bool { return errors.Is(err, e) })
}

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
	cobra.EnableCommandSorting = false // a life has its order
	root := &cobra.Command{
		Use:   "hone",
		Short: "The whole life of a deep model in one program",
		Long: `hone takes data from a file to a served model: it prepares the data, trains a
neural network, evaluates it honestly beside baselines, and serves it.

Begin with:
  hone init customers.csv --target churn     look at the data, write hone.yaml
  hone run hone.yaml                         prepare, train, evaluate, publish
  hone serve churn.hone                      answer requests

Every command takes --json for scripts; docs/json.md describes what it prints.
Exit codes: 0 done, 1 our fault, 2 a mistake that the message explains, 3 a
--require that was not met, 130 stopped by Ctrl-C.`,
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
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(
		&cobra.Group{ID: "life", Title: "A model's life:"},
		&cobra.Group{ID: "use", Title: "A model's use:"},
		&cobra.Group{ID: "look", Title: "Looking at things:"},
		&cobra.Group{ID: "help", Title: "Help:"},
	)
	root.SetHelpCommandGroupID("help")
	root.SetCompletionCommandGroupID("help")
	for _, c := range commands() {
		checkArguments(c)
		root.AddCommand(c)
	}
	return root
}

// commands lists the verbs, each from a file of its own.
func commands() []*cobra.Command {
	return []*cobra.Command{
		checkCommand(), initCommand(), planCommand(), trainCommand(), learningCommand(), runCommand(),
		predictCommand(), evaluateCommand(), compareCommand(), explainCommand(), serveCommand(),
		embedCommand(), searchCommand(),
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
