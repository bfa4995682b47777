//go:build !noasm

package kernel

import "golang.org/x/sys/cpu"

func available() []pathKind {
	paths := []pathKind{pathGeneric}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA && x.HasBMI2 {
		paths = append(paths, pathAVX2)
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
			paths = append(paths, pathAVX512)
		}
	}
	return paths
}
