package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics tells.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	rows     prometheus.Counter
	shed     prometheus.Counter
	inFlight prometheus.Gauge
	handler  http.Handler
}

func newMetrics(version string) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hone_serve_requests_total", Help: "Requests answered, by path and status."}, []string{"path", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hone_serve_request_seconds", Help: "Time from the head of a request to the end of its reply.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"path"}),
		rows:     prometheus.NewCounter(prometheus.CounterOpts{Name: "hone_serve_rows_total", Help: "Rows predicted."}),
		shed:     prometheus.NewCounter(prometheus.CounterOpts{Name: "hone_serve_shed_total", Help: "Predictions refused with 503 because too many were under way."}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "hone_serve_in_flight", Help: "Requests under way."}),
	}
	model := prometheus.NewGauge(prometheus.GaugeOpts{Name: "hone_serve_model_info", Help: "Always 1; the label says which model is served.", ConstLabels: prometheus.Labels{"model": version}})
	model.Set(1)
	r := prometheus.NewRegistry()
	r.MustRegister(m.requests, m.seconds, m.rows, m.shed, m.inFlight, model)
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

// begin counts a request in; the function that it returns counts it out.
func (m *metrics) begin(path string) (done func(status int)) {
	start := time.Now()
	m.inFlight.Inc()
	return func(status int) {
		m.inFlight.Dec()
		m.seconds.WithLabelValues(path).Observe(time.Since(start).Seconds())
		m.requests.WithLabelValues(path, strconv.Itoa(status)).Inc()
	}
}

func (m *metrics) serve(w http.ResponseWriter, r *http.Request) error {
	m.handler.ServeHTTP(w, r)
	return nil
}
