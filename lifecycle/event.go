package lifecycle

import (
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/report"
	"github.com/hone-ml/hone/train"
)

// Stages of a run, in their order.
const (
	StagePrepare  = "prepare"
	StageFolds    = "folds" // only with cross-validation
	StageTrain    = "train"
	StageOptimise = "optimise" // only with optimize.trials
	StageBaseline = "baseline"
	StageEvaluate = "evaluate"
	StagePublish  = "publish"
)

// Stages lists those of every run.
var Stages = []string{StagePrepare, StageTrain, StageBaseline, StageEvaluate, StagePublish}

// An Event tells whoever watches what a run does. Exactly one of the fields
// after Stage is set, or none where a stage begins.
type Event struct {
	Stage    string
	Note     string          // something found out, one line
	Warning  string          // something to look at, one line
	Training *Training       // what is about to be trained
	Step     *train.Progress // after a batch
	Epoch    *train.Epoch    // after an epoch
	Trial    *evaluate.Trial // after a trial of StageOptimise
	Ended    *Ended          // the stage is done
}

// Training describes what is about to be trained.
type Training struct {
	What       string // "network", "linear baseline"
	Rows       int
	Parameters int
	Epochs     int
	Metric     string // the score shown beside the loss
	Resumed    int    // epochs done in an earlier session
}

// Ended is the end of a stage.
type Ended struct {
	Seconds float64
	Summary string // one line
}

// A Watcher receives events, in order, from one goroutine at a time.
type Watcher func(Event)

// Summary is the outcome of a run, and what `hone run --json` prints.
type Summary struct {
	Bundle     string                     `json:"bundle"` // path of the bundle beside the configuration
	Report     string                     `json:"report"` // path of report.html
	Run        string                     `json:"run"`
	Name       string                     `json:"name"`
	Seed       uint64                     `json:"seed"`
	Target     string                     `json:"target"`
	Task       string                     `json:"task"`
	Headline   string                     `json:"headline"` // the metric that Findings speak of
	Test       evaluate.Scores            `json:"test"`
	Validation map[string]float64         `json:"validation"`
	Baselines  map[string]evaluate.Scores `json:"baselines"`
	Rows       evaluate.Rows              `json:"rows"`
	// Outputs are the outcomes of the outputs after the first, by name.
	Outputs map[string]OutputSummary `json:"outputs,omitempty"`
	// CrossValidation holds the folds side by side; OutOfFold is the path of their
	// predictions.
	CrossValidation *evaluate.CrossValidation `json:"cross_validation,omitempty"`
	OutOfFold       string                    `json:"out_of_fold,omitempty"`
	Abstain         *evaluate.Abstained       `json:"abstain,omitempty"`     // nil without outputs.abstain
	Improvement     *evaluate.Improvement     `json:"improvement,omitempty"` // nil without optimize.trials
	Importance      *evaluate.Importance      `json:"importance,omitempty"`  // of the columns, on validation rows
	Members         int                       `json:"members"`               // networks whose mean is the model; 0: one by itself
	Parameters      int                       `json:"parameters"`
	Epochs          int                       `json:"epochs"`
	BestEpoch       int                       `json:"best_epoch"`
	Against         map[string]string         `json:"against"`  // baseline → better, worse or not separable, by the headline metric
	Cleaned         []report.Cleaned          `json:"cleaned"`  // what the steps of data.clean changed, in their order
	Findings        []string                  `json:"findings"` // what was found out, in sentences
	Answers         Answered                  `json:"answers"`  // the same by the question that each answers
	// Failures says where the model fails, without what stands in the rows, and
	// Diagnosis what it suffers from.
	Failures  *evaluate.Failures  `json:"failures,omitempty"`
	Diagnosis *evaluate.Diagnosis `json:"diagnosis,omitempty"`
	Resumed   bool                `json:"resumed"`
	Seconds   float64             `json:"seconds"`    // of this session, wall clock
	LatencyMS float64             `json:"latency_ms"` // one row, median
	Profile   *Profile            `json:"profile,omitempty"`
}

// OutputSummary is the outcome of an output beside the first.
type OutputSummary struct {
	Task       string                     `json:"task"`
	Headline   string                     `json:"headline"` // the metric to look at first
	Test       evaluate.Scores            `json:"test"`
	Validation map[string]float64         `json:"validation"`
	Baselines  map[string]evaluate.Scores `json:"baselines"`
	Rows       evaluate.Rows              `json:"rows"`    // that have its target
	Against    map[string]string          `json:"against"` // as of the first output
	// CrossValidation holds the folds side by side; nil where there was none.
	CrossValidation *evaluate.CrossValidation `json:"cross_validation,omitempty"`
}
