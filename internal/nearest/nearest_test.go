package nearest

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"epoch", "epochs", 1}, {"kitten", "sitting", 3},
		{"adma", "adam", 1}, {"größe", "grösse", 2}, {"abc", "abc", 0}, {"ca", "abc", 3},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	known := []string{"accuracy", "roc_auc", "f1", "log_loss"}
	for name, want := range map[string]string{
		"acuracy": "accuracy", "ROC_AUC": "roc_auc", "logloss": "log_loss", "f2": "f1", "rmse": "", "": "",
	} {
		if got := Name(name, known); got != want {
			t.Errorf("Name(%q) = %q, want %q", name, got, want)
		}
	}
	if got := Name("x", nil); got != "" {
		t.Errorf("no candidates: %q", got)
	}
}
