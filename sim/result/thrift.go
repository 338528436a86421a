package result

import (
	"encoding/binary"
	"errors"
)

// errFooter is why a description of a Parquet file is not given to the library.
var errFooter = errors.New("corrupt: the description of the file makes no sense")

// checkFooter makes sure that no list in a message of Thrift's compact protocol is
// longer than its bytes can be. The library makes room for as many elements as a
// list says it has: five bytes could ask for all memory there is, and running out
// of that is nothing a program survives.
func checkFooter(message []byte) error {
	rest, ok := skipStruct(message, 0)
	if !ok || len(rest) > 0 {
		return errFooter
	}
	return nil
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftStruct = 12
)

// depthMax is how deep structures may be nested.
const depthMax = 16

// skipStruct returns what follows a struct.
func skipStruct(b []byte, depth int) ([]byte, bool) {
	for depth < depthMax && len(b) > 0 {
		field := b[0]
		b = b[1:]
		if field == 0 {
			return b, true
		}
		var ok bool
		if field>>4 == 0 { // else the upper half is the difference to the last number
			if b, ok = skipVarint(b); !ok {
				return nil, false
			}
		}
		if kind := field & 15; kind != thriftTrue && kind != thriftFalse { // those are all in the type
			if b, ok = skipValue(b, kind, depth+1); !ok {
				return nil, false
			}
		}
	}
	return nil, false
}

// skipValue returns what follows a value, here one of a list for booleans. Maps, of
// which Parquet has none, are refused.
func skipValue(b []byte, kind byte, depth int) ([]byte, bool) {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return skipBytes(b, 1)
	case thriftDouble:
		return skipBytes(b, 8)
	case thriftI16, thriftI32, thriftI64:
		return skipVarint(b)
	case thriftBinary:
		length, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, false
		}
		return skipBytes(b[n:], length)
	case thriftStruct:
		return skipStruct(b, depth)
	case thriftList, thriftSet:
		return skipList(b, depth)
	default:
		return nil, false
	}
}

// skipList returns what follows a list, each element of which takes a byte at least.
func skipList(b []byte, depth int) ([]byte, bool) {
	if len(b) == 0 || depth >= depthMax {
		return nil, false
	}
	kind, size := b[0]&15, uint64(b[0]>>4)
	b = b[1:]
	if size == 15 {
		long, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, false
		}
		b, size = b[n:], long
	}
	if size > uint64(len(b)) {
		return nil, false
	}
	ok := true
	for i := uint64(0); i < size && ok; i++ {
		b, ok = skipValue(b, kind, depth+1)
	}
	return b, ok
}

func skipBytes(b []byte, n uint64) ([]byte, bool) {
	if n > uint64(len(b)) {
		return nil, false
	}
	return b[n:], true
}

func skipVarint(b []byte) ([]byte, bool) {
	_, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, false
	}
	return b[n:], true
}
