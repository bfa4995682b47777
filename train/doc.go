// Package train fits networks: the loop over epochs and batches, validation,
// learning-rate schedules, early stopping, checkpoints and resuming.
//
// From Go, start with New:
//
//	net := nn.Sequential(nn.Dense(128, nn.ReLU), nn.Dense(1, nn.Sigmoid))
//	fit, err := train.New(net, loss.BinaryCrossEntropy, optim.Adam(1e-3)).
//		Fit(ctx, train.Data(x, y), train.Epochs(10), train.BatchSize(32), train.ValidationSplit(0.2))
//
// Who has more than one input or output implements Task and calls Run.
//
// train knows tensors and batches, not tables, files formats or stores. Data
// comes through Batches: tensors in memory here, other sources elsewhere. The
// same seed gives the same bits on any number of threads, and a run that was
// killed continues from its checkpoint to the same bits.
//
// It imports nn, format/safetensors and the engine; model, feature and
// lifecycle import it. A new source of rows is one more implementation of
// Batches, a new stopping rule one more field of Options.
package train
