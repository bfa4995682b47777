// Package tensor holds dense arrays: an element type, a shape and row-major
// storage. It does no arithmetic; package graph describes arithmetic and a
// backend such as engine/cpu runs it.
//
// It is the lowest room of the engine: everything may import it, it imports
// nothing of hone. A new element type is one more constant in tensor.go, its
// size, and an accessor.
package tensor
