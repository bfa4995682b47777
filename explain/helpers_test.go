package explain

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// encodePNG writes a grey image.
func encodePNG(t *testing.T, p *data.Pixels) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, &image.Gray{Pix: p.Pix, Stride: p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imageFormula predicts a number from an image, 0 from none.
type imageFormula struct{ of func(*data.Pixels) float64 }

func (f imageFormula) Predict(_ context.Context, t *data.Table) (*model.Predictions, error) {
	p := &model.Predictions{Kind: metric.Regression}
	for i := range t.Rows {
		if t.Column("im").Missing(i) {
			p.Value = append(p.Value, 0)
			continue
		}
		im, err := t.Column("im").Picture(i).Decode()
		if err != nil {
			return nil, err
		}
		p.Value = append(p.Value, f.of(im.Grey()))
	}
	return p, nil
}
