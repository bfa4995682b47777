package model

import (
	"fmt"
	"sort"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

// A Network turns the encoded inputs [rows, n] into the values that the head
// reads: [rows, m], or [rows, k, m] of k members whose predictions are averaged.
// An implementation is a struct of options with config tags.
type Network interface {
	// Type is the name in the configuration.
	Type() string
	// Plain asks the inputs for their plain encoding, one-hot categories.
	Plain() bool
	Build(c *nn.Context, h *graph.Node) *graph.Node
}

var networks = map[string]func() Network{}

// maxLayers bounds the layers or blocks of a network, so that what a damaged
// bundle claims costs no time before it is held against the weights.
const maxLayers = 1000

func checkLayers(n int) error {
	if n > maxLayers {
		return fmt.Errorf("the network has %d layers, at most %d are possible", n, maxLayers)
	}
	return nil
}

func registerNetwork(name string, fresh func() Network) {
	if networks[name] != nil {
		panic("model: network " + name + " is registered twice") // programmer error
	}
	networks[name] = fresh
}

// Networks returns the names of the network types with fresh options.
func Networks() map[string]Network {
	m := map[string]Network{}
	for name, fresh := range networks {
		m[name] = fresh()
	}
	return m
}

func newNetwork(name string) (Network, error) {
	fresh := networks[name]
	if fresh == nil {
		var known []string
		for n := range networks {
			known = append(known, n)
		}
		sort.Strings(known)
		return nil, fmt.Errorf("unknown network type %q, this version knows %v", name, known)
	}
	return fresh(), nil
}

func init() {
	registerNetwork("mlp", func() Network { return &MLP{} })
	registerNetwork("resnet", func() Network { return &ResNet{} })
	registerNetwork("tabm", func() Network { return &TabM{} })
	registerNetwork("linear", func() Network { return &Linear{} })
}

// MLP is a multi-layer perceptron: for every width a dense layer, an optional
// normalisation, an activation and dropout.
type MLP struct {
	Widths     []int   `yaml:"widths" json:"widths" default:"[256, 128]" min:"1" max:"65536" doc:"units of each hidden layer"`
	Activation string  `yaml:"activation" json:"activation" default:"relu" doc:"relu, gelu, silu, tanh, …"`
	Norm       string  `yaml:"norm" json:"norm" default:"none" enum:"none,batch,layer" doc:"normalisation before the activation"`
	Dropout    float64 `yaml:"dropout" json:"dropout" default:"0.1" min:"0" max:"0.95" doc:"share of units silenced in training"`
}

// Validate finds an activation that does not exist, and too many layers.
func (o *MLP) Validate() error {
	if err := checkLayers(len(o.Widths)); err != nil {
		return err
	}
	_, err := nn.ActivationByName(o.Activation)
	return err
}

// Type implements Network.
func (*MLP) Type() string { return "mlp" }

// Plain implements Network.
func (*MLP) Plain() bool { return false }

// Build implements Network.
func (o *MLP) Build(c *nn.Context, h *graph.Node) *graph.Node {
	act, err := nn.ActivationByName(o.Activation)
	if err != nil {
		return c.B.Fail("network", err)
	}
	var layers []nn.Layer
	for _, w := range o.Widths {
		layers = append(layers, nn.Dense(w, nn.Init(nn.HeUniform)))
		layers = append(layers, norm(o.Norm)...)
		layers = append(layers, act)
		if o.Dropout > 0 {
			layers = append(layers, nn.Dropout(o.Dropout))
		}
	}
	return nn.Sequential(layers...).Apply(c, h)
}

func norm(kind string) []nn.Layer {
	switch kind {
	case "batch":
		return []nn.Layer{nn.BatchNorm()}
	case "layer":
		return []nn.Layer{nn.LayerNorm()}
	}
	return nil
}

// ResNet is the residual network for tables of Gorishniy et al. 2021, section
// 3.2: blocks of normalisation, dense, ReLU, dropout, dense, dropout, each
// added to what it got.
type ResNet struct {
	Width   int     `yaml:"width" json:"width" default:"192" min:"1" max:"65536" doc:"units between the blocks"`
	Hidden  int     `yaml:"hidden" json:"hidden" default:"256" min:"1" max:"65536" doc:"units within a block"`
	Blocks  int     `yaml:"blocks" json:"blocks" default:"2" min:"1" max:"1000" doc:"number of blocks"`
	Norm    string  `yaml:"norm" json:"norm" default:"batch" enum:"none,batch,layer" doc:"normalisation of each block's input"`
	Dropout float64 `yaml:"dropout" json:"dropout" default:"0.2" min:"0" max:"0.95" doc:"share of a block's units silenced in training"`
}

// Validate finds too many blocks.
func (o *ResNet) Validate() error { return checkLayers(o.Blocks) }

// Type implements Network.
func (*ResNet) Type() string { return "resnet" }

// Plain implements Network.
func (*ResNet) Plain() bool { return false }

// Build implements Network.
func (o *ResNet) Build(c *nn.Context, h *graph.Node) *graph.Node {
	layers := []nn.Layer{nn.Dense(o.Width)}
	for range o.Blocks {
		block := append(norm(o.Norm), nn.Dense(o.Hidden, nn.ReLU, nn.Init(nn.HeUniform)))
		if o.Dropout > 0 {
			block = append(block, nn.Dropout(o.Dropout))
		}
		layers = append(layers, nn.Residual(append(block, nn.Dense(o.Width))...))
	}
	layers = append(append(layers, norm(o.Norm)...), nn.ReLU)
	return nn.Sequential(layers...).Apply(c, h)
}

// TabM is an ensemble within one network: members that share all weights but a
// scale for every input and the head (TabM-mini of Gorishniy et al. 2025,
// section 3.3). Each member has a loss of its own; their predictions are
// averaged.
type TabM struct {
	Members    int     `yaml:"members" json:"members" default:"8" min:"1" max:"1024" doc:"networks in one"`
	Widths     []int   `yaml:"widths" json:"widths" default:"[128, 128]" min:"1" max:"65536" doc:"units of each hidden layer"`
	Activation string  `yaml:"activation" json:"activation" default:"relu" doc:"relu, gelu, silu, tanh, …"`
	Dropout    float64 `yaml:"dropout" json:"dropout" default:"0.1" min:"0" max:"0.95" doc:"share of units silenced in training"`
}

// Validate finds an activation that does not exist, and too many layers.
func (o *TabM) Validate() error { return o.mlp().Validate() }

func (o *TabM) mlp() *MLP {
	return &MLP{Widths: o.Widths, Activation: o.Activation, Norm: "none", Dropout: o.Dropout}
}

// Type implements Network.
func (*TabM) Type() string { return "tabm" }

// Plain implements Network.
func (*TabM) Plain() bool { return false }

// Build implements Network.
func (o *TabM) Build(c *nn.Context, h *graph.Node) *graph.Node {
	return o.mlp().Build(c, nn.Members(o.Members, nn.RandomSigns).Apply(c, h))
}

// Linear is no network at all: the head on the plain inputs, with categories
// one-hot. With a sigmoid or softmax head it is logistic regression.
type Linear struct{}

// Type implements Network.
func (*Linear) Type() string { return "linear" }

// Plain implements Network.
func (*Linear) Plain() bool { return true }

// Build implements Network.
func (*Linear) Build(_ *nn.Context, h *graph.Node) *graph.Node { return h }
