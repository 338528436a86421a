package scenario

import (
	_ "embed" // for Reference
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Reference is a scenario file that explains every key.
//
//go:embed reference.yaml
var Reference string

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
	var required []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name := f.Tag.Get("yaml")
		key := prefix + name
		keys[name] = describe(v.Field(i), key, notes)
		if rules[key].required != "" {
			required = append(required, name)
		}
	}
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": keys}
	if required != nil {
		out["required"] = required
	}
	return out
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
		scalarSchema(out, p.Elem(), rules[key])
	}
	if r := rules[key]; r.words != nil {
		out["enum"] = r.words
		if r.auto {
			out["enum"] = append([]string{""}, r.words...)
		}
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

// The notations of values, as regular expressions.
const (
	durationPattern = `\+?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)`
	spanPattern     = `^(` + durationPattern + `|\+?0*(100|[0-9]{1,2})%)$`
	bandwidth       = `^(unlimited|0*([1-9][0-9]{0,2}|1000) ?Gbit|0*[1-9][0-9]{0,6} ?Mbit|0*[1-9][0-9]{0,9} ?kbit|0*[1-9][0-9]{0,12} ?bit)$`
	// noDigits is what has no digit but 0.
	noDigits = `^[^1-9]*$`
)

// scalarSchema describes a single value, and its default.
func scalarSchema(out map[string]any, v reflect.Value, r rule) {
	switch x := v.Interface().(type) {
	case Duration:
		out["type"], out["default"], out["pattern"] = []string{"string", "integer"}, x.String(), "^"+durationPattern+"$"
		if r.auto {
			out["pattern"] = "^(auto|" + durationPattern + ")$"
		}
		out["maximum"] = 0 // of a number without a unit
		if r.low > 0 && !r.auto {
			out["not"] = map[string]any{"pattern": noDigits}
			out["type"] = "string"
		}
	case Span:
		out["type"], out["default"], out["pattern"], out["maximum"] = []string{"string", "integer"}, x.String(), spanPattern, 0
	case Share:
		out["type"], out["default"], out["pattern"] = "string", x.String(), sharePattern(Share(r.high))
		if r.low > 0 {
			out["not"] = map[string]any{"pattern": noDigits}
		}
	case Bandwidth:
		out["type"], out["default"], out["pattern"] = "string", x.String(), bandwidth
	case Fanout:
		out["anyOf"] = []any{map[string]any{"type": "integer", "minimum": 1}, map[string]any{"const": "all"}}
		out["default"] = x
	case Percent:
		out["type"], out["minimum"], out["default"] = "number", 0, x
	case bool:
		// Files say yes and no, which most editors take for words.
		out["enum"], out["default"] = []any{true, false, "yes", "no"}, map[bool]string{true: "yes", false: "no"}[x]
	case int:
		out["type"], out["minimum"], out["default"] = "integer", r.low, x
		if r.high > 0 {
			out["maximum"] = r.high
		}
	case uint64:
		out["type"], out["minimum"], out["maximum"], out["default"] = "integer", 0, uint64(math.MaxUint64), x
	default:
		// A text that looks like a number is one to most editors.
		out["type"], out["default"] = []string{"string", "number", "boolean"}, v.String()
		if r.words != nil {
			out["type"] = "string"
		}
	}
	if r.required != "" {
		delete(out, "default")
	}
}

// sharePattern is the notation of shares up to the highest, a whole percentage.
func sharePattern(high Share) string {
	most := int(high / (whole / 100))
	below := fmt.Sprintf("[0-%d]?[0-9]", most/10-1)
	return fmt.Sprintf(`^0*(%d(\.0{1,4})?|%s(\.[0-9]{1,4})?) ?%%$`, most, below)
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
