//go:build !js

package realnet_test

import (
	"testing"

	"peernet/realnet/browser/browsertest"
)

// The suite that every host passes, in a browser: with mailboxes of its own, and the
// browser's peer connections.
func TestHostInBrowser(t *testing.T) {
	browsertest.Package(t, "peernet/realnet", "-test.run=^TestHost", "-test.parallel=16")
}
