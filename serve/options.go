package serve

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/format/bundle"
)

// KeyVariable is the environment variable that holds the key where the options
// do not.
const KeyVariable = "HONE_SERVE_KEY"

// Options say how to serve. The zero value of a field means its default.
type Options struct {
	Address string `yaml:"address" default:"127.0.0.1:8080" doc:"where to listen; port 0 takes a free one"`
	// Key is demanded on every route, as a bearer token or the password of basic
	// authentication. It is needed where the address is not loopback. It is never
	// in a file: default HONE_SERVE_KEY of the environment.
	Key             string        `yaml:"-"`
	MaxBody         int64         `yaml:"max_body" default:"8388608" min:"1024" doc:"bytes of a request at most"`
	MaxRows         int           `yaml:"max_rows" default:"10000" min:"1" doc:"rows of a request at most"`
	MaxConcurrent   int           `yaml:"max_concurrent" default:"64" min:"1" doc:"predictions worked on at a time; more are refused with 503 and Retry-After"`
	ReadTimeout     time.Duration `yaml:"read_timeout" default:"30s" doc:"for a whole request to arrive"`
	WriteTimeout    time.Duration `yaml:"write_timeout" default:"2m" doc:"for a request to be answered"`
	IdleTimeout     time.Duration `yaml:"idle_timeout" default:"2m" doc:"for the next request on an open connection"`
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout" default:"30s" doc:"for requests under way to be finished before the server ends"`

	// Logger is told of failures; default slog.Default().
	Logger *slog.Logger `yaml:"-"`
}

// setDefaults fills in what is zero and checks the rest.
func (o *Options) setDefaults() error {
	if o.Address == "" {
		o.Address = "127.0.0.1:8080"
	}
	if o.Key == "" {
		o.Key = os.Getenv(KeyVariable)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 8 << 20
	}
	if o.MaxRows == 0 {
		o.MaxRows = 10000
	}
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = 64
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		by    time.Duration
	}{
		{"read_timeout", &o.ReadTimeout, 30 * time.Second},
		{"write_timeout", &o.WriteTimeout, 2 * time.Minute},
		{"idle_timeout", &o.IdleTimeout, 2 * time.Minute},
		{"shutdown_timeout", &o.ShutdownTimeout, 30 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.by
		}
		if *d.value < 0 {
			return &Error{Problem: fmt.Sprintf("serve.%s is %v, expected more than 0", d.name, *d.value)}
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBody < 0 || o.MaxRows < 0 || o.MaxConcurrent < 0 {
		return &Error{Problem: fmt.Sprintf("serve.max_body, max_rows and max_concurrent are %d, %d and %d, expected 1 or more", o.MaxBody, o.MaxRows, o.MaxConcurrent)}
	}
	host, port, err := net.SplitHostPort(o.Address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return &Error{Problem: fmt.Sprintf("the address is %q, expected HOST:PORT such as 127.0.0.1:8080", o.Address)}
	}
	if strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return &Error{Problem: "the key (" + KeyVariable + ") holds a space, a line end or a character beyond ASCII, which a request cannot carry; take letters and digits"}
	}
	if o.Key == "" && !isLoopback(host) {
		return noKey(o.Address)
	}
	return nil
}

// noKey is why a server without a key does not listen beyond this machine.
func noKey(address string) error {
	return &Error{Problem: fmt.Sprintf("the address is %s, which other machines can reach, and there is no key; set %s to a long random text, or listen on 127.0.0.1", address, KeyVariable)}
}

// isLoopback says whether a host is this machine and no other can reach it.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Facts are what is told of a model beside what the model itself knows.
type Facts struct {
	Name    string          // default the model's
	Digest  string          // SHA-256 of the bundle, in hexadecimal
	Writer  string          // the version of hone that wrote the bundle
	Metrics json.RawMessage // metrics.json: how well it predicted the test rows
	Answers *Answers        // to reply to questions with; nil: it does not
}

// FactsOf gathers the facts of a bundle that was read from path.
func FactsOf(path string, b *bundle.Bundle) (Facts, error) {
	f := Facts{Writer: b.Writer}
	var err error
	if f.Digest, err = data.Fingerprint(path); err != nil {
		return f, err
	}
	// A bundle need not have been evaluated.
	if m, err := b.Part("metrics.json"); err == nil {
		if !json.Valid(m) {
			return f, &bundle.Error{Path: path, Problem: "metrics.json is not JSON", Remedy: "train the model again"}
		}
		f.Metrics = m
	}
	if raw, err := b.Part(AnswersPart); err == nil {
		f.Answers = &Answers{}
		if err := json.Unmarshal(raw, f.Answers); err != nil {
			return f, &bundle.Error{Path: path, Problem: AnswersPart + ": " + err.Error(), Remedy: "train the model again"}
		}
	}
	return f, nil
}

// version is the name of exactly this model in replies.
func (f Facts) version() string {
	if len(f.Digest) < 12 {
		return f.Name
	}
	return f.Name + "@" + f.Digest[:12]
}
