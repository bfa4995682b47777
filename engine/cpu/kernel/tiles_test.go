package kernel

import (
	"fmt"
	"testing"
)

func BenchmarkTiles(b *testing.B) {
	for _, s := range [][3]int{{14, 13, 256}, {14, 1, 256}, {14, 13, 64}, {12, 16, 256}, {13, 14, 256}, {8, 24, 256}, {6, 32, 256}, {3, 32, 256}, {4, 1, 256}} {
		rows, tiles, k := s[0], s[1], s[2]
		bl := blockings[active]
		if rows > bl.tile {
			continue
		}
		c := make([]float32, rows*tiles*bl.strip)
		bb := make([]float32, k*32)
		for mode := range 4 {
			rowA, colA, nextA := k+16, 1, rows*(k+16)
			if mode&1 == 1 {
				rowA, colA, nextA = 1, rows, rows*k
			}
			a := make([]float32, rows*tiles*(k+16))
			b.Run(fmt.Sprintf("%dx%d k%d mode%d", tiles, rows, k, mode), func(b *testing.B) {
				for b.Loop() {
					gemmTiles(c, a, bb, tiles, rows, bl.strip, k, bl.strip, rowA, colA, nextA, 16, 16*k, mode >= 2)
				}
				b.ReportMetric(2*float64(rows*tiles*bl.strip*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
