package scenario

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Each wrong file is refused with file, line, column and what is wrong.
func TestWrongFilesAreRefused(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"nodes: 10\nnoodles: 5\n", "f.yaml:2:1: noodles: unknown key"},
		{"latency:\n  mean: 5ms\n", "f.yaml:2:3: latency.mean: unknown key; known are model, per, min"},
		{"nodes: many\n", `f.yaml:1:8: nodes: want a whole number, not "many"`},
		{"nodes: 1.5\n", `f.yaml:1:8: nodes: want a whole number, not "1.5"`},
		{"nodes: \"10\"\n", `f.yaml:1:8: nodes: want a number, not the text "10": leave the quotes out`},
		{"latency: {sigma: '0.5'}\n", `f.yaml:1:18: latency.sigma: want a number, not the text "0.5"`},
		{"nodes: &n 10\n", "f.yaml:1:1: nodes: anchors, aliases and tags are not supported"},
		{"nodes: 10\nmessages: *n\n", "messages: anchors, aliases and tags are not supported"},
		{"seed: !!str 10\n", "f.yaml:1:1: seed: anchors, aliases and tags are not supported"},
		{"latency: &l {min: 5ms}\n", "f.yaml:1:1: latency: anchors, aliases and tags are not supported"},
		{"nodes: [1, 2]\n", "f.yaml:1:1: nodes: want a single value"},
		{"nodes:\n", "f.yaml:1:1: nodes: want a single value"},
		{"nodes: 10\nnodes: 11\n", "f.yaml:2:1: "},
		{"seed: -1\n", "f.yaml:1:7: seed: want a whole number from 0"},
		{"duration: 60\n", `f.yaml:1:11: duration: want a duration with its unit, such as 10ms or 1.5s, not "60"`},
		{"duration: soon\n", "f.yaml:1:11: duration: want a duration"},
		{"duration: 1us\n", "f.yaml:1:1: duration: 1µs, must be at least 1ms"},
		{"duration: 5000h\n", "f.yaml:1:1: duration: 5000h0m0s, must be at most 1000h"},
		{"arrivals: 120%\n", "f.yaml:1:11: arrivals: want a whole percentage"},
		{"arrivals: -1s\n", "f.yaml:1:11: arrivals: want a duration such as 2s, or a share"},
		{"fanout: 0\n", "f.yaml:1:9: fanout: want a positive number of peers or all"},
		{"fanout: some\n", "f.yaml:1:9: fanout: want a positive number of peers or all"},
		{"latency: 5ms\n", "f.yaml:1:10: latency: want keys and values"},
		{"latency: {min: 0ms}\n", "f.yaml:1:11: latency.min: 0s, must be positive"},
		{"latency: {min: 0}\n", "f.yaml:1:11: latency.min: 0s, must be positive"},
		{"latency:\n  min: -1ms\n", "f.yaml:2:3: latency.min: -1ms, must be positive"},
		{"latency: {model: uniform, min: 9ms, max: 8ms}\n", "f.yaml:1:37: latency.max: 8ms, must be at least latency.min, 9ms"},
		{"latency: {median: 10ms}\n", "f.yaml:1:11: latency.median: 10ms, must be more than latency.min"},
		{"latency: {sigma: 0.51}\n", "f.yaml:1:11: latency.sigma: "},
		{"latency: {sigma: a}\n", "f.yaml:1:18: latency.sigma: want a number with at most two decimals"},
		{"latency: {model: pareto}\n", `f.yaml:1:11: latency.model: "pareto" is none of [constant uniform lognormal]`},
		{"latency: {per: node}\n", `latency.per: "node" is none of [link message]`},
		{"wire: udp\n", `f.yaml:1:1: wire: "udp" is none of [typed encoded]`},
		{"overlay: ring\n", `f.yaml:1:1: overlay: "ring" is none of [gossip static]`},
		{"nodes: 1\n", "f.yaml:1:1: nodes: 1, must be from 2 to"},
		{"nodes: 20000000\n", "f.yaml:1:1: nodes: 20000000, must be from 2 to 16777216"},
		{"nodes: 10\nconnections: 10\n", "f.yaml:2:1: connections: 10, more connections than other nodes: at most 9 is possible with nodes: 10"},
		{"connections: 0\n", "f.yaml:1:1: connections: 0, must be from 1"},
		{"nodes: 10\nbootstraps: 11\n", "f.yaml:2:1: bootstraps: 11, more bootstraps than nodes"},
		{"nodes: 10\nresponders: 11\n", "f.yaml:2:1: responders: 11, more responders than nodes"},
		{"payload: 2000\n", "f.yaml:1:1: payload: 2000, must be from 16 to 1024"},
		{"exchange: 100\n", "f.yaml:1:1: exchange: 100, must be from 1 to 48"},
		{"hops_max: 0\n", "f.yaml:1:1: hops_max: 0, must be from 1"},
		{"book: 0\n", "f.yaml:1:1: book: 0, must be from 1"},
		{"messages: -1\n", "f.yaml:1:1: messages: -1, must be from 0"},
		{"messages_from: 80%\nmessages_until: 20%\n", "f.yaml:2:1: messages_until: 20%, is before messages_from, 80%"},
		{"searches_from: 30s\nsearches_until: 29s\n", "f.yaml:2:1: searches_until: 29s, is before searches_from, 30s"},
		{"messages_every: -1s\n", "f.yaml:1:1: messages_every: -1s, must not be negative"},
		{"interval: 0s\n", "f.yaml:1:1: interval: 0s, must be at least 1ms"},
		{"nodes: 10\n bad indent: [\n", "f.yaml:1:8: "},
		{"- nodes\n", "f.yaml:1:1: the file: want keys and values"},
		{"just text\n", "f.yaml:1:1: the file: want keys and values"},
		{"nodes: 5\n---\nnodes: 6\n", "f.yaml: holds 2 documents"},
	} {
		s, err := Parse("f.yaml", []byte(test.text))
		if err == nil {
			err = s.Resolve()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func TestEmptyFilesAreTheDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n"} {
		s, err := Parse("f.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		want := Default()
		s.explicit, s.text = nil, nil
		if !reflect.DeepEqual(*s, want) {
			t.Errorf("%q: %+v, want the defaults", text, *s)
		}
	}
}

func TestLoadReadsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path, []byte("nodes: 77\nlatency: {min: 3ms}\nfanout: all\narrivals: 2s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Nodes != 77 || s.Latency.Min.String() != "3ms" || s.Fanout.String() != "all" || s.Arrivals.String() != "2s" || s.Known != 3 {
		t.Errorf("read %+v", s)
	}
	if err := s.Set("--set", "latency.sigma", "1.25"); err != nil || s.Latency.Sigma != 125 {
		t.Errorf("sigma %v, %v", s.Latency.Sigma, err)
	}
}

// The reference explains every key with its default, and nothing else: it is
// read as a scenario, and must be the defaults.
func TestReferenceIsTheDefaults(t *testing.T) {
	text := []byte(Reference)
	s, err := Parse("reference.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	var walk func(prefix string, v, defaults reflect.Value)
	walk = func(prefix string, v, defaults reflect.Value) {
		for i := range v.NumField() {
			f, d := v.Field(i), defaults.Field(i)
			if !v.Type().Field(i).IsExported() {
				continue
			}
			key := prefix + v.Type().Field(i).Tag.Get("yaml")
			if _, set := s.explicit[key]; !set {
				missing = append(missing, key)
			}
			switch {
			case f.Type() == reflect.TypeFor[Draw]() && key != "regions[0].jitter": // explained there
			case isGroup(f):
				walk(key+".", f, d)
			case f.Kind() == reflect.Slice && isGroup(reflect.New(f.Type().Elem()).Elem()):
				// The item has all keys, each with its default where it has one.
				item := reflect.New(f.Type().Elem())
				item.Interface().(interface{ setDefaults() }).setDefaults()
				walk(key+"[0].", f.Index(0), item.Elem())
				f.SetZero()
			case prefix != "" && !f.IsZero() && !d.IsZero() && !reflect.DeepEqual(f.Interface(), d.Interface()):
				t.Errorf("reference.yaml says that the default of %s is %v, it is %v", key, f, d)
			}
		}
	}
	standard := Default()
	walk("", reflect.ValueOf(s).Elem(), reflect.ValueOf(&standard).Elem())
	if err := s.Resolve(); err != nil {
		t.Errorf("reference.yaml, without its lists: %v", err)
	}
	if missing != nil {
		t.Errorf("reference.yaml does not explain %v", missing)
	}
	want := Default()
	want.Bootstraps = 5
	s.explicit, s.text, s.EdgesAt, s.Connections = nil, nil, nil, want.Connections
	if !reflect.DeepEqual(*s, want) {
		t.Errorf("reference.yaml says\n%+v, the defaults are\n%+v", *s, want)
	}
	// The keys of the summary are explained below.
	for i := range reflect.TypeFor[Summary]().NumField() {
		key, _, _ := strings.Cut(reflect.TypeFor[Summary]().Field(i).Tag.Get("json"), ",")
		if !regexp.MustCompile(`(?m)^#.*\b` + key + `\b`).Match(text) {
			t.Errorf("reference.yaml does not explain %s of the summary", key)
		}
	}
}

func TestSpreadIsEven(t *testing.T) {
	for i, want := range []int64{30, 36, 42, 48, 54} {
		if got := int64(spread(30, 54, i, 5)); got != want {
			t.Errorf("time %d of 5 from 30 to 54 is %d, want %d", i, got, want)
		}
	}
	if spread(30, 54, 0, 1) != 30 {
		t.Error("a single one is not at the start")
	}
}
