package feature

import (
	"encoding/json"
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

// ImageEncoder chooses the network that reads an image.
type ImageEncoder struct {
	Type    string              `yaml:"type" default:"cnn"`
	Options imageEncoderOptions `yaml:",variant"`
}

// imageEncoderOptions are the options of an encoder, which build it.
type imageEncoderOptions interface {
	// build makes [rows n] of images [rows size size channels].
	build(c *nn.Context, x *graph.Node) *graph.Node
	// fits finds images that are too small, and options that make no sense.
	fits(size int) error
}

// imageEncoders is the table of encoders.
var imageEncoders = map[string]func() imageEncoderOptions{
	"cnn":    func() imageEncoderOptions { return &CNN{} },
	"resnet": func() imageEncoderOptions { return &ImageResNet{} },
	"vit":    func() imageEncoderOptions { return &ViT{} },
}

// Variants returns the encoders.
func (ImageEncoder) Variants() map[string]imageEncoderOptions {
	m := map[string]imageEncoderOptions{}
	for name, fresh := range imageEncoders {
		m[name] = fresh()
	}
	return m
}

type savedEncoder struct {
	Type    string          `json:"type"`
	Options json.RawMessage `json:"options"`
}

// MarshalJSON writes the encoder with its type.
func (e ImageEncoder) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(e.Options)
	if err != nil {
		return nil, err
	}
	return json.Marshal(savedEncoder{e.Type, raw})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *ImageEncoder) UnmarshalJSON(raw []byte) error {
	var s savedEncoder
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	fresh := imageEncoders[s.Type]
	if fresh == nil {
		return fmt.Errorf("unknown encoder %q, this version knows %v", s.Type, names(imageEncoders))
	}
	e.Type, e.Options = s.Type, fresh()
	return json.Unmarshal(s.Options, e.Options)
}

// CNN is a plain convolutional network in the manner of VGG (Simonyan and
// Zisserman 2015) with batch normalisation: stages of convolutions of 3 by 3, each
// stage on half as many places as the one before, and the mean over all places at
// the end.
type CNN struct {
	Widths  []int   `yaml:"widths" json:"widths" default:"[32, 64, 128]" min:"1" max:"4096" doc:"filters of each stage"`
	Depth   int     `yaml:"depth" json:"depth" default:"2" min:"1" max:"16" doc:"convolutions of each stage"`
	Norm    string  `yaml:"norm" json:"norm" default:"batch" enum:"batch,none" doc:"normalisation after each convolution"`
	Dropout float64 `yaml:"dropout" json:"dropout" default:"0.2" min:"0" max:"0.95" doc:"share of what comes out that is silenced in training"`
}

// maxStages bounds the stages of an encoder.
const maxStages = 8

// halvings finds images that cannot be halved so often.
func halvings(size, stages int) error {
	if stages < 1 || stages > maxStages {
		return fmt.Errorf("the encoder has %d stages, expected 1 to %d", stages, maxStages)
	}
	if size>>(stages-1) < 1 {
		return fmt.Errorf("images of %d by %d cannot be halved %d times: give the encoder fewer widths, or the images a larger size", size, size, stages-1)
	}
	return nil
}

func (o *CNN) fits(size int) error {
	if o.Depth < 1 || o.Depth > 16 {
		return fmt.Errorf("depth is %d, expected 1 to 16", o.Depth)
	}
	return halvings(size, len(o.Widths))
}

func (o *CNN) build(c *nn.Context, x *graph.Node) *graph.Node {
	var layers []nn.Layer
	for i, w := range o.Widths {
		if i > 0 {
			layers = append(layers, nn.MaxPool(2, 2))
		}
		for range o.Depth {
			layers = append(layers, convolved(w, 3, 1, o.Norm)...)
			layers = append(layers, nn.ReLU)
		}
	}
	layers = append(layers, nn.GlobalAvgPool())
	if o.Dropout > 0 {
		layers = append(layers, nn.Dropout(o.Dropout))
	}
	return nn.Sequential(layers...).Apply(c, x)
}

// convolved is a convolution and its normalisation, which has the bias.
func convolved(width, kernel, stride int, norm string) []nn.Layer {
	options := []nn.ConvOption{nn.Same(), nn.Stride(stride, stride), nn.Init(nn.HeUniform)}
	if norm == "batch" {
		return []nn.Layer{nn.Conv2D(width, kernel, kernel, append(options, nn.NoBias())...), nn.BatchNorm()}
	}
	return []nn.Layer{nn.Conv2D(width, kernel, kernel, options...)}
}

// ImageResNet is a residual network for small images (He et al. 2016, section
// 4.2, with projections where the number of filters changes): stages of blocks of
// two convolutions, each block added to what it got.
type ImageResNet struct {
	Widths  []int   `yaml:"widths" json:"widths" default:"[32, 64, 128]" min:"1" max:"4096" doc:"filters of each stage"`
	Blocks  int     `yaml:"blocks" json:"blocks" default:"1" min:"1" max:"32" doc:"residual blocks of each stage"`
	Dropout float64 `yaml:"dropout" json:"dropout" default:"0.2" min:"0" max:"0.95" doc:"share of what comes out that is silenced in training"`
}

func (o *ImageResNet) fits(size int) error {
	if o.Blocks < 1 || o.Blocks > 32 {
		return fmt.Errorf("blocks is %d, expected 1 to 32", o.Blocks)
	}
	return halvings(size, len(o.Widths))
}

func (o *ImageResNet) build(c *nn.Context, x *graph.Node) *graph.Node {
	chain := func(c *nn.Context, x *graph.Node, layers ...nn.Layer) *graph.Node {
		return nn.Sequential(layers...).Apply(c, x)
	}
	stem := c.Sub("stem")
	x = chain(stem, x, append(convolved(o.Widths[0], 3, 1, "batch"), nn.ReLU)...)
	for i, w := range o.Widths {
		for k := range o.Blocks {
			at := c.Sub(fmt.Sprintf("stage_%d/block_%d", i+1, k+1))
			stride := 1
			if i > 0 && k == 0 {
				stride = 2
			}
			y := chain(at, x, append(append(convolved(w, 3, stride, "batch"), nn.ReLU), convolved(w, 3, 1, "batch")...)...)
			if i > 0 && k == 0 {
				x = chain(at.Sub("short"), x, append([]nn.Layer{nn.AvgPool(2, 2, nn.Same())}, convolved(w, 1, 1, "batch")...)...)
			}
			if c.B.Err() != nil {
				return x
			}
			x = graph.Relu(graph.Add(x, y))
		}
	}
	layers := []nn.Layer{nn.GlobalAvgPool()}
	if o.Dropout > 0 {
		layers = append(layers, nn.Dropout(o.Dropout))
	}
	return chain(c, x, layers...)
}
