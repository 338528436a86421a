package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"peernet/actors/peer"
	"peernet/cmd/peernet/web"
	"peernet/realnet"
	"peernet/realnet/rtc"
)

// webHeaderTimeout bounds how long a request to the web server may take to be made.
const webHeaderTimeout = 10 * time.Second

func webCommand() *cobra.Command {
	var listen, network string
	var bootstrap []string
	c := &cobra.Command{
		Use:   "web",
		Short: "Serve a web page that is a node, and a peer for it",
		Long: `Serve a web page that is a node of the network, until Ctrl-C.

Each browser that opens the page is a full peer: it connects to this program by
WebSocket, at the path /peer, and to other pages by WebRTC. The JavaScript module
behind the page is at /peernet.js, its declarations at /peernet.d.ts.

On an address that is not of loopback, put a proxy with TLS in front: browsers give
pages without TLS no address book that lasts, among others.`,
		Example: `  peernet web --listen 127.0.0.1:8080
  peernet web --network example --bootstrap ws://203.0.113.5:4000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := (&nodeFlags{logFormat: "human", logLevel: "info"}).logger(cmd)
			if err != nil {
				return err
			}
			return serveWeb(cmd.Context(), log, listen, network, bootstrap, func(url string) { cmd.Println(url) })
		},
	}
	flags := c.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:8080", "`host:port` to serve the page at; port 0 is any that is free")
	flags.StringVar(&network, "network", "", "`name` of the network; nodes of other names are refused")
	flags.StringSliceVar(&bootstrap, "bootstrap", nil, "`address` of a first peer for the node of this program; repeatable")
	return c
}

// serveWeb serves the page and a node until ctx ends. ready is told the URL.
func serveWeb(ctx context.Context, log *slog.Logger, listen, network string, bootstrap []string, ready func(url string)) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", listen, err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr)
	node, err := realnet.Open(ctx, realnet.Config{
		Bootstrap: bootstrap, Log: log,
		// Many pages may come, and find each other here.
		Peer:   peer.Config{Network: network, InboundMax: 256},
		WebRTC: realnet.WebRTC{Config: rtc.Config{Loopback: at.IP.IsLoopback()}},
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: web.Handler(web.Info{Network: network}, node.Handler()), ReadHeaderTimeout: webHeaderTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	host := at.IP.String()
	if at.IP.IsUnspecified() {
		host = "localhost"
	}
	ready("http://" + net.JoinHostPort(host, fmt.Sprint(at.Port)) + "/")
	select {
	case <-ctx.Done():
	case err = <-served:
	case <-node.Done():
		err = node.Err()
	}
	return errors.Join(err, drain(node), server.Close())
}
