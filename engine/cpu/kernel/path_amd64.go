//go:build !noasm

package kernel

import "golang.org/x/sys/cpu"

func available() []pathKind {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return []pathKind{pathGeneric, pathAVX2}
	}
	return []pathKind{pathGeneric}
}
