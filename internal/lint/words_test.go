package lint

import (
	"fmt"
	"regexp"
	"strings"
)

// join keeps a pattern from matching where it is written.
func join(parts ...string) string { return strings.Join(parts, "") }

// forbidden are patterns that no source or document holds.
var forbidden = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(join(`(^|[^\w./:~-])/(wo`, `rk|ro`, `ot|ho`, `me/\w+|Us`, `ers/\w+|opt/pe`, `ers)(/|\b)`)), "a path of one machine: write it relative to the repository, or take it from the environment"},
	{regexp.MustCompile(join(`[A-Z]:\\+Us`, `ers\\`)), "a path of one machine: write it relative to the repository, or take it from the environment"},
	{regexp.MustCompile(join(`\b(TO`, `DO|FIX`, `ME|XX`, `X|HA`, `CK|TB`, `D|WI`, `P)\b`)), "a mark of unfinished work: finish it, or file an issue"},
	{regexp.MustCompile(join(`(?i)\bnot (yet )?imple`, `mented\b|\bunimple`, `mented\b|\bcoming s`, `oon\b|\blorem ip`, `sum\b`)), "a mark of unfinished work: finish it, or file an issue"},
	{regexp.MustCompile(join(`(?i)(^|[^:\w-])placehol`, `der\b([^="':(]|$)`)), "a mark of unfinished work: finish it, or file an issue"},
	{regexp.MustCompile(join(
		`(?i)\b(proxy\.gol`, `ang\.org|sum\.gol`, `ang\.org|goproxy\.[a-z]{2,}|`,
		`(files\.)?py`, `pi\.org|py`, `pi\.python\.org|files\.python`, `hosted\.org|`,
		`registry\.np`, `mjs\.org|registry\.yarn`, `pkg\.com|registry\.npmm`, `irror\.com|`,
		`(static\.|index\.)?cra`, `tes\.io|ruby`, `gems\.org|repo\d*\.mav`, `en\.org|`,
		`(deb|security)\.deb`, `ian\.org|archive\.ubu`, `ntu\.com)\b`)), "a package registry's address: tools know their registry, and mirrors differ"},
}

// words finds forbidden patterns in sources and documents.
func words(files []*file) (offences []string) {
	for _, f := range files {
		for i, line := range f.lines() {
			for _, w := range forbidden {
				if found := w.pattern.FindString(line); found != "" {
					offences = append(offences, fmt.Sprintf("%s:%d: %q: %s", f.path, i+1, strings.TrimSpace(found), w.why))
				}
			}
		}
	}
	return offences
}
