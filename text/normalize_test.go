package text

import (
	"strings"
	"testing"
)

func TestRawText(t *testing.T) {
	for _, c := range []struct {
		n          Normalizer
		text, want string
	}{
		{&HTML{}, "a &lt;b&gt; &amp; <b class=\"x\">c</b><!-- <i> --> 1 < 2 && &unknown; &#39;x&#x4E2D;", "a <b> &  c   1 < 2 && &unknown; 'x中"},
		{&HTML{}, "<script", "<script"},
		{&URLs{With: "URL"}, "see http://a.org/b?c=d, (https://x.y/z). www.hone.dev! not://this", "see URL, (URL). URL! not://this"},
		{&URLs{}, "WWW.EXAMPLE.COM at 10", " at 10"},
		{&Emoji{Policy: "remove"}, "a😀b 👍🏽 👨‍👩‍👧‍👦 🇩🇪🇫🇷 1️⃣ 1 ❤️ ©", "ab     1  ©"},
		{&Emoji{Policy: "remove"}, "👩\u200dab ❤️\u200d🔥c 🙂\u200d↔️d 🏴\u200d☠️e", "\u200dab c d e"},
		{&Emoji{Policy: "isolate"}, "ok👍🏽!🇩🇪🇫🇷", "ok 👍🏽 ! 🇩🇪  🇫🇷 "},
		{&Width{}, "Ａ１！　ｶﾀ 中", "A1! カタ 中"},
		{&Replace{Pattern: Pattern{Regex: `\s+`}, Content: " "}, "a\u00a0\u3000b", "a b"},
	} {
		if got := tokenizerOf(t, c.n).Normalize(c.text); got != c.want {
			t.Errorf("%T: %q becomes %q, expected %q", c.n, c.text, got, c.want)
		}
	}
}

func TestOffsetsOfRawText(t *testing.T) {
	v, err := NewVocab([]string{"[UNK]", "&", "url", "b"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(Spec{
		Normalizer:   &NormalizerSequence{[]Normalizer{&HTML{}, &URLs{With: "url"}, &Lowercase{}}},
		PreTokenizer: &WhitespaceSplit{}, Model: &WordLevel{Vocab: v, UnkToken: "[UNK]"},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := "é &amp; http://a.org/x <b>B</b> \xff!"
	e, err := k.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, o := range e.Offsets {
		got = append(got, e.Tokens[i]+"="+text[o.From:o.To])
	}
	if want := "[UNK]=é|&=&amp;|url=http://a.org/x|b=B|[UNK]=\xff!"; strings.Join(got, "|") != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}
