//go:build !amd64 || noasm

package kernel

func available() []pathKind { return []pathKind{pathGeneric} }
