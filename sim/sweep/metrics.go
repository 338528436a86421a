package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// SummaryMax is the largest size of a file of a run that is read, in bytes.
const SummaryMax = 16 << 20

// metricsMax bounds the numbers of a summary, so that a table has a bound.
const metricsMax = 1024

// A Metric is a number of a summary.
type Metric struct {
	Name  string // the keys that lead to it, with dots between
	Value float64
}

// Names of metrics that are counted from other parts of a summary.
const (
	// ChecksFailed is how many of the checks of a run failed.
	ChecksFailed = "checks.failed"
	// ChecksTotal is how many checks there were.
	ChecksTotal = "checks.total"
	// Formed is 1 if the network formed, so formed_at_s is a number, else 0: a
	// network that never forms has no time to compare.
	Formed = "formed"
)

// ErrPartial is the error of a summary of a run that was interrupted.
var ErrPartial = errors.New("sweep: the run was interrupted before its end")

// inputs are the numbers of a summary that repeat what was asked for.
var inputs = []string{"nodes", "seed", "duration_s", "workers"}

// Metrics returns the numbers of a summary in the order of their names. Values that are
// null, text and lists, such as the marks, are left out, and so is what repeats what
// was asked for. Of the list of checks the length is there, and how many failed.
func Metrics(summary []byte) ([]Metric, error) {
	var root map[string]any
	d := json.NewDecoder(bytes.NewReader(summary))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("sweep: not a summary: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("sweep: not a summary: something follows the JSON object")
	}
	if partial, ok := root["partial"].(bool); !ok {
		return nil, errors.New(`sweep: not a summary: it lacks the key "partial"`)
	} else if partial {
		return nil, ErrPartial
	}
	var all []Metric
	if checks, ok := root["checks"].([]any); ok || root["checks"] == nil {
		if _, has := root["checks"]; has {
			all = append(all, countChecks(checks)...)
		}
		delete(root, "checks")
	}
	if at, ok := root["formed_at_s"]; ok {
		formed := 0.0
		if at != nil {
			formed = 1
		}
		all = append(all, Metric{Formed, formed})
	}
	for _, name := range inputs {
		delete(root, name)
	}
	all, err := flatten(all, "", root)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func countChecks(checks []any) []Metric {
	failed := 0
	for _, c := range checks {
		c, _ := c.(map[string]any)
		if ok, _ := c["ok"].(bool); !ok {
			failed++
		}
	}
	return []Metric{{ChecksFailed, float64(failed)}, {ChecksTotal, float64(len(checks))}}
}

// flatten appends the numbers below a value.
func flatten(all []Metric, name string, v any) ([]Metric, error) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			if all, err = flatten(all, strings.TrimPrefix(name+"."+Printable(key), "."), v[key]); err != nil {
				return nil, err
			}
		}
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return nil, fmt.Errorf("sweep: not a summary: %s is %.40s, which is out of range", name, v)
		}
		if len(name) > textMax || len(all) == metricsMax {
			return nil, fmt.Errorf("sweep: not a summary: it has more than %d numbers, or a key of more than %d bytes", metricsMax, textMax)
		}
		all = append(all, Metric{name, f})
	}
	return all, nil
}

// MetricNames returns the names of the metrics that summaries of a struct type can
// have, in order.
func MetricNames(summary reflect.Type) []string {
	names := fieldNames(nil, "", summary)
	if slices.Contains(names, "formed_at_s") {
		names = append(names, Formed)
	}
	names = append(names, ChecksFailed, ChecksTotal)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(inputs, name) })
}

// fieldNames appends the names of the numbers of a type.
func fieldNames(names []string, name string, t reflect.Type) []string {
	switch kind := t.Kind(); {
	case kind == reflect.Pointer:
		return fieldNames(names, name, t.Elem())
	case kind == reflect.Struct:
		for f := range t.Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = fieldNames(names, strings.TrimPrefix(name+"."+key, "."), f.Type)
		}
	case kind >= reflect.Int && kind <= reflect.Float64:
		names = append(names, name)
	}
	return names
}

// Printable makes the text of a stranger's file fit for a terminal.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// IsCost reports whether a metric is about the machine that ran a simulation: two
// runs of one point give two values.
func IsCost(name string) bool {
	switch name {
	case "wall_s", "cpu_s", "deliveries_per_cpu_s", "heap_bytes_per_node", "peak_rss_bytes", "workers":
		return true
	}
	return strings.HasPrefix(name, "cost.")
}
