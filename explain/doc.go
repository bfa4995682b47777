// Package explain tells what the predictions of a model rest on.
//
// Of a model as a whole: [Importance] measures what it loses when a column's values
// are exchanged between rows, [Dependences] how its predictions move with a column. Of
// one row: [Local] shares the difference between its prediction and that of rows to
// compare with among its columns, and further among the words of a text and the
// pixels of an image.
//
// Everything takes a [Subject], which is any model.Predictor: a model, a live
// endpoint. Integrated gradients need a model.Gradienter; a predictor that is none is
// explained by Shapley values and occlusion, which ask for the predictions of changed
// rows alone. The same subject, rows, options and seed give the same bits on any
// number of threads.
//
// An explanation is of what the model does, not of what causes the target. Columns
// that tell the same share what they tell; [Groups] finds them.
//
// explain imports the model floor and evaluate; lifecycle and cmd import it. A
// further method for one row is a file of its own and a case in [Local].
package explain
