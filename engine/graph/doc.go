// Package graph holds programs: static single-assignment graphs of typed
// nodes that a backend compiles once and runs many times.
//
// A Builder makes one program. Functions such as MatMul, Add or Softmax take
// nodes and return a node; they check shapes as they go. The builder keeps the
// first mistake, with the operation, the shapes and the line of the caller,
// and Program reports it, so that building code reads like the formula it
// stands for:
//
//	state := graph.NewState()
//	w, _ := state.Add("w", tensor.Zeros(20, 1), true)
//	b := graph.New("predict")
//	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(20))
//	b.Output("p", graph.Sigmoid(graph.MatMul(x, b.Read(w))))
//	program, err := b.Program()
//
// The number of rows is symbolic: a dimension is a constant or a multiple of
// the rows of a run. State is a set of named variables that several programs
// share; a program reads the values from before its run and its writes take
// effect together at the end. Everything that changes from step to step
// (learning rate, step, seed, row weights) is an input, so nothing is compiled
// twice. Gradients is a graph-to-graph transform.
//
// Every op family is one file: the op's type with its attributes, its shape
// rule (Infer), its gradient (Gradient) and the documented builder functions.
// To add an op, add such a file here, its kernel call in a file of engine/cpu,
// and its row in the table of the reference evaluator (engine/internal/reference),
// against which the gradient check and the backend tests hold it.
//
// graph imports only tensor. Layers (nn), backends and training import it.
package graph
