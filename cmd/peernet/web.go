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
)

// Bounds of requests to the web server: how long they may take to be made and to be
// answered, how long a connection may be idle, and the bytes of their headers. None is
// about a WebSocket.
const (
	webHeaderTimeout = 10 * time.Second
	webWriteTimeout  = time.Minute
	webIdleTimeout   = time.Minute
	webHeaderMax     = 16 << 10
)

func webCommand() *cobra.Command {
	var listen, network string
	var bootstrap []string
	var webRTC webRTCFlags
	c := &cobra.Command{
		Use:   "web",
		Short: "Serve a web page that is a node, and a peer for it",
		Long: `Serve a web page that is a node of the network, until Ctrl-C.

Each browser that opens the page is a full peer: it connects to this program by
WebSocket, at the path /peer, and to other pages by WebRTC. Servers given by
--ice-server are for the pages too: pages behind different NATs need one.

The JavaScript module behind the page is at /peernet.js, its declarations at
/peernet.d.ts. The page takes parameters in its URL: name, what it answers searches
with; bootstrap, addresses in place of this program's; database, the name of its
address book.

To serve it to others, put a proxy with TLS in front, as for any page.`,
		Example: `  peernet web --listen 127.0.0.1:8080
  peernet web --network example --bootstrap ws://203.0.113.5:4000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := (&nodeFlags{logFormat: "human", logLevel: "info"}).logger(cmd)
			if err != nil {
				return err
			}
			config := realnet.Config{
				Bootstrap: bootstrap, Log: log,
				// Many pages may come, and find each other here.
				Peer: peer.Config{Network: network, InboundMax: 256}.WithDefaults(),
			}
			config.Peer.WebRTC = 0 // the default, unless the flags say otherwise
			if err := webRTC.apply(&config); err != nil {
				return err
			}
			return serveWeb(cmd.Context(), log, listen, config, func(url string) { cmd.Println(url) })
		},
	}
	flags := c.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:8080", "`host:port` to serve the page at; port 0 is any that is free")
	flags.StringVar(&network, "network", "", "`name` of the network; nodes of other names are refused")
	flags.StringSliceVar(&bootstrap, "bootstrap", nil, "`address` of a first peer for the node of this program; repeatable")
	webRTC.add(flags)
	return c
}

// serveWeb serves the page and a node until ctx ends. ready is told the URL.
func serveWeb(ctx context.Context, log *slog.Logger, listen string, config realnet.Config, ready func(url string)) error {
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return fmt.Errorf("--listen: want host:port, not %q", listen)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", listen, err)
	}
	defer l.Close()
	node, err := realnet.Open(ctx, config)
	if err != nil {
		return err
	}
	info := web.Info{Network: config.Peer.Network, Loopback: config.WebRTC.Loopback}
	for _, s := range config.WebRTC.Servers {
		info.ICEServers = append(info.ICEServers, web.ICEServer(s))
	}
	server := &http.Server{
		Handler: web.Handler(info, node.Handler()), ReadHeaderTimeout: webHeaderTimeout, WriteTimeout: webWriteTimeout, IdleTimeout: webIdleTimeout,
		MaxHeaderBytes: webHeaderMax, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	at := l.Addr().(*net.TCPAddr)
	host := at.IP.String()
	if at.IP.IsUnspecified() {
		host = "localhost"
		log.Warn("the page can be opened from the network, without TLS", "listen", at.String())
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
