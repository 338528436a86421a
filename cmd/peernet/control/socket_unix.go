//go:build unix

package control

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// listenPrivately listens on a socket that its user alone may open, from the
// first moment.
func listenPrivately(path string) (net.Listener, error) {
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
