// Package calibrate makes what a trained model says mean what it says, by rows
// that it was not trained on: a [Map] corrects the probabilities of classes,
// [Sets] turn predictions into sets of classes or intervals that hold the truth
// as often as is asked.
//
// Start with [Choose], which fits the maps that there are and takes one only if
// rows that it was not fitted on say that it helps; and with [Fit], which keeps
// the scores of a split conformal prediction, so that any coverage may be asked
// for later.
//
// A Map and Sets are plain data that survive JSON: a bundle keeps them in its part
// calibration.json. Everything is deterministic: no set is drawn by chance.
//
// calibrate imports metric alone. It may be imported by model, evaluate and what
// these are imported by. To add a map, write its fit and its application in a file
// and one case in [Choose] and [Map.Apply]; to add a score of conformity, one case in
// [Fit] and one in [Sets.Classes] or [Sets.Interval].
package calibrate
