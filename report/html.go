package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html page.css
var files embed.FS

var (
	styleSheet = mustRead("page.css")
	page       = template.Must(template.New("page").Funcs(template.FuncMap{"clean": clean, "lines": cleanLines}).Parse(mustRead("page.html")))
)

func mustRead(name string) string {
	b, err := files.ReadFile(name)
	if err != nil { // embedded at build time, so only a mistake in this file
		panic(err) // programmer error
	}
	return string(b)
}

// view is what the template sees: texts and drawings, nothing to compute.
type view struct {
	voice
	Lang, Policy string
	Style        template.CSS

	Name     string
	Facts    []string // beside the name
	Verdict  string
	Lede     string
	Answers  []answer
	Notes    []string
	Sections []section
	Footer   pair
}

// Say is say, for the template.
func (v view) Say(s string) string { return v.say(s) }

// voiceOf is the voice of a page's language.
func voiceOf(language string) voice { return voice{zh: language == Chinese} }

// HTML writes the report as one self-contained page.
func HTML(w io.Writer, r *Report) error {
	if r == nil || r.Result == nil {
		return errors.New("report: no result to write about")
	}
	v := read(r, voiceOf(r.Language))
	p := view{
		Name: clean(r.Name), Verdict: verdict(v), Lede: learned(v), Answers: answers(v), Sections: sectionsOf(v),
	}
	if r.RunID != "" {
		p.Facts = append(p.Facts, v.say("run %s", clean(r.RunID)))
	}
	if r.Date != "" {
		p.Facts = append(p.Facts, clean(r.Date))
	}
	for _, n := range r.Result.Notes {
		p.Notes = append(p.Notes, v.told(n))
	}
	if r.Bundle != "" {
		p.Footer = pair{Term: v.say("Predict with it:"), Text: "hone predict " + shell(r.Bundle) + " FILE"}
	}
	return p.write(w, v.voice)
}

// write renders a page.
func (p view) write(w io.Writer, v voice) error {
	p.voice, p.Lang, p.Style = v, English, template.CSS(styleSheet)
	if v.zh {
		p.Lang = "zh-Hans"
	}
	images := ""
	for _, s := range p.Sections {
		for _, b := range s.Blocks {
			if len(b.Pictures) > 0 {
				images = "img-src data:; "
			}
		}
	}
	sum := sha256.Sum256([]byte(styleSheet))
	p.Policy = fmt.Sprintf("default-src 'none'; %sstyle-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
		images, base64.StdEncoding.EncodeToString(sum[:]))
	var b strings.Builder
	if err := page.Execute(&b, p); err != nil {
		return fmt.Errorf("report: write the page: %w", err)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: write the page: %w", err)
	}
	return nil
}
