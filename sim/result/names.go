package result

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A naming is what a number is called, and its unit, "" if it has none.
type naming struct{ name, unit string }

// namings are of numbers whose keys do not say it.
var namings = map[string]naming{
	"wall_s":                 {"Run time", "s"},
	"cpu_s":                  {"CPU time", "s"},
	"deliveries_per_cpu_s":   {"Deliveries", "per CPU second"},
	"heap_bytes_per_node":    {"Heap", "bytes per node"},
	"peak_rss_bytes":         {"Peak memory", "bytes"},
	"formed_at_s":            {"Network formed at", "s"},
	"join_messages_per_node": {"Messages until it formed", "per node"},
	"coverage_mean":          {"Mean coverage", "share of live nodes"},
	"coverage_min":           {"Least coverage", "share of live nodes"},
	"outbound_full":          {"With all outbound links", "share of live nodes"},
	"hostile_links":          {"Links to adversaries, share", ""},
	"hostile_book":           {"Addresses of no honest node, share", ""},
	"negotiated_mean":        {"Mean outbound links by WebRTC", ""},
	"largest_component":      {"Largest component", "share of live nodes"},
	"path_length_mean":       {"Mean path length", "links"},
	"bytes":                  {"Sent", "bytes"},
	"messages":               {"Sent", "messages"},
	"bytes_per_node_per_s":   {"Sent", "bytes/s per node"},
}

// What keys end with, and what it stands for.
var (
	statistics = map[string]string{
		"mean": "Mean", "min": "Least", "max": "Most", "p50": "Median of", "p90": "90th percentile of", "p99": "99th percentile of",
	}
	units = []struct{ suffix, unit string }{ // the longest first
		{"_per_node_per_s", "per second and node"},
		{"_per_node", "per node"},
		{"_per_s", "per second"},
		{"_bytes", "bytes"},
		{"_ms", "ms"},
		{"_s", "s"},
	}
	words = map[string]string{"outbound": "outbound links", "webrtc": "WebRTC", "conn": "connection"}
)

// nameOf is what a number with a key is called.
func nameOf(key string) naming {
	if n, ok := namings[key]; ok {
		return n
	}
	var n naming
	var parts []string
	if i := strings.LastIndexByte(key, '_'); i > 0 && statistics[key[i+1:]] != "" {
		parts = append(parts, statistics[key[i+1:]])
		key = key[:i]
	}
	for _, u := range units {
		if rest, ok := strings.CutSuffix(key, u.suffix); ok && rest != "" {
			key, n.unit = rest, u.unit
			break
		}
	}
	for part := range strings.SplitSeq(key, "_") {
		if word, ok := words[part]; ok {
			part = word
		}
		parts = append(parts, part)
	}
	n.name = strings.Join(parts, " ")
	if first, size := utf8.DecodeRuneInString(n.name); size > 0 {
		n.name = string(unicode.ToUpper(first)) + n.name[size:]
	}
	return n
}

// String is the name with its unit.
func (n naming) String() string {
	if n.unit == "" {
		return n.name
	}
	return n.name + ", " + n.unit
}
