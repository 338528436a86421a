package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"peernet/sim/internal/rundir"
	"peernet/sim/sweep"
)

// ManifestName is the file of a run that says what gave it.
const ManifestName = "manifest.json"

// ErrNoResult is the error of a directory that holds neither a run nor a sweep.
var ErrNoResult = errors.New("compare: neither a run nor a sweep is in the directory")

// A Cell is a set of runs that differ in their seed alone.
type Cell struct {
	// Vary are the settings that tell the cells of a sweep apart, in the order of
	// their keys; none for single runs.
	Vary []sweep.Setting `json:"vary"`

	seeds   map[uint64]string // where each is from
	samples map[string][]float64
}

// Name returns the settings of the cell, with commas between: no value has one.
func (c *Cell) Name() string {
	var parts []string
	for _, s := range c.Vary {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ", ")
}

// Runs returns how many runs the cell has.
func (c *Cell) Runs() int { return len(c.seeds) }

// A Side is one of the two that are compared.
type Side struct {
	// Cells are in the order of the sweeps.
	Cells []*Cell
	// Unfinished counts the points of sweeps that are not done, and so missing.
	Unfinished int
	// Settings are those that all runs have in common, in the order of their keys,
	// and the program. Of single runs this is the whole scenario but the seed, of
	// sweeps what was set, and a hash of the scenario's text.
	Settings []sweep.Setting

	index map[string]*Cell // by name
}

// Load reads the directories of a side, each of one run or of one sweep. Runs of one
// cell must differ in their seed alone.
func Load(dirs ...string) (*Side, error) {
	s := &Side{index: map[string]*Cell{}}
	add, sweeps := s.addRun, 0
	for _, dir := range dirs {
		if err := rundir.Check(dir); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if sweep.IsDir(dir) {
			add = s.addSweep
			sweeps++
		}
	}
	if sweeps > 0 && sweeps < len(dirs) {
		return nil, fmt.Errorf("compare: %s: runs and sweeps are mixed; name either for a side", strings.Join(dirs, ", "))
	}
	runs := 0
	for _, dir := range dirs {
		if err := add(dir); err != nil {
			return nil, err
		}
	}
	for _, c := range s.Cells {
		runs += c.Runs()
	}
	if runs == 0 {
		return nil, fmt.Errorf("compare: %s: no point of the sweep is done; go on with the sweep first", strings.Join(dirs, ", "))
	}
	return s, nil
}

// cell returns the cell with some settings.
func (s *Side) cell(vary []sweep.Setting) *Cell {
	c := &Cell{Vary: slices.SortedFunc(slices.Values(vary), byKey), seeds: map[uint64]string{}, samples: map[string][]float64{}}
	if old, ok := s.index[c.Name()]; ok {
		return old
	}
	s.index[c.Name()] = c
	s.Cells = append(s.Cells, c)
	return c
}

func byKey(a, b sweep.Setting) int { return strings.Compare(a.Key, b.Key) }

// claim notes that a run with a seed is in the cell. The same run twice would look
// like two samples.
func (c *Cell) claim(seed uint64, dir string) error {
	if other, twice := c.seeds[seed]; twice {
		return fmt.Errorf("compare: %s and %s have a run of seed %d each, which is one sample; leave one out or run another seed", other, dir, seed)
	}
	c.seeds[seed] = dir
	return nil
}

func (s *Side) addSweep(dir string) error {
	t, err := sweep.Read(dir)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(t.Grid.Scenario)
	settings := append(slices.Clone(t.Grid.Set), sweep.Setting{Key: programKey, Value: t.Grid.Program},
		sweep.Setting{Key: "(text of the scenario)", Value: hex.EncodeToString(hash[:4])})
	if err := s.agree(dir, settings); err != nil {
		return err
	}
	for i := range t.Grid.Cells() {
		c := s.cell(t.Grid.Cell(i))
		for k, seed := range t.Grid.Seeds {
			if !t.Done(i*len(t.Grid.Seeds) + k) {
				s.Unfinished++
				continue
			}
			if err := c.claim(seed, dir); err != nil {
				return err
			}
		}
		for _, name := range slices.Concat(t.Metrics, t.Costs) {
			c.samples[name] = append(c.samples[name], t.Samples(i, name)...)
		}
	}
	return nil
}

// programKey is where the program is among the settings.
const programKey = "(program)"

// A manifest is of a run. The scenario's keys may be any.
type manifest struct {
	Version  string         `json:"version"`
	Commit   string         `json:"commit"`
	Seed     *json.Number   `json:"seed"`
	Scenario map[string]any `json:"scenario"`
}

// settings are all settings of a run but the seed.
func (m *manifest) settings() (all []sweep.Setting) {
	flattenSettings(&all, "", m.Scenario)
	all = slices.DeleteFunc(all, func(s sweep.Setting) bool { return s.Key == "seed" })
	return append(all, sweep.Setting{Key: programKey, Value: m.Version + " " + m.Commit})
}

func (s *Side) addRun(dir string) error {
	path := filepath.Join(dir, sweep.SummaryName)
	text, err := rundir.ReadFile(path, sweep.SummaryMax)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w %s; want one that peernet sim --out or peernet sim sweep --out has written", ErrNoResult, dir)
	}
	if err != nil {
		return err
	}
	metrics, err := sweep.Metrics(text)
	if errors.Is(err, sweep.ErrPartial) {
		return fmt.Errorf("%s: %w; run it again", path, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m, err := readManifest(filepath.Join(dir, ManifestName))
	if err != nil {
		return err
	}
	if err := s.agree(dir, m.settings()); err != nil {
		return err
	}
	seed, err := strconv.ParseUint(m.Seed.String(), 10, 64)
	if err != nil {
		return fmt.Errorf("%s: the seed is %.40q; want a whole number", filepath.Join(dir, ManifestName), m.Seed.String())
	}
	c := s.cell(nil)
	if err := c.claim(seed, dir); err != nil {
		return err
	}
	for _, m := range metrics {
		c.samples[m.Name] = append(c.samples[m.Name], m.Value)
	}
	return nil
}

func readManifest(path string) (*manifest, error) {
	text, err := rundir.ReadFile(path, sweep.SummaryMax)
	if err != nil {
		return nil, fmt.Errorf("%w; it says which scenario the run is of", err)
	}
	var m manifest
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s: not a manifest: %w", path, err)
	}
	if m.Seed == nil || m.Scenario == nil {
		return nil, fmt.Errorf("%s: not a manifest: it lacks the seed or the scenario", path)
	}
	return &m, nil
}

// agree refuses a directory that differs from those before it in more than its seeds.
func (s *Side) agree(dir string, settings []sweep.Setting) error {
	slices.SortFunc(settings, byKey)
	if s.Settings == nil {
		s.Settings = settings
		return nil
	}
	if changes := Differences(s.Settings, settings); len(changes) > 0 {
		return fmt.Errorf("compare: %s differs from what is before it on its side in more than seeds, in %s; have all runs of a side be of one scenario and program",
			dir, strings.Join(changes[:min(len(changes), 5)], ", "))
	}
	return nil
}

// flattenSettings appends the values below a value.
func flattenSettings(all *[]sweep.Setting, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, v := range v {
			flattenSettings(all, strings.TrimPrefix(name+"."+key, "."), v)
		}
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // it was JSON before
		}
		*all = append(*all, sweep.Setting{Key: name, Value: strings.Trim(string(text), `"`)})
	}
}

// Differences describes in which settings two sides differ: key value → value.
func Differences(a, b []sweep.Setting) []string {
	changes := []string{}
	values := map[string][2]string{}
	var keys []string
	for side, settings := range [][]sweep.Setting{a, b} {
		for _, s := range settings {
			v, ok := values[s.Key]
			if !ok {
				keys = append(keys, s.Key)
				v = [2]string{"(not set)", "(not set)"}
			}
			v[side] = s.Value
			values[s.Key] = v
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if v := values[key]; v[0] != v[1] {
			changes = append(changes, sweep.Printable(key+" "+v[0]+" → "+v[1]))
		}
	}
	return changes
}
