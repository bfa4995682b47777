package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/hone-ml/hone/model"
)

// A Server answers predictions of one model.
type Server struct {
	model   *model.Model
	opts    Options
	schema  Schema
	rows    *rowReader
	replies *replyWriter
	metrics *metrics
	slots   chan struct{} // one for each prediction that is worked on
	warm    atomic.Bool   // a prediction was made
	ending  atomic.Bool   // no new requests are wanted

	crossOrigin http.CrossOriginProtection
	schemaJSON  []byte
	page        []byte
	answerer    *answerer // nil: the model has no answers, and no chat
	chat        []byte
}

// New makes a server of a trained model.
func New(m *model.Model, f Facts, o Options) (*Server, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	if f.Name == "" {
		f.Name = m.Name
	}
	s := &Server{model: m, opts: o, slots: make(chan struct{}, o.MaxConcurrent)}
	var err error
	if s.schema, err = newSchema(m, f, o); err != nil {
		return nil, err
	}
	if err := m.Compile(); err != nil {
		return nil, err
	}
	s.rows = newRowReader(m.InputSchema(), s.schema.Ignored, s.schema.MaxRows)
	s.replies = newReplyWriter(s.schema.Model, m.Outputs())
	s.metrics = newMetrics(s.schema.Model)
	if s.schemaJSON, err = marshal(s.schema, "  "); err != nil {
		return nil, err
	}
	if s.page, err = s.makePage(f); err != nil {
		return nil, err
	}
	if f.Answers != nil {
		if s.answerer, err = newAnswerer(m, f.Answers); err != nil {
			return nil, fmt.Errorf("answers: %w", err)
		}
		if s.chat, err = s.makeChat(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Schema returns what /v1/schema replies.
func (s *Server) Schema() Schema { return s.schema }

// Warm predicts the example row, so that the first request finds everything in
// place and /readyz says so.
func (s *Server) Warm(ctx context.Context) error {
	body, err := json.Marshal(map[string]json.RawMessage{"row": s.schema.Example})
	if err != nil {
		return err
	}
	t, _, err := s.rows.read(bytes.NewReader(body))
	if err == nil {
		p, e := s.model.PredictAll(ctx, t)
		if err = e; err == nil {
			_, err = s.reply(p, nil)
		}
	}
	if err != nil {
		return fmt.Errorf("the model cannot predict the example row %s: %w", s.schema.Example, err)
	}
	s.warm.Store(true)
	return nil
}

// Run listens, warms the model up, calls ready with the server's URL, and
// serves until ctx ends; then it finishes the requests under way and returns
// nil.
func (s *Server) Run(ctx context.Context, ready func(url string)) error {
	l, err := net.Listen("tcp", s.opts.Address)
	if err != nil {
		var o *net.OpError
		if errors.As(err, &o) {
			err = o.Err // the address is said already
		}
		return &Error{Problem: fmt.Sprintf("cannot listen on %s: %v; stop what listens there, or take another address (port 0: any that is free)", s.opts.Address, err)}
	}
	defer l.Close()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	// A name may have led elsewhere than it seemed.
	if s.opts.Key == "" && !isLoopback(host) {
		return noKey(l.Addr().String())
	}
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: min(s.opts.ReadTimeout, maxHeaderTime),
		ReadTimeout:       s.opts.ReadTimeout,
		WriteTimeout:      s.opts.WriteTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	if err := s.Warm(ctx); err != nil {
		srv.Close()
		<-served
		if ctx.Err() != nil { // asked to end before it began
			return nil
		}
		return err
	}
	if ready != nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		ready("http://" + net.JoinHostPort(host, port))
	}
	select {
	case err := <-served:
		return fmt.Errorf("serving ended: %w", err)
	case <-ctx.Done():
	}
	s.ending.Store(true)
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.ShutdownTimeout)
	defer cancel()
	err = srv.Shutdown(limit)
	if err != nil {
		srv.Close()
	}
	<-served
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still under way after %v (serve.shutdown_timeout) and have been cut off", s.opts.ShutdownTimeout)
	}
	return err
}
