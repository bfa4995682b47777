package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// titles say what the groups are.
var titles = map[string]string{
	"G":  "Matrix products C[m n] = A[m k]·B[k n], written m×k×n",
	"M1": "Dense 128 relu → 64 relu → 1, binary cross-entropy, Adam, 20 inputs",
	"M2": "784-512-256-10, cross-entropy, Adam",
	"M3": "Valid convolutions 3×3×32 relu → 3×3×64 relu → max-pool 2 → dense 128 relu → 10 on 28×28×1, cross-entropy, Adam",
	"M6": "The default network of `hone run` on adult's shape (TabM, 8 members), AdamW",
	"M7": "Hashed n-grams: the mean of 30 of 2 million vectors of 64, then 77 classes, sparse Adam",
	"P2": "Predictions of 784-512-256-10",
	"P3": "Predictions of M3's network",
}

// markdown draws a table for each group, one of memory, and notes on both.
func markdown(w io.Writer, r *results) {
	fmt.Fprintf(w, "%s, kernels: %s. One core's multiply-adds: %.0f GFLOP/s. 64 MiB again and again", r.Ceilings.Processor, r.Ceilings.Kernels, r.Ceilings.PeakGFLOPS)
	for _, n := range r.threads() {
		fmt.Fprintf(w, ", %s: read %.1f, copy %.1f GB/s", threads(n), r.Ceilings.Read[n], r.Ceilings.Copy[n])
	}
	fmt.Fprint(w, ".\n\n")
	for _, g := range r.groups() {
		r.table(w, g)
	}
	for _, m := range r.Means {
		fmt.Fprintf(w, "Geometric mean over %s, %s: %s as fast as the better of PyTorch eager and compiled.\n\n", strings.Join(m.Groups, ", "), threads(m.Threads), times(m.Ratio))
	}
	r.memory(w)
	for _, line := range r.notes() {
		fmt.Fprintln(w, line)
	}
}

func (r *results) groups() (names []string) {
	for _, o := range r.Results {
		if !slices.Contains(names, o.Group) {
			names = append(names, o.Group)
		}
	}
	return names
}

func (r *results) threads() (counts []int) {
	for n := range r.Ceilings.Read {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	return counts
}

// table draws the cases of one group.
func (r *results) table(w io.Writer, group string) {
	var rows []result
	var peers []string
	late := false
	for _, o := range r.Results {
		if o.Group != group {
			continue
		}
		rows = append(rows, o)
		late = late || o.Hone.P99 > 0
		for _, p := range o.Peers {
			if !slices.Contains(peers, p.Name) {
				peers = append(peers, p.Name)
			}
		}
	}
	fmt.Fprintf(w, "### %s: %s\n\n| case | threads | hone | GFLOP/s | of its roofline | allocations a step |", group, titles[group])
	for _, p := range peers {
		fmt.Fprintf(w, " %s | to hone's |", p)
	}
	fmt.Fprintf(w, "\n|%s\n", strings.Repeat(" --- |", 6+2*len(peers)))
	for _, o := range rows {
		fmt.Fprintf(w, "| %s | %d | %s | %.1f | %.0f %% | %s |", o.Case, o.Threads, o.Hone.text(), o.GFLOP/o.Hone.Seconds, 100*o.Floor/o.Hone.Seconds, o.Hone.allocations())
		for _, name := range peers {
			i := slices.IndexFunc(o.Peers, func(t timing) bool { return t.Name == name })
			if i < 0 {
				fmt.Fprint(w, " - | - |")
				continue
			}
			p := o.Peers[i]
			fmt.Fprintf(w, " %s | %s (%s to %s) |", p.text(), times(p.Ratio), number(p.Low), number(p.High))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// memory draws the most memory of every process.
func (r *results) memory(w io.Writer) {
	var names []string
	for _, m := range r.Memory {
		if !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.SortStableFunc(names, func(a, b string) int { // hone first
		switch honeName {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	fmt.Fprintf(w, "### Peak resident memory, MB\n\n| cases | threads | %s |\n|%s\n", strings.Join(names, " | "), strings.Repeat(" --- |", 2+len(names)))
	for _, g := range r.groups() {
		for _, n := range r.threads() {
			cells, any := "", false
			for _, name := range names {
				i := slices.IndexFunc(r.Memory, func(m memory) bool { return m.Group == g && m.Threads == n && m.Name == name })
				if i < 0 {
					cells += " - |"
					continue
				}
				any = true
				cells += fmt.Sprintf(" %.0f |", r.Memory[i].PeakMB)
			}
			if any {
				fmt.Fprintf(w, "| %s | %d |%s\n", g, n, cells)
			}
		}
	}
	fmt.Fprintln(w)
}

// notes say what the figures are, and what is missing from them.
func (r *results) notes() []string {
	var versions []string
	for _, v := range r.Versions {
		if !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
	}
	slices.Sort(versions)
	lines := []string{
		fmt.Sprintf("- Times are medians of %d rounds in which all took turns, each in a process of its own. \"To hone's\" is the median of the rounds' ratios of the peer's time to hone's, above 1 where hone is faster, with the interval that holds it with a chance of %.1f %%.", r.Rounds, 100*r.Level),
		"- The roofline is the arithmetic of the matrix products at the rate of multiply-adds, and the time in which the bytes that a step must go through are read, where they are more than twice the second-level caches: a product's operands; in training, besides the arithmetic, parameters and moments twice. A group's memory is the whole process's, with what it imports, over all its cases.",
		fmt.Sprintf("- Before anything is timed %d steps from the same first weights, or %d numbers of a result, are held against hone's: the largest difference is at most %.0e of the largest value (%.0e for M6, dropout left out, %.0e for Keras, whose Adam adds epsilon before it corrects the bias, and %.0e for %s, whose dense Adam moves vectors that a batch lacks, which hone's leaves, as sparse Adams do).", checkedSteps, shown, tolerance, tableTolerance, kerasTolerance, denseTolerance, torchDenseName),
	}
	if len(versions) > 0 {
		lines = append(lines, "- Peers: "+strings.Join(versions, ", ")+". A step gathers its batch, and has gradients and a fused Adam (jax: the whole step in one jit); hone reads the loss after every step, PyTorch and jax after the last one of a round. Of a fit of Keras of 512 steps or more a step has its part.")
	}
	for _, f := range r.Failures {
		of := f.Name
		if f.Case != "" {
			of += ", " + f.Case
		}
		lines = append(lines, fmt.Sprintf("- %s: %s.", of, f.Problem))
	}
	return lines
}

// text is the time, and the 99th percentile behind it if there is one.
func (t timing) text() string {
	if t.P99 == 0 {
		return duration(t.Seconds)
	}
	return fmt.Sprintf("%s (p99 %s)", duration(t.Seconds), duration(t.P99))
}

// allocations is their number and their bytes.
func (t timing) allocations() string {
	if t.Allocs == 0 {
		return "0"
	}
	return fmt.Sprintf("%s (%.0f B)", number(t.Allocs), t.Bytes)
}

func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

// duration writes seconds with three digits and a unit.
func duration(s float64) string {
	switch {
	case s < 1e-3:
		return number(s*1e6) + " µs"
	case s < 1:
		return number(s*1e3) + " ms"
	}
	return number(s) + " s"
}

func times(ratio float64) string { return number(ratio) + " ×" }

// number writes x with three digits, or all before the point.
func number(x float64) string {
	digits := 2
	if x > 0 {
		digits = max(0, 2-int(math.Floor(math.Log10(x)*(1+1e-12))))
	}
	return fmt.Sprintf("%.*f", min(digits, 4), x)
}
