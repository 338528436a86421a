//go:build !unix

package control

import (
	"net"
	"os"
)

// listenPrivately listens on a socket that its user alone may open.
func listenPrivately(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}
