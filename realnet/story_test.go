//go:build !js

package realnet

import (
	"os"
	"testing"
	"testing/synctest"

	"peernet/actors/hosttest"
)

// The events of a scenario whose order is determined are those of every host.
func TestHostStory(t *testing.T) {
	want, err := os.ReadFile("../actors/hosttest/testdata/story.txt")
	if err != nil {
		t.Fatal(err)
	}
	hosttest.Story(t, synctest.Test, string(want), func(t testing.TB) hosttest.Host {
		return &testHost{host: NewHost(nil), nodes: map[int]*testNode{}, fake: true}
	})
}
