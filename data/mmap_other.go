//go:build !unix

package data

import (
	"io"
	"os"
	"unsafe"
)

// mapFile reads a file whole into memory that is aligned as a mapping is.
func mapFile(f *os.File, size int64) ([]byte, error) {
	words := make([]uint64, (size+7)/8)
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
	_, err := io.ReadFull(f, b)
	return b, err
}

func unmapFile([]byte) {}
