package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/lifecycle"
)

func TestCheckCommand(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	var bad, good strings.Builder
	bad.WriteString("age,left,reason\n")
	good.WriteString("age,left\n")
	for i := range 400 {
		age, left := 18+r.IntN(60), r.IntN(3) == 0
		fmt.Fprintf(&good, "%d,%d\n", age, map[bool]int{true: 1}[left])
		if i%40 == 0 {
			age = 0
		}
		fmt.Fprintf(&bad, "%d,%d,%s\n", age, map[bool]int{true: 1}[left], map[bool]string{true: "price"}[left])
	}
	for name, text := range map[string]string{"bad.csv": bad.String(), "good.csv": good.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const found = `bad.csv: 400 rows of 3 columns; 1 error, 1 warning

errors
  leak           reason  gives left away: alone it tells the outcomes apart almost perfectly (AUC 1.0000 on rows that it was not fitted to, of 400)
                         → left out of the inputs, as it may be known only once the answer is; if it is known when predicting, add it to the inputs: {name: reason}

warnings
  zeros          age  is 0 in 10 rows (2.5 %) and otherwise 18 to 77: 0 seems to mean that the value is missing
                      → take it as missing, if that is what it means

in the configuration
  data: {clean: [{type: missing, columns: [age], values: ["0"]}]}
  inputs: [age]
`
	for _, c := range []struct {
		args        string
		code        int
		out, errors string
	}{
		{"bad.csv --target left", 0, found, ""},
		{"bad.csv --target left --fail-on error", 3, found, "hone: bad.csv: 1 finding reaches --fail-on error\n"},
		{"bad.csv --target left --fail-on warning", 3, found, "hone: bad.csv: 2 findings reach --fail-on warning\n"},
		{"bad.csv --fail-on error", 0, "", ""},
		{"good.csv --target left --fail-on warning", 0, "good.csv: 400 rows of 2 columns; nothing found\n", ""},
		{"bad.csv --target lift", 2, "", `did you mean "left"?`},
		{"none.csv", 2, "", "none.csv"},
		{"bad.csv --fail-on note", 2, "", "expected error, warning or never"},
		{"bad.csv --type age", 2, "", "expected COLUMN=TYPE"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Chdir(dir)
			var out, errors bytes.Buffer
			code := run(append([]string{"check"}, strings.Fields(c.args)...), &out, &errors)
			if code != c.code || c.out != "" && out.String() != c.out || !strings.Contains(errors.String(), c.errors) || c.errors == "" && errors.Len() > 0 {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, c.code, out.String(), errors.String())
			}
		})
	}
	t.Chdir(dir)
	var out, errors bytes.Buffer
	if code := run([]string{"check", "bad.csv", "--target", "left", "--json"}, &out, &errors); code != 0 {
		t.Fatalf("exit code %d: %s", code, errors.String())
	}
	var v lifecycle.Checked
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if len(v.Findings) != 2 || v.Counts["error"] != 1 || v.Findings[1].Evidence["rows"] != 10 || v.Findings[1].YAML != "data: {clean: [{type: missing, columns: [age], values: [\"0\"]}]}\n" {
		t.Errorf("%+v", v)
	}
}

// A table with the same problem in many columns is told in few lines.
func TestCheckCommandIsShort(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var b strings.Builder
	for j := range 25 {
		fmt.Fprintf(&b, "a%d,", j)
	}
	b.WriteString("y\n")
	for range 300 {
		for range 25 {
			age := 18 + r.IntN(60)
			if r.IntN(20) == 0 {
				age = 0
			}
			fmt.Fprintf(&b, "%d,", age)
		}
		fmt.Fprintf(&b, "%d\n", r.IntN(1000))
	}
	file := filepath.Join(t.TempDir(), "many.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errors bytes.Buffer
	if code := run([]string{"check", file, "--target", "y"}, &out, &errors); code != 0 {
		t.Fatalf("exit code %d: %s", code, errors.String())
	}
	if n := strings.Count(out.String(), "is 0 in"); n != 10 || !strings.Contains(out.String(), "and 15 more") {
		t.Errorf("%d of 25 are told:\n%s", n, out.String())
	}
}
