package main

import (
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

// Images are what a case's network begins with: valid convolutions of Kernel by
// Kernel with a ReLU each, of images [Height Width Channels], then the maxima of
// Pool by Pool. The dense layers follow, whose first width is what comes of it.
type Images struct {
	Height   int   `json:"height"`
	Width    int   `json:"width"`
	Channels int   `json:"channels"`
	Kernel   int   `json:"kernel"`
	Filters  []int `json:"filters"`
	Pool     int   `json:"pool"`
}

func (m *Images) numbers() int { return m.Height * m.Width * m.Channels }

// convolutionCases are M3 and its predictions.
func convolutionCases() []*Case {
	m := &Images{Height: 28, Width: 28, Channels: 1, Kernel: 3, Filters: []int{32, 64}, Pool: 2}
	widths := []int{12 * 12 * 64, 128, 10}
	return []*Case{
		{Group: "M3", Name: "a step, batch 64", Kind: "train", Images: m, Widths: widths, Loss: "classes", Rate: 1e-3, Rows: 16384, Batch: 64, peers: []string{torchName, compiledName, jaxName}},
		{Group: "P3", Name: "predict M3, batch 1", Kind: "predict", Images: m, Widths: widths, Loss: "classes", Rows: 64, Batch: 1, latency: true, peers: []string{onnxName, torchName, compiledName}},
		{Group: "P3", Name: "predict M3, batch 64", Kind: "predict", Images: m, Widths: widths, Loss: "classes", Rows: 64, Batch: 64, peers: []string{onnxName, torchName, compiledName}},
	}
}

// layers are the convolutions and the pool.
func (m *Images) layers() nn.Layer {
	var layers []nn.Layer
	for _, filters := range m.Filters {
		layers = append(layers, nn.Conv2D(filters, m.Kernel, m.Kernel, nn.ReLU))
	}
	return nn.Sequential(append(layers, nn.MaxPool(m.Pool, m.Pool), nn.Flatten())...)
}

// shape is that of one row of the inputs.
func (c *Case) shape() []int {
	if m := c.Images; m != nil {
		return []int{m.Height, m.Width, m.Channels}
	}
	return []int{c.inputs()}
}

// features reads the inputs.
func (c *Case) features() (*tensor.Tensor, error) {
	return c.read(tensor.Float32, "x", append([]int{c.Rows}, c.shape()...)...)
}

// convolutionFlops counts the operations of a convolution or of one of its
// gradients, 0 of another op.
func (c *Case) convolutionFlops(n *graph.Node) float64 {
	var y, k graph.Shape
	switch n.Op.(type) {
	case graph.Convolution:
		y, k = n.Shape(), n.In[1].Shape()
	case graph.ConvolutionInput:
		y, k = n.In[0].Shape(), n.In[1].Shape()
	case graph.ConvolutionKernel:
		y, k = n.In[1].Shape(), n.Shape()
	default:
		return 0
	}
	return 2 * c.extent(y[0]) * float64(y[1].N*y[2].N) * float64(k.Size().Factor)
}
