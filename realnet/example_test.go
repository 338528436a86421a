//go:build !js

package realnet_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"peernet/realnet"
)

// Two nodes find each other, and one answers what the other searches for.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	alice, err := realnet.Open(ctx, realnet.Config{Listen: []string{"ws://127.0.0.1:0"}})
	if err != nil {
		log.Fatal(err)
	}
	defer alice.Close(context.Background())
	requests := alice.Requests(ctx)
	go func() {
		for r, err := range requests {
			if err != nil {
				return
			}
			_ = r.Reply(ctx, realnet.Message{Type: r.Type, Data: "alice has " + r.Data})
		}
	}()

	bob, err := realnet.Open(ctx, realnet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer bob.Close(context.Background())
	if err := bob.Connect(ctx, alice.Servers()[0]); err != nil {
		log.Fatal(err)
	}
	for r, err := range bob.Announce(ctx, realnet.Message{Type: "file", Data: "song.ogg"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Data)
		break
	}
	// Output: alice has song.ogg
}

// A node accepts WebSocket peers inside a server that does other things too.
func ExampleNode_Handler() {
	ctx := context.Background()
	node, err := realnet.Open(ctx, realnet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close(ctx)
	mux := http.NewServeMux()
	mux.Handle("/peers", node.Handler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l)
	defer server.Close()

	other, err := realnet.Open(ctx, realnet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer other.Close(ctx)
	fmt.Println(other.Connect(ctx, "ws://"+l.Addr().String()+"/peers"))
	// Output: <nil>
}

// Any stream of bytes can be a connection.
func ExampleNode_Accept() {
	ctx := context.Background()
	a, err := realnet.Open(ctx, realnet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close(ctx)
	b, err := realnet.Open(ctx, realnet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close(ctx)
	atA, atB := net.Pipe()
	accepted := make(chan error, 1)
	go func() { accepted <- a.Accept(ctx, atA) }()
	fmt.Println(b.Accept(ctx, atB), <-accepted)
	// Output: <nil> <nil>
}

// The address book is an iterator.
func ExampleNode_Known() {
	ctx := context.Background()
	node, err := realnet.Open(ctx, realnet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close(ctx)
	if err := node.Save(ctx, "WS://Example.org/chat"); err != nil {
		log.Fatal(err)
	}
	for e, err := range node.Known(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Address, e.Saved)
	}
	// Output: ws://example.org:80/chat true
}
