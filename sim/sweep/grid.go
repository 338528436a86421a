package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PointsMax is the largest number of points of a grid.
const PointsMax = 100_000

// Bounds of what a grid is made of, in bytes of a text and in numbers of keys.
const (
	textMax     = 1024
	keysMax     = 64
	scenarioMax = 16 << 20
)

// A Setting is a value of a key of the scenario, as it would stand in a file.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// String returns key=value.
func (s Setting) String() string { return s.Key + "=" + s.Value }

// ParseSetting reads key=value.
func ParseSetting(text string) (Setting, error) {
	key, value, ok := strings.Cut(text, "=")
	s := Setting{strings.TrimSpace(key), strings.TrimSpace(value)}
	if !ok || s.Key == "" {
		return Setting{}, fmt.Errorf("%q: want key=value", text)
	}
	return s, nil
}

// An Axis is a key that is varied, and its values in the order of the table.
type Axis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// ParseAxis reads key=value,value.
func ParseAxis(text string) (Axis, error) {
	s, err := ParseSetting(text)
	if err != nil {
		return Axis{}, fmt.Errorf("%q: want key=value,value, such as fanout=2,3,4", text)
	}
	a := Axis{Key: s.Key}
	for _, v := range strings.Split(s.Value, ",") {
		a.Values = append(a.Values, strings.TrimSpace(v))
	}
	return a, nil
}

// ParseSeeds reads seeds: 1..5, both included, or 1,2,7, or both: 1..5,9.
func ParseSeeds(text string) ([]uint64, error) {
	var seeds []uint64
	for _, part := range strings.Split(text, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "..")
		first, err := strconv.ParseUint(low, 10, 64)
		last := first
		if isRange && err == nil {
			last, err = strconv.ParseUint(high, 10, 64)
		}
		if err != nil || last < first {
			return nil, fmt.Errorf("%q: want whole numbers from 0 with commas between, such as 1,2,7, or a range such as 1..5", text)
		}
		if last-first >= PointsMax || len(seeds)+int(last-first) >= PointsMax {
			return nil, fmt.Errorf("%q: more than %d seeds", text, PointsMax)
		}
		for i := range last - first + 1 {
			seeds = append(seeds, first+i)
		}
	}
	return seeds, nil
}

// A Grid is what a sweep runs: each combination of a value of every axis and a
// seed.
type Grid struct {
	Scenario []byte    // text of the scenario's file
	Set      []Setting // keys that have one value for all points
	Axes     []Axis
	Seeds    []uint64
	Program  string // says which program runs the points; others may give other results
}

// Validate returns an error that says what is wrong with a grid.
func (g *Grid) Validate() error {
	if len(g.Scenario) > scenarioMax {
		return fmt.Errorf("sweep: the scenario has more than %d bytes", scenarioMax)
	}
	if len(g.Set)+len(g.Axes) > keysMax {
		return fmt.Errorf("sweep: %d keys are set or varied, at most %d can be", len(g.Set)+len(g.Axes), keysMax)
	}
	keys := map[string]bool{}
	add := func(key string) error {
		switch {
		case key == "seed":
			return errors.New("sweep: seed: name the seeds by the seeds of the sweep, not as a key")
		case keys[key]:
			return fmt.Errorf("sweep: %s: is given twice; give all its values at once, as %s=value,value", key, key)
		}
		keys[key] = true
		return checkText("key", key)
	}
	for _, s := range g.Set {
		if err := errors.Join(add(s.Key), checkText("value", s.Value)); err != nil {
			return err
		}
	}
	for _, a := range g.Axes {
		if err := add(a.Key); err != nil {
			return err
		}
		if err := a.validate(); err != nil {
			return err
		}
	}
	return g.validateSize()
}

func (a Axis) validate() error {
	if len(a.Values) == 0 {
		return fmt.Errorf("sweep: %s: has no values", a.Key)
	}
	seen := map[string]bool{}
	for _, v := range a.Values {
		if v == "" {
			return fmt.Errorf("sweep: %s: has an empty value; want values with a comma between", a.Key)
		}
		if strings.Contains(v, ",") {
			return fmt.Errorf("sweep: %s: the value %q holds a comma, which separates values", a.Key, v)
		}
		if seen[v] {
			return fmt.Errorf("sweep: %s: has the value %s twice", a.Key, v)
		}
		seen[v] = true
		if err := checkText("value", v); err != nil {
			return err
		}
	}
	return nil
}

func (g *Grid) validateSize() error {
	if len(g.Seeds) == 0 {
		return errors.New("sweep: there are no seeds; want at least one")
	}
	seen := map[uint64]bool{}
	for _, s := range g.Seeds {
		if seen[s] {
			return fmt.Errorf("sweep: seed %d is given twice", s)
		}
		seen[s] = true
	}
	n := len(g.Seeds)
	for _, a := range g.Axes {
		if n > PointsMax/len(a.Values) {
			n = math.MaxInt
			break
		}
		n *= len(a.Values)
	}
	if n > PointsMax {
		return fmt.Errorf("sweep: the grid has more than %d points; take fewer values or seeds", PointsMax)
	}
	return nil
}

// checkText refuses what would not do on a command line or in a table.
func checkText(what, text string) error {
	switch {
	case len(text) > textMax:
		return fmt.Errorf("sweep: a %s has %d bytes, at most %d are possible", what, len(text), textMax)
	case !utf8.ValidString(text), strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("sweep: the %s %q: want text without control characters", what, text)
	}
	return nil
}

// Cells returns the number of combinations of values, without the seeds.
func (g *Grid) Cells() int {
	n := 1
	for _, a := range g.Axes {
		n *= len(a.Values)
	}
	return n
}

// Len returns the number of points.
func (g *Grid) Len() int { return g.Cells() * len(g.Seeds) }

// A Point is one run of a grid.
type Point struct {
	Index  int
	Name   string    // of its directory; unique within the grid, also where case is ignored
	Varied []Setting // a value of each axis
	Seed   uint64
}

// Point returns the point at an index: seeds change fastest, then the values of the
// last axis.
func (g *Grid) Point(i int) Point {
	p := Point{Index: i, Seed: g.Seeds[i%len(g.Seeds)], Varied: g.Cell(i / len(g.Seeds))}
	p.Name = pointName(p.Varied, p.Seed)
	return p
}

// Cell returns the settings of a combination of values.
func (g *Grid) Cell(i int) []Setting {
	varied := make([]Setting, len(g.Axes))
	for k, a := range slices.Backward(g.Axes) {
		varied[k] = Setting{a.Key, a.Values[i%len(a.Values)]}
		i /= len(a.Values)
	}
	return varied
}

// nameMax is the length of a readable name in bytes. File systems allow 255.
const nameMax = 120

// pointName makes a name of letters that every file system can hold. Where some had
// to be replaced, or cut off, a hash keeps names distinct.
func pointName(varied []Setting, seed uint64) string {
	var parts []string
	for _, s := range varied {
		parts = append(parts, s.String())
	}
	exact := strings.Join(parts, ",")
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune("._-+%=,", r):
			return r
		}
		return '_'
	}, exact)
	if safe != exact || len(safe) > nameMax {
		hash := sha256.Sum256([]byte(exact))
		safe = safe[:min(len(safe), nameMax)] + "~" + hex.EncodeToString(hash[:8])
	}
	if safe != "" {
		safe += ","
	}
	return safe + "seed=" + strconv.FormatUint(seed, 10)
}

// Fingerprint identifies what a point runs.
func (g *Grid) Fingerprint(p Point) string {
	scenario := sha256.Sum256(g.Scenario)
	text, err := json.Marshal(struct {
		Scenario string
		Set      []Setting
		Varied   []Setting
		Seed     uint64
		Program  string
	}{hex.EncodeToString(scenario[:]), append([]Setting{}, g.Set...), append([]Setting{}, p.Varied...), p.Seed, g.Program}) // nil as empty
	if err != nil {
		panic(err) // strings and numbers
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:])
}
