// Package nn holds layers: each builds its part of a program of engine/graph
// and keeps its parameters in a shared state.
//
//	net := nn.Sequential(
//		nn.Dense(128, nn.ReLU),
//		nn.Dropout(0.1),
//		nn.Dense(1, nn.Sigmoid))
//
// Sizes of inputs are inferred when a network is built. Building the same
// network again over the same state (for validation or prediction) finds the
// parameters by name and shares them. Package train trains a network; nn/loss
// and nn/optim hold losses and optimisers.
//
// To add a layer, write a file with a constructor and an Apply method; to add
// an activation or an initialiser, one line in its table. nn imports the
// engine alone and knows nothing of files or tables.
package nn
