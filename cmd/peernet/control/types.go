package control

import "time"

// A Request is what any of the requests may hold.
type Request struct {
	Address string `json:"address,omitempty"`
	Type    string `json:"type,omitempty"`
	Data    string `json:"data,omitempty"`
	Match   string `json:"match,omitempty"` // answer: the data of the requests to answer; empty is all
	Limit   uint32 `json:"limit,omitempty"` // announce, search: links to travel; 0 is no limit
	All     bool   `json:"all,omitempty"`   // log: what comes with every message too
}

// A Status says how a node is.
type Status struct {
	ID          string            `json:"id"`
	Network     string            `json:"network"`
	Version     string            `json:"version"`
	PID         int               `json:"pid"`
	Data        string            `json:"data"`
	UptimeS     float64           `json:"uptime_s"`
	Servers     []string          `json:"servers"`
	Observed    []string          `json:"observed"` // addresses under which peers see the node
	Outbound    int               `json:"outbound"`
	Inbound     int               `json:"inbound"`
	Known       int               `json:"known"`
	MemoryBytes uint64            `json:"memory_bytes"` // taken from the system, by the Go runtime
	Events      map[string]uint64 `json:"events"`       // since the start, by name
}

// A Server is where a node listens.
type Server struct {
	Address string `json:"address"`
}

// An Entry is an address of the book. Its times are left out if there was none.
type Entry struct {
	Address string     `json:"address"`
	Saved   bool       `json:"saved"`
	OK      uint32     `json:"ok"`
	Fail    uint32     `json:"fail"`
	Rx      uint32     `json:"rx"` // addresses received from it
	Tx      uint32     `json:"tx"` // addresses sent to it
	Seen    *time.Time `json:"seen,omitempty"`
	Tried   *time.Time `json:"tried,omitempty"`
}

// A Connection is a link in use.
type Connection struct {
	ID       string `json:"id"`
	Address  string `json:"address"` // where it can be reached, if that is known
	Remote   string `json:"remote"`
	Outbound bool   `json:"outbound"`
	// Transport is ws, wss, tcp, tls or webrtc.
	Transport string    `json:"transport"`
	Version   int       `json:"version"`
	Since     time.Time `json:"since"`
	Received  uint64    `json:"received_bytes"`
	Sent      uint64    `json:"sent_bytes"`
}

// A Message is an announce or a response that arrived.
type Message struct {
	Type   string `json:"type"`
	Data   string `json:"data"`                  // empty if it is no UTF-8
	Base64 string `json:"data_base64,omitempty"` // then this is the data
	Hops   int    `json:"hops"`                  // links that it travelled
}

// An Event is something that happened at the node.
type Event struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Address string    `json:"address,omitempty"`
	N       int64     `json:"n,omitempty"`
	Text    string    `json:"text,omitempty"`
}

// An Imported says what became of an import.
type Imported struct {
	Read  int `json:"read"`  // entries
	Known int `json:"known"` // addresses of the book afterwards
}

// failure is how an error travels.
type failure struct {
	Error string `json:"error"`
}
