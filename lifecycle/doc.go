// Package lifecycle assembles the configuration document and carries out a
// run, stage by stage: prepare, train, optimise, evaluate beside baselines, report,
// publish, register. It also looks at data and writes a first configuration
// (Init), and says what a run would do (NewPlan).
//
// Stages tell what happens through events; a terminal, a log or nobody
// listens. Every stage is a function of the configuration, the data and the
// seed, and training continues from checkpoints, so that the same command
// after a kill ends at the same bits.
//
// Sections of the document are options that rooms own; config.go puts them
// together. A new stage is one function called from Run. Only cmd/hone imports
// lifecycle.
package lifecycle
