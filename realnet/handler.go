//go:build !js

package realnet

import "net/http"

// Handler accepts WebSocket peers inside a server of one's own. Behind a proxy,
// all peers seem to have the proxy's address; see [Access].
func (n *Node) Handler() http.Handler {
	accept := acceptWebSocket(n.process.accept)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-n.process.done:
			http.Error(w, "the node has ended", http.StatusServiceUnavailable)
		default:
			accept.ServeHTTP(w, r)
		}
	})
}
