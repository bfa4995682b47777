// Package optimize finds out what a trained model suffers from and what to try
// against it. Diagnose turns evidence (learning curves, scores on training and
// held-out rows, shares of classes, rows that contradict each other) into
// findings with their numbers; Prescribe turns findings into proposals, each a
// list of overrides of the configuration; Judge says by a paired test whether
// what came of a proposal is better. It trains nothing and reads no file: who
// carries out a proposal is lifecycle.
//
// To add a finding, write its reader and name it in findings; to add a remedy,
// add a line to remedies. Both are tried in the order of their tables.
package optimize
