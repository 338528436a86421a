package experiments_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"peernet/experiments"
	"peernet/experiments/lab"
)

// Every folder with an expected.json is an experiment of its name, and all are in order.
func TestAllAreRegistered(t *testing.T) {
	files, err := filepath.Glob("*/expected.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var folders, names []string
	for _, f := range files {
		folders = append(folders, filepath.Dir(f))
	}
	for _, e := range experiments.All() {
		names = append(names, e.Name)
	}
	if slices.Sort(folders); !slices.Equal(folders, names) {
		t.Errorf("the folders with expected.json are\n%v, registered are, in this order,\n%v", folders, names)
	}
}

// Each experiment has what a reader looks for, and what holds its check to account.
func TestEachIsWhole(t *testing.T) {
	for _, e := range experiments.All() {
		readme, err := os.ReadFile(filepath.Join(e.Name, "README.md"))
		if err != nil || string(readme) != e.README {
			t.Errorf("%s: its README is that of another folder, %v", e.Name, err)
		}
		// Reports leave out the first line, for one of theirs.
		title, text, _ := strings.Cut(e.README, "\n")
		if !strings.HasPrefix(title, "# ") || strings.TrimSpace(text) == "" {
			t.Errorf("%s: README.md starts with %q; want a title, and text", e.Name, title)
		}
		if len(e.Controls) == 0 {
			t.Errorf("%s has no control", e.Name)
		}
		quick := slices.ContainsFunc(e.Cases, func(c lab.Case) bool { return c.Quick > 0 })
		if !quick {
			t.Errorf("%s has no case in a quick run", e.Name)
		}
		if e.Plots != nil {
			checkPlots(t, e)
		}
	}
}

// checkPlots has an experiment plot what it has none of: cases may be left out.
func checkPlots(t *testing.T, e *lab.Experiment) {
	plots := e.Plots(&lab.Results{Experiment: e})
	if len(plots) == 0 {
		t.Errorf("%s plots nothing", e.Name)
	}
	for _, p := range plots {
		if p.Title == "" || p.X == "" || p.Y == "" {
			t.Errorf("%s: plot %q lacks a title or a label: %q, %q, %q", e.Name, p.Name, p.Title, p.X, p.Y)
		}
	}
	// Names that a report cannot use are its error.
	if err := lab.Write(t.TempDir(), []*lab.Results{{Experiment: e}}); err != nil {
		t.Error(err)
	}
}

// Cases of large networks have a simulation to themselves, and all workers: their results
// are those of one worker too.
func TestWorkersOfASimulation(t *testing.T) {
	for _, test := range []struct{ name, parameters string }{
		{"splits", `{"nodes": 100}`},
		{"speed", `{"nodes": 1000}`},
		{"hyparview", `{"nodes": 300, "cycles": 5, "messages": 20, "dead": 70}`},
		{"rivals", `{"system": "peernet", "fanout": 3, "nodes": 500, "dead": 50}`},
		{"rivals", `{"system": "cyclon", "fanout": 4, "nodes": 500, "dead": 50}`},
		{"rivals", `{"system": "plumtree", "nodes": 500, "dead": 50}`},
	} {
		found, err := experiments.Find(test.name)
		if err != nil {
			t.Fatal(err)
		}
		e := *found[0]
		e.Cases = []lab.Case{{Name: "small", Parameters: []byte(test.parameters), Seeds: 1, Alone: true}}
		var want []byte
		for _, workers := range []int{1, 3} {
			all, err := lab.Run(t.Context(), []*lab.Experiment{&e}, lab.Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			got, err := lab.JSON(all)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s %s: with %d workers the results are\n%s, with one\n%s", test.name, test.parameters, workers, got, want)
			}
		}
	}
}

func TestFind(t *testing.T) {
	found, err := experiments.Find("demers")
	if err != nil || len(found) != 1 || found[0].Name != "demers" {
		t.Errorf("%v, %v", found, err)
	}
	for name, want := range map[string]string{"demres": `no experiment "demres"; there are `, "": `no experiment ""`, "demers": "experiment demers is named twice"} {
		if _, err := experiments.Find("demers", name); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "demers") {
			t.Errorf("%q: %v", name, err)
		}
	}
	experiments.All()[0] = nil // a copy
	if experiments.All()[0] == nil {
		t.Error("the registry can be changed")
	}
}

// The code on the page that says how to write an experiment is that of its example.
func TestPageQuotesItsExample(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := ""
	for _, name := range []string{"uneven.go", "expected.json"} {
		text, err := os.ReadFile(filepath.Join("uneven-fanout", name))
		if err != nil {
			t.Fatal(err)
		}
		example += string(text)
	}
	quotes := 0
	for i, block := range strings.Split(string(page), "```") {
		kind, text, _ := strings.Cut(block, "\n")
		if i%2 == 0 || kind != "go" && kind != "json" {
			continue
		}
		quotes++
		if !strings.Contains(example, strings.TrimRight(text, ",\n")) {
			t.Errorf("the example lacks what the page quotes:\n%s", text)
		}
	}
	if quotes < 3 {
		t.Errorf("the page has %d quotes", quotes)
	}
}
