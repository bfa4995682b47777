package lifecycle

import (
	"bytes"
	"encoding/base64"
	"image"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
)

func TestThumbnail(t *testing.T) {
	for _, c := range []struct{ w, h, channels, wantW, wantH int }{{28, 28, 1, 28, 28}, {600, 300, 3, 128, 64}, {1, 900, 3, 1, 128}} {
		p := &data.Pixels{Width: c.w, Height: c.h, Channels: c.channels, Pix: make([]uint8, c.w*c.h*c.channels)}
		url, err := thumbnail(p)
		if err != nil {
			t.Fatal(err)
		}
		head, code, _ := strings.Cut(url, ",")
		raw, err := base64.StdEncoding.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		m, format, err := image.DecodeConfig(bytes.NewReader(raw))
		if err != nil || head != "data:image/"+format+";base64" || m.Width != c.wantW || m.Height != c.wantH {
			t.Errorf("%d by %d: %s, %d by %d, %v", c.w, c.h, head, m.Width, m.Height, err)
		}
	}
}
