//go:build race

package lifecycle

// slow: under the race detector tests do less of the same.
const slow = true
