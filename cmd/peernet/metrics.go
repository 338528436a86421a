package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"peernet/realnet"
)

// listenMetrics listens at host:port, which must be of loopback: metrics, health and
// profiles are nobody else's business.
func listenMetrics(hostport string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %q is no host:port", hostport)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("--metrics: %s is not on loopback; use 127.0.0.1", host)
	}
	l, err := net.Listen("tcp", hostport)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	return l, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// onLoopback refuses requests for another host: a page elsewhere, whose name was made
// to mean this machine, could send them.
func onLoopback(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(strings.Trim(host, "[]")) {
			http.Error(w, "this is for requests to loopback", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// serveMetrics serves metrics, health and profiles of a node.
func serveMetrics(node *realnet.Node, l net.Listener) (stop func()) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newNodeCollector(node))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, alive(node)) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { health(w, connected(r.Context(), node)) })
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	s := &http.Server{Handler: onLoopback(mux), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	return func() { _ = s.Close(); <-done }
}

func health(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// alive says what is wrong with a node, if something is.
func alive(node *realnet.Node) error {
	select {
	case <-node.Done():
		return errors.Join(errors.New("the node has ended"), node.Err())
	default:
		return nil
	}
}

// connected says why a node is of no use yet, if it is not.
func connected(ctx context.Context, node *realnet.Node) error {
	list, err := node.Connections(ctx)
	if err == nil && len(list) == 0 {
		err = errors.New("the node has no connection")
	}
	return err
}

// A nodeCollector tells Prometheus of a node.
type nodeCollector struct {
	node                       *realnet.Node
	events, connections, known *prometheus.Desc
}

func newNodeCollector(node *realnet.Node) *nodeCollector {
	return &nodeCollector{
		node:        node,
		events:      prometheus.NewDesc("peernet_events_total", "Events of the protocol, by name.", []string{"event"}, nil),
		connections: prometheus.NewDesc("peernet_connections", "Connections in use.", []string{"direction", "transport"}, nil),
		known:       prometheus.NewDesc("peernet_known_addresses", "Addresses in the address book.", nil, nil),
	}
}

// Describe implements [prometheus.Collector].
func (c *nodeCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.events
	to <- c.connections
	to <- c.known
}

// Collect implements [prometheus.Collector].
func (c *nodeCollector) Collect(to chan<- prometheus.Metric) {
	for name, n := range c.node.Counts() {
		to <- prometheus.MustNewConstMetric(c.events, prometheus.CounterValue, float64(n), name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if list, err := c.node.Connections(ctx); err == nil {
		type kind struct{ direction, transport string }
		count := map[kind]int{}
		for _, transport := range []string{"tcp", "tls", "ws", "wss", "webrtc"} {
			for _, outbound := range []bool{false, true} {
				count[kind{direction(outbound), transport}] = 0
			}
		}
		for _, x := range list {
			count[kind{direction(x.Outbound), x.Transport}]++
		}
		for k, n := range count {
			to <- prometheus.MustNewConstMetric(c.connections, prometheus.GaugeValue, float64(n), k.direction, k.transport)
		}
	}
	if n, err := c.node.Len(ctx); err == nil {
		to <- prometheus.MustNewConstMetric(c.known, prometheus.GaugeValue, float64(n))
	}
}

func direction(outbound bool) string {
	if outbound {
		return "outbound"
	}
	return "inbound"
}
