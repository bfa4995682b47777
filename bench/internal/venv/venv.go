package venv

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Command is the setup command of a program of that name: it makes the
// environment in the folder dir, unless a flag names another.
func Command(program, dir string, requirements []byte, args []string) error {
	flags := flag.NewFlagSet(program+" setup", flag.ExitOnError)
	folder := flags.String("venv", dir, "folder of the virtual environment")
	python := flags.String("python", "python3", "Python that makes it, 3.11 or later")
	flags.Parse(args)
	return setup(*python, *folder, requirements)
}

// setup makes the environment in the folder dir by a Python of the system, and
// installs what a requirements file lists.
func setup(python, dir string, requirements []byte) error {
	list, err := os.CreateTemp("", "hone-requirements-*.txt")
	if err != nil {
		return err
	}
	defer os.Remove(list.Name())
	_, err = list.Write(requirements)
	if err := errors.Join(err, list.Close()); err != nil {
		return err
	}
	for _, args := range [][]string{
		{python, "-m", "venv", dir},
		{Python(dir), "-m", "pip", "install", "-r", list.Name()},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", args, err)
		}
	}
	return nil
}

// Python is the interpreter of the environment in dir.
func Python(dir string) string { return filepath.Join(dir, "bin", "python") }

// MissingCode is the exit code by which a peer's script says that a package is
// not installed.
const MissingCode = 3

// Missing is the error of a peer that is not installed.
type Missing struct{ Package, Command string }

// Error names the package and the command that installs it.
func (m *Missing) Error() string {
	return fmt.Sprintf("%s is not installed; %s installs it", m.Package, m.Command)
}

// IsMissing reports whether a script ended because a package is not installed.
func IsMissing(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == MissingCode
}
