//go:build !unix

package control

import (
	"errors"
	"net"
	"os"
)

// listenPrivately listens on a socket that its user alone may open.
func listenPrivately(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
