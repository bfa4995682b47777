package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
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
