package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/hone-ml/hone/internal/nearest"
)

// maxHeaderTime is how long the head of a request may take.
const maxHeaderTime = 10 * time.Second

// A route is a path that is answered.
type route struct {
	method string
	handle func(w http.ResponseWriter, r *http.Request) error
}

// Handler returns the server as a handler, for a server of one's own. Call
// Warm first if it is to be ready from the start.
func (s *Server) Handler() http.Handler {
	routes := map[string]route{
		"/":           {http.MethodGet, s.servePage},
		"/v1/predict": {http.MethodPost, s.predict},
		"/v1/schema":  {http.MethodGet, s.serveSchema},
		"/healthz":    {http.MethodGet, s.healthy},
		"/readyz":     {http.MethodGet, s.ready},
		"/metrics":    {http.MethodGet, s.metrics.serve},
	}
	if s.answerer != nil {
		routes["/form"], routes["/"] = routes["/"], route{http.MethodGet, s.serveChat}
		routes["/v1/answer"] = route{http.MethodPost, s.answer}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		rt, known := routes[r.URL.Path]
		label := "other"
		if known {
			label = r.URL.Path
		}
		done := s.metrics.begin(label)
		defer func() { done(rec.status) }()
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler {
					panic(v) // programmer error: no, net/http asks for it to cut the connection
				}
				s.opts.Logger.Error("panic", "path", label, "value", v, "stack", string(debug.Stack()))
				s.fail(rec, r, errInternal)
			}
		}()
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		err := s.permit(w, r)
		switch {
		case err != nil:
		case !known:
			err = notFound(r.URL.Path, routes)
		case r.Method != rt.method && !(r.Method == http.MethodHead && rt.method == http.MethodGet):
			h.Set("Allow", rt.method)
			err = &Error{Status: http.StatusMethodNotAllowed, Problem: fmt.Sprintf("%s is not answered here, expected %s", r.Method, rt.method)}
		default:
			err = rt.handle(rec, r)
		}
		if err != nil {
			s.fail(rec, r, err)
		}
	})
}

func notFound(path string, routes map[string]route) error {
	names := slices.Sorted(maps.Keys(routes))
	e := &Error{Status: http.StatusNotFound, Problem: fmt.Sprintf("there is nothing at this path, expected one of %s", strings.Join(names, ", "))}
	if near := nearest.Name(path, names[1:]); near != "" {
		e.Problem += fmt.Sprintf("; did you mean %s?", near)
	}
	return e
}

// permit says why a request is refused before it is looked at.
func (s *Server) permit(w http.ResponseWriter, r *http.Request) error {
	if s.opts.Key == "" {
		// Only loopback has no key. A page elsewhere whose name is pointed at
		// this machine (DNS rebinding) still sends its name as Host.
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if host = strings.Trim(host, "[]"); !isLoopback(strings.ToLower(host)) {
			return &Error{Status: http.StatusForbidden, Problem: fmt.Sprintf("the Host header is %q, expected localhost, 127.0.0.1 or [::1]; to answer under other names, set a key (%s)", r.Host, KeyVariable)}
		}
	} else if !s.hasKey(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="hone", charset="UTF-8"`)
		return &Error{Status: http.StatusUnauthorized, Problem: "the key is missing or wrong: send the header Authorization: Bearer KEY, or the key as the password of basic authentication"}
	}
	if err := s.crossOrigin.Check(r); err != nil {
		return &Error{Status: http.StatusForbidden, Problem: "the request comes from a page of another origin, which may not use this server"}
	}
	return nil
}

func (s *Server) hasKey(r *http.Request) bool {
	_, given, basic := r.BasicAuth()
	if !basic {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return false
		}
		given = strings.TrimSpace(token)
	}
	// Digests are of one length, so that the time taken tells nothing.
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.opts.Key))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

var errInternal = errors.New("internal error")

// fail replies with an error. What is not the client's mistake is logged, and
// not told in detail.
func (s *Server) fail(w *recorder, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Status: http.StatusInternalServerError, Problem: "the server failed to answer; its log says why"}
		switch {
		case r.Context().Err() != nil:
			e = &Error{Status: 499, Problem: "the client went away"} // nobody reads this; 499 as nginx counts it
		case err != errInternal:
			s.opts.Logger.Error("request failed", "path", r.URL.Path, "error", err)
		}
	}
	if w.status == 0 {
		writeError(w, e)
	}
}

func (s *Server) serveSchema(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, s.schemaJSON)
	return nil
}

func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, []byte("{\"status\":\"ok\"}\n"))
	return nil
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	switch {
	case s.ending.Load():
		return &Error{Status: http.StatusServiceUnavailable, Problem: "the server is ending"}
	case !s.warm.Load():
		w.Header().Set("Retry-After", "1")
		return &Error{Status: http.StatusServiceUnavailable, Problem: "the model is warming up"}
	}
	writeJSON(w, http.StatusOK, append(appendString([]byte(`{"status":"ready","model":`), s.schema.Model), "}\n"...))
	return nil
}

// recorder remembers the status of a reply.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
