package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// scriptCommands are what scripts have beside testscript's own commands.
//
//	gen [KIND] FILE [ROWS]      writes a seeded data file
//	recode HOW FROM TO          writes it in another form
//	trained                     puts churn.hone, churn.csv and hone.yaml here, trained once for all scripts
//	corrupt FROM TO [BYTES]     copies a bundle, altered or cut
//	bundle HOW TO               writes what is no bundle
//	oops CODE hone ARGS         the command must exit with CODE after one readable paragraph
//	interrupt TEXT hone ARGS    sends SIGINT when TEXT is on standard error; 130 is expected
//	hold                        takes the locks of the runs, as another process
//	serve MODEL ARGS            starts a server, its address is $URL; stop ends it
//	busy URL MODEL              a second server at that address, which is refused
//	get PATH TEXT               a page of $URL, which must hold TEXT
//	json FILE PATH [VALUE]      a value of a JSON object is there, and as given
//	jsonlines FILE              every line is a JSON object
//	same FILE PATH FILE PATH    two JSON values are equal
//	files NAME...               there are these files and no others
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"gen":       gen,
	"trained":   trained,
	"oops":      oops,
	"interrupt": interrupt,
	"serve":     startServer,
	"stop":      stopServer,
	"busy":      busy,
	"get":       get,
	"json":      jsonValue,
	"jsonlines": jsonLines,
	"same":      same,
	"recode":    recode,
	"bundle":    makeBundle,
	"corrupt":   corrupt,
	"hold":      hold,
	"files":     files,
}

func need(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// gen writes a data file of customers: customer_id, age (some missing), plan,
// active, since, spend, and the target, which KIND says: churn (binary, the
// default), plan_next (category) or value (number).
func gen(ts *testscript.TestScript, _ bool, args []string) {
	kind, rows := "churn", 400
	if len(args) > 0 && slices.Contains([]string{"churn", "plan_next", "value"}, args[0]) {
		kind, args = args[0], args[1:]
	}
	need(ts, len(args) == 1 || len(args) == 2, "gen [KIND] FILE [ROWS]")
	if len(args) == 2 {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		rows = n
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), customers(kind, rows), 0o644))
}

func customers(kind string, rows int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "customer_id,age,plan,active,since,spend,%s\n", kind)
	r := rand.New(rand.NewPCG(1, 2))
	plans := []string{"basic", "pro", "team"}
	for i := range rows {
		age, p, active := 18+r.IntN(60), r.IntN(3), r.IntN(2)
		spend := 20 + 10*float64(p) + 3*r.NormFloat64()
		score := 0.06*float64(age-45) - 1.5*float64(active) + float64(p-1) + 0.5*r.NormFloat64()
		ageText := strconv.Itoa(age)
		if r.IntN(20) == 0 {
			ageText = ""
		}
		var target string
		switch kind {
		case "churn":
			target = []string{"no", "yes"}[b2i(score > 0)]
		case "plan_next":
			target = plans[min(2, max(0, p+int(math.Round(score/2))))]
		case "value":
			target = fmt.Sprintf("%.2f", 100+10*score+spend)
		}
		fmt.Fprintf(&b, "C%05d,%s,%s,%s,20%02d-%02d-%02d,%.2f,%s\n", i, ageText, plans[p],
			[]string{"no", "yes"}[active], 18+r.IntN(7), 1+r.IntN(12), 1+r.IntN(28), spend, target)
	}
	return b.Bytes()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// theModel is trained once.
var theModel = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "hone-script")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	csv := customers("churn", 400)
	config := []byte("name: churn\ndata: {source: churn.csv}\noutputs: [{name: churn}]\nnetwork: {widths: [8]}\n" +
		"train: {epochs: 2}\nevaluate: {bootstrap: 50}\n")
	for name, text := range map[string][]byte{"churn.csv": csv, "hone.yaml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	c := exec.Command("hone", "run", "hone.yaml")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	model, err := os.ReadFile(filepath.Join(dir, "churn.hone"))
	return map[string][]byte{"churn.csv": csv, "hone.yaml": config, "churn.hone": model}, err
})

func trained(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, len(args) == 0, "trained")
	files, err := theModel()
	ts.Check(err)
	for name, text := range files {
		ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o644))
	}
}

// machinery is what a message for people never holds: traces, formatting gone
// wrong, names of Go's.
var machinery = regexp.MustCompile(`panic|goroutine |\.go:\d|%!|0x[0-9a-f]{6,}|<nil>|\b(strconv|json|yaml|fmt|errors|zip|csv|url|http|graph|tensor|data|config|lifecycle|model|feature)\.[A-Z][a-z]|\*[a-z]+\.[A-Z]|map\[|\[\]string|float32\[`)

// oops runs a command that must fail as a user's mistake does.
func oops(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 1, "oops CODE hone ARGS")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	text := ts.ReadFile("stderr")
	if code != want {
		ts.Fatalf("exit code %d, expected %d", code, want)
	}
	if found := machinery.FindString(text); found != "" {
		ts.Fatalf("%q is not for people", found)
	}
	_, message, ok := strings.Cut("\n"+text, "\nhone: ")
	if !ok {
		ts.Fatalf("no paragraph that begins with hone:")
	}
	if strings.Contains(strings.TrimSpace(message), "\n\n") || len(message) > 1200 {
		ts.Fatalf("more than a paragraph")
	}
}

// process starts hone in the script's folder.
func process(ts *testscript.TestScript, args []string) *exec.Cmd {
	c := exec.Command("hone", args...)
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), "HOME="+ts.Getenv("WORK"), "GOMAXPROCS=2", "HONE_SERVE_KEY="+ts.Getenv("HONE_SERVE_KEY"))
	return c
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 2 && args[1] == "hone", "interrupt TEXT hone ARGS")
	c := process(ts, args[2:])
	pipe, err := c.StderrPipe()
	ts.Check(err)
	var out bytes.Buffer
	c.Stdout = &out
	ts.Check(c.Start())
	var all strings.Builder
	seen := false
	for s := bufio.NewScanner(pipe); s.Scan(); {
		all.WriteString(s.Text() + "\n")
		if !seen && strings.Contains(s.Text(), args[0]) {
			seen = true
			ts.Check(c.Process.Signal(os.Interrupt))
		}
	}
	err = c.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("interrupted"), []byte(all.String()), 0o644))
	if c.ProcessState.ExitCode() != exitStopped || out.Len() > 0 {
		ts.Fatalf("%v, expected exit code %d; on standard output: %q; on standard error:\n%s", err, exitStopped, out.String(), all.String())
	}
}

// servers are those of the scripts that run now, by their URL.
var servers sync.Map

func startServer(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 0, "serve MODEL ARGS")
	c := process(ts, append([]string{"serve", "--json", "--address", "127.0.0.1:0"}, args...))
	pipe, err := c.StdoutPipe()
	ts.Check(err)
	var log bytes.Buffer
	c.Stderr = &log
	ts.Check(c.Start())
	line, err := bufio.NewReader(pipe).ReadBytes('\n')
	if err != nil {
		c.Wait()
		ts.Fatalf("the server did not begin: %v\n%s", err, log.String())
	}
	var ready struct{ URL, Model string }
	ts.Check(json.Unmarshal(line, &ready))
	ts.Setenv("URL", ready.URL)
	servers.Store(ready.URL, c)
	ts.Defer(func() {
		if _, running := servers.LoadAndDelete(ready.URL); running {
			c.Process.Kill()
			c.Wait()
		}
	})
}

func stopServer(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 0, "stop")
	c, running := servers.LoadAndDelete(ts.Getenv("URL"))
	if !running {
		ts.Fatalf("no server runs")
	}
	cmd := c.(*exec.Cmd)
	ts.Check(cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v", err)
	}
}

// busy tries to serve at an address that is taken.
func busy(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "busy URL MODEL")
	oops(ts, false, []string{"2", "hone", "serve", args[1], "--address", strings.TrimPrefix(args[0], "http://")})
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "get PATH TEXT")
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get(ts.Getenv("URL") + args[0])
	ts.Check(err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	ts.Check(err)
	if !strings.Contains(string(body), args[1]) {
		ts.Fatalf("%s: %q is not in\n%s", r.Status, args[1], body)
	}
}

// value finds a value of a JSON file by its path, such as test.accuracy.value.
func value(ts *testscript.TestScript, file, path string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		ts.Fatalf("%s is not JSON: %v", file, err)
	}
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("%s holds more than one JSON object", file)
	}
	for _, key := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[key]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 || len(args) == 3, "[!] json FILE PATH [VALUE]")
	v, ok := value(ts, args[0], args[1])
	if ok == neg && len(args) == 2 || !ok && len(args) == 3 {
		ts.Fatalf("%s: there: %t", args[1], ok)
	}
	if len(args) == 3 {
		if got := fmt.Sprint(v); (got == args[2]) == neg {
			ts.Fatalf("%s is %s, expected %s", args[1], got, args[2])
		}
	}
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 4, "[!] same FILE PATH FILE PATH")
	a, okA := value(ts, args[0], args[1])
	b, okB := value(ts, args[2], args[3])
	if !okA || !okB || reflect.DeepEqual(a, b) == neg {
		ts.Fatalf("%s of %s is %v, %s of %s is %v", args[1], args[0], a, args[3], args[2], b)
	}
}

func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "jsonlines FILE")
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("line %d is not a JSON object: %v\n%s", n+1, err, line)
		}
		n++
	}
	if n == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
}

// recode writes a data file in another way: tsv, semicolon, accents, crlf,
// bom, gzip, utf-16 or windows-1252.
func recode(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "recode HOW FROM TO")
	text := []byte(ts.ReadFile(args[1]))
	var err error
	switch args[0] {
	case "tsv", "semicolon":
		rows, e := csv.NewReader(bytes.NewReader(text)).ReadAll()
		ts.Check(e)
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = map[string]rune{"tsv": '\t', "semicolon": ';'}[args[0]]
		err = w.WriteAll(rows)
		text = b.Bytes()
	case "accents":
		text = bytes.ReplaceAll(text, []byte("basic"), []byte("été"))
	case "crlf":
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	case "bom":
		text = append([]byte("\ufeff"), text...)
	case "gzip":
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(text)
		err = w.Close()
		text = b.Bytes()
	case "utf-16":
		text, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(text)
	case "windows-1252":
		text, err = charmap.Windows1252.NewEncoder().Bytes(text)
	default:
		ts.Fatalf("unknown way %s", args[0])
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o644))
}

// makeBundle writes a zip archive that is no bundle of ours: bomb, future,
// other or zeros.
func makeBundle(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "bundle HOW TO")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content io.Reader) {
		w, err := z.Create(name)
		ts.Check(err)
		_, err = io.Copy(w, content)
		ts.Check(err)
	}
	switch args[0] {
	case "bomb":
		packed := make([]byte, 300<<10) // which it says to be a thousandth of what it holds
		w, err := z.CreateRaw(&zip.FileHeader{Name: "weights.safetensors", Method: zip.Deflate, CompressedSize64: uint64(len(packed)), UncompressedSize64: 300 << 20})
		ts.Check(err)
		_, err = w.Write(packed)
		ts.Check(err)
		add("manifest.json", strings.NewReader(`{"format":"hone","version":1,"writer":"v1","parts":{}}`))
	case "future":
		add("manifest.json", strings.NewReader(`{"format":"hone","version":99,"writer":"v7.0.0","parts":{}}`))
	case "zeros": // no archive at all
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), make([]byte, 4096), 0o644))
		return
	case "other":
		add("readme.txt", strings.NewReader("hello"))
	default:
		ts.Fatalf("unknown kind %s", args[0])
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o644))
}

// corrupt copies a bundle with one byte of its weights changed, or, given a
// number, its first bytes alone.
func corrupt(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 2 || len(args) == 3), "corrupt FROM TO [BYTES]")
	b := []byte(ts.ReadFile(args[0]))
	if len(args) == 3 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		b = b[:n]
	} else {
		at := bytes.Index(b, []byte("weights.safetensors"))
		if at < 0 {
			ts.Fatalf("%s has no weights", args[0])
		}
		b[at+300] ^= 0x10
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// hold takes the locks of the runs here, as another process would, until the
// script ends.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 0, "hold")
	locks, err := filepath.Glob(ts.MkAbs(".hone/runs/*/lock"))
	ts.Check(err)
	if len(locks) == 0 {
		ts.Fatalf("no run has a lock")
	}
	for _, path := range locks {
		unlock, err := atomicfile.Lock(path)
		ts.Check(err)
		ts.Defer(func() { unlock() })
	}
}

// files says which files there are, hidden ones too, and no others.
func files(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg, "files NAME...")
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		if e.Name() != ".tmp" { // testscript's own
			got = append(got, e.Name())
		}
	}
	slices.Sort(args)
	if !slices.Equal(got, args) {
		ts.Fatalf("there are %v, expected %v", got, args)
	}
}
