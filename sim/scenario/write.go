package scenario

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// YAML returns the scenario as a file: the keys that differ from the defaults.
func (s *Scenario) YAML() []byte {
	var b strings.Builder
	standard := Default()
	writeGroup(&b, "", "", reflect.ValueOf(s).Elem(), reflect.ValueOf(&standard).Elem())
	return []byte(b.String())
}

// writeGroup writes the keys of a group, the first behind a text of its own, and
// reports whether there were any.
func writeGroup(b *strings.Builder, first, indent string, v, standard reflect.Value) bool {
	written := false
	margin := func() string {
		if !written {
			written = true
			return first
		}
		return indent
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		f, d := v.Field(i), standard.Field(i)
		if !field.IsExported() || reflect.DeepEqual(f.Interface(), d.Interface()) {
			continue
		}
		name := field.Tag.Get("yaml")
		switch {
		case isGroup(f):
			fmt.Fprintf(b, "%s%s:\n", margin(), name)
			writeGroup(b, indent+"  ", indent+"  ", f, d)
		case f.Kind() == reflect.Slice && f.Len() > 0 && isGroup(f.Index(0)):
			fmt.Fprintf(b, "%s%s:\n", margin(), name)
			for k := range f.Len() {
				writeItem(b, indent, f.Index(k))
			}
		case f.Kind() == reflect.Slice:
			list := make([]string, f.Len())
			for k := range list {
				list[k] = scalarText(f.Index(k))
			}
			fmt.Fprintf(b, "%s%s: [%s]\n", margin(), name, strings.Join(list, ", "))
		default:
			fmt.Fprintf(b, "%s%s: %s\n", margin(), name, scalarText(f))
		}
	}
	return written
}

// writeItem writes an item of a list of groups: what differs from the defaults of
// items, and at least its first key.
func writeItem(b *strings.Builder, indent string, v reflect.Value) {
	item := reflect.New(v.Type())
	item.Interface().(interface{ setDefaults() }).setDefaults()
	if !writeGroup(b, indent+"  - ", indent+"    ", v, item.Elem()) {
		fmt.Fprintf(b, "%s  - %s: %s\n", indent, v.Type().Field(0).Tag.Get("yaml"), scalarText(v.Field(0)))
	}
}

// scalarText is a single value as it is written.
func scalarText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case bool:
		if x {
			return "yes"
		}
		return "no"
	case fmt.Stringer:
		return x.String()
	case string:
		if plainText(x) {
			return x
		}
		return strconv.Quote(x)
	}
	return fmt.Sprint(v.Interface())
}

// plainText reports whether YAML reads a text as it stands.
func plainText(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '/' || r == '.'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '-' && r != ' ') {
			return false
		}
	}
	switch s {
	case "", "true", "false", "yes", "no", "null", "on", "off", "auto", ".":
		return false
	}
	return strings.TrimSpace(s) == s
}
