// Package cpu compiles programs of engine/graph for this machine's processor
// and runs them.
//
// Compile turns a program into a flat list of kernel calls:
//
//  1. units.go groups element-wise chains into one pass each, decides which
//     writes may happen in place, and orders the work; tail.go joins to a
//     convolution what its tasks compute after it;
//  2. plan.go gives every value an offset in one arena by its lifetime.
//     Offsets are multiples of a power of the number of rows, so that one plan
//     serves every batch size;
//  3. run.go binds feeds, variables and arena, and walks the list on a pool of
//     workers (pool.go). A run allocates nothing once the arena has grown.
//
// The numeric contract: work is cut by shapes and constants, never by the
// number of threads; every element of a matrix product is one chain of fused
// multiply-adds in ascending k; reductions have fixed trees. So a row's result
// depends neither on its batch nor on the threads, and assembly gives the same
// bits as plain Go (package kernel).
//
// To add an op, write its step in the file of its family (or a new one) and
// register it there; the kernel it calls goes into engine/cpu/kernel with its
// plain Go twin. cpu imports graph, tensor and kernel.
package cpu
