package main

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/hone-ml/hone/engine/cpu/kernel"
)

// Keras is a peer of its own environment: a fit, whose time is shared among its
// steps, and a call for each step.

//go:embed keras.py
var kerasScript []byte

//go:embed requirements-keras.txt
var kerasRequirements []byte

const (
	kerasVenv      = "bench/.venv-engine-keras"
	kerasName      = "keras.fit"
	kerasBatchName = "keras.train_on_batch"

	// kerasTolerance is for an Adam that adds epsilon before it corrects the bias.
	kerasTolerance = 1e-4
)

func isKeras(name string) bool { return strings.HasPrefix(name, "keras.") }

// competing are the case's peers, and hone without AVX-512 where hone has it.
func (c *Case) competing() []string {
	if paths := kernel.Paths(); kernel.Path() == "avx512" && slices.Contains(paths, "avx2") {
		return append([]string{avx2Name}, c.peers...)
	}
	return c.peers
}
