package scenario

import (
	_ "embed" // for Reference
	"encoding/json"
	"reflect"
	"strings"
)

// Reference is a scenario file that explains every key.
//
//go:embed reference.yaml
var Reference string

// enums are the words that keys accept; items of lists are written with [].
var enums = map[string][]string{
	"wire":            {WireTyped, WireEncoded},
	"overlay":         {OverlayGossip, OverlayStatic},
	"latency.model":   {Constant, Uniform, LogNormal},
	"latency.per":     {PerLink, PerMessage},
	"arrival_model":   {ArriveUniform, ArriveRamp, ArrivePoisson},
	"churn.leave":     {LeaveGoodbye, LeaveReset, LeaveSilence},
	"churn.book":      {BookKept, BookSynced, BookLost},
	"classes[].reach": append([]string{""}, reachNames()...),

	"faults[].kind":  faultKinds,
	"faults[].leave": {LeaveReset, LeaveSilence},
	"faults[].book":  {BookKept, BookSynced, BookLost},

	"adversaries[].role": roleNames(),
	"workload[].kind":    {SendAnnounce, SendSearch},
	"workload[].pace":    {PaceEven, PacePoisson, PaceBurst},

	"checks.goals[].goal": goalKinds,
}

// Schema returns a JSON Schema (draft 2020-12) of scenario files: with the type, the
// default, the words and the explanation of each key, for editors to complete them.
func Schema() []byte {
	notes := explanations(Reference)
	standard := Default()
	root := schemaOf(reflect.ValueOf(standard), "", notes)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "peernet scenario"
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it holds nothing that JSON has not
	}
	return append(text, '\n')
}

// schemaOf describes a group, with its defaults.
func schemaOf(v reflect.Value, prefix string, notes map[string]string) map[string]any {
	keys := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name := f.Tag.Get("yaml")
		key := prefix + name
		keys[name] = describe(v.Field(i), key, notes)
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": keys}
}

// describe describes one key.
func describe(v reflect.Value, key string, notes map[string]string) map[string]any {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	out := map[string]any{}
	switch {
	case isGroup(p.Elem()):
		if v.Type() == reflect.TypeFor[Draw]() {
			out = schemaOf(v, drawPrefix, notes) // it is explained once
		} else {
			out = schemaOf(v, key+".", notes)
		}
	case v.Kind() == reflect.Slice:
		item := reflect.New(v.Type().Elem())
		if d, ok := item.Interface().(interface{ setDefaults() }); ok {
			d.setDefaults()
		}
		out["type"] = "array"
		out["items"] = describe(item.Elem(), key+"[]", notes)
	default:
		scalarSchema(out, p.Elem())
	}
	if words, ok := enums[key]; ok {
		out["enum"] = words
	} else if strings.HasPrefix(key, drawPrefix) && strings.HasSuffix(key, ".model") {
		out["enum"] = drawModels
	}
	if text := notes[key]; text != "" {
		out["description"] = text
	}
	return out
}

// drawPrefix is where the reference explains distributions.
const drawPrefix = "regions[].jitter."

// scalarSchema describes a single value, and its default.
func scalarSchema(out map[string]any, v reflect.Value) {
	switch x := v.Interface().(type) {
	case Duration:
		out["type"], out["default"] = "string", x.String()
		out["pattern"] = `^(auto|-?0|-?([0-9.]+(ns|us|µs|ms|s|m|h))+)$`
	case Span:
		out["type"], out["default"] = "string", x.String()
		out["pattern"] = `^([0-9]+%|0|([0-9.]+(ns|us|µs|ms|s|m|h))+)$`
	case Share:
		out["type"], out["default"] = "string", x.String()
		out["pattern"] = `^[0-9]+(\.[0-9]{1,4})?%$`
	case Bandwidth:
		out["type"], out["default"] = "string", x.String()
		out["pattern"] = `^(unlimited|[0-9]+ ?[GMk]?bit)$`
	case Fanout:
		out["anyOf"] = []any{map[string]any{"type": "integer", "minimum": 1}, map[string]any{"const": "all"}}
		out["default"] = x
	case Percent:
		out["type"], out["default"] = "number", x
	case bool:
		// Files say yes and no, which most editors take for words.
		out["enum"], out["default"] = []any{true, false, "yes", "no"}, map[bool]string{true: "yes", false: "no"}[x]
	case int:
		out["type"], out["default"] = "integer", x
	case uint64:
		out["type"], out["minimum"], out["default"] = "integer", 0, x
	default:
		out["type"], out["default"] = "string", v.String()
	}
}

// explanations returns what the comments of the reference say of each key.
func explanations(text string) map[string]string {
	notes := map[string]string{}
	var path []string // the keys that the line is below, by indentation
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		body := strings.TrimLeft(line, " ")
		code, comment, found := strings.Cut(body, "#")
		indent := len(line) - len(body)
		if strings.TrimSpace(code) == "" {
			if found && indent > 0 && last != "" { // it goes on
				notes[last] += " " + strings.TrimSpace(comment)
			} else {
				last = ""
			}
			continue
		}
		if rest, ok := strings.CutPrefix(code, "- "); ok {
			code, indent = rest, indent+2
			if n := indent/2 - 1; n > 0 && n <= len(path) && !strings.HasSuffix(path[n-1], "[]") {
				path[n-1] += "[]"
			}
		}
		name, _, _ := strings.Cut(code, ":")
		depth := indent / 2
		for len(path) < depth { // a list counts two levels: its key, and its items
			path = append(path, "")
		}
		path = append(path[:depth], name)
		last = joined(path)
		notes[last] = strings.TrimSpace(comment)
	}
	return notes
}

// joined is the key of a path.
func joined(path []string) string {
	key := ""
	for _, p := range path {
		switch {
		case p == "":
		case key == "":
			key = p
		default:
			key += "." + p
		}
	}
	return key
}
