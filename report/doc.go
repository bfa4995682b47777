// Package report writes what was found about a model for people to read: one
// self-contained HTML page ([HTML]) and a Markdown model card ([ModelCard]),
// both from one [Report]. Words come first: what was learned, how good it is
// with its interval, where it stands beside the baselines; then the numbers,
// the curves, the data and the provenance.
//
// The page needs no network, runs no script, and forbids both to whatever a
// data set's names might try to smuggle in: its content security policy allows
// its own style sheet, by hash, and nothing else. Charts are SVG drawn here,
// each with a title, a description and its numbers as a table. The same report
// gives the same bytes.
//
// It may be imported by serve, web, optimize, lifecycle and cmd; it imports
// evaluate and what that imports.
//
// To add a chart: draw it in a file of its own as a function that returns a
// chart (see plot in svg.go for axes and scales), list it in charts, and run
// the tests with -update to see it in the golden files.
package report
