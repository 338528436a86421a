package web_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"peernet/cmd/peernet/web"
	"peernet/cmd/peernet/web/internal/build"
	"peernet/realnet"
	"peernet/realnet/browser/browsertest"
	"peernet/realnet/rtc"
)

// serve serves the page with a node for it.
func serve(t *testing.T) (*realnet.Node, *httptest.Server) {
	t.Helper()
	node, err := realnet.Open(t.Context(), realnet.Config{WebRTC: realnet.WebRTC{Config: rtc.Config{Loopback: true}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close(context.Background()) })
	server := httptest.NewServer(web.Handler(web.Info{Loopback: true}, node.Handler()))
	t.Cleanup(server.Close)
	return node, server
}

// Two pages reach a node by WebSocket and each other by WebRTC, and keep talking when
// the node is gone; what a page knows survives a reload; it fits narrow and wide
// windows.
func TestPagesArePeers(t *testing.T) {
	browser := browsertest.Start(t)
	node, server := serve(t)
	one, two := browsertest.Tab(t, browser), browsertest.Tab(t, browser)
	for name, tab := range map[string]context.Context{"one": one, "two": two} {
		browsertest.Open(t, tab, server.URL+"/?name="+name+"&database="+name)
	}
	for _, tab := range []context.Context{one, two} {
		browsertest.Until(t, tab, "the node runs", "globalThis.node")
		browsertest.Until(t, tab, "a link to the node by WebSocket", "(await node.connections()).some((c) => c.transport === 'ws' && c.id === '"+node.ID().String()+"')")
	}
	other, err := browsertest.Eval[string](two, "node.id")
	if err != nil {
		t.Fatal(err)
	}
	browsertest.Until(t, one, "a link to the other page by WebRTC", "(await node.connections()).some((c) => c.transport === 'webrtc' && c.id === '"+other+"')")
	if ok, err := browsertest.Eval[bool](one, "node.save('ws://127.0.0.1:9/kept').then(() => true)"); err != nil || !ok {
		t.Fatal(err)
	}

	if err := node.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	browsertest.Until(t, one, "the node is gone", "(await node.connections()).every((c) => c.transport === 'webrtc')")
	submit(t, one, "announce", "hello from one")
	submit(t, one, "search", "who is there?")
	browsertest.Until(t, two, "the announce is heard", "document.querySelector('#heard').innerText.includes('hello from one')")
	browsertest.Until(t, one, "the search is answered", "document.querySelector('#answers').innerText.startsWith('two search, 1 link away')")

	browsertest.Until(t, one, "the page shows its link", "document.querySelector('#transports').innerText === '1 by webrtc' && document.querySelector('#state').innerText === 'Connected to 1 peer'")
	browsertest.Until(t, one, "and what it knows", "document.querySelector('#known').innerText.includes('/kept')")
	for _, width := range []int64{360, 1280} {
		picture := browsertest.Picture(t, one, width)
		wide, err := browsertest.Eval[int64](one, "document.documentElement.scrollWidth")
		if err != nil || wide > width {
			t.Errorf("the page is %d wide in a window of %d, %v", wide, width, err)
		}
		if dir := os.Getenv("PEERNET_SCREENSHOTS"); dir != "" {
			name := filepath.Join(dir, map[bool]string{true: "narrow.png", false: "wide.png"}[width < 600])
			if err := os.WriteFile(name, picture, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}

	browsertest.Open(t, one, server.URL+"/?name=one&database=one")
	browsertest.Until(t, one, "the node runs again", "globalThis.node")
	browsertest.Until(t, one, "the address is still known", "(await node.known()).some((k) => k.address === 'ws://127.0.0.1:9/kept' && k.saved)")
	browsertest.Until(t, one, "and the page shows it", "document.querySelector('#known').innerText.includes('ws://127.0.0.1:9/kept')")
}

// submit fills in a form of the page and sends it.
func submit(t *testing.T, tab context.Context, form, data string) {
	t.Helper()
	if _, err := browsertest.Eval[string](tab, `document.forms.`+form+`.elements.data.value = "`+data+`"; document.querySelector("#`+form+` button").click(); "done"`); err != nil {
		t.Fatal(err)
	}
}

// What a page calls does what the declarations say.
func TestModule(t *testing.T) {
	browser := browsertest.Start(t)
	node, server := serve(t)
	browsertest.Open(t, browser, server.URL+"/peernet.d.ts")
	at := strings.Replace(server.URL, "http", "ws", 1) + "/peer"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	requests := node.Requests(ctx)
	go func() {
		for r, err := range requests {
			if err == nil {
				_ = r.Reply(ctx, realnet.Message{Type: "answer", Data: "\xff" + r.Data})
			}
		}
	}()
	for _, c := range []struct{ what, script, want string }{
		{"nodes share the program", `const { open } = await import('./peernet.js');
			globalThis.one = await open({ bootstrap: '` + at + `' });
			globalThis.apart = await open({ network: 'another', connections: 1 });
			return [one.id.length, apart.id.length, one.id !== apart.id].join()`, "32,32,true"},
		{"what makes no sense is refused", `const { open } = await import('./peernet.js');
			return open({ bootstrap: 'smoke://x:1' }).then(() => 'opened', (e) => e.message)`,
			`bootstrap: bad address "smoke://x:1": the scheme is none of ws, wss`},
		{"connect and the connect event", `const seen = new Promise((resolve) => one.on('connect', resolve));
			const already = (await one.connections()).length > 0;
			return already || Boolean(await seen)`, "true"},
		{"a refused connection says why", `return apart.connect('` + at + `').then(() => 'connected', (e) => e.message)`,
			`refused: its network is "", not "another"`},
		{"nobody there", `return apart.connect('ws://127.0.0.1:1').then(() => 'connected', (e) => e.message)`,
			`could not connect: refused`},
		{"search, with bytes", `for await (const a of one.search('ask', new Uint8Array([255, 65]))) {
				return [a.type, a.data, a.bytes.join(' '), a.hops].join()
			}`, "answer,,255 255 65,1"},
		{"ready", `await one.ready(); return apart.ready({ timeout: 50 }).then(() => 'ready', (e) => e.message)`, "peernet: no connection in time"},
		{"what is no argument is refused, and harms no node", `const { open } = await import('./peernet.js');
			const bad = [() => one.announce('x', 5), () => one.announce(5), () => one.announce('x', null), () => one.connect(), () => open(null),
				() => open({ bootstrap: 5 }), () => open({ iceServers: [null] }), () => open({ connections: '3' }), () => open({ bootstraps: 'x' }),
				() => one.search('q', 'x', { timeout: '5' }).next(), () => one.search('q', 'x', { limit: -1 }).next(), async () => one.on('reqest', () => {})];
			const errors = await Promise.all(bad.map((f) => f().then(() => 'fine', (e) => e.name)));
			return [...new Set(errors), (await one.connections()).length].join()`, "TypeError,1"},
		{"other kinds of bytes", `for await (const a of one.search('ask', new Uint16Array([65, 66]).buffer)) return a.bytes.join(' ')`, "255 65 0 66 0"},
		{"a search without a time-out, and without time", `let n = 0; for await (const a of one.search('ask', 'x', { timeout: Infinity })) { n++; break; }
			for await (const a of one.search('ask', 'x', { timeout: 0 })) n += 10; return n`, "1"},
		{"search ends by itself", `let n = 0; for await (const a of one.search('ask', 'x', { timeout: 500 })) n++; return n`, "1"},
		{"too much data", `return one.announce('x', 'y'.repeat(2000)).then(() => 'sent', (e) => e.message)`,
			"type or data is too long: at most 64 and 1024 bytes are allowed"},
		{"known, save and remove", `await one.save('ws://127.0.0.1:9/x'); const has = async () => (await one.known()).some((k) => k.address.endsWith('/x'));
			const before = await has(); await one.remove('ws://127.0.0.1:9/x'); return [before, await has()].join()`, "true,false"},
		{"disconnect", `const gone = new Promise((resolve) => one.on('disconnect', () => resolve('gone')));
			await one.disconnect('` + at + `'); return gone`, "gone"},
		{"close", `await one.close(); return one.announce('x').then(() => 'sent', (e) => e.message)`, "closed"},
		{"search after close", `return one.search('x').next().then(() => 'fine', (e) => e.message)`, "closed"},
	} {
		got, err := browsertest.Eval[string](browser, "(async () => { "+c.script+" })().then(String, (e) => 'error: ' + e.stack)")
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.what, got, err, c.want)
		}
	}
}

// The server tells the browser what it needs to know, and gives files away only of the
// page.
func TestServer(t *testing.T) {
	_, server := serve(t)
	get := func(path string, header ...string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(body)
	}
	for path, kind := range map[string]string{
		"/": "text/html", "/page.js": "text/javascript", "/peernet.js": "text/javascript", "/wasm_exec.js": "text/javascript",
		"/style.css": "text/css", "/peernet.d.ts": "text/plain", "/node.json": "application/json", "/peernet.wasm": "application/wasm",
	} {
		answer, body := get(path)
		if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), kind) || body == "" {
			t.Errorf("%s: %s, %s, %d bytes", path, answer.Status, answer.Header.Get("Content-Type"), len(body))
		}
		want := "*" // others may load the module, and not read what may hold credentials
		if path == "/node.json" {
			want = ""
		}
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: may be read from %q, want %q", path, got, want)
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	answer, body := get("/peernet.wasm", "Accept-Encoding", "gzip")
	if answer.Header.Get("Content-Encoding") != "gzip" || len(body) != web.ProgramSize() {
		t.Errorf("the program compressed: %v, %d bytes", answer.Header, len(body))
	}
	if again, _ := get("/peernet.wasm", "If-None-Match", answer.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("a program that the browser has is sent again: %s", again.Status)
	}
	for _, path := range []string{"/nothing", "/..%2fweb.go", "/static/index.html"} {
		if answer, _ := get(path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}

// The program that is part of the repository is that of the sources, and small.
func TestProgramIsUpToDate(t *testing.T) {
	const most = 2_000_000
	if size := web.ProgramSize(); size > most {
		t.Errorf("the program has %d bytes, compressed, at most %d allowed", size, most)
	}
	sum, err := os.ReadFile(build.Sum)
	if err != nil {
		t.Fatal(err)
	}
	want, err := build.Sources()
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(sum)) != want {
		t.Error("the sources have changed since the program was made: run go generate ./cmd/peernet/web")
	}
	f, err := os.Open(build.Program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, z); err != nil {
		t.Error(err)
	} else {
		t.Logf("the program has %d bytes, compressed %d", n, web.ProgramSize())
	}
}
