package result

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func sum(bars []bar) (s float64) {
	for _, b := range bars {
		s += b.share
	}
	return s
}

// Bars are of one width and hold all that was counted, whatever the bins.
func TestDistributeLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		var bins []Bin
		low := rng.NormFloat64() * 100
		for range 1 + rng.IntN(200) {
			b := Bin{Low: low, Count: uint64(rng.IntN(50))}
			low += rng.ExpFloat64() * 10
			if rng.IntN(2) == 0 && low != 0 {
				b.High = b.Low + (low-b.Low)*(1-rng.Float64())
			}
			bins = append(bins, b)
		}
		bins[0].Count++
		total := 0.0
		for _, b := range bins {
			total += float64(b.Count)
		}
		d := distribute(bins, 0)
		if d.total != total || math.Abs(sum(d.bars)+d.beyond/total-1) > 1e-9 || d.beyond > tail*total*1.01+1e-9 {
			t.Fatalf("%v: %v in bars and %v beyond of %v, want %v", bins, sum(d.bars), d.beyond, d.total, total)
		}
		if len(d.bars) > barsMax || d.median > d.p99 || d.p99 > d.max {
			t.Fatalf("%d bars, median %v, 99 %% %v, max %v", len(d.bars), d.median, d.p99, d.max)
		}
	}
}

// Bins that get wider, as those of latencies do, do not make a distribution look
// other than it is: a uniform one is flat.
func TestDistributeIsFairToWideBins(t *testing.T) {
	var bins []Bin
	for low := 100.0; low < 1600; low *= 2 {
		bins = append(bins, Bin{low, 2 * low, uint64(low)})
	}
	d := distribute(bins, 0)
	for _, b := range d.bars {
		if math.Abs(b.share-1/float64(len(d.bars))) > 1e-9 {
			t.Errorf("from %v: %v", b.low, b.share)
		}
	}
	if d.median != 850 || d.max != 1600 {
		t.Errorf("median %v, max %v", d.median, d.max)
	}
}

// Between bins there may be gaps, where nothing was counted: they move no quantile.
// Where bins do not say where they end, quantiles are where bins begin.
func TestSparseBinsMoveNothing(t *testing.T) {
	for _, unknown := range []bool{false, true} {
		bins := []Bin{{80, 81, 10}, {99, 100, 25}, {150, 152, 14}, {900, 914, 1}}
		want := [][2]float64{{99, 100}, {900, 914}}
		if unknown {
			for i := range bins {
				bins[i].High = 0
			}
			want = [][2]float64{{99, 99}, {900, 900}}
		}
		d := distribute(bins, 0)
		for i, got := range []float64{d.median, d.p99} {
			if got < want[i][0] || got > want[i][1] {
				t.Errorf("unknown %v: quantile %d is %v, want from %v to %v", unknown, i, got, want[i][0], want[i][1])
			}
		}
		// Nothing is drawn where nothing was counted.
		for _, b := range d.bars {
			if b.low > 120 && b.high < 150 && b.share > 0 {
				t.Errorf("unknown %v: %v from %v to %v", unknown, b.share, b.low, b.high)
			}
		}
	}
}

// Whole numbers have a bar each, over themselves, as long as there is room, and
// those that do not occur have none.
func TestDistributeWholeNumbers(t *testing.T) {
	d := distribute(binned([]float64{3, 7, 3, 4}, true), 1)
	want := []bar{{3, 4, 0.5}, {4, 5, 0.25}, {5, 6, 0}, {6, 7, 0}, {7, 8, 0.25}}
	if !slices.Equal(d.bars, want) {
		t.Errorf("%v, want %v", d.bars, want)
	}
	var f figures
	if got := f.value(d.median, 1) + " " + f.value(d.p99, 1); got != "3 7" {
		t.Errorf("median and 99 %% are %s", got)
	}
	wide := make([]float64, 1000)
	for i := range wide {
		wide[i] = float64(i)
	}
	if d := distribute(binned(wide, true), 1); len(d.bars) > barsMax || d.bars[0].high-d.bars[0].low != 21 {
		t.Errorf("%d bars of %v", len(d.bars), d.bars[0].high-d.bars[0].low)
	}
}

// A few values far off do not press all others into one bar, and are counted.
func TestDistributeCutsTheTail(t *testing.T) {
	values := []float64{1e9, 2e9}
	for i := range 10_000 {
		values = append(values, float64(i%100))
	}
	d := distribute(binned(values, false), 0)
	if last := d.bars[len(d.bars)-1].high; last > 110 || math.Abs(d.beyond-2) > 10 || d.max < 1.9e9 {
		t.Errorf("bars to %v, %v beyond, the last at %v", last, d.beyond, d.max)
	}
}

// Axes have a few round numbers, in ascending order and within them.
func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		whole     bool
		want      []string
	}{
		{0, 60, false, []string{"0", "10", "20", "30", "40", "50", "60"}},
		{0, 1.05, false, []string{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{0.9, 1, false, []string{"0.90", "0.92", "0.94", "0.96", "0.98", "1.00"}},
		{0, 2.1, true, []string{"0", "1", "2"}},
		{0, 42000, false, []string{"0", "10k", "20k", "30k", "40k"}},
		{-3, 3, false, []string{"-3", "-2", "-1", "0", "1", "2", "3"}},
		{0, 2.5e6, false, []string{"0", "500k", "1M", "1.5M", "2M", "2.5M"}},
	} {
		var got []string
		for _, tick := range ticks(c.whole).Ticks(c.low, c.high) {
			got = append(got, tick.Label)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v to %v: %q, want %q", c.low, c.high, got, c.want)
		}
	}
}

// Numbers keep what tells something.
func TestReadable(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0", "999": "999", "1000": "1,000", "-1234567": "−1,234,567", "18446744073709551615": "18,446,744,073,709,551,615",
		"0.9609000000000001": "0.9609", "611081.3081368868": "611,081", "10.073333": "10.07", "0.00000123": "1.23e-06", "1e3": "1000", "1e400": "1e400",
	} {
		if got := readable(number); got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
}

// A long line keeps its peaks and its gaps.
func TestThin(t *testing.T) {
	x, y := make([]float64, 100_000), make([]float64, 100_000)
	for i := range x {
		x[i] = float64(i)
	}
	y[5000], y[77_777] = 9, -9
	for i := 20_000; i < 30_000; i++ {
		y[i] = math.NaN()
	}
	tx, ty := thin(x, y)
	gap := slices.IndexFunc(ty, math.IsNaN)
	if len(tx) > pointsMax || !slices.IsSorted(tx) || gap < 0 || !slices.Contains(ty, 9) || !slices.Contains(ty, -9) {
		t.Errorf("%d points, a gap at %d", len(tx), gap)
	}
}
