// Package web holds what makes a web page a node: the JavaScript module peernet.js with
// its declarations, the program that it loads, and a page that shows a live node.
//
// The program is package realnet for WebAssembly, with main in the folder wasm. It is
// part of the repository, compressed, so that peernet serves it without a step before;
// go generate ./cmd/peernet/web makes it anew, and a test says when that is due.
package web

//go:generate go run generate.go

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var static embed.FS

//go:embed peernet.wasm.gz
var program []byte

// ProgramSize is the size of the program as it is loaded, in bytes.
func ProgramSize() int { return len(program) }

// Info is what the page is told of the network, as node.json.
type Info struct {
	// Bootstrap is where the page's node looks for peers. Empty is the server of the
	// page, at the path peer.
	Bootstrap []string `json:"bootstrap,omitempty"`
	Network   string   `json:"network"`
	// ICEServers are STUN and TURN servers.
	ICEServers []ICEServer `json:"iceServers,omitempty"`
	// Loopback lets peers name loopback addresses.
	Loopback bool `json:"loopback"`
}

// An ICEServer is one of STUN or TURN, as RTCPeerConnection takes it.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// policy is what the page may do: run what comes from here, and connect to anybody.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; connect-src *; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler serves the page and the module. Peers connect to peer, at the path /peer.
func Handler(info Info, peer http.Handler) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /peer", peer)
	mux.Handle("GET /node.json", headers(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// It may hold credentials of TURN servers: for our own page alone.
		w.Header().Del("Access-Control-Allow-Origin")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(info)
	})))
	mux.Handle("GET /peernet.wasm", headers(http.HandlerFunc(serveProgram)))
	mux.Handle("GET /", headers(serveFiles(files)))
	return mux
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		// Pages from elsewhere may load the module.
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Cache-Control", "no-cache") // but see the tags
		next.ServeHTTP(w, r)
	})
}

func tagOf(content []byte) string { return fmt.Sprintf(`"%x"`, sha256.Sum256(content)) }

var programTag = sync.OnceValue(func() string { return tagOf(program) })

// unpacked is the program for browsers that do not unpack it, of which there should be
// none.
var unpacked = sync.OnceValues(func() ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(program))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
})

// tagged answers a request for what the browser has already, and reports whether it
// did.
func tagged(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") != tag {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

func serveFiles(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "" {
			name = "index.html"
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if strings.HasSuffix(name, ".d.ts") {
			kind = "text/plain; charset=utf-8"
		}
		w.Header().Set("Content-Type", kind)
		if !tagged(w, r, tagOf(content)) {
			_, _ = w.Write(content)
		}
	})
}

func serveProgram(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/wasm")
	w.Header().Set("Vary", "Accept-Encoding")
	if tagged(w, r, programTag()) {
		return
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(program)
		return
	}
	content, err := unpacked()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(content)
}
