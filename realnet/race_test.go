//go:build race && !js

package realnet_test

const raceEnabled = true
