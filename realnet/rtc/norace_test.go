//go:build !race

package rtc_test

const raceEnabled = false
