// Package venv is the virtual environment of Python that a measurement's peers
// live in: made from a list of requirements, and a peer that it lacks named with
// the command that installs it. Only measurements of bench import it.
package venv
