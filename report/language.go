package report

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hone-ml/hone/evaluate"
)

// Languages of a page.
const (
	English = "en"
	Chinese = "zh"
)

// LanguageOf resolves "auto" by the environment (LC_ALL, LC_MESSAGES, LANG, the
// first that is set): Chinese where that begins with zh, else English.
func LanguageOf(name string) string {
	if name == Chinese || name == English {
		return name
	}
	for _, v := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if s := os.Getenv(v); s != "" {
			if strings.HasPrefix(s, "zh") {
				return Chinese
			}
			break
		}
	}
	return English
}

// A voice says things in a language.
type voice struct{ zh bool }

// reading is a result with the report that it is of, and the voice to tell it in.
type reading struct {
	*evaluate.Result
	voice
	of *Report
}

func read(r *Report, v voice) reading { return reading{r.Result, v, r} }

// say writes an English format, or what stands for it in the table of the
// language, with its arguments. Without arguments a % is a %.
func (v voice) say(format string, args ...any) string {
	if v.zh {
		if t, ok := chinese[format]; ok {
			format = t
		}
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// join puts sentences one after the other; empty ones are left out.
func (v voice) join(sentences ...string) string {
	space := " "
	if v.zh {
		space = ""
	}
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), space)
}

// things begins the keys of what is counted in the tables, whose words differ from
// those of a heading.
const things = "n "

// plural says n things.
func (v voice) plural(n int, thing string) string {
	if v.zh {
		return count(float64(n)) + " " + chinese[things+thing]
	}
	return plural(n, thing)
}

// told puts a sentence of another room, which knows no languages, into the
// language: by the format that made it, else sentence by sentence, else as it is.
func (v voice) told(s string) string {
	s = clean(s)
	if !v.zh || s == "" {
		return s
	}
	if t, ok := retell(s, 0); ok {
		return t
	}
	if first, rest, ok := strings.Cut(s, ". "); ok {
		return v.told(first+".") + v.told(rest)
	}
	return s
}

// sentence is told as a sentence of its own.
func (v voice) sentence(s string) string {
	s = upperFirst(v.told(s))
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "。") {
		return s
	}
	return s + v.say(".")
}

// A retelling is a format of another room as an expression, and its translation.
type retelling struct {
	pattern *regexp.Regexp
	text    string
}

var retellings = sync.OnceValue(func() []retelling {
	verb := regexp.MustCompile(`%[-+.0-9]*[a-z]`)
	var out []retelling
	for _, t := range chineseTold {
		var b strings.Builder
		at := 0
		for _, m := range verb.FindAllStringIndex(t.format, -1) {
			b.WriteString(regexp.QuoteMeta(t.format[at:m[0]]) + "(.+?)")
			at = m[1]
		}
		b.WriteString(regexp.QuoteMeta(t.format[at:]))
		out = append(out, retelling{regexp.MustCompile("^" + b.String() + "$"), t.text})
	}
	return out
})

// mostNested is how deep phrases stand within phrases.
const mostNested = 4

func retell(s string, depth int) (string, bool) {
	if t, ok := chinese[s]; ok {
		return t, true
	}
	if depth > mostNested {
		return s, false
	}
	for _, r := range retellings() {
		m := r.pattern.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		args := make([]any, len(m)-1)
		for i, a := range m[1:] {
			args[i], _ = retell(a, depth+1)
		}
		if len(args) == 0 {
			return r.text, true
		}
		return fmt.Sprintf(r.text, args...), true
	}
	return s, false
}

// label is what a metric is called.
func (v voice) label(m evaluate.Metric) string { return v.told(m.Label) }

// lower is a metric's label in running text.
func (v voice) lower(m evaluate.Metric) string {
	if v.zh {
		return v.label(m)
	}
	return lowerFirst(m.Label)
}
