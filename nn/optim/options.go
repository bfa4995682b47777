package optim

import "math"

// ScheduleOptions are a schedule's options as a configuration gives them:
// spans are in epochs.
type ScheduleOptions interface {
	// Build returns a fresh schedule for a run of so many updates per epoch.
	Build(updatesPerEpoch int) Schedule
}

// Schedules returns the schedules by their names in a configuration, with
// fresh options, whose defaults are in their tags.
func Schedules() map[string]ScheduleOptions {
	return map[string]ScheduleOptions{
		"constant":          &ConstantOptions{},
		"cosine":            &CosineOptions{},
		"step":              &StepOptions{},
		"exponential":       &ExponentialOptions{},
		"reduce_on_plateau": &PlateauOptions{},
	}
}

// WarmUpOptions are the options that all schedules have.
type WarmUpOptions struct {
	WarmUp float64 `yaml:"warm_up" json:"warm_up" default:"0" min:"0" doc:"epochs over which the learning rate first rises to its full value"`
}

// ConstantOptions are the options of a constant learning rate.
type ConstantOptions struct {
	WarmUpOptions `yaml:",inline"`
}

// CosineOptions are the options of Cosine.
type CosineOptions struct {
	WarmUpOptions `yaml:",inline"`
	Epochs        float64 `yaml:"epochs" json:"epochs" default:"0" min:"0" doc:"epochs over which it then falls; 0: all that are left"`
	Floor         float64 `yaml:"floor" json:"floor" default:"0" min:"0" max:"1" doc:"share of the learning rate that is left in the end"`
}

// StepOptions are the options of StepDecay.
type StepOptions struct {
	WarmUpOptions `yaml:",inline"`
	Every         float64 `yaml:"every" json:"every" default:"10" above:"0" doc:"epochs between reductions"`
	Gamma         float64 `yaml:"gamma" json:"gamma" default:"0.1" above:"0" max:"1" doc:"factor of a reduction"`
}

// ExponentialOptions are the options of Exponential.
type ExponentialOptions struct {
	WarmUpOptions `yaml:",inline"`
	Gamma         float64 `yaml:"gamma" json:"gamma" default:"0.95" above:"0" max:"1" doc:"share of the learning rate that an epoch leaves"`
}

// PlateauOptions are the options of ReduceOnPlateau.
type PlateauOptions struct {
	WarmUpOptions `yaml:",inline"`
	Gamma         float64 `yaml:"gamma" json:"gamma" default:"0.1" above:"0" max:"1" doc:"factor of a reduction"`
	Patience      int     `yaml:"patience" json:"patience" default:"10" min:"0" doc:"epochs without improvement that are waited for"`
	MinDelta      float64 `yaml:"min_delta" json:"min_delta" default:"1e-4" min:"0" doc:"improvement that counts"`
	Floor         float64 `yaml:"floor" json:"floor" default:"0" min:"0" max:"1" doc:"smallest share of the learning rate"`
}

// updates returns the number of updates in a number of epochs.
func updates(epochs float64, perEpoch int) int {
	return int(math.Round(epochs * float64(perEpoch)))
}

// before puts the warm-up before a schedule.
func (o WarmUpOptions) before(s Schedule, perEpoch int) Schedule {
	if n := updates(o.WarmUp, perEpoch); n > 0 {
		return &WarmUp{Steps: n, Then: s}
	}
	return s
}

// Build implements ScheduleOptions.
func (o ConstantOptions) Build(perEpoch int) Schedule { return o.before(Constant{}, perEpoch) }

// Build implements ScheduleOptions.
func (o CosineOptions) Build(perEpoch int) Schedule {
	return o.before(Cosine{updates(o.Epochs, perEpoch), o.Floor}, perEpoch)
}

// Build implements ScheduleOptions.
func (o StepOptions) Build(perEpoch int) Schedule {
	return o.before(StepDecay{updates(o.Every, perEpoch), o.Gamma}, perEpoch)
}

// Build implements ScheduleOptions.
func (o ExponentialOptions) Build(perEpoch int) Schedule {
	return o.before(Exponential{perEpoch, o.Gamma}, perEpoch)
}

// Build implements ScheduleOptions.
func (o PlateauOptions) Build(perEpoch int) Schedule {
	return o.before(&ReduceOnPlateau{Gamma: o.Gamma, Patience: o.Patience, MinDelta: o.MinDelta, Floor: o.Floor}, perEpoch)
}
