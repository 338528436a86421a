// Package build makes the program of the web page, and knows what it was made of.
package build

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// program is the package of the program.
const program = "peernet/cmd/peernet/web/wasm"

// Names of what Make writes.
const (
	Program = "peernet.wasm.gz"
	Sum     = "peernet.wasm.sum"
	Glue    = "static/wasm_exec.js"
)

// Sources returns a hash of all that the program is made of but for the Go
// distribution: files of this module, and versions of others.
func Sources() (string, error) {
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Module", program)
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		return "", runError(err)
	}
	var lines []string
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir string
			GoFiles         []string
			Module          *struct{ Path, Version string }
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return "", err
		}
		switch {
		case p.Module == nil: // the Go distribution's
		case p.Module.Path != "peernet":
			lines = append(lines, p.Module.Path+" "+p.Module.Version)
		default:
			for _, f := range p.GoFiles {
				text, err := os.ReadFile(filepath.Join(p.Dir, f))
				if err != nil {
					return "", err
				}
				lines = append(lines, fmt.Sprintf("%s/%s %x", p.ImportPath, f, sha256.Sum256(text)))
			}
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "\n")))), nil
}

// Make builds the program, and writes it and what belongs to it into a folder.
func Make(dir string) error {
	sum, err := Sources()
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "peernet")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	raw := filepath.Join(temporary, "peernet.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", raw, program)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if _, err := build.Output(); err != nil {
		return runError(err)
	}
	content, err := os.ReadFile(raw)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return runError(err)
	}
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{Program: packed.Bytes(), Glue: glue, Sum: []byte(sum + "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// runError is what a command said as it failed.
func runError(err error) error {
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return err
}
