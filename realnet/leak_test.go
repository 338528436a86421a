//go:build !js

package realnet

import (
	"testing"
	"time"

	"peernet/actors"
)

// Actors that have ended leave nothing in the tables of protoactor-go.
func TestEndedActorsAreForgotten(t *testing.T) {
	h := NewHost(nil)
	defer h.Close()
	const count = 5000
	done := make(chan struct{})
	left := count
	_, err := h.start(receiver(func(ctx actors.Context, m actors.Message) {
		switch m.(type) {
		case *actors.Started, *actors.Terminated:
			if left--; left < 0 {
				close(done)
				return
			}
			child := ctx.Spawn("child", receiver(func(ctx actors.Context, _ actors.Message) { ctx.Stop(ctx.Self()) }))
			ctx.Watch(child)
		}
	}), processConfig{seed: randomSeed})
	if err != nil {
		t.Fatal(err)
	}
	<-done
	processes := func() (n int) {
		for i := range h.system.ProcessRegistry.LocalPIDs.LocalPIDs {
			n += h.system.ProcessRegistry.LocalPIDs.LocalPIDs[i].Count()
		}
		return n
	}
	for deadline := time.Now().Add(5 * time.Second); processes() > 50; {
		if time.Now().After(deadline) {
			t.Fatalf("%d actors are registered, after %d have ended", processes(), count)
		}
	}
}
