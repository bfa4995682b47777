package optimize

import "github.com/hone-ml/hone/metric"

// Options are the section optimize of the configuration.
type Options struct {
	Trials       int     `yaml:"trials" default:"0" min:"0" max:"100" doc:"changes of the configuration that are tried at most, each for something found about the model so far; 0: none"`
	MaxLatencyMS float64 `yaml:"max_latency_ms" default:"0" min:"0" doc:"median time of one row above which a trial cannot win, on the machine that runs it; 0: no limit"`
	Metric       string  `yaml:"metric" default:"loss" doc:"what a trial must improve on rows that it did not train on: loss, or a metric such as roc_auc"`
}

// Validate finds a metric that does not exist.
func (o *Options) Validate() error {
	if o.Metric == "loss" {
		return nil
	}
	_, err := metric.Lookup(o.Metric)
	return err
}
