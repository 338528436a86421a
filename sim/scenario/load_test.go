package scenario

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// A wrongFile is a scenario that is refused, and what is said of it. JSON Schema cannot
// say what is wrong with those marked.
type wrongFile struct {
	text, want string
	beyond     bool // of JSON Schema
}

// wrongFiles are wrong in themselves, or in the keys that a scenario always had.
func wrongFiles() []wrongFile {
	return []wrongFile{
		{"nodes: 10\nnoodles: 5\n", "f.yaml:2:1: noodles: unknown key", false},
		{"latency:\n  mean: 5ms\n", "f.yaml:2:3: latency.mean: unknown key; known are model, per, min", false},
		{"nodes: many\n", `f.yaml:1:8: nodes: want a whole number, not "many"`, false},
		{"nodes: 1.5\n", `f.yaml:1:8: nodes: want a whole number, not "1.5"`, false},
		{"nodes: \"10\"\n", `f.yaml:1:8: nodes: want a number, not the text "10": leave the quotes out`, false},
		{"latency: {sigma: '0.5'}\n", `f.yaml:1:18: latency.sigma: want a number, not the text "0.5"`, false},
		{"nodes: &n 10\n", "f.yaml:1:1: nodes: anchors, aliases and tags are not supported", true},
		{"nodes: 10\nmessages: *n\n", "messages: anchors, aliases and tags are not supported", false},
		{"seed: !!str 10\n", "f.yaml:1:1: seed: anchors, aliases and tags are not supported", false},
		{"latency: &l {min: 5ms}\n", "f.yaml:1:1: latency: anchors, aliases and tags are not supported", true},
		{"nodes: [1, 2]\n", "f.yaml:1:1: nodes: want a single value", false},
		{"nodes:\n", "f.yaml:1:1: nodes: want a single value", false},
		{"nodes: 10\nnodes: 11\n", "f.yaml:2:1: ", false},
		{"seed: -1\n", "f.yaml:1:7: seed: want a whole number from 0", false},
		{"duration: 60\n", `f.yaml:1:11: duration: want a duration with its unit, such as 10ms or 1.5s, not "60"`, false},
		{"duration: soon\n", "f.yaml:1:11: duration: want a duration", false},
		{"duration: 1us\n", "f.yaml:1:1: duration: 1µs, must be from 1ms to 1000h", true},
		{"duration: 5000h\n", "f.yaml:1:1: duration: 5000h0m0s, must be from 1ms to 1000h", true},
		{"arrivals: 120%\n", "f.yaml:1:11: arrivals: want a whole percentage", false},
		{"arrivals: -1s\n", "f.yaml:1:11: arrivals: want a duration such as 2s, or a share", false},
		{"fanout: 0\n", "f.yaml:1:9: fanout: want a positive number of peers or all", false},
		{"fanout: some\n", "f.yaml:1:9: fanout: want a positive number of peers or all", false},
		{"latency: 5ms\n", "f.yaml:1:10: latency: want keys and values", false},
		{"latency: {min: 0ms}\n", "f.yaml:1:11: latency.min: 0s, must be positive", false},
		{"latency: {min: 0}\n", "f.yaml:1:11: latency.min: 0s, must be positive", false},
		{"latency:\n  min: -1ms\n", "f.yaml:2:3: latency.min: -1ms, must be positive", false},
		{"latency: {model: uniform, min: 9ms, max: 8ms}\n", "f.yaml:1:37: latency.max: 8ms, must be at least latency.min, 9ms", true},
		{"latency: {median: 10ms}\n", "f.yaml:1:11: latency.median: 10ms, must be more than latency.min", true},
		{"latency: {sigma: 0.51}\n", "f.yaml:1:11: latency.sigma: ", true},
		{"latency: {sigma: a}\n", "f.yaml:1:18: latency.sigma: want a number with at most two decimals", false},
		{"latency: {model: pareto}\n", `f.yaml:1:11: latency.model: "pareto" is none of [constant uniform lognormal]`, false},
		{"latency: {per: node}\n", `latency.per: "node" is none of [link message]`, false},
		{"wire: udp\n", `f.yaml:1:1: wire: "udp" is none of [typed encoded]`, false},
		{"overlay: ring\n", `f.yaml:1:1: overlay: "ring" is none of [gossip static]`, false},
		{"nodes: 1\n", "f.yaml:1:1: nodes: 1, must be from 2 to", false},
		{"nodes: 20000000\n", "f.yaml:1:1: nodes: 20000000, must be from 2 to 16777216", false},
		{"nodes: 10\nconnections: 10\n", "f.yaml:2:1: connections: 10, more connections than other nodes: at most 9 is possible with nodes: 10", true},
		{"connections: 0\n", "f.yaml:1:1: connections: 0, must be from 1", false},
		{"nodes: 10\nbootstraps: 11\n", "f.yaml:2:1: bootstraps: 11, more bootstraps than nodes", true},
		{"nodes: 10\nresponders: 11\n", "f.yaml:2:1: responders: 11, more responders than nodes", true},
		{"payload: 2000\n", "f.yaml:1:1: payload: 2000, must be from 16 to 1024", false},
		{"exchange: 100\n", "f.yaml:1:1: exchange: 100, must be from 1 to 48", false},
		{"hops_max: 0\n", "f.yaml:1:1: hops_max: 0, must be from 1", false},
		{"book: 0\n", "f.yaml:1:1: book: 0, must be from 1", false},
		{"messages: -1\n", "f.yaml:1:1: messages: -1, must be from 0", false},
		{"messages_from: 80%\nmessages_until: 20%\n", "f.yaml:2:1: messages_until: messages_until, 20%, is before messages_from, 80%", true},
		{"searches_from: 30s\nsearches_until: 29s\n", "f.yaml:2:1: searches_until: searches_until, 29s, is before searches_from, 30s", true},
		{"messages_from: 95%\n", "f.yaml:1:1: messages_from: messages_until, 90%, is before messages_from, 95%", true},
		{"nodes: 100\n  seed: 3\n", ": look at the indentation of this line and the next", false},
		{"messages_every: -1s\n", "f.yaml:1:1: messages_every: -1s, must not be negative", false},
		{"interval: 0s\n", "f.yaml:1:1: interval: 0s, must be at least 1ms", false},
		{"nodes: 10\n bad indent: [\n", "f.yaml:1:8: ", false},
		{"latency:\n\tmin: 5ms\n", ": YAML is indented with spaces, not with tabs", false},
		{"- nodes\n", "f.yaml:1:1: the file: want keys and values", false},
		{"just text\n", "f.yaml:1:1: the file: want keys and values", false},
		{"nodes: 5\n---\nnodes: 6\n", "f.yaml:2:1: the file: holds 2 documents, want one", true},
	}
}

// Each wrong file is refused with file, line, column and what is wrong.
func TestWrongFilesAreRefused(t *testing.T) {
	for _, test := range append(wrongFiles(), wrongModels()...) {
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
			case strings.Contains(prefix, "[") && ruleOf(key).required == "" && f.Kind() != reflect.Slice && !reflect.DeepEqual(f.Interface(), d.Interface()):
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

// wrongModels are wrong in models, faults, adversaries, workloads or checks.
func wrongModels() []wrongFile {
	const two = "regions: [{name: tokyo}, {name: london}]\n"
	return []wrongFile{
		{"regions: tokyo\n", "f.yaml:1:1: regions: want a list, each item with a dash: - name: …", false},
		{"regions:\n  - tokyo\n", "f.yaml:2:5: regions[0]: want keys and values", false},
		{"regions:\n  - name: tokyo\n    wait: 3\n", "f.yaml:3:5: regions[0].wait: unknown key; known are name, weight, jitter", false},
		{"regions:\n  - weight: 3\n", "f.yaml:2:5: regions[0].name: is missing: any name, or one of the table: dallas", false},
		{"regions:\n  - name: tokyo\n  - name: tokyo\n", "f.yaml:3:5: regions[1].name: \"tokyo\", there is one before it", true},
		{"regions:\n  - name: atlantis\n", "f.yaml:2:5: regions[0].name: the round-trip times of \"atlantis\" are not in the table, which has dallas", true},
		{"regions:\n  - {name: tokyo, weight: 0}\n", "f.yaml:2:19: regions[0].weight: 0, as all the other weights", true},
		{"regions:\n  - {name: tokyo, jitter: {model: gauss}}\n", "regions[0].jitter.model: \"gauss\" is none of [none constant", false},
		{"regions:\n  - {name: tokyo, jitter: {model: norml}}\n", "is normal meant?", false},
		{"regions:\n  - {name: tokyo, jitter: {mean: 3ms}}\n", "regions[0].jitter: has parameters, and no model: add model: exponential", true},
		{"regions:\n  - {name: tokyo, jitter: {model: pareto, min: 1ms}}\n", "f.yaml:2:19: regions[0].jitter: ", true},
		{"regions:\n  - {name: tokyo, jitter: {model: empirical, quantiles: [3ms, 1ms]}}\n", "regions[0].jitter: ", true},
		{"regions:\n  - {name: tokyo, jitter: {model: empirical, quantiles: 3ms}}\n", "quantiles: want a list of values: [a, b]", false},
		{two + "rtt:\n  - {from: tokyo, to: paris, rtt: 3ms}\n", "f.yaml:3:19: rtt[0].to: there is no region \"paris\"", true},
		{two + "rtt:\n  - {from: tokyo, to: london}\n", "f.yaml:3:5: rtt[0]: want a positive rtt, there and back, or a positive delay, one way", true},
		{"network:\n  loss: 0.5\n", "f.yaml:2:9: network.loss: want a percentage from 0% to 100%, such as 0.5%, not \"0.5\"", false},
		{"network:\n  loss: 80%\n", "f.yaml:2:3: network.loss: 80%, must be from 0% to 50%", false},
		{"network: {attempts: 0}\n", "f.yaml:1:11: network.attempts: 0, must be from 1 to 20", false},
		{"network: {retransmit: 0s}\n", "network.retransmit: 0s, must be from 1ms to 1m", false},
		{"network: {link_life: {model: exponential, mean: 0s}}\n", "network.link_life: ", true},
		{"network: {stall_every: {model: exponential, mean: 10s}}\n", "network.stall_for: and network.stall_every need each other", true},
		{"network: {stall_every: {model: constant, min: 1ms}, stall_for: {model: constant, min: 1ms}}\n", "network.stall_every: its median is 1ms, must be at least 1s", true},
		{two + "conditions:\n  - {from: oslo, at: 1s, until: 2s, delay: 1ms}\n", "f.yaml:3:6: conditions[0].from: there is no region \"oslo\", only [tokyo london]", true},
		{"conditions:\n  - {at: 1s, delay: 1ms}\n", "f.yaml:2:5: conditions[0].until: is missing: when it ends, such as 80%", false},
		{"conditions:\n  - {at: 10s, until: 2s, delay: 1ms}\n", "f.yaml:2:15: conditions[0].until: 2s, is not after its start, 10s", true},
		{"conditions:\n  - {at: 10s, until: 20s}\n", "f.yaml:2:5: conditions[0]: changes nothing: set delay or loss", true},
		{"classes:\n  - {name: home, up: fast}\n", "f.yaml:2:22: classes[0].up: want a bandwidth in bits per second, such as 500kbit, 10Mbit or 1Gbit, or unlimited, not \"fast\"", false},
		{"classes:\n  - {name: home, up: 10MB}\n", "classes[0].up: want a bandwidth in bits per second", false},
		{"classes:\n  - {name: home, reach: nat}\n", "classes[0].reach: \"nat\" is none of [public full_cone", false},
		{"classes:\n  - {name: home, stays: maybe}\n", "f.yaml:2:25: classes[0].stays: want yes or no, not \"maybe\"", false},
		{"classes:\n  - {name: home, region: oslo}\n", "classes[0].region: there is no region \"oslo\": there are no regions", true},
		{"classes:\n  - {name: home, clock_drift: 1s}\n", "classes[0].clock_drift: 1s, must be from 0s to 100ms", true},
		{"arrival_model: burst\n", "arrival_model: \"burst\" is none of [uniform ramp poisson]", false},
		{"crowds:\n  - {at: 10s, share: 60%}\n  - {at: 20s, share: 60%}\n", "f.yaml:3:15: crowds[1].share: 60%, with the crowds before it 120%: all together have 100% at most", true},
		{"churn: {downtime: {model: exponential, mean: 5s}}\n", "churn.downtime: has no meaning without churn.session", true},
		{"churn: {session: {model: exponential, mean: 10ms}}\n", "churn.session: its median is 6.9", true},
		{"churn: {session: {model: weibull, scale: 10s, shape: 0.01}}\n", "churn.session: ", true},
		{"churn: {leave: crash}\n", "churn.leave: \"crash\" is none of [goodbye reset silence]", false},
		{"overlay: static\nchurn: {session: {model: exponential, mean: 10s}}\n", "f.yaml:1:1: overlay: the nodes of a static overlay are all there from the start", true},
		{"topology: x.txt\n", "f.yaml:1:1: topology: is for overlay: static", true},
		{"faults:\n  - {kind: earthquake}\n", "f.yaml:2:6: faults[0].kind: \"earthquake\" is none of [crash partition", false},
		{"faults:\n  - {kind: partition, at: 1s}\n", "f.yaml:2:5: faults[0].until: is missing: when it ends", true},
		{"faults:\n  - {kind: crash, until: 5s}\n", "f.yaml:2:19: faults[0].until: a fault of kind crash happens at once", true},
		{"faults:\n  - {kind: crash, at: 2m}\n", "faults[0].at: 2m0s, is after the end of the run, 1m0s", true},
		{"faults:\n  - {kind: slow, at: 1s, until: 2s}\n", "faults[0].slow: 0s, must be from 1ns to 1m", true},
		{"faults:\n  - {kind: reset, restart: 1s}\n", "faults[0].restart: 1s, is for faults of kind crash", true},
		{"faults:\n  - {kind: crash, share: 0%}\n", "faults[0].share: 0%, must be from 0.0001% to 100%", false},
		{"adversaries:\n  - {role: spy}\n", "f.yaml:2:6: adversaries[0].role: \"spy\" is none of [flooder sybil", false},
		{"adversaries:\n  - {role: dropper, count: 0}\n", "adversaries[0].count: 0, must be from 1", false},
		{"adversaries:\n  - {role: eclipser, victim: 10000}\n", "adversaries[0].victim: 10000, must be a node, from 0 to 9999", true},
		{"workload:\n  - {kind: shout}\n", "workload[0].kind: \"shout\" is none of [announce search]", false},
		{"workload:\n  - {count: 5, payload_max: 20}\n", "f.yaml:2:16: workload[0].payload_max: 20, must be from payload_min, 64, to 1024", true},
		{"workload:\n  - {count: 5, class: home}\n", "workload[0].class: there is no class \"home\"", true},
		{"workload:\n  - kind: search\n", "f.yaml:2:5: workload[0].count: is missing: how many, such as 100", false},
		{"checks:\n  goals:\n    - {goal: glory}\n", "f.yaml:3:8: checks.goals[0].goal: \"glory\" is none of [formed one_component coverage", false},
		{"checks:\n  goals:\n    - {goal: formed}\n", "f.yaml:3:7: checks.goals[0].within: is missing: how long it may take, such as 20s", true},
		{"checks:\n  goals:\n    - {goal: formed, after: 50s, within: 20s}\n", "checks.goals[0].within: 20s after 50s is after the end of the run", true},
		{"checks:\n  goals:\n    - {goal: coverage, within: 20s}\n", "checks.goals[0].within: is for goals that are reached at a time", true},
		{"checks:\n  goals:\n    - {goal: coverage, least: 0.99}\n", "f.yaml:3:31: checks.goals[0].least: want a percentage from 0% to 100%", false},
		{"checks:\n  goals:\n    - {goal: bytes_per_node_per_s}\n", "checks.goals[0].most: 0, must be a positive number of bytes per second", true},
		{"checks: {invariants: off}\n", "checks.invariants: want yes or no, not \"off\"", false},
		{"edges_at: 50%\n", "edges_at: want a list of values: [a, b]", false},
		{"edges_at: [2m]\n", "edges_at[0]: 2m0s, is after the end of the run", true},
		{"sample: 1ms\n", "sample: 1ms, must be at least 10ms", true},
		{"regions: [{name: tokyo, jitter: {model: exponential, mean: 1ms, median: 3ms}}]\n", "regions[0].jitter.median: has no meaning with model: exponential, which has mean", true},
		{"regions: [{name: frankfrt}]\n", "is frankfurt meant?; or add them to rtt, such as:\n  - {from: frankfrt, to: frankfrt, rtt: 100ms}", true},
		{"rtt: [{from: tokyo, to: london, rtt: 3ms}]\n", "f.yaml:1:1: rtt: has no meaning without regions", true},
		{"rtt: [{from: tokyo, rtt: 3ms}]\n", "rtt[0].to: is missing: a region", false},
		{two + "rtt: [{from: tokyo, to: london, rtt: 1ms}, {from: london, to: tokyo, rtt: 3ms}]\n", "rtt[1]: the way from \"london\" to \"tokyo\" is set before", true},
		{"conditions: [{until: 5s, one_way: yes, delay: 1ms}]\n", "conditions[0].one_way: needs from or to", true},
		{"regions: [{name: tokyo, jitter: {model: pareto, min: 1ms}}]\n", "regions[0].jitter: shape, the exponent alpha of a Pareto distribution must be from 0.1 to 100", true},
		{"faults: [{kind: reset, book: lost}]\n", "faults[0].book: lost, is for faults of kind crash", true},
		{"adversaries: [{role: sybil, delay: 3s}]\n", "adversaries[0].delay: is for the role delayer", true},
		{"adversaries: [{role: sybil, victim: 3}]\n", "adversaries[0].victim: is for the role eclipser", true},
		{"checks: {goals: [{goal: formed, within: 5s, least: 9%}]}\n", "checks.goals[0].least: is for the goals coverage and answered", true},
		{"faults: [{at: 3s}]\n", "faults[0].kind: is missing: one of crash, partition", false},
		{"faults: [{kind: partition, until: 80%}]\n", "faults[0].share: 100% of all nodes: nobody is cut off from anybody; set region, or share: 50%", true},
		{"faults: [{kind: crash, share: 101%}]\n", "faults[0].share: want a percentage", false},
		{"adversaries: [{count: 3}]\n", "adversaries[0].role: is missing: one of flooder", false},
		{"adversaries: [{role: dropper, rate: -1}]\n", "adversaries[0].rate: -1, must be from 0 to 1000000", false},
		{"crowds: [{at: 5s}]\n", "crowds[0].share: is missing: how many of the nodes, such as 10%", false},
		{"crowds: [{at: 50s, within: 20s, share: 5%}]\n", "crowds[0].within: 20s after 50s is after the end of the run", true},
		{"crowds: [{at: 5s, within: -1s, share: 5%}]\n", "crowds[0].within: -1s, must not be negative", false},
		{"checks: {goals: [{least: 5%}]}\n", "checks.goals[0].goal: is missing: one of formed", false},
		{"messages: 1\nchecks: {goals: [{goal: coverage, least: 0%}]}\n", "checks.goals[0].least: 0%, must be more", true},
		{"messages: 5\nchecks: {goals: [{goal: coverage, after: 59s}]}\n", "checks.goals[0].goal: no announces are sent after 59s: set messages, or workload", true},
		{"checks: {goals: [{goal: answered}]}\n", "checks.goals[0].goal: no searches are sent after 0s: set searches, or workload", true},
		{"checks: {goals: [{goal: bytes_per_node_per_s, most: 9, after: 100%}]}\n", "checks.goals[0].after: 100%, is the end of the run", true},
		{"checks: {memory: -5}\n", "checks.memory: -5, must not be negative", false},
		{"classes: [{weight: 3}]\n", "classes[0].name: is missing: any name", false},
		{"classes: [{name: a, weight: -1}]\n", "classes[0].weight: -1, must be from 0 to 1000000", false},
		{"classes: [{name: a, up: 0bit}]\n", "classes[0].up: want a bandwidth", false},
		{"classes: [{name: a, processing: -1s}]\n", "classes[0].processing: -1s, must be from 0s to 1m", false},
		{"reach: {blocked: -1}\n", "reach.blocked: -1, must be from 0 to 1000000", false},
		{"sample: auto\n", "sample: want a duration with its unit, such as 10ms or 1.5s, not \"auto\"", false},
		{"responder_region: oslo\n", "responder_region: there is no region \"oslo\"", true},
	}
}

// An error shows the line, and a caret below the column.
func TestErrorsShowTheLine(t *testing.T) {
	_, err := Parse("f.yaml", []byte("nodes: 10\nlatency:\n  min: 5ms\n  medain: 9ms\n"))
	want := "f.yaml:4:3: latency.medain: unknown key, is median meant?; known are model, per, min, max, median, sigma\n    4 |   medain: 9ms\n      |   ^"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	s, err := Parse("f.yaml", []byte("faults:\n  - kind: crash\n    at: 90s\n"))
	if err != nil {
		t.Fatal(err)
	}
	want = "f.yaml:3:5: faults[0].at: 1m30s, is after the end of the run, 1m0s\n    3 |     at: 90s\n      |     ^"
	if err := s.Resolve(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

// Keys of items can be set, and lists taken away.
func TestSetReachesIntoLists(t *testing.T) {
	s, err := Parse("f.yaml", []byte("faults:\n  - {kind: crash, at: 5s}\n  - {kind: reset, at: 6s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"faults[1].share": "20%", "edges_at": "[50%, 30s]", "churn.session.model": "exponential"} {
		if err := s.Set("--set", key, value); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if s.Faults[1].Share != 200_000 || len(s.EdgesAt) != 2 || s.EdgesAt[1].Time.String() != "30s" || s.Churn.Session.Model != Exponential {
		t.Errorf("set to %+v", s)
	}
	for key, want := range map[string]string{
		"faults[2].share": "--set: faults[2]: there is no such item: items are counted from 0, and faults has 2",
		"faults":          "is a list of groups: it is written in a file; here its items can be changed, as faults[0].kind=…",
		"churn.session":   "is a group; set one of its keys: churn.session.model",
		"nodes[0]":        "there is no such item",
	} {
		if err := s.Set("--set", key, "1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", key, err, want)
		}
	}
	if err := s.Set("--set", "faults", "[]"); err != nil || s.Faults != nil {
		t.Errorf("faults are %v, %v", s.Faults, err)
	}
}
