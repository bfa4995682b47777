package text

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct{ cjk, text, want string }{
		{"bigrams", "It's 3.5 cafe\u0301s — ok?!", "It|'|s|3|.|5|cafe\u0301s|—|ok|?!"},
		{"bigrams", "我的卡mixed中 カタカナ東京。", "我的|的卡|mixed|中|カタ|タカ|カナ|ナ東|東京|。"},
		{"characters", "我的ab，卡", "我|的|ab|，|卡"},
		{"both", "ab我的卡，卡", "ab|我|我的|的|的卡|卡|，|卡"},
		{"bigrams", "한국어 ไทย", "한국어|ไทย"},
	} {
		v, err := NewVocab([]string{"[UNK]"})
		if err != nil {
			t.Fatal(err)
		}
		k, err := New(Spec{PreTokenizer: &Words{CJK: c.cjk}, Model: &WordLevel{Vocab: v, UnkToken: "[UNK]"}})
		if err != nil {
			t.Fatal(err)
		}
		e, err := k.Encode(c.text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range e.Offsets {
			got = append(got, c.text[o.From:o.To])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q is cut into %q, expected %q", c.text, got, c.want)
		}
		got = nil
		if err := (&Words{CJK: c.cjk}).Cut(c.text, func(b []byte) { got = append(got, string(b)) }); err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("Cut cuts %q into %q, %v, expected %q", c.text, got, err, c.want)
		}
	}
}

func TestWordScanners(t *testing.T) {
	for _, c := range []struct {
		w          *wordScanner
		text, want string
	}{
		{gpt2, "I'll  go, 2024's\n\n x\t", "I|'ll| | go|,| 2024|'s|\n\n| x|\t"},
		{gpt2, "a   \u3000b 'Ll", "a|   |\u3000|b| '|Ll"},
		{&wordScanner{true, 3}, "I'LL go, 20245 !?\n\nx  \n y 'ſ", "I|'LL| go|,| |202|45| !?\n\n|x|  \n| y| '|ſ"},
		{&wordScanner{true, 1}, "(a) 12\r\n  z", "(a|)| |1|2|\r\n| | z"},
		{&wordScanner{true, 0}, "12345'ſx", "12345|'ſ|x"},
	} {
		loadClasses()
		b := []byte(c.text)
		var got []string
		for _, g := range c.w.match(nil, b) {
			got = append(got, c.text[g.from:g.to])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q is cut into %q, expected %q", c.text, got, c.want)
		}
	}
}

func TestRegexesOfOniguruma(t *testing.T) {
	for pattern, want := range map[string]string{
		`\S+`: "a|b1", `[\s,]+`: "\u00a0,", `\d`: "1", `[^\w]`: "\u00a0|,", `(?i:B)`: "b", `^a`: "a", `\h`: "a|b|1", `[]a]`: "a",
	} {
		m, err := compileRegex(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		text := "a\u00a0,b1"
		if pattern == `\S+` {
			text = "a\u00a0b1"
		}
		var got []string
		for _, g := range m.match(nil, []byte(text)) {
			if g.match {
				got = append(got, text[g.from:g.to])
			}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s finds %q, expected %q", pattern, got, want)
		}
	}
	for pattern, want := range map[string]string{
		`a(?=b)`: "(?= is not known", `(?<!a)b`: "(?< is not known", `\bx`: `\b is not known`, `[\S]`: `\S inside [] is not known`, `[a[b]]`: "inside [] is not known",
		`[a&&b]`: "inside [] is not known", `(?m:.)`: "(?m is not known", `a{,3}`: "{, is not known", `[[:alpha:]]`: "[:alpha:] is not known", `(a)\1`: "invalid escape", `a++`: "invalid nested repetition",
		`[[:x`: "[: without :]",
	} {
		if _, err := compileRegex(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", pattern, err, want)
		}
	}
}
