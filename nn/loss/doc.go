// Package loss holds losses: what training makes small. Each returns one
// number per row; training takes the mean weighted by the rows' weights.
//
// A loss on probabilities recognises predictions that come straight from a
// sigmoid or a softmax and works on its logits, which is exact where the
// probability rounds to 0 or 1. For a network without that last activation,
// FromLogits says that the predictions are logits.
//
// Classes are weighted through the weights of their rows: see Balanced and
// RowWeights.
//
// Where one class is rare, the focal losses count rows less that are predicted
// well already; their probabilities are no frequencies.
//
// To add a loss, write a value of Loss and name it in the table, or outside
// this package use New. loss imports the engine and nn's internal helpers.
package loss
