package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Which folders may import which: the protocol stands alone, the two hosts do
// not know each other, and nothing depends on the command.
var mayImport = map[string][]string{
	"actors":      {"actors"},
	"sim":         {"actors", "sim"},
	"realnet":     {"actors", "realnet"},
	"experiments": {"actors", "sim", "experiments"},
	"cmd":         {"actors", "sim", "realnet", "experiments", "cmd"},
}

func TestFoldersImportOnlyWhatTheyMay(t *testing.T) {
	const root = "../.."
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		allowed, ok := mayImport[e.Name()]
		if !ok {
			t.Errorf("top-level folder %s is not part of the layout", e.Name())
			continue
		}
		checkImports(t, root, e.Name(), allowed)
	}
}

func checkImports(t *testing.T, root, folder string, allowed []string) {
	files := 0
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			rest, ours := strings.CutPrefix(name, "peernet/")
			if !ours {
				continue
			}
			top, _, _ := strings.Cut(rest, "/")
			permitted := false
			for _, a := range allowed {
				permitted = permitted || a == top
			}
			if !permitted {
				t.Errorf("%s imports %s; %s may import %v", path, name, folder, allowed)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Errorf("folder %s has no Go files", folder)
	}
}
