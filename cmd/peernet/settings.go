package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/pflag"
)

// Settings are flags that can also be given by the environment and a YAML file.
// A flag wins over the environment, and that over the file. The flag
// --inbound-max is PEERNET_INBOUND_MAX in the environment, and inbound_max in a
// file.

// notSettings are flags that only make sense on a command line.
var notSettings = map[string]bool{"config": true, "print-config": true, "help": true, "json": true}

func envName(flag string) string {
	return "PEERNET_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func keyName(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// loadSettings fills in the flags that were not given from the environment and a
// file; no file if path is "".
func loadSettings(flags *pflag.FlagSet, path string) error {
	var fileErr error
	if path != "" {
		fileErr = loadFile(flags, path)
	}
	if fileErr != nil {
		return fileErr
	}
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := os.LookupEnv(envName(f.Name))
		if !ok || value == "" || f.Changed || notSettings[f.Name] || err != nil {
			return
		}
		if e := setFlag(f, value, strings.Split(value, ",")); e != nil {
			err = fmt.Errorf("%s=%q: %w", envName(f.Name), value, e)
		}
	})
	return err
}

// setFlag sets a flag without marking it as given.
func setFlag(f *pflag.Flag, value string, list []string) error {
	if s, ok := f.Value.(pflag.SliceValue); ok {
		if value == "" {
			list = nil
		}
		return s.Replace(list)
	}
	if err := f.Value.Set(value); err != nil {
		return fmt.Errorf("want a %s", kindName(f))
	}
	return nil
}

func kindName(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint32":
		return "whole number"
	case "duration":
		return "duration such as 5s"
	}
	return f.Value.Type()
}

// loadFile reads a YAML file whose keys are the names of flags.
func loadFile(flags *pflag.FlagSet, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		var y yaml.Error
		if errors.As(err, &y) {
			at := y.GetToken().Position
			return fmt.Errorf("%s:%d:%d: %s", path, at.Line, at.Column, y.GetMessage())
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.MappingNode:
			for _, pair := range body.Values {
				if err := loadPair(flags, path, pair); err != nil {
					return err
				}
			}
		case *ast.MappingValueNode:
			if err := loadPair(flags, path, body); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: want lines of key: value", path)
		}
	}
	return nil
}

func loadPair(flags *pflag.FlagSet, path string, pair *ast.MappingValueNode) error {
	key := pair.Key.GetToken()
	where := fmt.Sprintf("%s:%d:%d: %s", path, key.Position.Line, key.Position.Column, key.Value)
	f := flags.Lookup(strings.ReplaceAll(key.Value, "_", "-"))
	if f == nil || notSettings[f.Name] || strings.Contains(key.Value, "-") {
		return fmt.Errorf("%s: unknown key; known are %s", where, strings.Join(settingKeys(flags), ", "))
	}
	if f.Changed {
		return nil
	}
	var list []string
	switch v := pair.Value.(type) {
	case *ast.SequenceNode:
		for _, item := range v.Values {
			if !isPlain(item) {
				return fmt.Errorf("%s: want a list of plain values", where)
			}
			list = append(list, item.GetToken().Value)
		}
		if _, ok := f.Value.(pflag.SliceValue); !ok {
			return fmt.Errorf("%s: takes one value, not a list", where)
		}
	case *ast.NullNode:
		return nil
	default:
		if !isPlain(v) {
			return fmt.Errorf("%s: want a plain value", where)
		}
		list = []string{v.GetToken().Value}
	}
	if err := setFlag(f, strings.Join(list, ","), list); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// isPlain reports whether a value is what its token says: no block of text, anchor,
// alias or tag.
func isPlain(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return true
	}
	return false
}

func settingKeys(flags *pflag.FlagSet) (list []string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if !notSettings[f.Name] {
			list = append(list, keyName(f.Name))
		}
	})
	return list
}

// printSettings writes all settings as a file that loadSettings reads.
func printSettings(out io.Writer, flags *pflag.FlagSet) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		if notSettings[f.Name] || err != nil {
			return
		}
		text := f.Value.String()
		if f.Value.Type() != "int" {
			var value any = text
			if list, ok := f.Value.(pflag.SliceValue); ok {
				value = list.GetSlice()
			}
			var encoded []byte
			if encoded, err = yaml.MarshalWithOptions(value, yaml.Flow(true)); err != nil {
				return
			}
			text = strings.TrimSpace(string(encoded))
		}
		_, usage := pflag.UnquoteUsage(f)
		_, err = fmt.Fprintf(out, "# %s\n%s: %s\n", usage, keyName(f.Name), text)
	})
	return err
}
