//go:build race

package realnet_test

const raceEnabled = true
