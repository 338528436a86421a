package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"peernet/sim/internal/rundir"
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

// fails returns the error for a key at a place.
func (p place) fails(key, format string, args ...any) error {
	return &KeyError{Place: p.String(), Key: key, Reason: fmt.Sprintf(format, args...), line: p.line, column: p.column}
}

// Load reads a scenario file on top of the defaults. Errors name the file, the
// line and the column.
func Load(path string) (*Scenario, error) {
	text, err := rundir.ReadFile(path, fileMax)
	if err != nil {
		return nil, err
	}
	s, err := Parse(path, text)
	if err != nil {
		return nil, err
	}
	return s, s.Locate(filepath.Dir(path))
}

// Locate makes the names of the files that the scenario reads absolute, if they are
// relative to a directory, so that what is written of it elsewhere finds them too. They
// must be there.
func (s *Scenario) Locate(dir string) error {
	for _, file := range s.Files() {
		key, name := file.Key, file.Name
		if !filepath.IsAbs(*name) {
			path, err := filepath.Abs(filepath.Join(dir, *name))
			if err != nil {
				return err
			}
			*name = path
		}
		if info, err := os.Stat(*name); err != nil {
			return s.fails(key, "%v", err)
		} else if !info.Mode().IsRegular() {
			return s.fails(key, "%s is no file", *name)
		}
	}
	return nil
}

// A File is one that a scenario reads: its key, and its name, which can be changed.
type File struct {
	Key  string
	Name *string
}

// Files are the files that the scenario reads. If it is resolved, there is one at most:
// a static overlay has a topology and no churn.
func (s *Scenario) Files() []File {
	files := []File{{"churn.trace", &s.Churn.Trace}, {"topology", &s.Topology}}
	return slices.DeleteFunc(files, func(f File) bool { return *f.Name == "" })
}

// Parse reads the text of a scenario file; name is for errors.
func Parse(name string, text []byte) (*Scenario, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // editors of one system put it there
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxError(name, string(text), err)
	}
	s := Default()
	s.explicit = map[string]place{}
	s.text = strings.Split(string(text), "\n")
	switch len(file.Docs) {
	case 0:
		return &s, nil
	case 1:
	default:
		return nil, s.excerpted(placeOf(name, file.Docs[1].Start).fails("the file", "holds %d documents, want one: leave out what begins here", len(file.Docs)))
	}
	body := file.Docs[0].Body
	if body == nil || body.Type() == ast.NullType || body.Type() == ast.CommentType {
		return &s, nil
	}
	if err := s.decodeMapping(name, "", body, reflect.ValueOf(&s).Elem()); err != nil {
		return nil, s.excerpted(err)
	}
	return &s, nil
}

// excerpted adds the line that an error is about.
func (s *Scenario) excerpted(err error) error {
	var k *KeyError
	if errors.As(err, &k) && k.line > 0 && k.line <= len(s.text) {
		k.Excerpt = excerpt(s.text[k.line-1], k.line, k.column)
	}
	return err
}

// excerpt shows a line of a file, with a caret below a column. Columns count
// characters from 1.
func excerpt(line string, number, column int) string {
	line = strings.TrimRight(line, " \r\t")
	runes := []rune(line)
	if len(runes) > excerptMax {
		return ""
	}
	margin := []rune(strings.Repeat(" ", max(column-1, 0)))
	for i := range margin {
		if i < len(runes) && runes[i] == '\t' {
			margin[i] = '\t'
		}
	}
	return fmt.Sprintf("%5d | %s\n      | %s^", number, line, string(margin))
}

// excerptMax is the longest line that is shown, in characters.
const excerptMax = 200

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
		name, index, indexed := cutIndex(part)
		field, ok := fieldOf(target, name)
		if !ok {
			return unknownKey(where, path+name, target)
		}
		path += part
		if indexed {
			if field.Kind() != reflect.Slice || index >= field.Len() {
				return where.fails(path, "there is no such item: items are counted from 0, and %s has %d", name, lenOf(field))
			}
			field = field.Index(index)
		}
		target, path = field, path+"."
	}
	value = strings.TrimSpace(value)
	switch {
	case isGroup(target):
		return where.fails(key, "is a group; set one of its keys: %s.%s", key, strings.Join(keysOf(target), ", "+key+"."))
	case target.Kind() == reflect.Slice && isGroup(reflect.New(target.Type().Elem()).Elem()):
		if value != "[]" {
			return where.fails(key, "is a list of groups: it is written in a file; here its items can be changed, as %s[0].%s=…, or all taken away by %s=[]",
				key, keysOf(reflect.New(target.Type().Elem()).Elem())[0], key)
		}
		target.SetZero()
	case target.Kind() == reflect.Slice:
		list := reflect.MakeSlice(target.Type(), 0, 0)
		for item := range strings.SplitSeq(strings.Trim(value, "[]"), ",") {
			v := reflect.New(target.Type().Elem()).Elem()
			if err := assign(key, v, strings.TrimSpace(item)); err != nil {
				return where.fails(key, "%v", err)
			}
			list = reflect.Append(list, v)
		}
		target.Set(list)
	default:
		if err := assign(key, target, value); err != nil {
			return where.fails(key, "%v", err)
		}
	}
	s.explicit[key] = where
	return nil
}

// cutIndex separates the index from the name of an item, such as faults[2].
func cutIndex(part string) (name string, index int, ok bool) {
	name, rest, found := strings.Cut(part, "[")
	digits, closed := strings.CutSuffix(rest, "]")
	index, err := strconv.Atoi(digits)
	if !found || !closed || err != nil || index < 0 {
		return part, 0, false
	}
	return name, index, true
}

func lenOf(v reflect.Value) int {
	if v.Kind() == reflect.Slice {
		return v.Len()
	}
	return 0
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
		return where.fails(name, "want keys and values, one a line: key: value")
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
			return where.fails(key, "is set twice")
		}
		s.explicit[key] = where
		switch pair.Value.Type() {
		case ast.AnchorType, ast.AliasType, ast.TagType:
			return where.fails(key, "anchors, aliases and tags are not supported: write the value itself")
		}
		if err := s.decodeValue(file, key, where, pair.Value, field); err != nil {
			return err
		}
	}
	return nil
}

// itemsMax bounds the items of a list.
const itemsMax = 10000

// decodeValue reads the value of a key: a group, a list, or a single one.
func (s *Scenario) decodeValue(file, key string, where place, node ast.Node, field reflect.Value) error {
	if isGroup(field) {
		return s.decodeMapping(file, key+".", node, field)
	}
	if field.Kind() == reflect.Slice {
		list, ok := node.(*ast.SequenceNode)
		switch {
		case !ok && isGroup(reflect.New(field.Type().Elem()).Elem()):
			return where.fails(key, "want a list, each item with a dash: - %s: …", keysOf(reflect.New(field.Type().Elem()).Elem())[0])
		case !ok:
			return where.fails(key, "want a list of values: [a, b]")
		case len(list.Values) > itemsMax:
			return where.fails(key, "has %d items, at most %d are possible", len(list.Values), itemsMax)
		}
		for i, item := range list.Values {
			v := reflect.New(field.Type().Elem())
			if d, ok := v.Interface().(interface{ setDefaults() }); ok {
				d.setDefaults()
			}
			key, place := fmt.Sprintf("%s[%d]", key, i), placeOf(file, startOf(item))
			s.explicit[key] = place
			if err := s.decodeValue(file, key, place, item, v.Elem()); err != nil {
				return err
			}
			field.Set(reflect.Append(field, v.Elem()))
		}
		return nil
	}
	scalar, ok := node.(ast.ScalarNode)
	if !ok || node.Type() == ast.NullType {
		return where.fails(key, "want a single value")
	}
	t := scalar.GetToken()
	if isNumber(field) && (t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType) {
		return placeOf(file, t).fails(key, "want a number, not the text %q: leave the quotes out", t.Value)
	}
	if err := assign(key, field, t.Value); err != nil {
		return placeOf(file, t).fails(key, "%v", err)
	}
	return nil
}

// startOf is the first token of an item; that of a block of keys is a colon.
func startOf(item ast.Node) *token.Token {
	switch n := item.(type) {
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	}
	return item.GetToken()
}

// isGroup reports whether a value is a group of keys.
func isGroup(v reflect.Value) bool { return v.Kind() == reflect.Struct && !isScalar(v) }

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

// assign reads a value of a key, of its field's type.
func assign(key string, field reflect.Value, text string) error {
	if text == "auto" && ruleOf(key).auto {
		field.SetZero()
		return nil
	}
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
	case reflect.Bool:
		switch text {
		case "yes", "true":
			field.SetBool(true)
		case "no", "false":
			field.SetBool(false)
		default:
			return fmt.Errorf("want yes or no, not %q", text)
		}
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
	if !isGroup(target) {
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
	if !isGroup(target) {
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
	switch above := key[:max(strings.LastIndexByte(key, '.'), 0)]; {
	case target.Kind() == reflect.Slice:
		return where.fails(key, "unknown key: the items of %s are %s[0], %s[1] and so on", above, above, above)
	case !isGroup(target):
		return where.fails(key, "unknown key: %s is no group", above)
	}
	if group, _, ok := strings.Cut(key, "."); ok {
		if _, ok := fieldOf(target, group); ok {
			return where.fails(key, "unknown key; write it as a line of its own below %s:", group)
		}
	}
	known := keysOf(target)
	if meant := nearest(key, known); meant != "" && len(known) > keysShown {
		return where.fails(key, "unknown key%s", meant)
	}
	return where.fails(key, "unknown key%s; known are %s", nearest(key, known), strings.Join(known, ", "))
}

// keysShown is how many keys are shown besides the one that is meant.
const keysShown = 20

// nearest suggests the key that was meant, if one is close.
func nearest(key string, known []string) string {
	name := key[strings.LastIndexByte(key, '.')+1:]
	best, least := "", 3
	for _, k := range known {
		if d := distance(name, k); d < least && 2*d < len(name) {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", is %s meant?", best)
}

// distance is the edit distance of Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for k := range len(b) {
			cost := diagonal
			if a[i] != b[k] {
				cost++
			}
			diagonal = row[k+1]
			row[k+1] = min(cost, row[k]+1, row[k+1]+1)
		}
	}
	return row[len(b)]
}

func placeOf(file string, t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{file: file}
	}
	return place{file, t.Position.Line, t.Position.Column}
}

func syntaxError(name, text string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) {
		where := placeOf(name, y.GetToken())
		line, advice := "", ""
		if lines := strings.Split(text, "\n"); where.line > 0 && where.line <= len(lines) {
			line = "\n" + excerpt(lines[where.line-1], where.line, where.column)
			switch {
			case strings.Contains(lines[where.line-1], "\t"):
				advice = ": YAML is indented with spaces, not with tabs"
			case strings.Contains(y.GetMessage(), "not allowed in this context"):
				advice = ": look at the indentation of this line and the next; keys of one group begin in one column"
			}
		}
		return fmt.Errorf("%s: %s%s%s", where, y.GetMessage(), advice, line)
	}
	return fmt.Errorf("%s: %w", name, err)
}
