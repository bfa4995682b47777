package metric

import (
	"strings"
	"testing"
)

func TestParseRequirements(t *testing.T) {
	for _, c := range []struct {
		text, want string // what is read, by its own spelling; or a part of the error
	}{
		{"accuracy>=0.9", "accuracy>=0.9"},
		{"accuracy>=0.9 and f1_macro>=0.85", "accuracy>=0.9; f1_macro>=0.85"},
		{" accuracy >= 0.9  AND  log_loss < 0.5 ", "accuracy>=0.9; log_loss<0.5"},
		{"food and drink.accuracy>=0.9 and f1>0.5", "food and drink.accuracy>=0.9; f1>0.5"},
		{"accuracy>=0.9 and", "nothing follows the last and"},
		{"accuracy>=0.9 and f1", "no comparison found"},
		{"accuracy>=0.9 or f1>0.5", "joined by and alone"},
		{"", "no comparison found"},
	} {
		all, err := ParseRequirements(c.text)
		var said []string
		for _, r := range all {
			said = append(said, r.String())
		}
		if got := strings.Join(said, "; "); err == nil && got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		} else if err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}
