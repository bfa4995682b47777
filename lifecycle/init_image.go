package lifecycle

import (
	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
)

// imageEntry is the entry of an image input.
func imageEntry(c *data.Column) config.Entry {
	encoder := config.Map{{Key: "type", Value: "cnn"}, {Key: "widths", Value: []int{32, 64, 128}}}
	augment := config.Map{{Key: "shift", Value: 0.125}, {Key: "flip", Value: "auto", Line: "horizontal for colour images; none, horizontal, vertical, both"}}
	return config.Entry{Value: config.Map{{Key: "name", Value: c.Name}, {Key: "type", Value: "image"}, {Key: "encoder", Value: encoder}, {Key: "augment", Value: augment}}}
}

// images says whether images are all that there is to learn from.
func (f *Found) images(t *data.Table) (some, all bool) {
	all = true
	for _, name := range f.Inputs {
		image := t.Column(name).Type == data.Image
		some, all = some || image, all && image
	}
	return some, all
}

// imageEpochs is how often images are seen: as often as a small set needs, and no
// more than two cores have time for on a large one.
func imageEpochs(rows int) int { return min(60, max(12, 600_000/max(1, rows))) }
