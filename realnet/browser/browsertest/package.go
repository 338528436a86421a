//go:build !js

package browsertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// harness is the page in which the tests of a package run.
const harness = `<!DOCTYPE html><meta charset="utf-8"><title>tests</title><script src="wasm_exec.js"></script><script>
const output = [];
const log = console.log;
console.log = (...args) => { output.push(args.join(' ')); log(...args); };
const go = new Go();
go.argv = ['test', ...JSON.parse(decodeURIComponent(location.hash.slice(1)))];
go.exit = (code) => { globalThis.result = { code, output: output.join('\n') }; };
WebAssembly.instantiateStreaming(fetch('test.wasm'), go.importObject)
  .then((source) => go.run(source.instance))
  .catch((error) => { globalThis.result = { code: 2, output: output.join('\n') + '\n' + error.stack }; });
</script>`

// Package runs the tests of a package in the browser, with flags such as
// -test.run=Book. It fails if they do, with what they say. Tests in a bubble of
// testing/synctest cannot be run with -test.v: a browser writes by a goroutine outside.
func Package(t *testing.T, name string, flags ...string) {
	t.Helper()
	browser := Start(t)
	dir := t.TempDir()
	build := exec.Command("go", "test", "-c", "-o", filepath.Join(dir, "test.wasm"), name)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the tests of %s: %v\n%s", name, err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	glue := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(harness))
	})
	mux.HandleFunc("/wasm_exec.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, glue) })
	mux.HandleFunc("/test.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		http.ServeFile(w, r, filepath.Join(dir, "test.wasm"))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	args, err := json.Marshal(append([]string{}, flags...))
	if err != nil {
		t.Fatal(err)
	}
	Open(t, browser, server.URL+"/#"+url.PathEscape(string(args)))
	type result struct {
		Code   int
		Output string
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		done, err := Eval[bool](browser, "Boolean(globalThis.result)")
		if err != nil || time.Now().After(deadline) {
			output, _ := Eval[string](browser, "output.join('\\n')")
			t.Fatalf("the tests of %s did not end: %v\n%s", name, err, output)
		}
		if done {
			break
		}
	}
	r, err := Eval[result](browser, "result")
	if err != nil || r.Code != 0 || !strings.HasSuffix(r.Output, "PASS") {
		t.Fatalf("the tests of %s failed: %v\n%s", name, err, r.Output)
	}
	if n := strings.Count(r.Output, "--- PASS"); n > 0 {
		t.Logf("%d tests passed in the browser, %d were skipped", n, strings.Count(r.Output, "--- SKIP"))
	}
}
