package train

import (
	"fmt"
	"time"

	"github.com/hone-ml/hone/nn/optim"
)

// Options says how Run trains. The zero value of a field means the default in
// its comment.
type Options struct {
	Epochs     int             // passes over the rows at most; default 10
	Optimizer  optim.Optimizer // default optim.Adam(1e-3)
	Schedule   optim.Schedule  // factor on the learning rate; default constant
	ClipNorm   float64         // bound on the norm of all gradients; default none
	Accumulate int             // batches whose gradients are added up before an update; default 1
	L1, L2     float64         // penalty on every weight matrix; default 0
	Average    float64         // validate and keep an average of the weights (optim.Options); default 0: none
	Mixup      float64         // rows are mixed in pairs, by shares from Beta(Mixup, Mixup); default 0: not
	CutMix     float64         // images get a rectangle of another, of a share of the area from Beta(CutMix, CutMix); default 0: not
	Seed       uint64          // of initial values, dropout and order

	Patience int     // epochs without a better validation score before stopping; default 0: never
	MinDelta float64 // what counts as better; default 0
	Restore  bool    // take the values of the best epoch at the end (needs validation rows)

	// Score computes validation scores from the predictions of all validation
	// rows, in their order. The first of Monitor's name decides which epoch is
	// best; without it the validation loss does.
	Score   func(outputs [][]float32) (map[string]float64, error)
	Monitor string // a score's name; default the loss
	Higher  bool   // more of it is better

	Checkpoint      string        // file to save to and resume from; default none
	CheckpointEvery time.Duration // within an epoch; default 30 s. It changes no result
	Fingerprint     string        // of whatever must not change between a run and its resumption

	OnStep  func(Progress) // called after every batch
	OnEpoch func(Epoch)    // called after every epoch
}

// Progress is where a run stands within an epoch.
type Progress struct {
	Epoch, Epochs int     // the current one from 1, and the most there can be
	Step, Steps   int     // batches done in this epoch, and all
	Loss          float64 // mean over the epoch's rows so far
	RowsPerSecond float64
	LearningRate  float64
}

// Epoch is what is known after an epoch.
type Epoch struct {
	Epoch        int                `json:"epoch"` // from 1
	Loss         float64            `json:"loss"`  // mean over the training rows while they were trained on
	Validation   float64            `json:"validation_loss,omitempty"`
	Scores       map[string]float64 `json:"scores,omitempty"` // on the validation rows
	LearningRate float64            `json:"learning_rate"`
	Seconds      float64            `json:"seconds"`
	Best         bool               `json:"best"` // the best so far
}

// Result is what Run returns.
type Result struct {
	History   []Epoch
	BestEpoch int // from 1
	Stopped   string
	Steps     int // updates in all
	Resumed   bool
	Seconds   float64 // of training, over all sessions
}

// maxMix bounds the α of mixtures: with more, all are near half and half.
const maxMix = 2

func (o *Options) setDefaults() error {
	if o.Epochs == 0 {
		o.Epochs = 10
	}
	if o.Accumulate == 0 {
		o.Accumulate = 1
	}
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = 30 * time.Second
	}
	if o.Optimizer == nil {
		o.Optimizer = optim.Adam(1e-3)
	}
	switch {
	case o.Epochs < 0:
		return fmt.Errorf("train: epochs is %d, expected 1 or more", o.Epochs)
	case o.Accumulate < 0:
		return fmt.Errorf("train: accumulate is %d, expected 1 or more", o.Accumulate)
	case !(o.Mixup >= 0 && o.Mixup <= maxMix) || !(o.CutMix >= 0 && o.CutMix <= maxMix):
		return fmt.Errorf("train: mixup is %g and cutmix %g, expected 0 (not) to %d", o.Mixup, o.CutMix, maxMix)
	case o.Patience < 0:
		return fmt.Errorf("train: patience is %d, expected 0 or more", o.Patience)
	}
	return nil
}
