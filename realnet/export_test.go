package realnet

import "peernet/actors"

// Kill ends a node as a crash does: its links break, and nobody is told.
func Kill(n *Node) error { return n.end() }

// Warm fills the tables in which protoactor-go finds actors: it has 32,768 of them,
// each made when it is first used, which look like a leak of 300 bytes an actor until
// all 10 MB are there.
func Warm(n *Node) {
	done := make(chan struct{})
	left := 300_000
	n.process.spawn(n.process.root, "warm", receiver(func(ctx actors.Context, m actors.Message) {
		switch m.(type) {
		case *actors.Started, *actors.Terminated:
			if left--; left < 0 {
				ctx.Stop(ctx.Self())
				close(done)
				return
			}
			ctx.Watch(ctx.Spawn("brief", receiver(func(ctx actors.Context, _ actors.Message) { ctx.Stop(ctx.Self()) })))
		}
	}))
	<-done
}
