package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/optimize"
	"github.com/hone-ml/hone/report"
	"github.com/hone-ml/hone/serve"
)

// Config is the whole document.
type Config struct {
	Name     string           `yaml:"name" doc:"of the model and its bundle; default: the name of the folder or the file"`
	Seed     uint64           `yaml:"seed" default:"0" doc:"of everything random: the same seed gives the same bits"`
	Data     Data             `yaml:"data"`
	Inputs   []Input          `yaml:"inputs" doc:"columns to learn from; default: all that the data check has nothing against"`
	Outputs  []Output         `yaml:"outputs" required:"true" doc:"the columns to predict, as in outputs: [{name: churn}]; of several the first is the main one"`
	Network  Network          `yaml:"network" doc:"what joins the inputs and feeds the head"`
	Train    Train            `yaml:"train"`
	Evaluate evaluate.Options `yaml:"evaluate"`
	Optimize optimize.Options `yaml:"optimize"`
	Answers  Answers          `yaml:"answers" doc:"texts with which a served model answers questions, on a page to chat"`
	Serve    serve.Options    `yaml:"serve"`
	Report   report.Options   `yaml:"report"`

	// Gates are what the test rows must show; whether they fit the task is
	// found out before training, whether they are met is for the caller.
	Gates []metric.Requirement `yaml:"-"`
	// Profile asks for a profile of the network's training (train.go). It changes no
	// result, but a run that is to have one starts anew.
	Profile bool `yaml:"-"`

	doc *config.Document
}

// Data says where the rows come from and which are for what.
type Data struct {
	Source       config.Strings `yaml:"source" required:"true" doc:"rows to learn from, a file, a pattern of several such as part-*.csv, or a list of these: CSV, TSV or JSON Lines, plain or compressed by gzip or zstd; Parquet; Excel (.xlsx); images in a folder for each class, IDX (MNIST), NumPy (.npz#PART)"`
	Validation   Validation     `yaml:"validation" doc:"rows on which choices are made"`
	Test         config.Strings `yaml:"test" doc:"file, pattern, or list of these, of rows that are read once, at the end; default: a part of source (split)"`
	Split        data.SplitSpec `yaml:"split" doc:"how source is divided; default: stratified, with a tenth for the test"`
	Weight       string         `yaml:"weight" doc:"the column of numbers of 0 or more by which rows count in training and in metrics; it is no input"`
	MaxRejected  float64        `yaml:"max_rejected" default:"0.05" min:"0" max:"1" doc:"share of a source's rows that may be set aside because an image cannot be read; more of them stop the run"`
	Clean        []Clean        `yaml:"clean" doc:"steps applied to the rows, in this order; what changes values is done to rows to predict as well"`
	data.Options `yaml:",inline"`
}

// Clean is an entry of data.clean: a cleaning step.
type Clean struct {
	Type    string           `yaml:"type" doc:"of the step"`
	Options data.StepOptions `yaml:",variant"`
}

// Variants returns the types of steps.
func (Clean) Variants() map[string]data.StepOptions { return data.StepTypes() }

// Validation is a share of the training rows, or a file.
type Validation struct {
	Fraction float64        `yaml:"fraction" shorthand:"true" default:"0.1" above:"0" max:"0.9" doc:"share of source, unless a file or split.fractions says otherwise"`
	File     config.Strings `yaml:"file" shorthand:"true" doc:"a file of its own, a pattern or a list of these"`
}

// Input is an entry of inputs: a column and the options of its type.
type Input struct {
	Name    string               `yaml:"name" required:"true" shorthand:"true" doc:"the column"`
	Type    string               `yaml:"type" required:"false" doc:"how it is read; default: by what the column holds"`
	Options feature.InputOptions `yaml:",variant"`
}

// Variants returns the types of inputs.
func (Input) Variants() map[string]feature.InputOptions { return feature.InputTypes() }

// Output is an entry of outputs.
type Output struct {
	Name    string                `yaml:"name" required:"true" shorthand:"true" doc:"the column"`
	Type    string                `yaml:"type" required:"false" doc:"what predicting it means; default: by what the column holds"`
	Weight  float64               `yaml:"weight" default:"1" min:"0" doc:"of its loss beside those of other outputs"`
	Abstain Abstain               `yaml:"abstain" doc:"of classes: saying when one is not sure"`
	Options feature.OutputOptions `yaml:",variant"`
}

// Variants returns the types of outputs.
func (Output) Variants() map[string]feature.OutputOptions { return feature.OutputTypes() }

// Network chooses the network.
type Network struct {
	Type    string        `yaml:"type" default:"tabm"`
	Options model.Network `yaml:",variant"`
}

// Variants returns the types of networks.
func (Network) Variants() map[string]model.Network { return model.Networks() }

// Train says how the network is trained.
type Train struct {
	Epochs        int           `yaml:"epochs" default:"40" min:"1" doc:"passes over the training rows at most"`
	BatchSize     int           `yaml:"batch_size" default:"256" min:"0" doc:"rows of a step; 1: online, 0: all rows at once"`
	Optimizer     Optimizer     `yaml:"optimizer"`
	Schedule      Schedule      `yaml:"schedule"`
	EarlyStopping EarlyStopping `yaml:"early_stopping"`
	ClipNorm      float64       `yaml:"clip_norm" default:"0" min:"0" doc:"bound on the norm of all gradients; 0: none"`
	Accumulate    int           `yaml:"accumulate" default:"1" min:"1" doc:"batches whose gradients are added up for a step"`
	L1            float64       `yaml:"l1" default:"0" min:"0" doc:"penalty on the absolute weights"`
	L2            float64       `yaml:"l2" default:"0" min:"0" doc:"penalty on the squared weights"`
	Average       string        `yaml:"average" default:"auto" doc:"validate and keep an average of the weights over the updates, of which each keeps this share at most (0.999: about the last 1,000; 1: about the last tenth of all); 0: none; auto: 0.999, and none where rows are divided by time"`
	Mixup         float64       `yaml:"mixup" default:"0" min:"0" max:"2" doc:"rows are trained on as mixtures of two, by shares from Beta(mixup, mixup); of images and numbers; 0: not"`
	CutMix        float64       `yaml:"cutmix" default:"0" min:"0" max:"2" doc:"images are trained on with a rectangle of another, of a share from Beta(cutmix, cutmix); beside mixup, half of the batches; 0: not"`
	Bagging       string        `yaml:"bagging" default:"auto" doc:"networks that are trained on the training and validation rows together, each stopped by another part, and whose mean is the model; auto: 8 below 1,000 rows, 5 below 2,000, else off; off: one network, stopped by the validation rows"`
	ClassWeights  string        `yaml:"class_weights" default:"none" enum:"none,balanced" doc:"balanced: every class weighs the same in total"`
	ClassSampling ClassSampling `yaml:"class_sampling" doc:"how often an epoch, which keeps its number of rows, draws from each class; not beside class_weights"`
}

// EarlyStopping ends training when validation does not get better.
type EarlyStopping struct {
	Patience int     `yaml:"patience" default:"12" min:"0" doc:"epochs without improvement before stopping; 0: never"`
	Metric   string  `yaml:"metric" default:"loss" doc:"what decides, on the validation rows: loss, or a metric such as roc_auc"`
	MinDelta float64 `yaml:"min_delta" default:"0" min:"0" doc:"what counts as an improvement"`
}

// Validate finds a metric that does not exist.
func (o *EarlyStopping) Validate() error {
	if o.Metric == "loss" {
		return nil
	}
	_, err := metric.Lookup(o.Metric)
	return err
}

// Optimizer chooses the optimiser.
type Optimizer struct {
	Type    string                 `yaml:"type" default:"adamw"`
	Options optim.OptimizerOptions `yaml:",variant"`
}

// Variants returns the optimisers.
func (Optimizer) Variants() map[string]optim.OptimizerOptions { return optim.Optimizers() }

// Schedule chooses the learning-rate schedule.
type Schedule struct {
	Type    string                `yaml:"type" default:"cosine"`
	Options optim.ScheduleOptions `yaml:",variant"`
}

// Variants returns the schedules.
func (Schedule) Variants() map[string]optim.ScheduleOptions { return optim.Schedules() }

// LoadConfig reads a configuration with overrides.
func LoadConfig(path string, sets []string) (*Config, error) {
	if ext := strings.TrimSuffix(strings.ToLower(path), ".gz"); strings.HasSuffix(ext, ".csv") || strings.HasSuffix(ext, ".tsv") {
		return nil, mistake("%s: expected a configuration, and this is named like data: `hone init %[1]s --target COLUMN` writes one", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, mistake("%s: it is a folder, expected a configuration: name the file in it, such as %s", path, filepath.Join(path, "hone.yaml"))
	}
	doc, err := config.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, mistake("%s: there is no such file: `hone init DATA --target COLUMN` writes one", path)
	}
	if err != nil {
		return nil, err
	}
	if err := doc.Set(sets...); err != nil {
		return nil, err
	}
	c := &Config{doc: doc}
	if err := doc.Decode(c); err != nil {
		return nil, err
	}
	return c, c.check()
}

// DataOptions reads overrides that say how to read a file outside of any
// configuration, such as data.header=false.
func DataOptions(sets []string) (data.Options, error) {
	var section struct {
		Data data.Options `yaml:"data"`
	}
	doc, err := config.Parse("", []byte("data: {}"))
	if err != nil {
		return section.Data, err
	}
	if err := doc.Set(sets...); err != nil {
		return section.Data, err
	}
	if err := doc.Decode(&section); err != nil {
		return section.Data, err
	}
	if !doc.IsSet("data.max_expansion") {
		section.Data.MaxExpansion = 0 // so that init does not write it
	}
	return section.Data, nil
}

// A UserError is a mistake that the user can mend.
type UserError struct{ msg string }

func (e *UserError) Error() string { return e.msg }

// UserError marks the error.
func (e *UserError) UserError() bool { return true }

func mistake(format string, args ...any) error { return &UserError{fmt.Sprintf(format, args...)} }

func (c *Config) check() error {
	if c.Name == "" {
		c.Name = nameOf(c.doc.Name())
	}
	if strings.ContainsAny(c.Name, "/\\:\x00") || strings.HasPrefix(c.Name, ".") {
		return mistake("%s: name: %q cannot be a file's name: use letters, digits, - and _", c.doc.Name(), c.Name)
	}
	if err := c.checkOutputs(); err != nil {
		return err
	}
	if err := c.checkWeight(); err != nil {
		return err
	}
	for i, in := range c.Inputs {
		switch {
		case slices.Contains(c.targets(), in.Name):
			return mistake("%s: inputs: %q is the column to predict: remove it from inputs", c.doc.Name(), in.Name)
		case slices.ContainsFunc(c.Inputs[:i], func(o Input) bool { return reflect.DeepEqual(o, in) }):
			return mistake("%s: inputs: %q stands twice with the same options: remove one", c.doc.Name(), in.Name)
		}
		if o, ok := in.Options.(feature.Located); ok {
			o.Locate(c.doc.Resolve)
		}
	}
	if err := c.checkSplit(); err != nil {
		return err
	}
	if f := c.Data.Split.Fractions; f != nil && len(f) != 3 {
		return mistake("%s: data.split.fractions: found %d numbers, expected three: for training, validation and test", c.doc.Name(), len(f))
	}
	if c.Data.Split.Fractions != nil && len(c.Data.Test) > 0 {
		return mistake("%s: data.split.fractions and data.test are both given: the test file already says which rows are for testing; set data.validation.fraction instead", c.doc.Name())
	}
	if t := c.Train.Bagging; t != "auto" && t != "off" {
		switch {
		case c.splitSpec().Method == "time":
			return mistake("%s: train.bagging is %s and the rows are divided by time: networks would be trained on later rows than those that they stop by; set it to off", c.doc.Name(), t)
		case len(c.Data.Validation.File) > 0:
			return mistake("%s: train.bagging is %s and data.validation.file says by which rows networks stop: remove one of them", c.doc.Name(), t)
		}
	}
	return nil
}

// defaultFraction is the default of data.validation.fraction.
const defaultFraction = 0.1

// checkSplit refuses a share of validation rows that other keys make
// meaningless.
func (c *Config) checkSplit() error {
	d := c.Data
	if d.Validation.Fraction == defaultFraction {
		return nil
	}
	switch {
	case len(d.Validation.File) > 0:
		return mistake("%s: data.validation.file and data.validation.fraction are both given: the file already says which rows are for validation; remove one", c.doc.Name())
	case d.Split.Fractions != nil:
		return mistake("%s: data.validation.fraction and data.split.fractions are both given: the second of the fractions is for validation; remove one", c.doc.Name())
	}
	return nil
}

// nameOf is the folder's name for hone.yaml, else the file's own.
func nameOf(path string) string {
	base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if base != "hone" && base != "" {
		return base
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return "model"
	}
	if name := filepath.Base(dir); name != "/" && name != "." && !strings.ContainsAny(name, "/\\:") && !strings.HasPrefix(name, ".") {
		return name
	}
	return "model"
}

// Text returns the document with every key, as it was understood.
func (c *Config) Text(comments bool) []byte { return config.Show(c, comments) }

// serving is the part of a bundle that says how it is served, and serves is
// its content.
const serving = "serve.yaml"

type serves struct {
	Serve serve.Options `yaml:"serve"`
}

// ServeOptions returns how a bundle is to be served: the serve section of the
// configuration it was made from, with overrides such as serve.max_rows=100.
func ServeOptions(b *bundle.Bundle, sets []string) (serve.Options, error) {
	raw, err := b.Part(serving)
	if err != nil {
		raw = []byte("serve: {}\n") // it need not have been made by a run
	}
	doc, err := config.Parse(serving, raw)
	if err != nil {
		return serve.Options{}, err
	}
	if err := doc.Set(sets...); err != nil {
		return serve.Options{}, err
	}
	var s serves
	err = doc.Decode(&s)
	return s.Serve, err
}

// ConfigSchema returns the JSON Schema of the document.
func ConfigSchema() ([]byte, error) { return config.Schema(&Config{}, "hone.yaml") }

// files returns paths of the document as ones to open, and what to call them.
func (c *Config) files(paths config.Strings) (open []string, name string) {
	for _, p := range paths {
		open = append(open, c.doc.Resolve(p))
	}
	return open, strings.Join(open, ", ")
}

// read reads rows as the options say, by the schema if there is one. Large files
// are kept in the cache beside the runs.
func (c *Config) read(files []string, schema data.Schema) (*data.Table, data.Schema, error) {
	o := c.Data.Options
	o.Schema, o.CacheDir = schema, filepath.Join(home(c.doc.Dir()), "cache")
	return data.ReadFiles(files, o)
}

// home is the folder of runs and register, wherever the process is: $HONE_HOME,
// or .hone beside the configuration.
func home(dir string) string {
	if h := os.Getenv("HONE_HOME"); h != "" {
		return absolute(h)
	}
	return absolute(filepath.Join(dir, ".hone"))
}

// absolute makes a path one that the register can keep.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
