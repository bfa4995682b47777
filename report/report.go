package report

import "github.com/hone-ml/hone/evaluate"

// Report is everything a page or a model card says: the result of an
// evaluation and the facts of the run that it belongs to. Empty fields are
// left out of the text.
type Report struct {
	// Name is the model's; RunID is the run's in the store.
	Name  string `json:"name"`
	RunID string `json:"run"`
	Seed  uint64 `json:"seed"`
	// Date is when the run finished, as it is to be printed.
	Date string `json:"date"`
	// Version is hone's own.
	Version string `json:"version,omitempty"`
	// Machine describes where it was trained and timed.
	Machine string `json:"machine,omitempty"`
	// Config is the configuration as YAML.
	Config string `json:"config,omitempty"`
	Data   Data   `json:"data"`
	// Network describes the architecture in a few words.
	Network    string `json:"network,omitempty"`
	Parameters int    `json:"parameters,omitempty"`
	// TrainingSeconds is the wall-clock time of the fit.
	TrainingSeconds float64 `json:"training_seconds,omitempty"`
	// LatencyMS is the measured time to predict one row, in milliseconds.
	LatencyMS float64 `json:"latency_ms,omitempty"`
	// Bundle is the file name of the model, for the "what next" lines.
	Bundle string           `json:"bundle,omitempty"`
	Result *evaluate.Result `json:"result"`
	// File is what was measured, where that is no run's own test: a file of rows,
	// or of Predictions, whose maker is unknown.
	File        string `json:"file,omitempty"`
	Predictions bool   `json:"predictions,omitempty"`
	// Slices are parts of the rows, measured by the metric SlicedBy, the worst first.
	Slices   []evaluate.Slice `json:"slices,omitempty"`
	SlicedBy string           `json:"sliced_by,omitempty"`
	// Threshold is what a threshold chosen for an aim is worth, nil where none was.
	Threshold *evaluate.ThresholdChoice `json:"threshold,omitempty"`
	// Pictures are small images of rows, by their number, as data URLs.
	Pictures map[int]string `json:"pictures,omitempty"`
	// About is what only its owner can say of a model.
	About About `json:"about"`
	// Language of the page: English or Chinese.
	Language string `json:"language,omitempty"`
}

// Options are the section report of a configuration.
type Options struct {
	Language string `yaml:"language" default:"auto" enum:"auto,en,zh" doc:"of the page: English or Chinese; auto: by LC_ALL, LC_MESSAGES or LANG; the model card is in English"`
	Card     About  `yaml:"card" doc:"what only you can say, for the model card; it asks for what is missing"`
}

// About is what only its owner can say of a model: the parts of a model card that
// no measurement tells.
type About struct {
	Owner       string `yaml:"owner" json:"owner,omitempty" doc:"who answers for the model, and how they are reached"`
	License     string `yaml:"license" json:"license,omitempty" doc:"under which it may be used, as an SPDX identifier"`
	IntendedUse string `yaml:"intended_use" json:"intended_use,omitempty" doc:"what it is for, and who is to use it"`
	OutOfScope  string `yaml:"out_of_scope" json:"out_of_scope,omitempty" doc:"what it must not be used for"`
	Factors     string `yaml:"factors" json:"factors,omitempty" doc:"groups, instruments and conditions under which it may be better or worse"`
	Data        string `yaml:"data" json:"data,omitempty" doc:"how the rows were collected, by whom, with whose consent"`
	Ethics      string `yaml:"ethics" json:"ethics,omitempty" doc:"harm that a wrong or a right prediction may do, and what is done against it"`
	Caveats     string `yaml:"caveats" json:"caveats,omitempty" doc:"what else whoever uses it should know"`
}

// Data is what the model was made from.
type Data struct {
	Sources []Source `json:"sources,omitempty"`
	// Rows counts all rows of all sources.
	Rows    int       `json:"rows"`
	Used    []Column  `json:"used,omitempty"`
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Cleaned is what the steps of data.clean changed, in their order.
	Cleaned []Cleaned `json:"cleaned,omitempty"`
	// Findings are what the data check noticed.
	Findings []Finding `json:"findings,omitempty"`
}

// Source is one file.
type Source struct {
	Role        string `json:"role"` // train, validation, test
	Path        string `json:"path"`
	Rows        int    `json:"rows,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"` // SHA-256 of the content
}

// Column is an input that the model reads.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Note says what was fitted, for example "12 values, 3% missing".
	Note string `json:"note,omitempty"`
}

// LeftOut is a column that the model does not read.
type LeftOut struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Cleaned is what one cleaning step changed in one column, or among the rows, of
// one part of the data.
type Cleaned struct {
	Step    int    `json:"step"` // its place in data.clean, from 0
	Type    string `json:"type"`
	Rows    string `json:"rows"`             // source, training, validation or test
	Column  string `json:"column,omitempty"` // none: rows were left out
	Count   int    `json:"count"`            // of values or rows
	Message string `json:"message"`
}

// String says it in words.
func (c Cleaned) String() string {
	column := ""
	if c.Column != "" {
		column = c.Column + ": "
	}
	return c.Type + ": " + column + c.Message + " (" + c.Rows + " rows)"
}

// Finding is something the data check noticed.
type Finding struct {
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}
