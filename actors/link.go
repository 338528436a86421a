package actors

import "errors"

// A Link is one end of a reliable, ordered stream of messages to another node.
//
// It belongs to one actor, its owner, and is used only inside that actor's
// Receive. Messages that arrive reach the owner as they are, with a zero
// [Context.Sender], and last of all one *LinkDown. Hosts run the decoder of
// the protocol, and deliver one message at a time however the bytes were
// batched; bytes that cannot be decoded arrive as one *LinkMalformed, after
// which nothing but *LinkDown follows.
//
// A host hands a link a bounded number of messages that its owner has not
// handled yet, and stops reading from the network beyond that.
type Link interface {
	// Bind sets the owner. What arrives before waits, bounded, until then.
	// Only the first Bind counts. A link bound to an actor that has ended is
	// closed.
	Bind(owner Ref)
	// Send queues m for the other end. It never blocks. The error is nil,
	// ErrLinkFull or, after Close or *LinkDown at the latest, ErrLinkClosed.
	Send(m Message) error
	// Close ends the link behind what was sent. The closer receives nothing
	// more, of what has arrived already or waited for Bind neither, and no
	// *LinkDown; the other end gets *LinkDown last.
	Close()
	// Remote is the address that the other end is seen from: the address
	// dialled, or for an accepted link the host and port it came from.
	Remote() Address
}

// Errors of [Link.Send].
var (
	ErrLinkFull   = errors.New("actors: link is full")
	ErrLinkClosed = errors.New("actors: link is closed")
)

// A Reason says why a link went down or never came up.
type Reason uint8

// The reasons of a [LinkDown].
const (
	ReasonClosed      Reason = iota + 1 // the other end closed it
	ReasonReset                         // broken: the other end or the path failed
	ReasonRefused                       // nobody listens at the address
	ReasonUnreachable                   // no way there, or what is there speaks something else
	ReasonTimeout                       // no answer in time
	ReasonCanceled                      // CancelDial
	ReasonUnsupported                   // the host has no transport for the address
	ReasonForbidden                     // the host must not have links with the address
)

var reasonNames = [...]string{"unknown", "closed", "reset", "refused", "unreachable", "timeout", "canceled", "unsupported", "forbidden"}

// String names the reason.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return reasonNames[0]
}

// A Decoder turns the bytes of one stream, split anyhow, into messages.
type Decoder interface {
	// Write takes the next bytes of the stream. It keeps what it needs of p.
	Write(p []byte) (int, error)
	// Next returns the next whole message, nil when more bytes are needed,
	// or an error after which the stream cannot be used.
	Next() (Message, error)
}
