package main

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/lifecycle"
)

// TestProfileFits: a profile fits 80 columns, whatever the numbers are; it shows what
// took long, adds up the rest, and gives a program of little time one line.
func TestProfileFits(t *testing.T) {
	long := cpu.OpProfile{
		Op: "matmul_ta_tb 64·rows×100000×100000", Variables: []string{"network/block_1/transformer_12/attention_1/dense_1/kernel"},
		Calls: 123456, Seconds: 600, Share: 0.5, GFLOPS: 12345.6, GBPerS: 1234.5, Roofline: 1,
	}
	short := cpu.OpProfile{Op: "sum rows", Calls: 123456, Seconds: 0.012, Share: 0.00001, GFLOPS: 0.01, GBPerS: 0.1}
	train := cpu.ProgramProfile{Program: "train", Compile: 0.0042, Runs: 123456, Rows: 123456 * 32, Seconds: 1200, Ops: []cpu.OpProfile{long}, Rest: 1}
	for range shownOps + 3 {
		train.Ops = append(train.Ops, long)
	}
	train.Ops = append(train.Ops, short) // the longest first
	report := &cpu.Report{
		Ceilings: cpu.Ceilings{Kernels: "avx512", PeakGFLOPS: 234.5, Read: map[int]float64{2: 23.4}}, Threads: 2, Seconds: 1300,
		Programs: []cpu.ProgramProfile{train, {Program: "evaluate", Runs: 3, Rows: 3000, Seconds: 2}, {Program: "never"}},
	}
	var b strings.Builder
	p := place{program: "hone", opener: "open", path: func(s string) string { return s }}
	printProfile(&b, &lifecycle.Profile{File: "profile.json", Trace: "trace.json", Report: report}, p)
	printProfile(&b, nil, p)
	for _, line := range strings.Split(b.String(), "\n") {
		if w := lipgloss.Width(line); w > 80 {
			t.Errorf("%d columns: %q", w, line)
		}
	}
	for _, want := range []string{
		"train: 123,456 runs of 32 rows, 9.72 ms each; 92 % of the time; compiled in 4.20\nms\n\nop ",
		"matmul_ta_tb 64·rows×100000×100000 dens… 123456 4.86 ms 50 %   12346  1234 100 %\n",
		"5 other ops, feeds, outputs",
		"evaluate: 3 runs of 1000 rows, 667 ms each; 0 % of the time; compiled in 0.00 µs\n\n",
		"Measured\non 2 threads: 234 GFLOP/s each",
		"trace     trace.json  (open it in ui.perfetto.dev)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("expected %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "never") || strings.Contains(b.String(), "sum rows") {
		t.Errorf("found what took no time in:\n%s", b.String())
	}
}
