package compare

import (
	"strings"

	"peernet/sim/sweep"
)

// A Direction says which values of a metric are better.
type Direction int

const (
	// Neither is of a metric that describes, and does not judge.
	Neither Direction = iota
	// Up is of a metric of which more is better.
	Up
	// Down is of a metric of which less is better.
	Down
)

// String returns "up", "down", or "" for Neither.
func (d Direction) String() string { return [...]string{"", "up", "down"}[d] }

// MarshalText implements [encoding.TextMarshaler].
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// directions are of the metrics that judge a network. Totals, such as
// traffic.messages, are not here: they say what the rates say, and grow with the
// network. Nor is what a scenario asks for, such as announce.count, or what is neither
// good nor bad, such as overlay.degree_mean.
var directions = map[string]Direction{
	sweep.ChecksFailed:       Down,
	sweep.Formed:             Up,
	"formed_at_s":            Down,
	"join_messages_per_node": Down,

	"announce.coverage_mean": Up,
	"announce.coverage_min":  Up,
	"announce.hops_mean":     Down,
	"announce.hops_max":      Down,
	"announce.redundancy":    Down,

	"search.answered":     Up,
	"search.replies_mean": Up,

	"overlay.largest_component": Up,
	"overlay.outbound_full":     Up,
	"overlay.path_length_mean":  Down,

	"traffic.bytes_per_node_per_s":    Down,
	"traffic.messages_per_node_per_s": Down,
	"traffic.throttled":               Down,

	// Costs, see sweep.IsCost.
	"wall_s":               Down,
	"cpu_s":                Down,
	"deliveries_per_cpu_s": Up,
	"heap_bytes_per_node":  Down,
	"peak_rss_bytes":       Down,
}

// latencies are the names that all quantiles of a latency begin with.
var latencies = []string{"announce.latency_ms_", "search.latency_ms_"}

// DirectionOf returns which values of a metric are better.
func DirectionOf(metric string) Direction {
	for _, prefix := range latencies {
		if strings.HasPrefix(metric, prefix) {
			return Down
		}
	}
	return directions[metric]
}
