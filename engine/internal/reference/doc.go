// Package reference evaluates graph programs in float64 with the obvious
// loops. It is the specification of every op: the gradient check
// differentiates it numerically, and backends are held against it. It is
// never fast and nothing that ships calls it.
//
// The tests of packages under engine import it; it imports graph and tensor.
// To add an op, write its function in the file of its family and give it a
// row in the table in reference.go.
package reference
