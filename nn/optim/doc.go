// Package optim holds optimisers and learning-rate schedules.
//
// An optimiser is written once, as element-wise graph operations on a
// parameter, its gradient and its slots (such as moments). Apply uses it on
// whole tensors, and on single rows where a gradient is sparse (the table of
// an embedding of which a batch touched a few rows): there the rows are
// gathered, updated and put back, and the rest of the table is not read at
// all.
//
// That makes sparse updates lazy: the moments of rows that a batch does not
// touch do not decay, the rows do not move by momentum, and neither weight
// decay nor penalties reach them. For SGD without momentum both are the same;
// for Adam, rare rows take larger steps than with a dense gradient. It is what
// torch.optim.SparseAdam does.
//
// The learning rate is an input of the program, so schedules recompile
// nothing. Slots and bias corrections are variables of the state whose names
// begin with Prefix, so that checkpoints carry them and bundles leave them
// out. Two optimisers may work on one state as long as they train different
// parameters, as the two of an adversarial network.
//
// To add an optimiser, write a file with its options, their defaults in tags,
// a Build method and a type that implements Optimizer, and name it in
// Optimizers; a schedule likewise in Schedules. optim imports the engine
// alone.
package optim
