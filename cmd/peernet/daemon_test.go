package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"peernet/cmd/peernet/control"
)

// A daemon is peernet node in a process of its own.
type daemon struct {
	t    *testing.T
	cmd  *exec.Cmd
	data string
	log  *lockedBuffer
	done bool
}

// A lockedBuffer is a buffer that several goroutines use.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// shortDir is a directory whose name leaves room for that of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startDaemon starts a daemon and waits until it answers.
func startDaemon(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, data: filepath.Join(shortDir(t), "data"), log: &lockedBuffer{}}
	d.cmd = exec.Command(os.Args[0], append([]string{"node", "--data", d.data, "--interval", "100ms"}, args...)...)
	d.cmd.Env = append(os.Environ(), asMain+"=1")
	d.cmd.Stderr = d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.end(syscall.SIGTERM) })
	d.until("the daemon answers", func() bool {
		_, _, err := peernet("status", "--data", d.data)
		return err == nil
	})
	return d
}

// end ends the daemon, and checks that it exits with 0.
func (d *daemon) end(s os.Signal) {
	d.t.Helper()
	if d.done {
		return
	}
	d.done = true
	_ = d.cmd.Process.Signal(s)
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("the daemon ends with %v; its log:\n%s", err, d.log)
	}
}

// run runs a command that talks to the daemon.
func (d *daemon) run(args ...string) string {
	d.t.Helper()
	out, _, err := peernet(append(args, "--data", d.data)...)
	if err != nil {
		d.t.Fatalf("%v: %v; the log of the daemon:\n%s", args, err, d.log)
	}
	return out
}

// until waits until something holds.
func (d *daemon) until(what string, holds func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: not within 20 s; the log of the daemon:\n%s", what, d.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// server is the first address that the daemon listens at.
func (d *daemon) server() string {
	d.t.Helper()
	first, _, _ := strings.Cut(d.run("servers"), "\n")
	return first
}

// Two daemons find each other; all commands do what they say.
func TestDaemonAndCommands(t *testing.T) {
	a := startDaemon(t, "--listen", "ws://127.0.0.1:0", "--log-format", "json", "--log-level", "debug", "--metrics", "127.0.0.1:0")
	b := startDaemon(t, "--listen", "tcp://127.0.0.1:0", "--bootstrap", a.server())
	atB := b.server()
	a.until("a knows b", func() bool { return strings.Contains(a.run("known"), atB) })
	a.until("a is connected to b", func() bool { return strings.Contains(a.run("connections"), "bound") })

	info, err := os.Stat(filepath.Join(a.data, "control.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v; want mode 0600", info.Mode(), err)
	}
	var s control.Status
	if err := json.Unmarshal([]byte(a.run("status", "--json")), &s); err != nil || s.Inbound+s.Outbound != 1 || s.Known < 1 || s.PID != a.cmd.Process.Pid {
		t.Errorf("status %+v, %v", s, err)
	}
	answering := exec.Command(os.Args[0], "answer", "greet", "hello to you", "--data", b.data)
	answering.Env = append(os.Environ(), asMain+"=1")
	if err := answering.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answering.Process.Kill(); _ = answering.Wait() }()
	a.until("b answers", func() bool {
		out, _, err := peernet("search", "greet", "anybody", "--most", "1", "--wait", "300ms", "--data", a.data)
		return err == nil && strings.Contains(out, "hello to you")
	})
	a.run("announce", "news", "it rains")

	const saved = "ws://192.0.2.7:4000"
	if out := a.run("add", saved); out != "added "+saved+"\n" {
		t.Errorf("add prints %q", out)
	}
	if out := a.run("stats", saved); !strings.Contains(out, "yes") {
		t.Errorf("stats of a saved address prints\n%s", out)
	}
	book := filepath.Join(shortDir(t), "book")
	a.run("export", book)
	a.run("remove", saved)
	if strings.Contains(a.run("known"), saved) {
		t.Error("a removed address is known")
	}
	if out := b.run("import", book); !strings.Contains(out, "imported") {
		t.Errorf("import prints %q", out)
	}
	if out := b.run("known", "--json"); !strings.Contains(out, saved) {
		t.Errorf("b does not know what it imported:\n%s", out)
	}
	late := strings.TrimSpace(strings.TrimPrefix(a.run("listen", "tcp://127.0.0.1:0"), "listening at "))
	if out := a.run("servers"); !strings.Contains(out, late) {
		t.Errorf("servers lacks %s:\n%s", late, out)
	}
	checkMetrics(t, a)
	for _, test := range []struct{ args, want string }{
		{"_secret", "types that start with an underscore are reserved"}, {strings.Repeat("x", 65), "at most 64 and 1024 bytes"},
	} {
		if _, _, err := peernet("announce", test.args, "--data", a.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("announce %s: %v", test.args, err)
		}
	}
	if _, _, err := peernet("search", "unknown", "--wait", "50ms", "--data", a.data); !errors.Is(err, errNobody) {
		t.Errorf("a search that nobody answers: %v", err)
	}
	if out := b.run("close"); out != "closed\n" {
		t.Errorf("close prints %q", out)
	}
	b.end(syscall.Signal(0))
	a.end(syscall.SIGTERM)
	for line := range strings.Lines(a.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
	if _, err := os.Stat(filepath.Join(a.data, "control.sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// checkMetrics looks at what the daemon serves to Prometheus; its log says where.
func checkMetrics(t *testing.T, d *daemon) {
	t.Helper()
	_, at, ok := strings.Cut(d.log.String(), `"url":"`)
	at, _, _ = strings.Cut(at, `"`)
	if !ok {
		t.Fatalf("the log does not say where metrics are:\n%s", d.log)
	}
	for path, want := range map[string]string{
		"/metrics": `peernet_connections{direction="outbound",transport="ws"}`, "/healthz": "ok", "/readyz": "ok", "/debug/pprof/": "goroutine",
	} {
		answer, err := http.Get(strings.TrimSuffix(at, "/metrics") + path)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		_, _ = text.ReadFrom(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || !strings.Contains(text.String(), want) {
			t.Errorf("%s answers %d, without %q:\n%s", path, answer.StatusCode, want, text.String())
		}
	}
}

// Bad input is answered by one line and an exit code other than 0.
func TestDaemonBadInput(t *testing.T) {
	d := startDaemon(t, "--listen", "tcp://127.0.0.1:0", "--network", "test")
	used := d.server()
	nobody := shortDir(t)
	file := filepath.Join(nobody, "bad.yaml")
	if err := os.WriteFile(file, []byte("network: x\ninbound: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := shortDir(t)
	if err := os.MkdirAll(filepath.Join(foreign, "book"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(foreign, "book", "diary"), []byte("dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(args ...string) []string { return append(args, "--data", d.data) }
	for _, test := range []struct {
		args []string
		want string
	}{
		{in("add", "foo:bar"), "bad address \"foo:bar\": want scheme://host:port"},
		{in("add", "ws://127.1:80"), "bad IPv4 address"},
		{in("connect", "smoke://127.0.0.1:9"), "the scheme is none of tcp, tls, ws, wss"},
		{in("add", "smoke://127.0.0.1:9"), "the scheme is none of tcp, tls, ws, wss"},
		{in("add", "ws://0.0.0.0:9"), "0.0.0.0 is no host to dial"},
		{in("connect", "ws://nosuch.invalid:9"), "could not connect: unreachable: "},
		{in("announce", "x", strings.Repeat("y", 100000)), "the request has more than 16384 bytes"},
		{in("announce", "x", "\xff"), "want UTF-8"},
		{in("connect", used), "is this node's own"},
		{in("disconnect", "ws://192.0.2.1:80"), "ws://192.0.2.1:80: no such connection"},
		{in("stats", "ws://192.0.2.1:80"), "ws://192.0.2.1:80 is not in the address book"},
		{in("listen", "smoke://127.0.0.1:9"), "no transport of scheme \"smoke\""},
		{in("listen", used), "address already in use"},
		{in("listen", "tls://127.0.0.1:0"), "needs a certificate"},
		{in("announce", "hello"), "the node has no connection"},
		{in("search", "greet"), "the node has no connection"},
		{in("search", "greet", "--wait", "-1s"), "must not be negative"},
		{in("import", "/nonexistent"), "no such file"},
		{in("import", file), "line 1 is no entry of an export"},
		{in("add"), "accepts 1 arg(s), received 0"},
		{in("node"), "another node uses the directory"},
		{[]string{"node", "--data", nobody, "--listen", used}, "address already in use"},
		{[]string{"node", "--data", nobody, "--socket", filepath.Join(d.data, "control.sock")}, "another daemon serves the socket"},
		{[]string{"node", "--data", nobody, "--socket", file}, "is there and no socket"},
		{[]string{"node", "--data", nobody, "--socket", "/" + strings.Repeat("x", 200)}, "the path of a socket at most 103"},
		{[]string{"node", "--data", nobody, "--listen", "smoke://127.0.0.1:9"}, "no transport of scheme \"smoke\""},
		{[]string{"node", "--data", nobody, "--listen", "127.0.0.1:9"}, "want scheme://host:port"},
		{[]string{"node", "--data", nobody, "--bootstrap", "ws://"}, "missing host"},
		{[]string{"node", "--data", nobody, "--ban", "10.0.0.0/40"}, "--ban: \"10.0.0.0/40\" is no prefix"},
		{[]string{"node", "--data", nobody, "--connections", "-3"}, "--connections: must be at least 1"},
		{[]string{"node", "--data", nobody, "--inbound-max", "0"}, "--inbound-max: must be at least 1"},
		{[]string{"node", "--data", nobody, "--connections", "100000"}, "Connections is 100000, must be from 1"},
		{[]string{"node", "--data", nobody, "--config", file}, "bad.yaml:2:1: inbound: unknown key; known are advertise"},
		{[]string{"node", "--data", nobody, "--config", "/nonexistent"}, "no such file"},
		{[]string{"node", "--data", nobody, "--log-level", "loud"}, "\"loud\" is none of debug"},
		{[]string{"node", "--data", nobody, "--metrics", "0.0.0.0:9"}, "0.0.0.0 is not on loopback"},
		{[]string{"node", "--data", nobody, "--webrtc-connections", "6"}, "--webrtc-connections: must be from 0 to --connections, 5"},
		{[]string{"node", "--data", nobody, "--webrtc-ports", "5000-4000"}, "--webrtc-ports: \"5000-4000\" is neither a port nor a range"},
		{[]string{"node", "--data", nobody, "--webrtc-ports", "70000"}, "--webrtc-ports: \"70000\" is neither a port nor a range"},
		{[]string{"node", "--data", nobody, "--ice-server", "https://example.org"}, "WebRTC: server \"https://example.org\""},
		{[]string{"node", "--data", nobody, "--ice-server", "turn:example.org"}, "a TURN server needs a user name"},
		{[]string{"node", "--data", nobody, "--ice-username", "me"}, "name one with --ice-server"},
		{[]string{"node", "--data", nobody, "--tls-cert", file}, "--tls-cert"},
		{[]string{"node", "--data", filepath.Join(file, "x")}, "not a directory"},
		{[]string{"node", "--data", "/proc/nowhere"}, "--data /proc/nowhere: "},
		{[]string{"node", "--data", foreign}, "holds no address book, but diary"},
		{[]string{"node", "extra"}, "unknown command"},
		{[]string{"status", "--data", nobody}, "no daemon runs there; start one with peernet node --data " + nobody},
	} {
		out, _, err := peernet(test.args...)
		if err == nil || !strings.Contains(plain(err), test.want) || strings.Contains(plain(err), "\n") {
			t.Errorf("%v: error %v, want one line with %q", test.args, err, test.want)
		}
		if out != "" {
			t.Errorf("%v prints %q", test.args, out)
		}
	}
	if _, _, err := peernet("export", file, "--data", nobody); err == nil {
		t.Error("an export without a daemon succeeds")
	}
	if left, err := os.ReadFile(file); err != nil || len(left) == 0 {
		t.Errorf("a failed export leaves %q of what was there, %v", left, err)
	}
	if left, err := os.ReadFile(filepath.Join(foreign, "book", "diary")); err != nil || string(left) != "dear diary" {
		t.Errorf("what is foreign was changed: %q, %v", left, err)
	}
}

// A socket that a killed daemon left does not stop the next one.
func TestDaemonAfterKill(t *testing.T) {
	d := startDaemon(t)
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
	d.done = true
	if _, err := os.Stat(filepath.Join(d.data, "control.sock")); err != nil {
		t.Fatalf("the test needs the socket that was left: %v", err)
	}
	again := exec.Command(os.Args[0], "node", "--data", d.data)
	again.Env = append(os.Environ(), asMain+"=1")
	again.Stderr = d.log
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	d.cmd, d.done = again, false
	d.until("the next daemon answers", func() bool {
		_, _, err := peernet("status", "--data", d.data)
		return err == nil
	})
}

// A flag wins over the environment, and that over the file; the settings that are
// printed can be read.
func TestSettings(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "peernet.yaml")
	text := "network: from-file\nrate_max: 77\nlisten: [ws://127.0.0.1:1, tcp://127.0.0.1:2]\nban: 10.0.0.0/8\ninterval: 7s\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PEERNET_NETWORK", "from-environment")
	t.Setenv("PEERNET_BOOTSTRAP", "ws://a:1,ws://b:2")
	t.Setenv("PEERNET_RATE_MAX", "88")
	printed, _, err := peernet("node", "--config", file, "--rate-max", "99", "--print-config")
	if err != nil {
		t.Fatal(err)
	}
	check := func(printed string) {
		t.Helper()
		for _, want := range []string{
			"\nnetwork: from-environment\n", "\nrate_max: 99\n", "\nlisten: [\"ws://127.0.0.1:1\", \"tcp://127.0.0.1:2\"]\n",
			"\nban: [10.0.0.0/8]\n", "\nbootstrap: [\"ws://a:1\", \"ws://b:2\"]\n", "\ninterval: 7s\n", "\nadvertise: []\n",
		} {
			if !strings.Contains(printed, want) {
				t.Errorf("the settings lack %q:\n%s", want, printed)
			}
		}
	}
	check(printed)
	again := filepath.Join(dir, "again.yaml")
	if err := os.WriteFile(again, []byte(printed), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"PEERNET_NETWORK", "PEERNET_BOOTSTRAP", "PEERNET_RATE_MAX"} {
		_ = os.Unsetenv(name)
	}
	printed, _, err = peernet("node", "--config", again, "--print-config")
	if err != nil {
		t.Fatalf("the settings that were printed cannot be read: %v\n%s", err, printed)
	}
	check(printed)
}

func TestDemo(t *testing.T) {
	out, _, err := peernet("demo")
	if err != nil || !strings.Contains(out, "all 4 others answered") {
		t.Errorf("%v\n%s", err, out)
	}
}

// What other nodes say is not obeyed by a terminal.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain äöü": "plain äöü", "a\x1b[31mb": `"a\x1b[31mb"`, "two\nlines": `"two\nlines"`, `say "hi"`: `"say \"hi\""`, "\xff": `"\xff"`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is printed as %s, want %s", in, got, want)
		}
	}
}

// The settings that take addresses can be used with IPv6.
func TestDaemonOnIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on loopback")
	}
	_ = l.Close()
	d := startDaemon(t, "--listen", "ws://[::1]:0")
	if at := d.server(); !strings.HasPrefix(at, "ws://[::1]:") {
		t.Errorf("listens at %s", at)
	}
	e := startDaemon(t, "--bootstrap", d.server())
	e.until("a connection", func() bool { return strings.Contains(e.run("connections"), "outbound") })
}

// What the settings say of TLS and of access lists holds, and log tells what happens.
func TestDaemonWithTLSAndAccessLists(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	dir := shortDir(t)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := write("cert.pem", "CERTIFICATE", s.Certificate().Raw)
	der, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := write("key.pem", "PRIVATE KEY", der)
	a := startDaemon(t, "--listen", "wss://127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	logging := exec.Command(os.Args[0], "log", "--data", a.data)
	logging.Env = append(os.Environ(), asMain+"=1")
	events := &lockedBuffer{}
	logging.Stdout = events
	if err := logging.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = logging.Process.Kill(); _ = logging.Wait() }()
	for _, test := range []struct {
		args  []string
		trust bool
	}{
		{[]string{"--tls-ca", cert}, true},
		{nil, false},
		{[]string{"--tls-ca", cert, "--ban", "127.0.0.0/8"}, false},
		{[]string{"--tls-ca", cert, "--allow", "10.0.0.0/8"}, false},
	} {
		d := startDaemon(t, test.args...)
		_, _, err := peernet("connect", a.server(), "--data", d.data)
		if (err == nil) != test.trust {
			t.Errorf("%v: connect: %v", test.args, err)
		}
	}
	a.until("the log shows the peer", func() bool { return strings.Contains(events.String(), "peer.up") })
}

// An import adds what was saved for good, and the rest without that.
func TestImportIntoANodeThatKnowsNobody(t *testing.T) {
	d := startDaemon(t)
	file := filepath.Join(shortDir(t), "book")
	text := `{"address":"ws://192.0.2.1:80","saved":true}` + "\n\n" + `{"address":"ws://192.0.2.2:80"}` + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := d.run("import", file); out != "2 addresses imported; the address book has 2\n" {
		t.Errorf("import prints %q", out)
	}
	for address, saved := range map[string]bool{"ws://192.0.2.1:80": true, "ws://192.0.2.2:80": false} {
		var e control.Entry
		if err := json.Unmarshal([]byte(d.run("stats", address, "--json")), &e); err != nil || e.Saved != saved {
			t.Errorf("%s: %+v, %v", address, e, err)
		}
	}
	if err := os.WriteFile(file, []byte(text+`{"address":"smoke://1.2.3.4:5"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := peernet("import", file, "--data", d.data); err == nil || !strings.Contains(err.Error(), "line 4: ") {
		t.Errorf("an import with a bad address: %v", err)
	}
}
