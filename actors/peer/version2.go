package peer

import (
	"encoding/json"
	"strconv"

	"peernet/actors/wire"
)

// sizeDefaultV2 is how many addresses a version 2 request without a number
// asks for.
const sizeDefaultV2 = 10

// requestV2 is the data of a version 2 request for n addresses.
func requestV2(n int) string { return `{"size":` + strconv.Itoa(n) + `}` }

// wantedV2 reads how many addresses a version 2 request asks for. Peers of the
// original honour "limit" and send "size"; both are accepted, and nonsense
// asks for the default.
func wantedV2(b *wire.Body) uint32 {
	var keys struct{ Size, Limit float64 }
	if json.Unmarshal([]byte(b.Data), &keys) != nil {
		return sizeDefaultV2
	}
	n := keys.Size
	if n <= 0 {
		n = keys.Limit
	}
	switch {
	case n >= wire.AddressesMax:
		return wire.AddressesMax
	case n < 1:
		return sizeDefaultV2
	}
	return uint32(n)
}
