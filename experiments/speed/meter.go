package speed

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"peernet/experiments/lab"
)

// A meter measures what a trial costs, of the whole process.
type meter struct {
	wall time.Time
	cpu  time.Duration
}

// begin gives back memory of earlier trials, and begins to measure.
func begin() meter {
	for range 3 { // interned addresses go one collection after who had them
		debug.FreeOSMemory()
	}
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) // the peak counts anew; where that cannot be, it is of the whole run
	return meter{time.Now(), cpu()}
}

// end reports the costs of a trial that delivered so many messages, and ran for so many CPU
// seconds after its start.
func (m meter) end(t *lab.Trial, deliveries uint64, run float64) {
	spent := (cpu() - m.cpu).Seconds()
	t.Cost("deliveries, M", float64(deliveries)/1e6)
	if spent > 0 && run > 0 { // else not known on this system
		t.Cost("M deliveries per CPU second", float64(deliveries)/1e6/spent)
		t.Cost("after the start", float64(deliveries)/1e6/run)
		t.Cost("CPU, s", spent)
	}
	t.Cost("wall, s", time.Since(m.wall).Seconds())
	if peak := peakMemory(); peak > 0 {
		t.Cost("peak memory, MiB", float64(peak)/(1<<20))
	}
}

// peakMemory is the peak of the resident memory in bytes, 0 where that is not known.
func peakMemory() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kib); n == 1 {
			return kib * 1024
		}
	}
	return 0
}
