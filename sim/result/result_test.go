package result_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"peernet/sim/result"
)

// hostile is what no text of a run may do to a page.
const hostile = `<script>alert("x")</script>'&amp;`

// sample is a run with something of everything, the same each time.
func sample() *result.Run {
	rng := rand.New(rand.NewPCG(1, 2))
	node, at := uint32(17), 21.5
	r := &result.Run{
		Manifest: json.RawMessage(`{"version":"v1.2.3","commit":"0123456789abcdef","go":"go1.26.0","arch":"linux/amd64","seed":18446744073709551615,` +
			`"trace_hash":"8e5a277e3bb945e5","partial":false,"rerun":"peernet sim split.yaml --nodes 400 --seed 18446744073709551615 --duration 1m0s",` +
			`"scenario":{"name":"split and heal","nodes":400,"duration":"1m0s","latency":{"model":"lognormal","min":"10ms","sigma":0.50},` +
			`"classes":[{"name":"server","share":"20%"},{"name":"laptop","share":"80%"}],"faults":[{"at":"20s","split":["eu","us"],"for":"10s"}],"messages":100}}`),
		Summary: json.RawMessage(`{"name":"split and heal","nodes":400,"seed":18446744073709551615,"duration_s":60,"partial":false,"trace_hash":"8e5a277e3bb945e5",` +
			`"deliveries":1234567,"wall_s":0.208537617,"formed_at_s":null,"announce":{"count":100,"coverage_mean":0.9609000000000001,"latency_ms_p50":198.656},` +
			`"overlay":{"degree_mean":10.073333333333334,"clustering":0.064850308809061},"traffic":{"messages":121568,"bytes":11567247}}`),
		Checks: []result.Check{
			{Name: "views-are-mutual", Kind: result.KindInvariant, OK: true, Detail: "held at 60 samples"},
			{Name: "coverage >= 0.9", Kind: result.KindGoal, OK: false, Detail: "0.7213 from 20 s to 30 s, while the regions were apart", Node: &node, AtS: &at,
				Rerun: "peernet sim split.yaml --nodes 400 --seed 18446744073709551615 --duration 21.5s"},
			{Name: "one component at the end", Kind: result.KindGoal, OK: true},
		},
		Marks:  []result.Mark{{AtS: 20, Label: "split eu | us"}, {AtS: 30, Label: "heal"}, {AtS: 45, Label: "crash of 10 %"}},
		Series: result.NewSeries("live", "components", "largest_component", "bytes_per_node_per_s", "messages_per_node_per_s", "book_mean"),
	}
	for s := range 61 {
		live, components, largest := 400.0, 1.0, 1.0
		live = min(live, float64(s)*60)
		if s >= 20 && s < 30 {
			components, largest = 2, 0.55
		}
		if s >= 45 {
			live = 360
		}
		book := 20 + 40*(1-math.Exp(-float64(s)/15))
		if s < 3 {
			components, largest, book = math.NaN(), math.NaN(), math.NaN()
		}
		r.Series.Add(float64(s), live, components, largest, 600+400*math.Exp(-float64(s)/5)+20*rng.Float64(), 6+rng.Float64(), book)
	}
	for i := range 400 {
		n := result.Node{ID: uint32(i), Address: fmt.Sprintf("sim:%d", i), Class: []string{"server", "laptop"}[min(i%5, 1)], Region: []string{"eu", "us"}[i%2],
			Reach: "public", Live: i%10 != 3, Incarnations: 1, StartedS: float64(i) / 60, Degree: 5 + int32(rng.ExpFloat64()*5), Outbound: 5, Book: 64}
		n.Inbound = n.Degree - n.Outbound
		n.UpS = 60 - n.StartedS
		n.SentBytes = uint64(n.UpS * float64(n.Degree) * (60 + 10*rng.NormFloat64()))
		n.SentMessages = n.SentBytes / 90
		if i == 399 {
			n = result.Node{ID: 399, StartedS: math.NaN(), Role: "eclipse", Reach: "blocked"}
		}
		r.Nodes = append(r.Nodes, n)
	}
	for i := range 100 {
		m := result.Message{Index: int32(i), Kind: result.KindAnnounce, SentS: 15 + float64(i)*0.4, Origin: uint32(i), Alive: 399, HopsMean: 4.2, HopsMax: 9,
			LatencyP50Ms: 198.5, LatencyP90Ms: 300, LatencyP99Ms: 372, LatencyMaxMs: 410, Copies: 1200, Redundancy: 2.03}
		m.Coverage = 0.94 + 0.04*rng.Float64()
		if m.SentS >= 20 && m.SentS < 30 {
			m.Coverage = 0.5 + 0.05*rng.Float64()
		}
		if i == 50 {
			m = result.Message{Index: 50, Kind: result.KindSearch, SentS: m.SentS, Alive: 399, Coverage: math.NaN(), HopsMean: math.NaN(), LatencyP50Ms: math.NaN(),
				LatencyP90Ms: math.NaN(), LatencyP99Ms: math.NaN(), LatencyMaxMs: math.NaN(), Redundancy: math.NaN(), Replies: 9}
		}
		m.Reached = int32(m.Coverage * 399)
		r.Messages = append(r.Messages, m)
	}
	for h, n := range []uint64{1800, 5200, 9800, 11200, 6100, 2300, 610, 90, 8} {
		r.Hops = append(r.Hops, result.Bin{Low: float64(h + 1), Count: n})
	}
	for low := 10.0; low < 520; low *= 1 + 1.0/64 {
		x := math.Log(low / 190)
		r.Latency = append(r.Latency, result.Bin{Low: low, High: low * (1 + 1.0/64), Count: uint64(900 * math.Exp(-4*x*x))})
	}
	for i := range uint32(400) {
		r.Edges = append(r.Edges, result.Edge{AtS: 60, From: i, To: (i + 7) % 400, Negotiated: i%3 == 0})
	}
	return r
}

// same reports whether two values are equal, NaN being equal to NaN.
func same(a, b any) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

func write(t *testing.T, r *result.Run, o result.Options) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "a", "run")
	if err := result.Write(dir, r, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What is written is what is read, column by column: a field that is missing from a
// table, or mixed up with another, shows here.
func TestRoundTrip(t *testing.T) {
	for name, want := range map[string]*result.Run{
		"full":  sample(),
		"empty": {Manifest: json.RawMessage(`{}`), Summary: json.RawMessage(`{}`)},
		"extremes": {Manifest: json.RawMessage(`{"a":[1,{"b":null}]}`), Summary: json.RawMessage(`{"z":1,"a":2}`),
			Series: result.Series{AtS: []float64{0, 0, 1e300}, Columns: []result.Column{{Name: "x", Values: []float64{math.Inf(1), math.NaN(), math.Copysign(0, -1)}}}},
			Nodes: []result.Node{{ID: math.MaxUint32, Incarnations: math.MaxUint32, Degree: math.MinInt32, SentBytes: math.MaxUint64, Address: "a,\"b\"\nc", StartedS: math.NaN()},
				{}, {Class: strings.Repeat("x", 4096)}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, want, result.Options{})
			got, err := result.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			var indented strings.Builder
			if err := json.NewEncoder(&indented).Encode(got.Summary); err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(indented.String()) != string(want.Summary) {
				t.Errorf("summary %s, want %s", &indented, want.Summary)
			}
			w, g := reflect.ValueOf(*want), reflect.ValueOf(*got)
			for i := range w.NumField() {
				switch field := w.Type().Field(i).Name; field {
				case "Manifest", "Summary", "Edges":
				case "Checks":
					a, _ := json.Marshal(want.Checks)
					b, _ := json.Marshal(got.Checks)
					if len(want.Checks)+len(got.Checks) > 0 && string(a) != string(b) {
						t.Errorf("checks %s, want %s", b, a)
					}
				default:
					if !same(g.Field(i).Interface(), w.Field(i).Interface()) {
						t.Errorf("%s: %+v\nwant %+v", field, g.Field(i).Interface(), w.Field(i).Interface())
					}
				}
			}
			edges, err := result.ReadEdges(dir)
			if len(want.Edges) > 0 && (err != nil || !slices.Equal(edges, want.Edges)) {
				t.Errorf("edges: %v", err)
			}
			if len(want.Edges) == 0 && (err == nil || !strings.Contains(err.Error(), "edges.parquet is missing")) {
				t.Errorf("edges of a run without: %v", err)
			}
		})
	}
}

// fill sets each field of a struct to a value that no other has.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(fmt.Sprint("text ", i))
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Float64:
			f.SetFloat(float64(i) + 0.5)
		case reflect.Int32:
			f.SetInt(int64(-i - 1))
		default:
			f.SetUint(uint64(i + 100))
		}
	}
}

// Each field of a row is kept: one that was added to a struct and to no table is
// lost here.
func TestEveryFieldIsKept(t *testing.T) {
	r := &result.Run{Manifest: json.RawMessage(`{}`), Summary: json.RawMessage(`{}`), Nodes: make([]result.Node, 1), Messages: make([]result.Message, 1), Edges: make([]result.Edge, 1)}
	fill(reflect.ValueOf(&r.Nodes[0]).Elem())
	fill(reflect.ValueOf(&r.Messages[0]).Elem())
	fill(reflect.ValueOf(&r.Edges[0]).Elem())
	dir := write(t, r, result.Options{})
	got, err := result.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	edges, err := result.ReadEdges(dir)
	if err != nil || !same(got.Nodes, r.Nodes) || !same(got.Messages, r.Messages) || !same(edges, r.Edges) {
		t.Errorf("%v\n%+v\n%+v\n%+v", err, got.Nodes, got.Messages, edges)
	}
}

// Other programs find columns by their names, with null where there is nothing.
func TestColumnsByName(t *testing.T) {
	dir := write(t, sample(), result.Options{})
	type row struct { // what somebody else is interested in, in an order of theirs
		SentBytes uint64   `parquet:"sent_bytes"`
		Role      string   `parquet:"role"`
		StartedS  *float64 `parquet:"started_s,optional"`
		ID        uint32   `parquet:"id"`
	}
	rows, err := parquet.ReadFile[row](filepath.Join(dir, "nodes.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 400 || rows[120].ID != 120 || rows[120].StartedS == nil || *rows[120].StartedS != 2 || rows[399].StartedS != nil || rows[399].Role != "eclipse" {
		t.Errorf("%d rows, %+v, %+v", len(rows), rows[120], rows[399])
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "nodes.parquet")); err != nil || !strings.Contains(string(raw), "peernet version v1.2.3(build 0123456789abcdef)") {
		t.Errorf("the file does not say which program made it: %v", err)
	}
	type sample struct {
		Largest *float64 `parquet:"largest_component,optional"`
		AtS     float64  `parquet:"at_s"`
	}
	samples, err := parquet.ReadFile[sample](filepath.Join(dir, "series.parquet"))
	if err != nil || len(samples) != 61 || samples[2].Largest != nil || samples[25].AtS != 25 || *samples[25].Largest != 0.55 {
		t.Errorf("%v: %+v", err, samples)
	}
}

// A CSV file has the names, all rows, quotes where needed, and an empty field for
// null; it goes when a run is written without.
func TestCSV(t *testing.T) {
	r := sample()
	r.Nodes[1].Address = "a,\"b\"\nc"
	dir := write(t, r, result.Options{CSV: true})
	read := func(name string) [][]string {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	for name, n := range map[string]int{"series": 61, "nodes": 400, "messages": 100, "histograms": 9 + len(r.Latency), "edges": 400} {
		if lines := read(name + ".csv"); len(lines) != n+1 {
			t.Errorf("%s.csv has %d lines, want %d", name, len(lines), n+1)
		}
	}
	nodes, series := read("nodes.csv"), read("series.csv")
	if got := strings.Join(nodes[0], " "); got != "id address class region reach role live incarnations started_s up_s degree outbound inbound book hostile_links hostile_book sent_messages sent_bytes" {
		t.Errorf("columns %s", got)
	}
	if nodes[2][1] != r.Nodes[1].Address || nodes[400][8] != "" || nodes[61][8] != "1" || nodes[4][6] != "false" {
		t.Errorf("rows %q, %q, %q", nodes[2], nodes[400], nodes[61])
	}
	if got := strings.Join(series[0], " "); got != "at_s live components largest_component bytes_per_node_per_s messages_per_node_per_s book_mean" {
		t.Errorf("columns %s", got)
	}
	if series[3][2] != "" || series[26][3] != "0.55" {
		t.Errorf("rows %q, %q", series[3], series[26])
	}

	r.Edges = nil
	if err := result.Write(dir, r, result.Options{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "histograms.parquet manifest.json messages.parquet nodes.parquet report.html series.parquet summary.json" {
		t.Errorf("without CSV and edges there are %s", got)
	}
}

// tree is the content of all files of a directory.
func tree(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// A run gives the same bytes each time, in all files.
func TestSameRunSameBytes(t *testing.T) {
	a, b := tree(t, write(t, sample(), result.Options{CSV: true})), tree(t, write(t, sample(), result.Options{CSV: true}))
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs", name)
		}
	}
}

// A write that fails leaves what there was, whole, and nothing beside it.
func TestFailedWriteLeavesTheOld(t *testing.T) {
	dir := write(t, sample(), result.Options{})
	before := tree(t, dir)
	for what, spoil := range map[string]func(*result.Run){
		"a name that is too long, found in the middle": func(r *result.Run) { r.Nodes[399].Address = strings.Repeat("x", 5000) },
		"no JSON":                   func(r *result.Run) { r.Manifest = json.RawMessage(`{"a":`) },
		"two values":                func(r *result.Run) { r.Manifest = json.RawMessage(`{} {}`) },
		"no object":                 func(r *result.Run) { r.Summary = json.RawMessage(`[]`) },
		"checks twice":              func(r *result.Run) { r.Summary = json.RawMessage(`{"checks":[]}`) },
		"an unknown kind":           func(r *result.Run) { r.Checks[0].Kind = "wish" },
		"columns of two lengths":    func(r *result.Run) { r.Series.Columns[1].Values = nil },
		"a name of a column":        func(r *result.Run) { r.Series.Columns[1].Name = "a-b" },
		"a column twice":            func(r *result.Run) { r.Series.Columns[1].Name = "at_s" },
		"time that goes back":       func(r *result.Run) { r.Series.AtS[5] = 0 },
		"no time":                   func(r *result.Run) { r.Series.AtS[5] = math.NaN() },
		"bins in disorder":          func(r *result.Run) { r.Hops[1].Low = 1 },
		"bins that overlap":         func(r *result.Run) { r.Latency[1].High = r.Latency[2].Low + 1 },
		"a bin that ends before":    func(r *result.Run) { r.Hops[1].High = 1 },
		"a check without a number":  func(r *result.Run) { nan := math.NaN(); r.Checks[0].AtS = &nan },
		"more than a table can say": func(r *result.Run) { r.Series = result.NewSeries(slices.Repeat([]string{"x"}, 300)...) },
	} {
		r := sample()
		r.Series.AtS[0] = -1 // would show in series.parquet
		r.Nodes[0].ID = 77
		spoil(r)
		if err := result.Write(dir, r, result.Options{CSV: true}); err == nil {
			t.Errorf("%s: no error", what)
		}
		after := tree(t, dir)
		if len(after) != len(before) {
			t.Errorf("%s: files were left behind: %d, before %d", what, len(after), len(before))
		}
		for name := range before {
			if after[name] != before[name] {
				t.Errorf("%s: %s has changed", what, name)
			}
		}
	}
}

// An error of Read names the file, what is wrong with it, and what to do.
func TestReadSaysWhatIsWrong(t *testing.T) {
	if _, err := result.Read(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("no directory: %v", err)
	}
	file := filepath.Join(write(t, sample(), result.Options{}), "summary.json")
	if _, err := result.Read(file); err == nil || !strings.Contains(err.Error(), file+" is a file; want the directory of a run, as sim run --out DIR writes it") {
		t.Errorf("a file: %v", err)
	}
	if err := os.WriteFile(file, make([]byte, 16<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := result.Read(filepath.Dir(file)); err == nil || !strings.Contains(err.Error(), file+": has more than 16777216 bytes") {
		t.Errorf("a long file: %v", err)
	}
	for _, c := range []struct {
		file, content, want string
	}{
		{"manifest.json", "-", "manifest.json is missing, so this is no complete result: write the results anew"},
		{"series.parquet", "-", "series.parquet is missing"},
		{"summary.json", `{"a":1`, "summary.json: corrupt: unexpected end of JSON input"},
		{"summary.json", `[1]`, "summary.json: no JSON object"},
		{"summary.json", `{"checks":{}}`, `summary.json: key "checks"`},
		{"summary.json", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), "nested deeper than 32"},
		{"nodes.parquet", "", "nodes.parquet: corrupt: 0 bytes are no Parquet file"},
		{"nodes.parquet", "PAR1 but not really", "nodes.parquet: corrupt: no end of a Parquet file; it may be cut off"},
	} {
		dir := write(t, sample(), result.Options{})
		path := filepath.Join(dir, c.file)
		if c.content == "-" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := result.Read(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "write the results anew") {
			t.Errorf("%s is %.20q: %v, want %s", c.file, c.content, err, c.want)
		}
	}
}
