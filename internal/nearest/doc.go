// Package nearest finds the name that was probably meant: every "did you
// mean" of hone asks it. It imports nothing; every room may import it.
package nearest
