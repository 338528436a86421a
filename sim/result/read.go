package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"peernet/sim/internal/rundir"
)

// Rows that a table may have when it is read; those of a network of 16,777,216
// nodes, the largest that is simulated, and as much else as the report can draw.
const (
	nodesMax      = 1 << 24
	messagesMax   = 1 << 22
	seriesMax     = 1 << 22
	valuesMax     = 1 << 26 // of a series, in all columns
	histogramsMax = 1 << 16
	edgesMax      = 1 << 27
)

// Read reads a run from its directory, but for the edges. An error names the file
// and what to do.
func Read(dir string) (*Run, error) {
	if err := rundir.Check(dir); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	r := &Run{}
	for _, part := range []struct {
		file string
		read func(path string) error
	}{
		{manifestName, r.readManifest},
		{summaryName, r.readSummary},
		{seriesName + parquetSuffix, r.readSeries},
		{nodesName + parquetSuffix, func(path string) (err error) {
			r.Nodes, err = readRows(path, nodesMax, nodeColumns)
			return err
		}},
		{messagesName + parquetSuffix, func(path string) (err error) {
			r.Messages, err = readRows(path, messagesMax, messageColumns)
			return err
		}},
		{histogramsName + parquetSuffix, r.readHistograms},
	} {
		path := filepath.Join(dir, part.file)
		if err := part.read(path); err != nil {
			return nil, explain(path, err)
		}
	}
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("result: %s: %w; it was not made by this program: %s", dir, err, advice)
	}
	return r, nil
}

// ReadEdges reads the edges of a run from its directory. They are apart from the
// rest because there are many, and the report needs none.
func ReadEdges(dir string) ([]Edge, error) {
	path := filepath.Join(dir, edgesName+parquetSuffix)
	edges, err := readRows(path, edgesMax, edgeColumns)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("result: %s is missing: edges are written on request only", path)
	}
	if err != nil {
		return nil, explain(path, err)
	}
	return edges, nil
}

// advice is what to do about a directory that cannot be read.
const advice = "write the results anew, with the rerun line of the run and a directory for --out"

// explain says what is wrong with a file, and what to do.
func explain(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("result: %w", err)
		}
		return fmt.Errorf("result: %s is missing, so this is no complete result: %s", path, advice)
	}
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return fmt.Errorf("result: %w", err) // names the file itself
	}
	return fmt.Errorf("result: %s: %w; %s", path, err, advice)
}

func (r *Run) readManifest(path string) (err error) {
	r.Manifest, err = readJSON(path)
	return err
}

func (r *Run) readSummary(path string) error {
	text, err := readJSON(path)
	if err != nil {
		return err
	}
	r.Summary, r.Checks, r.Marks, err = splitSummary(text)
	return err
}

// readJSON reads a file that holds a JSON object.
func readJSON(path string) (json.RawMessage, error) {
	text, err := rundir.ReadFile(path, jsonMax)
	if err != nil {
		return nil, err
	}
	return text, checkObject(text)
}

// readRows reads a table into memory.
func readRows[T any](path string, rowsMax int64, columns []column[T]) ([]T, error) {
	var rows []T
	err := readTable(path, rowsMax, func([]string) ([]column[T], error) { return columns, nil }, new(T), func(row *T) error {
		rows = append(rows, *row)
		return nil
	})
	return rows, err
}

func (r *Run) readSeries(path string) error {
	row := []float64{0}
	choose := func(names []string) ([]column[[]float64], error) {
		names = slices.DeleteFunc(names, func(name string) bool { return name == timeColumn })
		if len(names) > columnsMax {
			return nil, fmt.Errorf("%d columns, at most %d are allowed", len(names), columnsMax)
		}
		r.Series = NewSeries(names...)
		row = make([]float64, 1+len(names))
		return seriesColumns(names), nil
	}
	return readTable(path, seriesMax, choose, &row, func(row *[]float64) error {
		if len(r.Series.AtS)*len(*row) > valuesMax {
			return fmt.Errorf("more than %d values", valuesMax)
		}
		r.Series.Add((*row)[0], (*row)[1:]...)
		return nil
	})
}

func (r *Run) readHistograms(path string) error {
	choose := func(names []string) ([]column[namedBin], error) {
		return slices.DeleteFunc(slices.Clone(histogramColumns), func(c column[namedBin]) bool {
			return c.name == highColumn && !slices.Contains(names, highColumn)
		}), nil
	}
	return readTable(path, histogramsMax, choose, new(namedBin), func(b *namedBin) error {
		if math.IsNaN(b.High) {
			b.High = 0
		}
		switch b.name {
		case hopsHistogram:
			r.Hops = append(r.Hops, b.Bin)
		case latencyHistogram:
			r.Latency = append(r.Latency, b.Bin)
		}
		return nil
	})
}
