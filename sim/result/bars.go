package result

import (
	"math"
	"slices"
)

// A bar of a histogram as it is drawn.
type bar struct {
	low, high float64
	share     float64 // of all that was counted
}

// A distribution is a histogram that can be drawn.
type distribution struct {
	bars        []bar
	total       float64 // counted
	beyond      float64 // of those, above the last bar
	median, p99 float64
	max         float64
}

const (
	barsMax = 48
	// tail is the share of the largest values that is left out where they would
	// press all others together.
	tail = 0.001
)

// distribute makes a distribution of bins. Bins that are wider than a bar, or not in
// step with the bars, are spread over them evenly. If step is positive, values are
// multiples of it: no bar is narrower, and they begin at such.
func distribute(bins []Bin, step float64) (d distribution) {
	bins = slices.DeleteFunc(slices.Clone(bins), func(b Bin) bool { return !drawable(b.Low) })
	for i := range bins {
		if b := &bins[i]; b.High == 0 && step > 0 {
			b.High = b.Low + step
		}
		d.total += float64(bins[i].Count)
	}
	if d.total == 0 {
		return d
	}
	// Of a bin whose end is not known, only its beginning is certain.
	certain, ends := make([]float64, len(bins)), endsOf(bins)
	for i, b := range bins {
		if certain[i] = b.Low; b.High != 0 {
			certain[i] = ends[i]
		}
	}
	d.median, d.p99 = quantile(bins, certain, 0.5*d.total), quantile(bins, certain, 0.99*d.total)
	first := slices.IndexFunc(bins, func(b Bin) bool { return b.Count > 0 })
	last := len(bins) - 1
	for bins[last].Count == 0 {
		last--
	}
	d.max = ends[last]
	low, high := bins[first].Low, ends[last]
	if cut := quantile(bins, ends, (1-tail)*d.total); high-low > 2*(cut-low) && cut > low {
		high = cut
	}
	width := (high - low) / barsMax
	if step > 0 {
		width = step * math.Ceil(width/step-1e-9)
		low = math.Floor(low/step) * step
	}
	d.bars = make([]bar, max(1, int(math.Ceil((high-low)/width-1e-9))))
	for i := range d.bars {
		d.bars[i] = bar{low: low + float64(i)*width, high: low + float64(i+1)*width}
	}
	d.fill(bins, ends, width)
	return d
}

// endsOf is where bins end to be drawn. One that does not say it is as wide as the
// narrowest gap from there on: bins get no narrower.
func endsOf(bins []Bin) []float64 {
	ends := make([]float64, len(bins))
	gap := 1e-3
	if n := len(bins); n > 1 {
		gap = bins[n-1].Low - bins[n-2].Low
	}
	for i, b := range slices.Backward(bins) {
		if i+1 < len(bins) {
			gap = min(gap, bins[i+1].Low-b.Low)
		}
		ends[i] = b.Low + gap
		if b.High != 0 && drawable(b.High) {
			ends[i] = b.High
		}
	}
	return ends
}

// fill spreads the bins over the bars.
func (d *distribution) fill(bins []Bin, ends []float64, width float64) {
	low := d.bars[0].low
	for i, b := range bins {
		if b.Count == 0 {
			continue
		}
		share := float64(b.Count) / d.total
		from, to := (b.Low-low)/width, (ends[i]-low)/width // in bars
		to = max(to, from+1e-6)                            // however narrow, it is somewhere
		for k := max(0, int(from+1e-9)); float64(k) < to-1e-9; k++ {
			part := share * (min(to, float64(k+1)) - max(from, float64(k))) / (to - from)
			if k >= len(d.bars) {
				d.beyond += share * (to - max(from, float64(k))) / (to - from) * d.total
				break
			}
			d.bars[k].share += part
		}
	}
}

// quantile is the value below which that many were counted, with those of a bin
// spread over it evenly.
func quantile(bins []Bin, ends []float64, rank float64) float64 {
	for i, b := range bins {
		n := float64(b.Count)
		if n > 0 && rank <= n {
			return b.Low + (ends[i]-b.Low)*rank/n
		}
		rank -= n
	}
	return ends[len(ends)-1]
}

// binned counts values in bins that are narrow next to bars, or whole numbers if
// whole.
func binned(values []float64, whole bool) []Bin {
	slices.Sort(values)
	values = slices.DeleteFunc(values, func(v float64) bool { return !drawable(v) })
	if len(values) == 0 {
		return nil
	}
	width := 1.0
	if !whole {
		// From most of the values: few that are far off must not make bins wide.
		most := values[int(float64(len(values)-1)*(1-tail))] - values[0]
		width = max(most/(8*barsMax), 1e-3, (values[len(values)-1]-values[0])/1e12)
	}
	low := math.Floor(values[0]/width) * width
	var bins []Bin
	last := -1.0
	for _, v := range values {
		i := math.Floor((v - low) / width)
		if i == last {
			bins[len(bins)-1].Count++
			continue
		}
		bins = append(bins, Bin{Low: low + i*width, High: low + (i+1)*width, Count: 1})
		last = i
	}
	return bins
}
