package embed

import (
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/huggingface"
)

// TestMergeRefuses: a rank whose products overflow to 0 is an error.
func TestMergeRefuses(t *testing.T) {
	at := "encoder/block_1/transformer_1/attention_1/"
	m := &Model{Encoder: huggingface.Encoder{Width: 16, Depth: 1}, Values: map[string]*tensor.Tensor{
		at + "lora_in": tensor.Zeros(0), at + "lora_query": tensor.Zeros(0), at + "lora_value": tensor.Zeros(0), at + "dense_1/kernel": tensor.Zeros(16, 48),
	}}
	if err := m.merge(1<<60, 1); err == nil || !strings.Contains(err.Error(), "expected 1 to 16") {
		t.Errorf("%v", err)
	}
}
