// Package model is a trained model as one thing: fitted features, a network
// over them, and weights. It makes the training task, predicts tables, and
// reads and writes bundles (*.hone).
//
// A Predictor is anything that predicts a table: a Model, a live endpoint, a
// file of predictions. Evaluation takes a Predictor and never knows which.
//
// The networks that join the encoded inputs and feed the head are in
// network.go and the files beside it; to add one, write its options with
// config tags and a Build method in a file, and one line that puts it into the
// table.
//
// model imports feature, data, train, nn, metric, format and the engine; the
// lifecycle floor and the root package import it.
package model
