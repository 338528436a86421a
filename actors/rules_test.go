package actors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What actors may import, and why nothing else. A package that is not listed is
// banned, whatever it is.
var allowedImports = map[string]string{
	"encoding/binary": "fixed byte orders", "encoding/json": "the data of version 2 address requests",
	"errors": "", "fmt": "", "slices": "", "strings": "", "strconv": "", "time": "durations; time.Now and its kin are banned below",
	"math/bits": "", "math/rand/v2": "the type of Context.Rand and PCG; its top-level functions are banned below",
	"net/netip": "the text form of IP addresses; it opens nothing",
	"unique":    "interned addresses",
	"google.golang.org/protobuf/encoding/protowire": "the one third-party package: wire-level protobuf",
}

// Tests and the suites for other implementations may import more.
var allowedInSuites = map[string]string{
	"testing": "", "pgregory.net/rapid": "model-based tests", "maps": "", "math": "", "cmp": "", "runtime": "stacks of panics",
	"sync": "what actors on a goroutine-based host saw is read by the test", "sync/atomic": "likewise",
}

// Names that actors must not use, and the reason.
var bannedNames = map[string]string{
	"time.Now": "use Context.Now: the clock is the host's", "time.Since": "use Context.Now", "time.Until": "use Context.Now",
	"time.After": "use Context.After", "time.AfterFunc": "use Context.After", "time.Sleep": "use Context.After",
	"time.Tick": "use Context.After", "time.NewTimer": "use Context.After", "time.NewTicker": "use Context.After",
	"fmt.Print": "use Context.Emit", "fmt.Println": "use Context.Emit", "fmt.Printf": "use Context.Emit",
}

// What of math/rand/v2 actors may name: types, and what makes a stream from a
// seed. Everything else draws from the global stream.
var allowedRand = map[string]bool{"Rand": true, "PCG": true, "New": true, "NewPCG": true, "Source": true}

// Files that may hold a map: one that is only looked up, never ranged over, so
// that its order cannot be seen.
var allowedMaps = map[string]string{
	"book/memory.go": "the index of large books",
	"book/table.go":  "the counts by source of large books",
	"book/evict.go":  "likewise",
}

// The actors, and the protocols that they are compared with, are free of goroutines, clocks, global randomness, floating point
// in decisions, and third-party packages: that is what makes a simulation of
// them reproducible, and what lets every host run them.
func TestActorsKeepTheRules(t *testing.T) {
	for root, least := range map[string]int{".": 20, "../experiments/protocols": 2} {
		checked := 0
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			checked++
			checkFile(t, filepath.ToSlash(path))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if checked < least {
			t.Errorf("only %d files of %s were checked", checked, root)
		}
	}
}

func checkFile(t *testing.T, path string) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	suite := strings.HasPrefix(path, "hosttest/") || strings.HasPrefix(path, "book/booktest/")
	complain := func(n ast.Node, format, reason string) {
		t.Errorf("%s: %s: %s", files.Position(n.Pos()), format, reason)
	}
	for _, i := range file.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		if i.Name != nil {
			complain(i, "renames an import", "the names below are compared as they are written")
		}
		_, ok := allowedImports[name]
		if _, inSuite := allowedInSuites[name]; inSuite && suite {
			ok = true
		}
		if !ok && !strings.HasPrefix(name, "peernet/actors") && !strings.HasPrefix(name, "peernet/experiments/protocols") {
			complain(i, "imports "+name, "not on the list of what actors may import")
		}
	}
	if suite {
		return
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:linkname") {
				complain(c, "uses go:linkname", "it reaches what is banned")
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			complain(n, "starts a goroutine", "the host runs actors, one message at a time")
		case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
			complain(n, "uses channels", "actors talk by messages")
		case *ast.MapType:
			if _, ok := allowedMaps[path]; !ok {
				complain(n, "uses a map", "its order differs from run to run; use a slice, or list the file with a reason")
			}
		case *ast.Ident:
			if (n.Name == "float64" || n.Name == "float32") && path != "peer/version2.go" {
				complain(n, "uses floating point", "machines round differently; version 2 JSON is the exception")
			}
			if n.Name == "recover" {
				complain(n, "recovers", "a panic ends the node")
			}
		case *ast.SelectorExpr:
			pkg, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			if reason, banned := bannedNames[pkg.Name+"."+n.Sel.Name]; banned {
				complain(n, "uses "+pkg.Name+"."+n.Sel.Name, reason)
			}
			if pkg.Name == "rand" && !allowedRand[n.Sel.Name] {
				complain(n, "uses rand."+n.Sel.Name, "draw from Context.Rand")
			}
		case *ast.RangeStmt:
			if sel, ok := n.X.(*ast.SelectorExpr); ok && (sel.Sel.Name == "index" || sel.Sel.Name == "counts") {
				complain(n, "ranges over a map", "its order differs from run to run")
			}
		}
		return true
	})
}
