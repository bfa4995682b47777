// Package feature holds what hone can read from a column and what it can
// predict: one file per type, with the type's options, what is fitted on the
// training rows, how values become tensors, the network that encodes them,
// and for outputs the head, the loss and the metrics.
//
// Inputs: number, category, boolean, datetime, image. Outputs: binary, category,
// number. To add a type, write one file like number.go: a struct of options
// with config tags, a fitted struct that marshals to JSON, and one line in
// init that puts it into the table. No other file needs to know it.
//
// What is fitted travels in the bundle, so a value means the same in training
// and in serving. feature imports data, metric, nn and the engine; model and
// everything above import it.
package feature
