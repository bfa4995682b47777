// Package kernel holds the float32 loops that engine/cpu runs: matrix
// products, convolutions, element-wise functions over contiguous slices, reductions, random
// numbers and transposition.
//
// Every loop exists in plain Go, in a *_generic.go file, which is the
// specification, and may exist in assembly. All give the same bits:
//
//   - an element of a product is one chain of fused multiply-adds in
//     ascending k (see Gemm);
//   - every other function is a fixed sequence of IEEE operations without
//     fused ones, the same for each element wherever it stands;
//   - reductions have fixed trees (see Sum).
//
// A NaN is a NaN: neither its sign nor its payload is specified.
//
// Which implementation runs is chosen when the program starts, from what the
// processor can do, or by the environment variable HONE_CPU (generic, avx2, avx512);
// see Setup and Path. The build tag noasm leaves all assembly out.
//
// The files of one kind of loop, here of the element-wise ones:
//
//	elementwise.go          the exported functions
//	elementwise_generic.go  their plain Go twins; of the transcendental ones math_generic.go
//	dispatch_*.go           what calls the one or the other (generated)
//	stubs_*_amd64.go        declarations of the assembly, with its loops in pseudo-code (generated)
//	avx2_amd64.s, avx512_…  the assembly (generated)
//	_gen/elementwise.go     its generator; _gen is a module of its own
//
// gemm.go, convolution.go, pooling.go, reduce.go, transpose.go and random.go are
// the others; convolution.go calls tiles of gemm_generic.go, and the last two
// are plain Go alone. path.go chooses the implementation.
//
// To add a kernel, write its twin and its exported function, describe the
// assembly in _gen, run go generate, and add it to the table in the tests,
// which compares all implementations. A kernel that cannot be run on the
// machine at hand does not belong here. kernel imports nothing of hone and
// is imported by engine/cpu.
package kernel

//go:generate sh -c "cd _gen && go run . -dir .. -target AVX2 -pkg kernel -out ../avx2_amd64.s -stubs ../stubs_avx2_amd64.go"
//go:generate sh -c "cd _gen && go run . -dir .. -target AVX512 -pkg kernel -out ../avx512_amd64.s -stubs ../stubs_avx512_amd64.go"
