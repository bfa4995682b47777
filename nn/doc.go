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
// parameters by name and shares them. Outline and Summary show what a network
// is made of. Package train trains it; nn/loss and nn/optim hold losses and
// optimisers.
//
// Comments write shapes as [rows … n]: rows is symbolic, … any dimensions.
//
// To add a layer, write a constructor that returns a leaf, as those in
// layers.go, or a type with an Apply method; to add an activation or an
// initialiser, a line in its table; and record what PyTorch makes of it in
// testdata. nn imports the engine alone and knows nothing of files or tables;
// train, feature, model and what stands above them import it.
package nn
