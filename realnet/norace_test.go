//go:build !race

package realnet_test

const raceEnabled = false
