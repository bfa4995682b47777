//go:build race

package cpu_test

func init() { raced = true }
