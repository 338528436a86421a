//go:build !js

package rtc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/realnet/rtc"
)

// loopback is a configuration that uses the loopback interface alone.
func loopback() rtc.Config {
	c := rtc.Config{Loopback: true}
	all, _ := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			c.Interfaces = append(c.Interfaces, i.Name)
		}
	}
	return c
}

func engine(t testing.TB, c rtc.Config) *rtc.Engine {
	t.Helper()
	e, err := rtc.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

type opened struct {
	stream *rtc.Stream
	err    error
}

// pair joins two engines, and returns the offering end and the answering one.
func pair(ctx context.Context, a, b *rtc.Engine) (x, y *rtc.Stream, err error) {
	answers := make(chan *actors.Signal, 1)
	there := make(chan opened, 1)
	s, err := a.Offer(ctx, func(offer *actors.Signal) {
		go func() {
			s, err := b.Answer(ctx, offer, func(answer *actors.Signal) { answers <- answer })
			there <- opened{s, err}
		}()
	}, answers)
	if err != nil {
		return nil, nil, err
	}
	o := <-there
	return s, o.stream, o.err
}

func streams(t testing.TB) (x, y *rtc.Stream) {
	t.Helper()
	e := engine(t, loopback())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	x, y, err := pair(ctx, e, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Reset(); y.Reset() })
	return x, y
}

// Whatever is written in whatever portions arrives, in order.
func TestStreamsCarryBytes(t *testing.T) {
	x, y := streams(t)
	if x.Remote().Scheme() != "webrtc" || !x.Remote().IsLoopback() {
		t.Errorf("the other end is seen at %v", x.Remote())
	}
	random := rand.NewChaCha8([32]byte{1})
	sent := make([]byte, 3<<20)
	_, _ = random.Read(sent)
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(1+rand.IntN(100<<10), len(rest))
			if _, err := x.Write(rest[:n]); err != nil {
				t.Errorf("Write: %v", err)
			}
			rest = rest[n:]
		}
		if err := x.CloseWrite(); err != nil {
			t.Errorf("CloseWrite: %v", err)
		}
	}()
	var got bytes.Buffer
	small := make([]byte, 1000)
	for {
		n, err := y.Read(small)
		got.Write(small[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
	}
	if !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("%d bytes arrived, not the %d that were sent", got.Len(), len(sent))
	}
	_ = y.Close()
	if _, err := x.Read(small); err == nil {
		t.Error("the other end has closed, and there is something to read")
	}
}

// Close lets the other end read what was written before, in either role, and also
// if nobody reads here.
func TestCloseComesBehindWhatWasWritten(t *testing.T) {
	for round := range 4 {
		x, y := streams(t)
		if round%2 == 1 {
			x, y = y, x
		}
		data := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
		go func() {
			_, _ = x.Write(data)
			_ = x.Close()
		}()
		if round >= 2 {
			time.Sleep(50 * time.Millisecond) // the end is there before the data is read
		}
		got, err := io.ReadAll(y)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("round %d: %d bytes arrived of %d, %v", round, len(got), len(data), err)
		}
		_ = y.Close()
	}
}

// A reset ends what waits at the other end.
func TestResetEndsBothEnds(t *testing.T) {
	x, y := streams(t)
	done := make(chan error, 2)
	go func() { _, err := y.Read(make([]byte, 10)); done <- err }()
	go func() {
		for {
			if _, err := y.Write(make([]byte, 10<<10)); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	x.Reset()
	for range 2 {
		select {
		case err := <-done:
			if err == nil {
				t.Error("no error after a reset")
			}
		case <-time.After(20 * time.Second):
			t.Fatal("still waiting after a reset")
		}
	}
}

// A writer waits for a reader that is slow, and what waits is bounded.
func TestSlowReaderHoldsUpTheWriter(t *testing.T) {
	x, y := streams(t)
	written := make(chan int, 1<<16)
	go func() {
		defer close(written)
		for range 1000 {
			n, err := x.Write(make([]byte, 16<<10))
			if err != nil {
				return
			}
			written <- n
		}
	}()
	total, quiet := 0, time.NewTimer(2*time.Second)
	for more := true; more; {
		select {
		case n := <-written:
			total += n
			quiet.Reset(2 * time.Second)
		case <-quiet.C:
			more = false
		}
	}
	t.Logf("%d KiB were written before the writer waited", total>>10)
	if total == 0 || total > 2<<20 {
		t.Errorf("%d bytes were written without a reader", total)
	}
	go func() { _, _ = io.Copy(io.Discard, y) }()
	for n := range written {
		total += n
	}
	if total != 1000*16<<10 {
		t.Errorf("%d bytes were written in the end, want %d", total, 1000*16<<10)
	}
}

// usage is what this process holds.
type usage struct{ descriptors, goroutines int }

func measure() (u usage) {
	list, err := os.ReadDir("/proc/self/fd")
	if err == nil {
		u.descriptors = len(list)
	}
	// This stops the world to count. runtime.NumGoroutine does not, and may count thousands
	// that have ended, while the garbage collector frees their stacks.
	u.goroutines, _ = runtime.GoroutineProfile(make([]runtime.StackRecord, 1))
	return u
}

// settles waits until no more is held than before.
func settles(t *testing.T, before usage) {
	t.Helper()
	var now usage
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if now = measure(); now.descriptors <= before.descriptors && now.goroutines <= before.goroutines {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%+v are held, before there were %+v\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
}

// However an attempt ends, nothing is left of it.
func TestAttemptsGiveBackAll(t *testing.T) {
	e := engine(t, loopback())
	if x, y, err := pair(t.Context(), e, e); err == nil { // what there is once
		x.Reset()
		y.Reset()
	}
	time.Sleep(100 * time.Millisecond)
	before := measure()
	dead := &actors.Signal{Ufrag: "nobody", Pwd: "nobody+nobody+nobody+nobody", Mid: "0", Fingerprint: [32]byte{1}, Candidates: []actors.Candidate{{Host: "127.0.0.1", Port: 60000, Priority: 1}}}
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		// Given up while it waits for an answer.
		if _, err := e.Offer(ctx, func(*actors.Signal) { cancel() }, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Offer: %v", err)
		}
		// Given up before anything.
		if _, err := e.Offer(ctx, func(*actors.Signal) {}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Offer: %v", err)
		}
		// Given up while it looks for a path.
		late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := e.Answer(late, dead, func(*actors.Signal) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Answer: %v", err)
		}
		cancel()
		x, y, err := pair(t.Context(), e, e)
		if err != nil {
			t.Fatal(err)
		}
		x.Reset()
		_ = y.Close()
	}
	settles(t, before)
}

// An end that is not who it said it is gets no link.
func TestFingerprintIsChecked(t *testing.T) {
	e := engine(t, loopback())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	answers := make(chan *actors.Signal, 1)
	x, err := e.Offer(ctx, func(offer *actors.Signal) {
		go func() {
			s, err := e.Answer(ctx, offer, func(a *actors.Signal) {
				forged := *a
				forged.Fingerprint[0] ^= 1
				answers <- &forged
			})
			if err == nil {
				s.Reset()
			}
		}()
	}, answers)
	if err == nil {
		x.Reset()
		t.Error("a link with an end of another certificate")
	}
}

// Which candidates of others are tried: signalling must not make a node probe what
// its operator does not want probed.
func TestNothingForbiddenIsProbed(t *testing.T) {
	probed := func(c rtc.Config) bool {
		sink, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		port := netip.MustParseAddrPort(sink.LocalAddr().String()).Port()
		offer := &actors.Signal{
			Ufrag: "nobody", Pwd: "nobody+nobody+nobody+nobody", Mid: "0", Fingerprint: [32]byte{1},
			Candidates: []actors.Candidate{{Host: "127.0.0.1", Port: port, Priority: 1 << 30}},
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { _, _ = engine(t, c).Answer(ctx, offer, func(*actors.Signal) {}) }()
		_ = sink.SetReadDeadline(time.Now().Add(time.Second))
		_, _, err = sink.ReadFrom(make([]byte, 2000))
		<-ctx.Done()
		return err == nil
	}
	if !probed(loopback()) {
		t.Error("a loopback candidate is not tried where it should be")
	}
	if c := loopback(); probed(rtc.Config{Loopback: true, Interfaces: c.Interfaces, Permits: func(netip.Addr) bool { return false }}) {
		t.Error("an address that is not permitted is tried")
	}
	if probed(rtc.Config{}) {
		t.Error("a loopback candidate is tried where loopback is off")
	}
}

func TestBadConfigurations(t *testing.T) {
	for want, c := range map[string]rtc.Config{
		"want stun:host:port": {Servers: []rtc.Server{{URLs: []string{"http://example.org"}}}},
		"no.turn":             {Servers: []rtc.Server{{URLs: []string{"turn:no.turn.example"}}}},
		"port":                {PortMin: 5000, PortMax: 4000},
		"a range of ports":    {Port: 5000, Servers: []rtc.Server{{URLs: []string{"stun:stun.example:3478"}}}},
		"called \"nope0\"":    {Interfaces: []string{"nope0"}},
	} {
		e, err := rtc.New(c)
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err = e.Offer(ctx, func(*actors.Signal) { cancel() }, nil)
			cancel()
		}
		if err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error with %q", c, err, want)
		}
	}
}

// One port can do for all links, which lie in a range otherwise.
func TestPorts(t *testing.T) {
	free := func() uint16 {
		l, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return netip.MustParseAddrPort(l.LocalAddr().String()).Port()
	}
	one, other := loopback(), loopback()
	one.Port = free()
	a, b := engine(t, one), engine(t, other)
	for range 3 {
		x, y, err := pair(t.Context(), a, b)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Reset()
		if want := fmt.Sprint(":", one.Port); !strings.HasSuffix(y.Remote().String(), want) {
			t.Errorf("the other end is at %v, want port %s", y.Remote(), want)
		}
		y.Reset()
	}
}

// BenchmarkConnect is the time from the offer to two open ends.
func BenchmarkConnect(b *testing.B) {
	e := engine(b, loopback())
	for b.Loop() {
		x, y, err := pair(b.Context(), e, e)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		x.Reset()
		y.Reset()
		b.StartTimer()
	}
}

// A link that is idle takes little memory: resident, for one end.
func TestMemoryOfIdleStreams(t *testing.T) {
	resident := func() int {
		text, _ := os.ReadFile("/proc/self/statm")
		var all, pages int
		_, _ = fmt.Sscan(string(text), &all, &pages)
		return pages * os.Getpagesize()
	}
	if resident() == 0 {
		t.Skip("the system does not tell the resident memory")
	}
	if raceEnabled {
		t.Skip("the race detector takes memory too")
	}
	e := engine(t, loopback())
	connect := func(n int) {
		for range n {
			x, y, err := pair(t.Context(), e, e)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { x.Reset(); y.Reset() })
			go func() { _, _ = x.Read(make([]byte, 1)) }()
			go func() { _, _ = y.Read(make([]byte, 1)) }()
		}
	}
	connect(10)
	before := resident()
	const count = 100
	connect(count)
	per := (resident() - before) / count / 2
	t.Logf("%d KiB of resident memory for one end of an idle link", per>>10)
	if per > 400<<10 {
		t.Errorf("%d bytes for one end of an idle link", per)
	}
}
