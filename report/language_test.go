package report

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var verbs = regexp.MustCompile(`%(?:\[\d\])?[-+.0-9]*[a-z]`)

// said are the texts that the code says: the first constant text of a call of say,
// plural or add.
func said(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			at := map[string]int{"say": 0, "plural": 1}
			if !ok {
				if id, isIdent := call.Fun.(*ast.Ident); isIdent && id.Name == "add" && name == "trust.go" {
					return addedText(call, out)
				}
				return true
			}
			i, known := at[s.Sel.Name]
			if !known || len(call.Args) <= i {
				return true
			}
			if lit, ok := call.Args[i].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				if s.Sel.Name == "plural" {
					text = things + text
				}
				out[text] = true
			}
			return true
		})
	}
	html, err := os.ReadFile("page.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\.Say "([^"]*)"`).FindAllStringSubmatch(string(html), -1) {
		out[m[1]] = true
	}
	return out
}

func addedText(call *ast.CallExpr, out map[string]bool) bool {
	if lit, ok := call.Args[1].(*ast.BasicLit); ok {
		if text, err := strconv.Unquote(lit.Value); err == nil {
			out[text] = true
		}
	}
	return true
}

// TestChinese holds the table against the code: every text that the code says has
// its Chinese, with as many places for what is filled in.
func TestChinese(t *testing.T) {
	texts := said(t)
	if len(texts) < 100 {
		t.Fatalf("only %d texts were found in the code", len(texts))
	}
	for text := range texts {
		zh, ok := chinese[text]
		if !ok {
			t.Errorf("zh.go has nothing for %q", text)
			continue
		}
		if strings.Contains(text, "% ") || strings.Contains(text, "%,") {
			continue // a plain text with percent signs
		}
		if a, b := len(verbs.FindAllString(text, -1)), len(verbs.FindAllString(zh, -1)); a != b {
			t.Errorf("%q has %d places, %q has %d", text, a, zh, b)
		}
	}
	for _, told := range chineseTold {
		if a, b := len(verbs.FindAllString(told.format, -1)), len(verbs.FindAllString(told.text, -1)); a != b {
			t.Errorf("%q has %d places, %q has %d", told.format, a, told.text, b)
		}
	}
}

// TestChineseTold holds the sentences of other rooms against their code, so that
// one that was changed there is changed here.
func TestChineseTold(t *testing.T) {
	code := ""
	for _, room := range []string{"evaluate", "lifecycle", "metric"} {
		files, err := filepath.Glob("../" + room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			code += string(b)
		}
	}
	plain := verbs.ReplaceAllString(code, "%s")
	for _, told := range chineseTold {
		// A sentence may be put together from parts: the longest must be there.
		longest := ""
		for _, part := range verbs.Split(told.format, -1) {
			part = strings.TrimSuffix(strings.TrimSpace(part), ".")
			if len(part) > len(longest) {
				longest = part
			}
		}
		if !strings.Contains(plain, longest) {
			t.Errorf("no room says %q any more", told.format)
		}
	}
}

// TestChinesePages draws all pages in Chinese, and finds no English left in what
// the report says of itself.
func TestChinesePages(t *testing.T) {
	for name, r := range map[string]*Report{"binary": binaryReport(t), "multiclass": multiclassReport(t), "regression": regressionReport(t)} {
		r.Language = Chinese
		var b bytes.Buffer
		if err := HTML(&b, r); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		checkSVG(t, page)
		if !strings.Contains(page, `<html lang="zh-Hans">`) {
			t.Errorf("%s: the page does not say that it is in Chinese", name)
		}
		for _, english := range []string{"Is it good", "better than", "higher is", "The numbers", "sound fit", "MISSING", "EXTRA", "%!"} {
			if i := strings.Index(page, english); i >= 0 {
				t.Errorf("%s: English on the page: …%s…", name, page[max(0, i-60):min(len(page), i+60)])
			}
		}
	}
}

func TestTold(t *testing.T) {
	zh := voice{zh: true}
	for _, c := range [][2]string{
		{"A sound fit: in epoch 8, whose weights are kept, the loss was 0.221 on training rows and 0.207 on validation rows.", "拟合良好：第 8 轮（保留其权重）的损失在训练行上为 0.221，在验证行上为 0.207。"},
		{"Train for more epochs. Nothing known.", "训练更多轮。Nothing known."},
		{"p 0.012, DeLong", "p 0.012，DeLong"},
		{"a class named loss", "a class named loss"},
		{"", ""},
	} {
		if got := zh.told(c[0]); got != c[1] {
			t.Errorf("%q became %q, want %q", c[0], got, c[1])
		}
		if got := (voice{}).told(c[0]); got != c[0] {
			t.Errorf("English: %q became %q", c[0], got)
		}
	}
}
