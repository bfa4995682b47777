//go:build unix

package data

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile gives a file's content as memory for as long as the process lives: it is
// not unmapped once slices of it are handed out. What is written to the memory
// stays in this process.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
}

func unmapFile(b []byte) { _ = unix.Munmap(b) }
