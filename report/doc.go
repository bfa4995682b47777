// Package report writes what was found about a model for people to read: one
// self-contained HTML page ([HTML]), a page of a comparison ([Ranking]) and a
// Markdown model card ([ModelCard]); and for CI what became of requirements
// ([JUnit]). The page begins with three answers: is it good, can the number be
// trusted, where does it fail; then come the numbers, the curves, the data and the
// provenance.
//
// The page needs no network, runs no script, and forbids both to whatever a
// data set's names might try to smuggle in: its content security policy allows
// its own style sheet, by hash, and nothing else (and pictures that it holds
// itself). Charts are SVG drawn here, each with a title, a description and its
// numbers as a table. The same report gives the same bytes.
//
// The code says English (say, plural, told in language.go); zh.go is the table of
// another language, and a test finds what it lacks.
//
// It may be imported by serve, web, optimize, lifecycle and cmd; it imports
// evaluate and what that imports.
//
// To add a section: a function in a file of its own that returns a section, or nil
// where the result has nothing for it, and a line in sections (section.go). To add
// a chart: a function that returns a chart (see plot in svg.go for axes and scales).
// Run the tests with -update to see it in the golden files.
package report
