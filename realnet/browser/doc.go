// Package browser makes Go's kind of things of a browser's: streams of bytes of its
// sockets, and errors and values of its promises. It is empty elsewhere.
//
// coder/websocket and pion have bindings too. With them the program that a page loads
// would have 2.3 MB in place of 1.6, compressed, as they need net/http and crypto/tls;
// pion's do not keep the order of messages, as each has a goroutine of its own, and
// neither bounds what waits to be sent.
package browser
