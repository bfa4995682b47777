// Package lint is a set of tests that read the repository as text: which room
// imports which, that every package says what it is for, words and addresses
// that must not stand in what we publish, panics, file lengths and the list
// of direct dependencies. It holds no code that ships and nothing imports it.
//
// A rule is a function from the tree to its offences, one line each, in the
// file of its kind; it gets a line in the table of lint_test.go and a tree of
// its own in testdata, which shows what it finds and what it leaves alone. A
// new room gets its place in floors, in arrows_test.go; a new dependency its
// reason in budget_test.go.
package lint
