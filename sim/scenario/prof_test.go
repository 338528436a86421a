package scenario

import "testing"

func TestProf(t *testing.T) {
	run(t, builtin(t, "flood", "nodes=100000", "messages=40"), Options{Workers: 1})
}
