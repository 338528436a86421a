package sweep

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSeeds(t *testing.T) {
	for text, want := range map[string][]uint64{
		"1..5":    {1, 2, 3, 4, 5},
		"1,2,7":   {1, 2, 7},
		"3..4, 9": {3, 4, 9},
		"0":       {0},
		"18446744073709551614..18446744073709551615": {1<<64 - 2, 1<<64 - 1},
	} {
		if got, err := ParseSeeds(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5..1", "1..", "a", "-1", "1,,2", "1..100001", "0..18446744073709551615", "1..60000,1..60000", "18446744073709551616"} {
		if got, err := ParseSeeds(text); err == nil {
			t.Errorf("%q is %d seeds, want an error", text, len(got))
		}
	}
}

func TestImpossibleGridsAreRefused(t *testing.T) {
	many := make([]string, 400)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	for _, test := range []struct {
		name string
		grid Grid
		want string
	}{
		{"no seeds", Grid{}, "no seeds"},
		{"seed twice", Grid{Seeds: []uint64{1, 1}}, "seed 1 is given twice"},
		{"seed as key", Grid{Seeds: []uint64{1}, Axes: []Axis{{"seed", []string{"1"}}}}, "not as a key"},
		{"key twice", Grid{Seeds: []uint64{1}, Set: []Setting{{"a", "1"}}, Axes: []Axis{{"a", []string{"1"}}}}, "a: is given twice"},
		{"value twice", Grid{Seeds: []uint64{1}, Axes: []Axis{{"a", []string{"1", "1"}}}}, "value 1 twice"},
		{"no value", Grid{Seeds: []uint64{1}, Axes: []Axis{{"a", []string{"1", ""}}}}, "empty value"},
		{"no values", Grid{Seeds: []uint64{1}, Axes: []Axis{{"a", nil}}}, "no values"},
		{"comma", Grid{Seeds: []uint64{1}, Axes: []Axis{{"a", []string{"1,b=2"}}}}, "comma"},
		{"control", Grid{Seeds: []uint64{1}, Set: []Setting{{"a", "1\x1b"}}}, "control characters"},
		{"too many", Grid{Seeds: []uint64{1}, Axes: []Axis{{"a", many}, {"b", many}}}, "more than 100000 points"},
		{"far too many", Grid{Seeds: []uint64{1}, Axes: []Axis{{"a", many}, {"b", many}, {"c", many}, {"d", many}, {"e", many}, {"f", many}, {"g", many}, {"h", many}}},
			"more than 100000 points"},
	} {
		if err := test.grid.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// Each combination comes once, seeds fastest, as the rows of the table.
func TestPointsAreInOrder(t *testing.T) {
	g := Grid{Seeds: []uint64{1, 2}, Axes: []Axis{{"a", []string{"x", "y"}}, {"b", []string{"1", "2"}}}}
	var got []string
	for i := range g.Len() {
		got = append(got, g.Point(i).Name)
	}
	want := "a=x,b=1,seed=1 a=x,b=1,seed=2 a=x,b=2,seed=1 a=x,b=2,seed=2 a=y,b=1,seed=1 a=y,b=1,seed=2 a=y,b=2,seed=1 a=y,b=2,seed=2"
	if strings.Join(got, " ") != want {
		t.Errorf("points are %q", got)
	}
}

// No value makes a name leave its directory, or be that of another point, also
// where the file system ignores case.
func TestNamesAreSafe(t *testing.T) {
	long := strings.Repeat("9", textMax)
	values := []string{"../../etc", "/", "..", "a", "A", "a b", "a\\b", "a_b", "con", "ä", "50%", long, long[1:], "a:b", "*"}
	g := Grid{Seeds: []uint64{1}, Axes: []Axis{{"latency.median", values}}}
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	safe := regexp.MustCompile(`^latency\.median=[a-z0-9._+%=,~-]*,seed=1$`)
	seen := map[string]string{}
	for i, v := range values {
		name := g.Point(i).Name
		if !safe.MatchString(name) || len(name) > 200 {
			t.Errorf("%.20q has the name %q", v, name)
		}
		if other, twice := seen[strings.ToLower(name)]; twice {
			t.Errorf("%.20q and %.20q have one name, %q", v, other, name)
		}
		seen[strings.ToLower(name)] = v
	}
}

// What could change a result changes the fingerprint; nothing else does.
func TestFingerprint(t *testing.T) {
	base := func() *Grid {
		return &Grid{Scenario: []byte("nodes: 5"), Set: []Setting{{"a", "1"}}, Axes: []Axis{{"b", []string{"1", "2"}}}, Seeds: []uint64{1, 2}, Program: "p"}
	}
	print := func(g *Grid) string { return g.Fingerprint(g.Point(0)) }
	for name, change := range map[string]func(*Grid){
		"scenario": func(g *Grid) { g.Scenario = []byte("nodes: 6") },
		"set":      func(g *Grid) { g.Set[0].Value = "2" },
		"key":      func(g *Grid) { g.Axes[0].Key = "c" },
		"value":    func(g *Grid) { g.Axes[0].Values[0] = "3" },
		"seed":     func(g *Grid) { g.Seeds[0] = 3 },
		"program":  func(g *Grid) { g.Program = "q" },
	} {
		g := base()
		change(g)
		if print(g) == print(base()) {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	g := base()
	g.Seeds, g.Axes[0].Values = append(g.Seeds, 9), append(g.Axes[0].Values, "9")
	if print(g) != print(base()) {
		t.Error("the fingerprint of a point depends on other points")
	}
	none, empty := base(), base()
	none.Set, empty.Set = nil, []Setting{} // as a file has it
	if print(none) != print(empty) {
		t.Error("nothing set has two fingerprints")
	}
}
