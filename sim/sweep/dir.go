package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"peernet/sim/internal/rundir"
)

// Names of what is in the directory of a sweep.
const (
	gridName     = "sweep.json"
	lockName     = "sweep.lock"
	ScenarioName = "scenario.yaml"
	TableName    = "table.csv"
	ParquetName  = "table.parquet"
	CostsName    = "costs.csv"
	pointsName   = "points"
	runningName  = "running"

	// SummaryName is the file that a run writes at its end.
	SummaryName = "summary.json"
	pointFile   = "point.json"
	newSuffix   = ".new" // of a file that is being written
)

var (
	// ErrLocked is the error of a directory that another sweep uses.
	ErrLocked = errors.New("sweep: another sweep runs in the directory")
	// ErrOther is the error of a directory that holds another sweep.
	ErrOther = errors.New("sweep: the directory holds another sweep")
	// ErrForeign is the error of a directory that holds something else. It is left
	// as it is.
	ErrForeign = errors.New("sweep: the directory holds files, but no sweep")
	// ErrNoSweep is the error of reading a directory that holds no sweep.
	ErrNoSweep = errors.New("sweep: no sweep is in the directory")
)

// A gridFile is sweep.json.
type gridFile struct {
	Points         int       `json:"points"`
	ScenarioSHA256 string    `json:"scenario_sha256"` // of scenario.yaml
	Program        string    `json:"program"`
	Set            []Setting `json:"set"`
	Vary           []Axis    `json:"vary"`
	Seeds          []uint64  `json:"seeds"`
}

func describe(g *Grid) gridFile {
	hash := sha256.Sum256(g.Scenario)
	return gridFile{g.Len(), hex.EncodeToString(hash[:]), g.Program, append([]Setting{}, g.Set...), append([]Axis{}, g.Axes...), g.Seeds}
}

// differences names in which parts two sweeps differ.
func (f gridFile) differences(g gridFile) (parts []string) {
	for _, part := range []struct {
		name string
		same bool
	}{
		{"the text of the scenario", f.ScenarioSHA256 == g.ScenarioSHA256},
		{"what is set", slices.Equal(f.Set, g.Set)},
		{"what is varied", slices.EqualFunc(f.Vary, g.Vary, func(a, b Axis) bool { return a.Key == b.Key && slices.Equal(a.Values, b.Values) })},
		{"the seeds", slices.Equal(f.Seeds, g.Seeds)},
		{"the program (" + f.Program + " before, now " + g.Program + ")", f.Program == g.Program},
	} {
		if !part.same {
			parts = append(parts, part.name)
		}
	}
	return parts
}

// A pointDone is point.json: it is written when the run of a point has succeeded.
type pointDone struct {
	Fingerprint string    `json:"fingerprint"`
	Vary        []Setting `json:"vary"`
	Seed        uint64    `json:"seed"`
}

// lock takes the lock of a directory, which is made if it does not exist. The system
// takes it back when the process ends, however that happens.
func lock(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := checkOurs(dir); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, lockName))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("sweep: lock %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("%w %s", ErrLocked, dir)
	}
	return l, nil
}

// checkOurs refuses a directory with files and without a sweep.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ours := []string{lockName, ScenarioName, ScenarioName + newSuffix, gridName + newSuffix}
	foreign := ""
	for _, e := range entries {
		if e.Name() == gridName {
			return nil
		}
		// A sweep that was killed at its very start leaves these.
		if !slices.Contains(ours, e.Name()) && foreign == "" {
			foreign = e.Name()
		}
	}
	// Without a lock a file of the name of ours may be anybody's.
	if foreign == "" && len(entries) > 0 && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == lockName }) {
		foreign = entries[0].Name()
	}
	if foreign != "" {
		return fmt.Errorf("%w: %s has %s", ErrForeign, dir, foreign)
	}
	return nil
}

// prepare makes a directory that is locked ready for a grid.
func prepare(dir string, g *Grid, again bool) error {
	old, err := readGrid(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case again:
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOther, err)
	default:
		if parts := old.differences(describe(g)); len(parts) > 0 {
			return fmt.Errorf("%w: they differ in %s", ErrOther, strings.Join(parts, ", "))
		}
	}
	stale := []string{runningName}
	if again {
		stale = append(stale, pointsName, TableName, ParquetName, CostsName)
	}
	for _, name := range stale {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{TableName, ParquetName, CostsName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			return fmt.Errorf("sweep: %s is a directory, where the table is to be; remove it", filepath.Join(dir, name))
		}
	}
	for _, name := range []string{pointsName, runningName} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(dir, ScenarioName), g.Scenario); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, gridName), describe(g))
}

func readGrid(dir string) (f gridFile, err error) {
	path := filepath.Join(dir, gridName)
	text, err := rundir.ReadFile(path, SummaryMax)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// readPoint returns the numbers of a point that is done. ok is false if it is not.
func readPoint(dir string, p Point, fingerprint string) (m []Metric, ok bool) {
	dir = filepath.Join(dir, pointsName, p.Name)
	text, err := rundir.ReadFile(filepath.Join(dir, pointFile), SummaryMax)
	if err != nil {
		return nil, false
	}
	var done pointDone
	if json.Unmarshal(text, &done) != nil || done.Fingerprint != fingerprint {
		return nil, false
	}
	m, err = readSummary(dir)
	return m, err == nil
}

func readSummary(dir string) ([]Metric, error) {
	path := filepath.Join(dir, SummaryName)
	text, err := rundir.ReadFile(path, SummaryMax)
	if err != nil {
		return nil, err
	}
	m, err := Metrics(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// IsDir reports whether a directory holds a sweep.
func IsDir(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, gridName))
	return err == nil
}

// Read reads a sweep: the table of the points that are done. It may be under way.
// Its files may be a stranger's.
func Read(dir string) (*Table, error) {
	f, err := readGrid(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w %s", ErrNoSweep, dir)
	}
	if err != nil {
		return nil, err
	}
	g := &Grid{Set: f.Set, Axes: f.Vary, Seeds: f.Seeds, Program: f.Program}
	if g.Scenario, err = rundir.ReadFile(filepath.Join(dir, ScenarioName), scenarioMax); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, gridName), err)
	}
	t := newTable(g)
	for i := range g.Len() {
		p := g.Point(i)
		if m, ok := readPoint(dir, p, g.Fingerprint(p)); ok {
			t.add(i, m)
		}
	}
	t.sort()
	return t, nil
}

// writeFile writes a file whole or not at all.
func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path+newSuffix, text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+newSuffix, path)
}

func writeJSON(path string, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return writeFile(path, text.Bytes())
}
