package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// version is the module's version, "devel" when built from a checkout.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// commit is the commit that the program was built from. The go command does
// not always record it; of a program that "go run" has just built, the checkout
// that it runs in is asked, if it is one of peernet.
func commit() string {
	revision, modified := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = "+modified"
			}
		}
	}
	if revision != "" {
		return revision + modified
	}
	if program, err := os.Executable(); err != nil || !strings.Contains(program, "go-build") {
		return "unknown"
	}
	top := git("rev-parse", "--show-toplevel")
	module, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if top == "" || err != nil || !bytes.HasPrefix(module, []byte("module peernet\n")) {
		return "unknown"
	}
	if git("status", "--porcelain") != "" {
		modified = "+modified"
	}
	return git("rev-parse", "HEAD") + modified
}

func git(args ...string) string {
	out, err := exec.Command("git", args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
