package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// fileMax bounds the size of a scenario file in bytes.
const fileMax = 1 << 20

// place is where a key was set.
type place struct {
	file         string
	line, column int
}

func (p place) String() string {
	switch {
	case p.file == "":
		return ""
	case p.line == 0:
		return p.file
	}
	return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.column)
}

// Load reads a scenario file on top of the defaults. Errors name the file, the
// line and the column.
func Load(path string) (*Scenario, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, fileMax+1))
	if err != nil {
		return nil, err
	}
	if len(text) > fileMax {
		return nil, fmt.Errorf("%s: a scenario has at most %d bytes", path, fileMax)
	}
	return Parse(path, text)
}

// Parse reads the text of a scenario file; name is for errors.
func Parse(name string, text []byte) (*Scenario, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // editors of one system put it there
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	s := Default()
	s.explicit = map[string]place{}
	switch len(file.Docs) {
	case 0:
		return &s, nil
	case 1:
	default:
		return nil, fmt.Errorf("%s: holds %d documents, want one", name, len(file.Docs))
	}
	body := file.Docs[0].Body
	if body == nil || body.Type() == ast.NullType || body.Type() == ast.CommentType {
		return &s, nil
	}
	if err := s.decodeMapping(name, "", body, reflect.ValueOf(&s).Elem()); err != nil {
		return nil, err
	}
	return &s, nil
}

// Set overrides one key by a value as it would stand in a file. Keys of a
// group are written with a dot: latency.min. option is the command's, for
// errors.
func (s *Scenario) Set(option, key, value string) error {
	if s.explicit == nil {
		s.explicit = map[string]place{}
	}
	where := place{file: option}
	target := reflect.ValueOf(s).Elem()
	path := ""
	for _, part := range strings.Split(key, ".") {
		field, ok := fieldOf(target, part)
		if !ok {
			return unknownKey(where, path+part, target)
		}
		target, path = field, path+part+"."
	}
	if target.Kind() == reflect.Struct && !isScalar(target) {
		return &KeyError{where.String(), key, "is a group; set one of its keys: " + key + "." + strings.Join(keysOf(target), ", "+key+".")}
	}
	if err := assign(target, strings.TrimSpace(value)); err != nil {
		return &KeyError{where.String(), key, err.Error()}
	}
	s.explicit[key] = where
	return nil
}

func (s *Scenario) decodeMapping(file, prefix string, node ast.Node, target reflect.Value) error {
	where := placeOf(file, node.GetToken())
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		name := strings.TrimSuffix(prefix, ".")
		if name == "" {
			name = "the file"
		}
		return &KeyError{where.String(), name, "want keys and values, one a line: key: value"}
	}
	for _, pair := range pairs {
		name := pair.Key.GetToken().Value
		key := prefix + name
		where := placeOf(file, pair.Key.GetToken())
		field, ok := fieldOf(target, name)
		if !ok {
			return unknownKey(where, key, target)
		}
		if _, twice := s.explicit[key]; twice {
			return &KeyError{where.String(), key, "is set twice"}
		}
		s.explicit[key] = where
		switch pair.Value.Type() {
		case ast.AnchorType, ast.AliasType, ast.TagType:
			return &KeyError{where.String(), key, "anchors, aliases and tags are not supported: write the value itself"}
		}
		if field.Kind() == reflect.Struct && !isScalar(field) {
			if err := s.decodeMapping(file, key+".", pair.Value, field); err != nil {
				return err
			}
			continue
		}
		scalar, ok := pair.Value.(ast.ScalarNode)
		if !ok || pair.Value.Type() == ast.NullType {
			return &KeyError{where.String(), key, "want a single value"}
		}
		t := scalar.GetToken()
		if isNumber(field) && (t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType) {
			return &KeyError{placeOf(file, t).String(), key, fmt.Sprintf("want a number, not the text %q: leave the quotes out", t.Value)}
		}
		if err := assign(field, t.Value); err != nil {
			return &KeyError{placeOf(file, t).String(), key, err.Error()}
		}
	}
	return nil
}

// parsable is a value with a notation of its own.
type parsable interface{ parse(string) error }

func isScalar(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(parsable)
	return ok
}

// isNumber reports whether a field takes nothing but a number.
func isNumber(v reflect.Value) bool {
	_, percent := v.Addr().Interface().(*Percent)
	return percent || !isScalar(v) && v.Kind() != reflect.String
}

// assign reads a value of a field's type.
func assign(field reflect.Value, text string) error {
	if p, ok := field.Addr().Interface().(parsable); ok {
		return p.parse(text)
	}
	switch field.Kind() {
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("want a whole number, not %q", text)
		}
		field.SetInt(n)
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("want a whole number from 0 to 18446744073709551615, not %q", text)
		}
		field.SetUint(n)
	default:
		field.SetString(text)
	}
	return nil
}

// fieldOf returns the field of a key.
func fieldOf(target reflect.Value, key string) (reflect.Value, bool) {
	if target.Kind() != reflect.Struct || isScalar(target) {
		return reflect.Value{}, false
	}
	for i := range target.NumField() {
		if f := target.Type().Field(i); f.IsExported() && f.Tag.Get("yaml") == key {
			return target.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func keysOf(target reflect.Value) (keys []string) {
	if target.Kind() != reflect.Struct || isScalar(target) {
		return nil
	}
	for i := range target.NumField() {
		if f := target.Type().Field(i); f.IsExported() {
			keys = append(keys, f.Tag.Get("yaml"))
		}
	}
	return keys
}

func unknownKey(where place, key string, target reflect.Value) error {
	if target.Kind() != reflect.Struct || isScalar(target) {
		return &KeyError{where.String(), key, "unknown key: " + key[:strings.LastIndexByte(key, '.')] + " is no group"}
	}
	if group, _, ok := strings.Cut(key, "."); ok {
		if _, ok := fieldOf(target, group); ok {
			return &KeyError{where.String(), key, "unknown key; write it as a line of its own below " + group + ":"}
		}
	}
	return &KeyError{where.String(), key, "unknown key; known are " + strings.Join(keysOf(target), ", ")}
}

func placeOf(file string, t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{file: file}
	}
	return place{file, t.Position.Line, t.Position.Column}
}

func syntaxError(name string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) {
		return fmt.Errorf("%s: %s", placeOf(name, y.GetToken()), y.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}
