//go:build !race

package lifecycle

const slow = false
