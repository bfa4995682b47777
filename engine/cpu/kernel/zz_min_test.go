package kernel

import (
	"fmt"
	"golang.org/x/sys/unix"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"
)

func cpuTime() time.Duration {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

func TestZZMin(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	runtime.LockOSThread()
	for _, s := range [][4]int{
		{512, 512, 512, 0}, {512, 512, 512, 1}, {512, 512, 512, 2}, {500, 500, 500, 0}, {500, 500, 500, 1}, {1024, 1024, 1024, 0}, {1024, 1024, 1024, 1}, {1024, 1024, 1024, 2},
		{32, 128, 20, 0}, {32, 64, 128, 0}, {32, 1, 64, 0},
		{20, 128, 32, 1}, {128, 64, 32, 1}, {64, 1, 32, 1},
		{32, 128, 64, 2}, {32, 64, 1, 2},
		{1, 128, 20, 0}, {1, 64, 128, 0}, {1, 1024, 1024, 0}, {2, 1024, 1024, 0}, {4, 1024, 1024, 0}, {12, 1024, 1024, 0}, {32, 1024, 1024, 0}, {1, 1024, 1024, 2}, {4, 1024, 1024, 2},
		{256, 256, 256, 0}, {128, 128, 128, 0}, {128, 128, 128, 2}, {256, 128, 1024, 1}, {64, 10, 256, 0}, {8192, 1, 64, 0}, {64, 64, 8192, 1},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		g, _ := randomGemm(r, s[0], s[1], s[2], s[3])
		g.LDA, g.LDB, g.LDC = g.K, g.N, g.N
		if g.TransA {
			g.LDA = g.M
		}
		if g.TransB {
			g.LDB = g.K
		}
		scratch := make([]float32, g.Scratch())
		best := time.Hour
		inner := 1 + 20000000/(s[0]*s[1]*s[2])/100
		for start := time.Now(); time.Since(start) < 150*time.Millisecond; {
			t0 := cpuTime()
			for range inner {
				for task := range g.Tasks() {
					g.Run(task, scratch)
				}
			}
			best = min(best, (cpuTime()-t0)/time.Duration(inner))
		}
		fmt.Printf("%5dx%5dx%5d %d  %9.2f µs %7.2f GFLOP/s  tasks %d\n", s[0], s[2], s[1], s[3], float64(best.Nanoseconds())/1e3, 2*float64(s[0]*s[1]*s[2])/float64(best.Nanoseconds()), g.Tasks())
	}
}
