package kernel

// A Gemm is a product of matrices C = A·B, or C += A·B, of M×K and K×N, row
// after row in memory with the given distances between rows. With TransA, A is
// stored as K×M; with TransB, B as N×K.
//
// Every element of C is one chain of fused multiply-adds in ascending k, which
// starts from 0, or from C when accumulating. So its bits depend on its row of
// A and its column of B alone.
//
// Tasks may run in any order and at the same time, each with scratch memory of
// its own. What a task does is decided by the shape alone.
type Gemm struct {
	M, N, K        int
	TransA, TransB bool
	A, B, C        []float32
	LDA, LDB, LDC  int
	Accumulate     bool
}

const taskRows = 32

// Tasks returns the number of tasks of the product, at least 1.
func (g *Gemm) Tasks() int { return max(1, (g.M+taskRows-1)/taskRows) }

// Scratch returns how many float32s of scratch memory a running task needs.
func (g *Gemm) Scratch() int { return 0 }

// Run computes one task's part of C. The contents of scratch do not matter.
func (g *Gemm) Run(task int, scratch []float32) {
	g.generic(task*taskRows, min(g.M, (task+1)*taskRows), 0, g.N)
}
