package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"peernet/experiments/scenarios"
)

// What is written is read as the same scenario.
func TestYAMLIsReadBack(t *testing.T) {
	text := `name: "yes: no"
nodes: 77
seed: 18446744073709551615
duration: 1m30s
latency:
  min: 3ms
  sigma: 1.25
regions:
  - name: tokyo
  - name: osaka
    weight: 0
    jitter:
      model: empirical
      quantiles: [1ms, 2ms, 9ms]
network:
  loss: 0.5%
  link_life:
    model: exponential
    mean: 10m0s
crowds:
  - at: 50%
    within: 2s
    share: 12.5%
classes:
  - name: home
    up: 10Mbit
    stays: yes
faults:
  - kind: partition
    at: 10s
    until: 20s
    share: 50%
fanout: all
checks:
  invariants: no
  goals:
    - goal: coverage
      least: 99%
    - goal: one_component
      within: 20s
edges_at: [50%, 1m0s]
`
	s, err := Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(s.YAML()); got != text {
		t.Errorf("written as\n%s\nwant\n%s", got, text)
	}
	reference, err := Parse("reference.yaml", []byte(Reference))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("again.yaml", reference.YAML())
	if err != nil {
		t.Fatalf("%v\n%s", err, reference.YAML())
	}
	for _, x := range []*Scenario{reference, again} {
		x.explicit, x.text = nil, nil
		x.Regions[0].Jitter.Quantiles, x.EdgesAt = nil, nil // empty lists
	}
	if !reflect.DeepEqual(reference, again) {
		t.Errorf("the reference is read back as\n%+v\nwant\n%+v", again, reference)
	}
}

// The schema has every key of the reference, with its explanation, and each scenario
// that is built in fits its keys.
func TestSchemaExplainsEveryKey(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(prefix string, node map[string]any) int
	walk = func(prefix string, node map[string]any) (n int) {
		properties, _ := node["properties"].(map[string]any)
		for name, v := range properties {
			v := v.(map[string]any)
			group := v["properties"] != nil || v["items"] != nil
			if text, _ := v["description"].(string); text == "" && !group {
				t.Errorf("%s%s has no explanation", prefix, name)
			}
			if _, ok := v["default"]; !ok && !group && rules[prefix+name].required == "" {
				t.Errorf("%s%s has no default", prefix, name)
			}
			n += 1 + walk(prefix+name+".", v)
			if items, ok := v["items"].(map[string]any); ok {
				n += walk(prefix+name+"[].", items)
			}
		}
		return n
	}
	if n := walk("", schema); n < 150 {
		t.Errorf("%d keys", n)
	}
	kind := schema["properties"].(map[string]any)["faults"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)["kind"].(map[string]any)
	if !strings.Contains(kind["description"].(string), "partition: they and the others cannot") || len(kind["enum"].([]any)) != len(faultKinds) {
		t.Errorf("faults[].kind is described as %v", kind)
	}
}

// Editors see of a wrong file what the program says of it, and nothing where it says
// nothing: but for what one key says of another, and what JSON does not have.
func TestSchemaRefusesWhatTheProgramRefuses(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	fits := func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		asJSON, err := json.Marshal(v)
		if err != nil {
			return err
		}
		v, err = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			return err
		}
		return compiled.Validate(v)
	}
	for _, test := range append(wrongFiles(), wrongModels()...) {
		if err := fits(test.text); (err == nil) != test.beyond {
			t.Errorf("%q: the schema says %v", test.text, err)
		}
	}
	right := []string{"arrivals: 0\n", "name: 123\n", "network: {loss: 5 %, reorder: 0, link_life: {model: constant, min: +5s}}\n", "duration: auto\nmessages: 3\nmessages_from: 1s\nmessages_every: 1s\n",
		"fanout: all\nsearches_from: 0.5s\n", "classes: [{name: 7, up: 10 Mbit, stays: yes, reach: \"\"}]\n", "seed: 18446744073709551615\n"}
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Get(name)
		right = append(right, string(text))
	}
	for _, text := range right {
		s, err := Parse("f.yaml", []byte(text))
		if err == nil {
			err = s.Resolve()
		}
		if err := errors.Join(err, fits(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
