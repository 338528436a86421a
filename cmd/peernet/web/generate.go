//go:build ignore

// Command generate builds the program of the web page.
package main

import (
	"fmt"
	"os"

	"peernet/cmd/peernet/web/internal/build"
)

func main() {
	if err := build.Make("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
