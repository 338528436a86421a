// Package control is how the commands talk to a running daemon: HTTP with JSON
// over a Unix socket in the daemon's data directory, which its user alone may
// open.
//
// Requests are POST with a JSON object, all of whose fields are in [Request]; a
// success has status 200. What lists or goes on is answered by JSON objects, one
// on each line (known, connections, servers, search, answer, log); the rest by
// one object. A failure has another status and {"error": "..."}; one that comes
// after the first line, such a line.
//
//	/v1/status       Status
//	/v1/servers      one Server a line
//	/v1/listen       address; Server as bound
//	/v1/known        one Entry a line
//	/v1/stats        address; Entry
//	/v1/add          address
//	/v1/import       one Entry a line in the body; Imported
//	/v1/remove       address
//	/v1/connect      address; answers when the connection is in use
//	/v1/disconnect   address, or node id in hex
//	/v1/connections  one Connection a line
//	/v1/announce     type, data, limit
//	/v1/search       type, data, limit; one Message a line, until the client goes
//	/v1/answer       type, match, data; one Message a line for each request answered
//	/v1/watch        type, or all; one Message a line for each request that arrives
//	/v1/log          all; one Event a line, until the client goes
//	/v1/close        ends the daemon; answers when it drains
package control
