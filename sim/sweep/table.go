package sweep

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
)

// A Table holds the numbers of the points of a grid that are done.
type Table struct {
	// Grid is what the points are of.
	Grid *Grid
	// Metrics are the names of the numbers that are results, in order; Costs of
	// those that are about the machine.
	Metrics, Costs []string

	columns map[string]int // of each name
	rows    [][]float64    // of each point, nil if it is not done; NaN is nothing
}

func newTable(g *Grid) *Table {
	return &Table{Grid: g, columns: map[string]int{}, rows: make([][]float64, g.Len())}
}

// add enters the numbers of a point. A name that is also that of a key that is
// varied, or of the seed, is left out: the column is there.
func (t *Table) add(i int, metrics []Metric) {
	row := make([]float64, 0, max(len(metrics), 1))
	for _, m := range metrics {
		if m.Name == "seed" || slices.ContainsFunc(t.Grid.Axes, func(a Axis) bool { return a.Key == m.Name }) {
			continue
		}
		at, ok := t.columns[m.Name]
		if !ok {
			at = len(t.columns)
			t.columns[m.Name] = at
		}
		for len(row) <= at {
			row = append(row, math.NaN())
		}
		row[at] = m.Value
	}
	t.rows[i] = row
}

// sort puts the names in order, whichever point had them first.
func (t *Table) sort() {
	t.Metrics, t.Costs = nil, nil
	for name := range t.columns {
		if IsCost(name) {
			t.Costs = append(t.Costs, name)
		} else {
			t.Metrics = append(t.Metrics, name)
		}
	}
	slices.Sort(t.Metrics)
	slices.Sort(t.Costs)
}

// Done reports whether a point is in the table.
func (t *Table) Done(point int) bool { return t.rows[point] != nil }

// Len returns the number of points in the table.
func (t *Table) Len() (n int) {
	for _, r := range t.rows {
		if r != nil {
			n++
		}
	}
	return n
}

// Value returns a number of a point; ok is false if there is none.
func (t *Table) Value(point int, metric string) (v float64, ok bool) {
	at, known := t.columns[metric]
	if !known || at >= len(t.rows[point]) || math.IsNaN(t.rows[point][at]) {
		return 0, false
	}
	return t.rows[point][at], true
}

// Has reports whether any point has a metric.
func (t *Table) Has(metric string) bool {
	_, ok := t.columns[metric]
	return ok
}

// Samples returns the values of a metric in a cell, in the order of the seeds.
// Points that are not done, or have no value, are left out.
func (t *Table) Samples(cell int, metric string) (values []float64) {
	for s := range t.Grid.Seeds {
		if v, ok := t.Value(cell*len(t.Grid.Seeds)+s, metric); ok {
			values = append(values, v)
		}
	}
	return values
}

// MeanSD returns the mean of values and their standard deviation, that of a sample:
// divided by n−1. It is 0 for one value; without values both are NaN.
func MeanSD(values []float64) (mean, sd float64) {
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	// Welford's way is exact for equal values.
	squares := 0.0
	for i, v := range values {
		d := v - mean
		mean += d / float64(i+1)
		squares += d * (v - mean)
	}
	return mean, math.Sqrt(squares / float64(max(len(values)-1, 1)))
}

// CSV returns the table as comma-separated values: the keys that are varied, the seed,
// and the given metrics, in that order. What is not there is empty.
func (t *Table) CSV(metrics []string) ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	var record []string
	for _, a := range t.Grid.Axes {
		record = append(record, a.Key)
	}
	if err := w.Write(append(append(record, "seed"), metrics...)); err != nil {
		return nil, err
	}
	for i := range t.rows {
		if !t.Done(i) {
			continue
		}
		p := t.Grid.Point(i)
		record = record[:0]
		for _, s := range p.Varied {
			record = append(record, s.Value)
		}
		record = append(record, strconv.FormatUint(p.Seed, 10))
		for _, m := range metrics {
			v, ok := t.Value(i, m)
			if !ok {
				record = append(record, "")
				continue
			}
			record = append(record, number(v))
		}
		if err := w.Write(record); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return text.Bytes(), w.Error()
}

// number formats a value so that reading it gives the same value again, and whole
// numbers without an exponent.
func number(v float64) string {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}

// write writes the tables to the directory of a sweep.
func (t *Table) write(dir string) error {
	for _, file := range []struct {
		name string
		make func() ([]byte, error)
	}{
		{CostsName, func() ([]byte, error) { return t.CSV(t.Costs) }},
		{ParquetName, func() ([]byte, error) { return t.parquet(t.Metrics) }},
		{TableName, func() ([]byte, error) { return t.CSV(t.Metrics) }},
	} {
		text, err := file.make()
		if err == nil {
			err = writeFile(filepath.Join(dir, file.name), text)
		}
		if err != nil {
			return fmt.Errorf("sweep: %s: %w", file.name, err)
		}
	}
	return nil
}
