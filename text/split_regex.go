package text

import (
	"fmt"
	"regexp"
	"strings"
)

// regexMatcher is a regular expression of Go's.
type regexMatcher struct{ re *regexp.Regexp }

func (m regexMatcher) match(dst []segment, b []byte) []segment {
	last := 0
	for _, g := range m.re.FindAllIndex(b, -1) {
		if last < g[0] {
			dst = append(dst, segment{last, g[0], false})
		}
		dst = append(dst, segment{g[0], g[1], true})
		last = g[1]
	}
	if last < len(b) {
		dst = append(dst, segment{last, len(b), false})
	}
	return dst
}

// A runMatcher matches runs of white space, or of spaces, of at least a length.
type runMatcher struct {
	white bool
	least int
}

// knownRuns are the regular expressions that runMatcher stands for.
var knownRuns = map[string]runMatcher{`\s+`: {true, 1}, ` +`: {false, 1}, ` {2,}`: {false, 2}}

func (m runMatcher) match(dst []segment, b []byte) []segment {
	last := 0
	for i := 0; i < len(b); {
		from, n := i, 0
		for i < len(b) {
			r, k := runeAt(b, i)
			if r != ' ' && !(m.white && classOf(r)&white != 0) {
				break
			}
			i += k
			n++
		}
		if n == 0 {
			_, k := runeAt(b, i)
			i += k
		} else if n >= m.least {
			if last < from {
				dst = append(dst, segment{last, from, false})
			}
			dst = append(dst, segment{from, i, true})
			last = i
		}
	}
	if last < len(b) {
		dst = append(dst, segment{last, len(b), false})
	}
	return dst
}

// compileRegex returns what matches as the pattern does in Oniguruma, the
// library that tokenizers uses: one of the known scanners, or Go's regexp
// where it means the same, else an error that says what it cannot do.
func compileRegex(pattern string) (matcher, error) {
	if w := knownPatterns[pattern]; w != nil {
		return w, nil
	}
	if m, ok := knownRuns[pattern]; ok {
		return m, nil
	}
	translated, err := translate(pattern)
	if err == nil {
		var re *regexp.Regexp
		if re, err = regexp.Compile(translated); err == nil {
			return regexMatcher{re}, nil
		}
	}
	return nil, fmt.Errorf("cannot match %q: %w; known beyond what Go's regexp does are the patterns of GPT-2, cl100k_base, Llama 3 and Qwen, letter by letter", pattern, err)
}

// What \s, \d and \w match in Oniguruma: all of Unicode, not only ASCII.
const (
	spaces    = `\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`
	digits    = `\p{Nd}`
	words     = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}²³¹¼½¾\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}`
	hexDigits = `0-9a-fA-F`
)

// translate writes a pattern of Oniguruma's (in its Ruby syntax) for Go.
func translate(pattern string) (string, error) {
	var out strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		switch c := pattern[i]; {
		case c == '\\' && len(rest) > 1:
			i++
			set, negated := "", false
			switch e := rest[1]; e {
			case 's', 'S':
				set, negated = spaces, e == 'S'
			case 'd', 'D':
				set, negated = digits, e == 'D'
			case 'w', 'W':
				set, negated = words, e == 'W'
			case 'h', 'H':
				set, negated = hexDigits, e == 'H'
			case 'b', 'B', 'Z', 'G', 'K', 'R', 'X', 'C':
				return "", fmt.Errorf(`\%c is not known`, e)
			default:
				out.WriteString(rest[:2])
				continue
			}
			switch {
			case class && negated:
				return "", fmt.Errorf(`%s inside [] is not known`, rest[:2])
			case class:
				out.WriteString(set)
			case negated:
				out.WriteString("[^" + set + "]")
			default:
				out.WriteString("[" + set + "]")
			}
		case class && strings.HasPrefix(rest, "[:"):
			end := strings.Index(rest, ":]")
			if end < 0 {
				return "", fmt.Errorf("[: without :]")
			}
			return "", fmt.Errorf("%s is not known", rest[:end+2])
		case class && c == '[', class && strings.HasPrefix(rest, "&&"):
			return "", fmt.Errorf("%q inside [] is not known", rest[:1])
		case class:
			class = c != ']'
			out.WriteByte(c)
		case c == '[':
			class = true
			out.WriteByte(c)
			for _, first := range []string{"^", "]"} { // a ] that comes first is itself
				if strings.HasPrefix(pattern[i+1:], first) {
					out.WriteString(first)
					i++
				}
			}
		case c == '^':
			out.WriteString("(?m:^)")
		case c == '$':
			out.WriteString("(?m:$)")
		case strings.HasPrefix(rest, "{,"):
			return "", fmt.Errorf("{, is not known")
		case strings.HasPrefix(rest, "(?"):
			end := strings.IndexAny(rest, ":)")
			if end < 0 || strings.Trim(rest[2:end], "i-") != "" {
				return "", fmt.Errorf("%s is not known", rest[:min(len(rest), 3)])
			}
			out.WriteByte(c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}
