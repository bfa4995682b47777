// Package customers makes up the customers of a telephone company, for examples
// and tests: who they are, what they pay, and whether they left.
//
// The numbers are invented but behave like real ones. Leaving depends on
// thresholds, cycles and combinations (the end of a contract's term, paying more
// than the usage is worth, trouble after trouble), so that a model of straight
// lines sees only part of it, and on chance, so that no model can see all. Values
// are missing, some regions are rare, one column is the same for everybody, and
// cancellation_reason is known only of those who have left: whoever trains on it
// has learned nothing.
package customers
