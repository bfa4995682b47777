package cpu

import (
	"syscall"
	"unsafe"
)

// largePages asks the system for pages of 2 MiB for memory that has not been used
// yet: a processor remembers where some thousand pages are, and with small ones
// that is less than a step goes through. Systems that do not care do nothing.
func largePages(x []float32) {
	const size = 2 << 20
	if len(x)*4 < 2*size {
		return
	}
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	first := (begin + size - 1) / size * size
	end := (begin + uintptr(len(x))*4) / size * size
	if end > first {
		_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), first-begin)), end-first), syscall.MADV_HUGEPAGE)
	}
}
