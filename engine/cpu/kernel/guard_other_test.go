//go:build !linux

package kernel

// fencedMemory is for systems that fence memory (guard_linux_test.go).
func fencedMemory(int) []float32 { return nil }
