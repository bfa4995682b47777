package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A set is a folder of texts: files, and how a line of them gives texts.
type set struct {
	name  string
	files []string
	texts func(line string) ([]string, error)
}

var sets = []set{
	{"banking77", []string{"train.csv"}, nil},
	{"sst2", []string{"train.tsv", "test.tsv", "dev.tsv"}, column(0)},
	{"thucnews-titles", []string{"train-45k.tsv"}, column(0)},
	{"chnsenticorp", []string{"train.tsv", "test.tsv"}, column(1)},
	{"stackfaq", []string{"stackfaq.jsonl"}, strs},
	{"multi30k-en-de", []string{"train.tsv"}, column(0, 1)},
	{"wikitext-2", []string{"test.txt", "valid.txt"}, func(l string) ([]string, error) { return []string{l}, nil }},
	{"random", nil, nil},
}

// hard are what the texts of the set random are made of: runs of code points
// from a range, the same each time, and strings.
var hard = []struct {
	from, to rune
	text     string
}{
	{'a', 'z', ""}, {'a', 'z', ""}, {'A', 'Z', ""}, {'0', '9', ""}, {'!', '/', ""}, {' ', ' ', ""}, {' ', ' ', ""}, {0, 0x1F, ""}, {0x7F, 0xA0, ""}, {0xA1, 0x24F, ""}, {0x300, 0x36F, ""},
	{0x370, 0x3FF, ""}, {0x400, 0x4FF, ""}, {0x590, 0x5FF, ""}, {0x600, 0x6FF, ""}, {0x900, 0x97F, ""}, {0xE00, 0xE7F, ""}, {0x1100, 0x11FF, ""}, {0x1E00, 0x1FFF, ""}, {0x2000, 0x206F, ""},
	{0x2100, 0x218F, ""}, {0x2460, 0x24FF, ""}, {0x2600, 0x27BF, ""}, {0x3000, 0x30FF, ""}, {0x3300, 0x33FF, ""}, {0x4E00, 0x9FFF, ""}, {0x4E00, 0x9FFF, ""}, {0xAC00, 0xD7A3, ""}, {0xF900, 0xFAFF, ""}, {0xFB00, 0xFDFF, ""},
	{0xFE00, 0xFE2F, ""}, {0xFF00, 0xFFEF, ""}, {0x1D100, 0x1D1FF, ""}, {0x1D400, 0x1D7FF, ""}, {0x1F1E6, 0x1F1FF, ""}, {0x1F300, 0x1FAFF, ""}, {0x10000, 0x1FFFF, ""}, {0xE0000, 0x10FFFF, ""}, {0, 0xD7FF, ""},
	{0, 0, "\u200d"}, {0, 0, "\ufe0f"}, {0, 0, "👩‍👧"}, {0, 0, "👍🏽"}, {0, 0, "[SEP]"}, {0, 0, "<s>"}, {0, 0, "<|end|>"}, {0, 0, "'ll"}, {0, 0, "'S"}, {0, 0, "\r\n"}, {0, 0, "  "}, {0, 0, " \n "}, {0, 0, "▁"}, {0, 0, "<0x41>"}, {0, 0, "##"},
}

func random(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 1 + r.IntN(20) {
			h := hard[r.IntN(len(hard))]
			b.WriteString(h.text)
			for k := 1 + r.IntN(6); k > 0 && h.text == ""; k-- {
				b.WriteRune(h.from + r.Int32N(h.to-h.from+1)) // a surrogate becomes U+FFFD
			}
		}
		out[i] = b.String()
	}
	return out
}

// column takes columns of tab-separated values.
func column(places ...int) func(string) ([]string, error) {
	return func(l string) (out []string, err error) {
		fields := strings.Split(l, "\t")
		for _, i := range places {
			if i >= len(fields) {
				return nil, fmt.Errorf("%d columns, expected %d", len(fields), i+1)
			}
			out = append(out, fields[i])
		}
		return out, nil
	}
}

// strs takes all strings of a JSON object, in order.
func strs(l string) (out []string, err error) {
	d := json.NewDecoder(strings.NewReader(l))
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		if s, ok := k.(string); ok {
			out = append(out, s)
		}
		if k == json.Delim('}') {
			break
		}
	}
	return out, nil
}

// read returns the first n texts of a set.
func (s *set) read(data string, n int) ([]string, error) {
	if s.name == "random" {
		return random(n), nil
	}
	var out []string
	for _, name := range s.files {
		path := filepath.Join(data, s.name, name)
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if s.texts == nil {
			records, err := csv.NewReader(f).ReadAll()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			for _, r := range records[1:] {
				out = append(out, r[0])
			}
			continue
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<24)
		for i := 1; lines.Scan(); i++ {
			texts, err := s.texts(lines.Text())
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i, err)
			}
			out = append(out, texts...)
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out[:min(n, len(out))], nil
}

func choose(list string) ([]set, error) {
	if list == "" {
		return sets, nil
	}
	var out []set
next:
	for name := range strings.SplitSeq(list, ",") {
		for _, s := range sets {
			if s.name == name {
				out = append(out, s)
				continue next
			}
		}
		return nil, fmt.Errorf("-set: there is no %q", name)
	}
	return out, nil
}

func writeLines(path string, lines []string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	e := json.NewEncoder(w)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			f.Close()
			return err
		}
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
