package feature

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

// ViT is a small vision transformer (Dosovitskiy et al. 2021, section 3.1, with the
// mean over all patches in place of a class token): patches of the image become
// vectors, to which a learned one of their place is added, and blocks of attention
// look at all of them. It wants more images than a convolutional network does.
type ViT struct {
	Patch   int     `yaml:"patch" json:"patch" default:"4" min:"1" max:"64" doc:"height and width of a patch"`
	Width   int     `yaml:"width" json:"width" default:"128" min:"1" max:"4096" doc:"length of a patch's vector"`
	Depth   int     `yaml:"depth" json:"depth" default:"4" min:"1" max:"64" doc:"blocks"`
	Heads   int     `yaml:"heads" json:"heads" default:"4" min:"1" max:"64" doc:"heads of attention, a divisor of width"`
	Dropout float64 `yaml:"dropout" json:"dropout" default:"0.1" min:"0" max:"0.95" doc:"share that is silenced in training, in each block and of what comes out"`
}

// maxPatches bounds the places that attention looks at.
const maxPatches = 4096

func (o *ViT) fits(size int) error {
	switch n := size / max(o.Patch, 1); {
	case o.Patch < 1 || n < 1:
		return fmt.Errorf("images of %d by %d have no patch of %d by %d: choose a smaller patch", size, size, o.Patch, o.Patch)
	case n*n > maxPatches:
		return fmt.Errorf("images of %d by %d have %d patches of %d by %d, at most %d are possible: choose a larger patch", size, size, n*n, o.Patch, o.Patch, maxPatches)
	case o.Width < 1 || o.Heads < 1 || o.Width%o.Heads != 0:
		return fmt.Errorf("%d heads of a width of %d, expected a number that divides it", o.Heads, o.Width)
	case o.Depth < 1 || o.Depth > 64:
		return fmt.Errorf("depth is %d, expected 1 to 64", o.Depth)
	}
	return nil
}

func (o *ViT) build(c *nn.Context, x *graph.Node) *graph.Node {
	x = nn.Conv2D(o.Width, o.Patch, o.Patch, nn.Stride(o.Patch, o.Patch)).Apply(c, x)
	if c.B.Err() != nil {
		return x
	}
	n := x.Shape()[1].N * x.Shape()[2].N
	x = graph.Reshape(x, graph.Rows, graph.N(n), graph.N(o.Width))
	layers := []nn.Layer{nn.Positions(n)}
	for range o.Depth {
		layers = append(layers, nn.TransformerBlock(nn.TransformerOptions{Heads: o.Heads, Hidden: 4 * o.Width, Activation: nn.GELU, NormFirst: true, Dropout: o.Dropout}))
	}
	layers = append(layers, nn.LayerNorm(), nn.MeanPool())
	if o.Dropout > 0 {
		layers = append(layers, nn.Dropout(o.Dropout))
	}
	return nn.Sequential(layers...).Apply(c, x)
}
