// Package realnet runs nodes of the peernet network over TCP, WebSocket and WebRTC,
// in programs of their own and in web pages.
//
//	node, err := realnet.Open(ctx, realnet.Config{
//		Listen:    []string{"ws://0.0.0.0:4000"},
//		Advertise: []string{"ws://203.0.113.5:4000"},
//		Bootstrap: []string{"ws://203.0.113.9:4000"},
//		Data:      "/var/lib/myprogram",
//	})
//
// [Open] starts a [Node], which finds its peers by itself. [Node.Announce] asks the
// network and yields the responses, [Node.Publish] says something without waiting,
// [Node.Requests] yields what others announce, each with a Reply, and [Node.Close]
// says goodbye. The rest is for its address book (Save, Remove, Known, Stats), its
// connections (Connect, Disconnect, Connections, Accept), where it listens, and what
// happens (Events). The package's examples are whole programs.
//
// It runs the actors of package peernet/actors on mailboxes of protoactor-go, over
// links that are streams of bytes.
//
// # Where things live
//
//   - [Host]: the mailboxes and the goroutines that work on them, shared by the
//     nodes of a process.
//   - process: the actors of one node, by [actors.Ref].
//   - cell: one actor on its mailbox; it is the [actors.Context] of that actor.
//   - link: one end of a stream, with a reader, a writer, and their bounds.
//   - [Transport]: how streams are opened and accepted, by the scheme of an
//     address.
//   - negotiator: how streams are opened where there is no address; package rtc
//     has WebRTC.
//   - platform.go and platform_js.go, mailbox.go and mailbox_js.go, websocket.go and
//     websocket_js.go: what differs in a browser. There is no listening, no TCP and no
//     protoactor-go there, and Config.Data names a database of IndexedDB.
//
// # What it guarantees
//
// All that package peernet/actors asks of a host; its suite hosttest runs here
// too. Besides:
//
//   - A link hands its owner at most [inboxMax] messages that were not handled
//     yet, and stops reading beyond that, so that the peer is held back.
//   - No link of a node is read while more than [crowdedMax] messages wait for one
//     of its actors.
//   - A link keeps at most [outboxMax] bytes that were not written yet. Beyond
//     that Send says [actors.ErrLinkFull].
//   - A node holds at most [acceptedMax] accepted links that no actor has taken
//     yet. Further ones are broken off.
//   - What is sent within a while goes out in one write.
//   - Nothing that is closed leaves a goroutine behind: Close of a [Host] waits
//     for all of them.
//   - A panic of an actor ends its node and is reported with its stack. Nothing
//     is restarted.
package realnet
