package realnet

import (
	"context"
	"log/slog"

	"peernet/realnet/indexeddb"
)

// What differs between a program of its own and one in a browser: the transports and
// the address book, and in mailbox_js.go the mailboxes.

// TLSConfig has no meaning in a browser.
type TLSConfig = struct{}

func (c *Config) platformTransports() map[string]Transport {
	return map[string]Transport{"ws": WebSocket{}, "wss": WebSocket{}}
}

// openKept opens the address book in the database of a name.
func openKept(ctx context.Context, data string, _ *slog.Logger) (keptBook, error) {
	b, err := indexeddb.Open(ctx, data)
	if err != nil {
		return nil, err // a nil *Book would be a keptBook
	}
	return b, nil
}
