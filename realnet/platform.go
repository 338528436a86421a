//go:build !js

package realnet

import (
	"context"
	"crypto/tls"
	"log/slog"
	"path/filepath"
)

// What differs between a program of its own and one in a browser: the transports and
// the address book, and in mailbox.go the mailboxes.

// TLSConfig is the configuration of package crypto/tls.
type TLSConfig = tls.Config

func (c *Config) platformTransports() map[string]Transport {
	config := c.TLS
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	dialer := c.Access.dialer()
	webSocket := NewWebSocket(config, dialer)
	return map[string]Transport{
		"tcp": TCP{Dialer: dialer}, "tls": TCP{Dialer: dialer, TLS: config}, "ws": webSocket, "wss": webSocket,
	}
}

// openKept opens the address book in a data directory.
func openKept(_ context.Context, data string, log *slog.Logger) (keptBook, error) {
	b, err := OpenBook(filepath.Join(data, "book"), log)
	if err != nil {
		return nil, err // a nil *Book would be a keptBook
	}
	return b, nil
}
