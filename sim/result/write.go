package result

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// Names of files. Tables are named with a suffix.
const (
	manifestName  = "manifest.json"
	summaryName   = "summary.json"
	reportName    = "report.html"
	parquetSuffix = ".parquet"
	csvSuffix     = ".csv"
)

// Options say what Write writes.
type Options struct {
	CSV bool // each table as a CSV file too
}

// Write writes a run to a directory, which it makes if need be, with the report.
// Files of an earlier run are replaced, or removed where this one has no such file;
// if there is an error they stay as they are.
func Write(dir string, run *Run, o Options) error {
	if err := run.validate(); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	summary, err := joinSummary(run.Summary, run.Checks, run.Marks)
	if err != nil {
		return fmt.Errorf("result: %s: %w", summaryName, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	manifest, err := members(run.Manifest)
	if err != nil {
		return fmt.Errorf("result: %s: %w", manifestName, err)
	}
	b := batch{dir: dir, by: program{lookUp(manifest, "version"), lookUp(manifest, "commit")}}
	defer b.discard()
	b.writeJSON(summaryName, summary)
	writeTable(&b, run.seriesTable(), true, o)
	writeTable(&b, sliceTable(nodesName, nodeColumns, run.Nodes), true, o)
	writeTable(&b, sliceTable(messagesName, messageColumns, run.Messages), true, o)
	writeTable(&b, run.histogramsTable(), true, o)
	writeTable(&b, sliceTable(edgesName, edgeColumns, run.Edges), len(run.Edges) > 0, o)
	b.write(reportName, func(w io.Writer) error { return Report(w, run) })
	b.writeJSON(manifestName, run.Manifest) // last: what has one is complete
	if err := b.commit(); err != nil {
		return fmt.Errorf("result: writing %s: %w", dir, err)
	}
	return nil
}

// WriteReport writes the report of a run to its directory, in place of an earlier
// one, and returns where it is.
func WriteReport(dir string, run *Run) (path string, err error) {
	b := batch{dir: dir}
	defer b.discard()
	b.write(reportName, func(w io.Writer) error { return Report(w, run) })
	if err := b.commit(); err != nil {
		return "", fmt.Errorf("result: writing %s: %w", dir, err)
	}
	return filepath.Join(dir, reportName), nil
}

func (r *Run) seriesTable() table[[]float64] {
	var names []string
	for _, c := range r.Series.Columns {
		names = append(names, c.Name)
	}
	row := make([]float64, 1+len(names))
	return table[[]float64]{seriesName, seriesColumns(names), len(r.Series.AtS), func(i int) *[]float64 {
		row[0] = r.Series.AtS[i]
		for k, c := range r.Series.Columns {
			row[k+1] = c.Values[i]
		}
		return &row
	}}
}

func (r *Run) histogramsTable() table[namedBin] {
	var rows []namedBin
	add := func(name string, bins []Bin) {
		for _, b := range bins {
			if b.High == 0 {
				b.High = math.NaN()
			}
			rows = append(rows, namedBin{name, b})
		}
	}
	add(hopsHistogram, r.Hops)
	add(latencyHistogram, r.Latency)
	return sliceTable(histogramsName, histogramColumns, rows)
}

// writeTable puts a table into a batch, or has what there was of it removed.
func writeTable[T any](b *batch, t table[T], wanted bool, o Options) {
	for _, kind := range []struct {
		suffix string
		wanted bool
		write  func(io.Writer) error
	}{
		{parquetSuffix, wanted, func(w io.Writer) error { return t.writeParquet(w, b.by) }},
		{csvSuffix, wanted && o.CSV, t.writeCSV},
	} {
		if kind.wanted {
			b.write(t.name+kind.suffix, kind.write)
		} else {
			b.stale = append(b.stale, t.name+kind.suffix)
		}
	}
}

// A batch is files of a directory that appear together. After an error it does
// nothing more.
type batch struct {
	dir   string
	by    program
	files []pending
	stale []string // names of files to remove
	err   error
}

// A pending file is complete, under another name.
type pending struct{ temporary, name string }

// write adds a file.
func (b *batch) write(name string, content func(io.Writer) error) {
	if b.err != nil {
		return
	}
	f, err := os.CreateTemp(b.dir, "."+name+"-*")
	if err != nil {
		b.err = err
		return
	}
	b.files = append(b.files, pending{f.Name(), name})
	w := bufio.NewWriterSize(f, 1<<16)
	err = content(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644) // temporary files are for their owner alone
	}
	if err == nil {
		err = f.Sync() // before it takes the place of another
	}
	if err = errors.Join(err, f.Close()); err != nil {
		b.err = fmt.Errorf("%s: %w", name, err)
	}
}

// writeJSON adds a file of JSON, for people to read.
func (b *batch) writeJSON(name string, text json.RawMessage) {
	b.write(name, func(w io.Writer) error {
		var out bytes.Buffer
		if err := json.Indent(&out, text, "", "  "); err != nil {
			return err
		}
		out.WriteByte('\n')
		_, err := out.WriteTo(w)
		return err
	})
}

// commit gives the files their names, or says why there are none.
func (b *batch) commit() error {
	for len(b.files) > 0 && b.err == nil {
		p := b.files[0]
		if b.err = os.Rename(p.temporary, filepath.Join(b.dir, p.name)); b.err == nil {
			b.files = b.files[1:]
		}
	}
	for _, name := range b.stale {
		if b.err == nil {
			if err := os.Remove(filepath.Join(b.dir, name)); !errors.Is(err, os.ErrNotExist) {
				b.err = err
			}
		}
	}
	return b.err
}

// discard removes what was not committed.
func (b *batch) discard() {
	for _, p := range b.files {
		_ = os.Remove(p.temporary)
	}
}
