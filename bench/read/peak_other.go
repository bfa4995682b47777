//go:build !unix

package main

// peak is not known here.
func peak() float64 { return 0 }

// cpuSeconds is not known here.
func cpuSeconds() float64 { return 0 }
