package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"peernet/actors/peer"
	"peernet/cmd/peernet/control"
	"peernet/realnet"
)

// drainTimeout bounds how long a daemon says goodbye.
const drainTimeout = 10 * time.Second

// nodeFlags are the settings of a daemon.
type nodeFlags struct {
	data, socket                 string
	listen, advertise, bootstrap []string
	network                      string
	connections, inboundMax      int
	interval                     time.Duration
	fanout, rateMax, bookEntries int
	allow, ban                   []string
	tlsCert, tlsKey, tlsCA       string
	logFormat, logLevel          string
	metrics                      string
	config                       string
	printConfig                  bool
	webRTC                       webRTCFlags
}

func nodeCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:   "node",
		Short: "Run a node until it is told to end",
		Long: `Run a node until it is told to end: by Ctrl-C, SIGTERM or "peernet close".

It keeps its address book in the data directory, and listens for the other
commands on a Unix socket there. Every flag can also be given by the environment
(--inbound-max is PEERNET_INBOUND_MAX; lists with commas) and in a YAML file
(inbound_max). A flag wins over the environment, and that over the file.
--print-config prints all settings as such a file.`,
		Example: `  peernet node --listen ws://0.0.0.0:4000 --advertise ws://203.0.113.5:4000
  peernet node --bootstrap ws://203.0.113.5:4000 --network example
  peernet node --config /etc/peernet.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := f.config
			if path == "" {
				path = os.Getenv(envName("config"))
			}
			if err := loadSettings(cmd.Flags(), path); err != nil {
				return err
			}
			if f.printConfig {
				return printSettings(cmd.OutOrStdout(), cmd.Flags())
			}
			return runNode(cmd.Context(), cmd, &f)
		},
	}
	d := peer.Config{}.WithDefaults()
	flags := c.Flags()
	addSocketFlags(flags, &f.data, &f.socket)
	flags.StringSliceVar(&f.listen, "listen", nil, "`address` to accept links at: ws://host:port, wss, tcp or tls; repeatable")
	flags.StringSliceVar(&f.advertise, "advertise", nil, "`address` where others reach the node; default are those of --listen but for 0.0.0.0 and the like")
	flags.StringSliceVar(&f.bootstrap, "bootstrap", nil, "`address` of a first peer; repeatable")
	flags.StringVar(&f.network, "network", "", "`name` of the network; nodes of other names are refused")
	flags.IntVar(&f.connections, "connections", d.Connections, "outbound connections to keep")
	flags.IntVar(&f.inboundMax, "inbound-max", d.InboundMax, "inbound connections to accept at most")
	flags.DurationVar(&f.interval, "interval", d.Interval, "`time` between two exchanges of addresses")
	flags.IntVar(&f.fanout, "fanout", d.Fanout, "peers that an announce is passed on to; -1 is all")
	flags.IntVar(&f.rateMax, "rate-max", d.RateMax, "messages per second that a peer may send")
	flags.IntVar(&f.bookEntries, "book-entries", d.Book.Entries, "addresses in the address book at most")
	flags.StringSliceVar(&f.allow, "allow", nil, "`prefix` of IP addresses to have links with, such as 10.0.0.0/8; default is all; repeatable")
	flags.StringSliceVar(&f.ban, "ban", nil, "`prefix` of IP addresses to have no links with; repeatable")
	f.webRTC.add(flags)
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`file` with the certificates (PEM) for wss and tls")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`file` with the private key (PEM)")
	flags.StringVar(&f.tlsCA, "tls-ca", "", "`file` with the authorities (PEM) to trust in place of the system's")
	flags.StringVar(&f.logFormat, "log-format", "human", "log `form`: human or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "log what is at least `level`: debug, info, warn or error")
	flags.StringVar(&f.metrics, "metrics", "", "loopback `host:port` to serve metrics, health and profiles at; default is not to")
	flags.StringVar(&f.config, "config", "", "YAML `file` with settings")
	flags.BoolVar(&f.printConfig, "print-config", false, "print all settings as a YAML file, and end")
	return c
}

func runNode(ctx context.Context, cmd *cobra.Command, f *nodeFlags) error {
	log, err := f.logger(cmd)
	if err != nil {
		return err
	}
	config, err := f.nodeConfig(log)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.data, 0o700); err != nil {
		return fmt.Errorf("--data %s: %w", f.data, err)
	}
	if err := checkWritable(f.data); err != nil {
		return fmt.Errorf("--data %s: %w", f.data, err)
	}
	var metrics net.Listener
	if f.metrics != "" {
		if metrics, err = listenMetrics(f.metrics); err != nil {
			return err
		}
		defer metrics.Close()
	}
	started := time.Now()
	node, err := realnet.Open(ctx, config)
	if err != nil {
		return err
	}
	if err := f.serve(ctx, node, log, metrics, started); err != nil {
		return errors.Join(err, drain(node))
	}
	return nil
}

// serve serves the control interface and the metrics of a node until it is told
// to end.
func (f *nodeFlags) serve(ctx context.Context, node *realnet.Node, log *slog.Logger, metrics net.Listener, started time.Time) error {
	daemon, err := control.Serve(node, f.socketPath(), control.Info{
		Network: f.network, Version: version(), Data: f.data, Started: started,
	})
	if err != nil {
		return fmt.Errorf("the control socket: %w", err)
	}
	defer daemon.Close()
	if metrics != nil {
		defer serveMetrics(node, metrics)()
		log.Info("serving metrics", "url", "http://"+metrics.Addr().String()+"/metrics")
	}
	log.Info("the node is up", "id", node.ID().String(), "network", f.network, "listening", node.Servers(),
		"data", f.data, "socket", f.socketPath())
	for _, a := range node.Servers() {
		if len(f.advertise) == 0 && isUnspecified(a) {
			log.Warn("others are not told of this address: say where they reach the node with --advertise", "address", a)
		}
	}
	go warnWhenAlone(node, log)
	select {
	case <-ctx.Done():
	case <-daemon.Closed():
	case <-node.Done():
		return node.Err()
	}
	log.Info("closing")
	if err := drain(node); err != nil {
		return err
	}
	log.Info("closed")
	return nil
}

// aloneAfter is how long a node may be without a connection until it says so.
const aloneAfter = 30 * time.Second

// warnWhenAlone says when a node has no connection for long, and when it has one
// again, until it ends.
func warnWhenAlone(node *realnet.Node, log *slog.Logger) {
	tick := time.NewTicker(aloneAfter)
	defer tick.Stop()
	alone := false
	for {
		select {
		case <-node.Done():
			return
		case <-tick.C:
		}
		list, err := node.Connections(context.Background())
		if err != nil || (len(list) == 0) == alone {
			continue
		}
		if alone = !alone; alone {
			log.Warn("the node has no connection: is there a --bootstrap address that answers? See peernet known, and peernet log")
		} else {
			log.Info("the node has connections again")
		}
	}
}

func isUnspecified(address string) bool {
	return strings.Contains(address, "://0.0.0.0:") || strings.Contains(address, "://[::]:")
}

func drain(node *realnet.Node) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	return node.Close(ctx)
}

// nodeConfig is the configuration that the flags ask for.
func (f *nodeFlags) nodeConfig(log *slog.Logger) (realnet.Config, error) {
	c := realnet.Config{
		Listen: f.listen, Advertise: f.advertise, Bootstrap: f.bootstrap, Data: f.data, Log: log,
		Peer: peer.Config{
			Network: f.network, Connections: f.connections, InboundMax: f.inboundMax, Interval: f.interval,
			Fanout: f.fanout, RateMax: f.rateMax,
		},
	}
	c.Peer.Book.Entries = f.bookEntries
	for _, n := range []struct {
		flag  string
		value int
	}{
		{"connections", f.connections}, {"inbound-max", f.inboundMax}, {"rate-max", f.rateMax},
		{"book-entries", f.bookEntries}, {"fanout", max(f.fanout, -f.fanout)},
	} {
		if n.value < 1 { // the library takes 0 for the default
			return c, fmt.Errorf("--%s: must be at least 1", n.flag)
		}
	}
	if f.interval <= 0 {
		return c, errors.New("--interval: must be positive")
	}
	for _, list := range []struct {
		flag string
		from []string
		to   *[]netip.Prefix
	}{{"allow", f.allow, &c.Access.Allow}, {"ban", f.ban, &c.Access.Ban}} {
		for _, text := range list.from {
			p, err := realnet.ParsePrefix(text)
			if err != nil {
				return c, fmt.Errorf("--%s: %w", list.flag, err)
			}
			*list.to = append(*list.to, p)
		}
	}
	if err := f.webRTC.apply(&c); err != nil {
		return c, err
	}
	var err error
	c.TLS, err = f.tlsConfig()
	return c, err
}

// tlsConfig is the TLS configuration that the flags ask for, nil if they do not.
func (f *nodeFlags) tlsConfig() (*tls.Config, error) {
	if f.tlsCert == "" && f.tlsKey == "" && f.tlsCA == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.tlsCert != "" || f.tlsKey != "" {
		pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if f.tlsCA != "" {
		text, err := os.ReadFile(f.tlsCA)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--tls-ca: %s holds no certificate", f.tlsCA)
		}
	}
	return c, nil
}

// logger is the log that the flags ask for, on standard error.
func (f *nodeFlags) logger(cmd *cobra.Command) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level: %q is none of debug, info, warn, error", f.logLevel)
	}
	out := cmd.ErrOrStderr()
	switch f.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})), nil
	case "human":
		file, ok := out.(*os.File)
		return slog.New(tint.NewHandler(out, &tint.Options{
			Level: level, TimeFormat: time.DateTime, NoColor: !ok || !term.IsTerminal(int(file.Fd())),
		})), nil
	}
	return nil, fmt.Errorf("--log-format: %q is none of human, json", f.logFormat)
}

// socketPath is where the daemon listens for commands.
func (f *nodeFlags) socketPath() string { return socketPath(f.data, f.socket) }

func socketPath(data, socket string) string {
	if socket != "" {
		return socket
	}
	return filepath.Join(data, "control.sock")
}

// defaultData is where a node keeps its data.
func defaultData() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ".peernet"
	}
	return filepath.Join(home, ".peernet")
}
