// Package wire holds the messages that cross links and their codec: the
// version 2 wire of the JavaScript original, byte for byte, and the version 3
// that two peernet nodes agree on (VERSION3.md in this directory).
//
// A stream is a sequence of frames: a LEB128 length and a protobuf body. What
// a [Decoder] guarantees:
//
//   - It accepts any split or coalescing of the bytes, lengths that are not
//     minimal, and zero lengths, which it skips.
//   - It looks at a length before it allocates, and once Next has returned nil
//     holds one unfinished frame at most: FrameMax bytes and a prefix. A longer
//     frame, a length that is no varint, and a body that is no protobuf, or
//     uses groups, are errors, after which the stream cannot be used.
//   - A body that is well formed but means nothing valid (no id, an oversize
//     field) becomes an [Invalid], and the stream goes on.
//   - Fields and members that it does not know are skipped.
//
// Messages are immutable. What does not change on a message's way through the
// network, its [Body], is shared by all the frames that carry it, and its
// hash is computed once.
package wire
