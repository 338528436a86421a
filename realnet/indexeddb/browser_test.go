//go:build !js

package indexeddb_test

import (
	"testing"

	"peernet/realnet/browser/browsertest"
)

// The tests of this package run in a browser.
func TestInBrowser(t *testing.T) {
	browsertest.Package(t, "peernet/realnet/indexeddb", "-test.v")
}
