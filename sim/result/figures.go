package result

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// A figure is a plot of the report, or why there is none.
type figure struct {
	Title   string
	SVG     template.HTML
	Keys    []key  // what the lines are, if there are several
	Caption string // a sentence
	Missing string // instead of the SVG
}

// A key says what is drawn in one way.
type key struct{ Class, Text string }

// A timeUnit is what a time axis counts in.
type timeUnit struct {
	name    string
	seconds float64
}

// figures draws all figures of a run.
type figures struct {
	run   *Run
	unit  timeUnit
	start float64 // of the time axes, in the unit
	end   float64
	all   []figure
	err   error
}

func drawFigures(r *Run) ([]figure, error) {
	f := figures{run: r}
	f.span()
	f.coverage()
	f.distribution("Latency", "ms to the first receipt", "receipts", f.run.Latency, 0, "announces")
	f.distribution("Hops", "links to the first receipt", "receipts", f.run.Hops, 1, "announces")
	f.nodes()
	f.series("components", "Components over time", "connected components", true)
	f.series("bytes_per_node_per_s", "Traffic over time", "bytes/s per node", false)
	f.series("messages_per_node_per_s", "Messages over time", "messages/s per node", false)
	f.degrees()
	f.traffic()
	f.others()
	return f.all, f.err
}

// span finds what the time axes cover: all figures over time cover the same.
func (f *figures) span() {
	times := slices.Clone(f.run.Series.AtS)
	for _, m := range f.run.Messages {
		times = append(times, m.SentS)
	}
	for _, m := range f.run.Marks {
		times = append(times, m.AtS)
	}
	times = slices.DeleteFunc(times, func(t float64) bool { return !drawable(t) })
	f.unit = timeUnit{"s", 1}
	if len(times) == 0 {
		return
	}
	f.start, f.end = min(0, slices.Min(times)), slices.Max(times)
	for _, u := range []timeUnit{{"min", 60}, {"h", 3600}, {"d", 86400}} {
		if f.end-f.start >= 10*u.seconds {
			f.unit = u
		}
	}
	f.start /= f.unit.seconds
	f.end /= f.unit.seconds
}

func (f *figures) time() axis {
	return axis{label: "virtual time, " + f.unit.name, min: f.start, max: f.end}
}

// inUnit are times in seconds in the unit of the axes.
func (f *figures) inUnit(seconds []float64) []float64 {
	scaled := make([]float64, len(seconds))
	for i, s := range seconds {
		scaled[i] = s / f.unit.seconds
	}
	return scaled
}

// marks are the times of the marks, in the unit of the axes.
func (f *figures) marks() []float64 {
	var at []float64
	for _, m := range f.run.Marks {
		at = append(at, m.AtS/f.unit.seconds)
	}
	return at
}

// missing adds why there is no such figure.
func (f *figures) missing(title, why string) {
	f.all = append(f.all, figure{Title: title, Missing: why})
}

// line is one of a figure over time.
type line struct {
	name   string // empty if it is the only one
	x, y   []float64
	dots   bool // not joined
	dashed bool
}

// fitted is an axis from zero to what the values need.
func fitted(label string, whole bool) axis {
	return axis{label: label, min: math.NaN(), max: math.NaN(), whole: whole}
}

// overTime adds a figure of lines, the first of which is the most important. Ends
// of the axis of values that are NaN are fitted.
func (f *figures) overTime(fig figure, y axis, lines ...line) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for i, v := range l.y {
			if drawable(v) && drawable(l.x[i]) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		f.missing(fig.Title, "No value was measured.")
		return
	}
	if math.IsNaN(y.min) {
		y.min, y.max = min(0, low), high+(high-min(0, low))*0.05
	}
	p := newPlot(f.time(), y)
	if len(f.run.Marks) > 0 {
		addMarks(p, f.marks())
	}
	for i, l := range slices.Backward(lines) { // the most important one last, on top
		ink, class := inkOne, "one"
		if i > 0 {
			ink, class = inkTwo, "two"
		}
		if l.dots {
			addDots(p, l.x, l.y, ink)
		} else {
			addLine(p, l.x, l.y, ink, l.dashed)
		}
		if l.name != "" {
			fig.Keys = append([]key{{class, l.name}}, fig.Keys...)
		}
	}
	f.add(fig, p)
}

// coverage is how many nodes each announce reached.
func (f *figures) coverage() {
	const title = "Coverage of each announce"
	var x, y []float64
	sum, least := 0.0, math.Inf(1)
	for _, m := range f.run.Messages {
		if m.Kind == KindAnnounce && drawable(m.Coverage) {
			x, y = append(x, m.SentS/f.unit.seconds), append(y, 100*m.Coverage)
			sum += m.Coverage
			least = min(least, m.Coverage)
		}
	}
	if len(x) == 0 {
		f.missing(title, "No announce was sent.")
		return
	}
	fig := figure{Title: title, Caption: fmt.Sprintf("%s announces; mean %s %%, least %s %%.",
		grouped(strconv.Itoa(len(x))), short(100*sum/float64(len(x))), short(100*least))}
	f.overTime(fig, axis{label: "% of live nodes", min: 0, max: max(100, slices.Max(y))}, line{x: x, y: y, dots: true})
}

// distribution adds the figure of a histogram.
func (f *figures) distribution(title, x, of string, bins []Bin, step float64, missing string) {
	d := distribute(bins, step)
	if d.total == 0 {
		f.missing(title, fmt.Sprintf("No %s of %s were counted.", of, missing))
		return
	}
	fig := figure{Title: title, Caption: fmt.Sprintf("%s %s; median %s, 99 %% within %s.",
		grouped(strconv.FormatFloat(d.total, 'f', 0, 64)), of, f.value(d.median, step), f.value(d.p99, step))}
	if d.beyond >= 1 {
		fig.Caption += fmt.Sprintf(" %s are beyond the axis, the last at %s.", grouped(strconv.FormatFloat(d.beyond, 'f', 0, 64)), f.value(d.max, step))
	}
	f.bars(fig, x, "share of "+of, d, step)
}

// value is a number of a distribution as text: a whole step, if it has steps.
func (f *figures) value(v, step float64) string {
	if step > 0 {
		return short(math.Ceil(v/step-1) * step)
	}
	return short(v)
}

func (f *figures) bars(fig figure, x, y string, d distribution, step float64) {
	if step > 0 { // a bar of one value stands over its number
		for i := range d.bars {
			d.bars[i].low -= step / 2
			d.bars[i].high -= step / 2
		}
	}
	high := 0.0
	for _, b := range d.bars {
		high = max(high, b.share)
	}
	p := newPlot(axis{x, d.bars[0].low, d.bars[len(d.bars)-1].high, step > 0}, axis{y, 0, high * 1.05, false})
	addBars(p, d.bars)
	f.add(fig, p)
}

// add draws a plot.
func (f *figures) add(fig figure, p *plot.Plot) {
	var err error
	if fig.SVG, err = svg(p); err != nil && f.err == nil {
		f.err = fmt.Errorf("%s: %w", fig.Title, err)
	}
	f.all = append(f.all, fig)
}

// degrees is how many connections nodes have at the end.
func (f *figures) degrees() {
	var values []float64
	for i := range f.run.Nodes {
		if n := &f.run.Nodes[i]; n.Live {
			values = append(values, float64(n.Degree))
		}
	}
	if len(values) == 0 {
		f.missing("Degree", "No node was live at the end.")
		return
	}
	f.distribution("Degree", "connections in use, to anybody", "live nodes", binned(values, true), 1, "")
}

// traffic is how much each honest node sends: what is hostile sends by its own rate.
func (f *figures) traffic() {
	var values []float64
	for i := range f.run.Nodes {
		if n := &f.run.Nodes[i]; n.UpS > 0 && n.Role == "" {
			values = append(values, float64(n.SentBytes)/n.UpS)
		}
	}
	if len(values) == 0 {
		f.missing("Traffic of each node", "No node was ever live.")
		return
	}
	f.distribution("Traffic of each node", "bytes/s while it was live", "nodes", binned(values, false), 0, "")
}

// nodes is how many nodes are live, and how many of them are in the largest
// component: where the lines part, the network is split.
func (f *figures) nodes() {
	const title = "Live nodes over time"
	live, share := f.run.Series.Column("live"), f.run.Series.Column("largest_component")
	if live == nil {
		f.missing(title, "The series has no column live.")
		return
	}
	x := f.inUnit(f.run.Series.AtS)
	if share == nil {
		f.overTime(figure{Title: title}, fitted("nodes", true), line{x: x, y: live})
		return
	}
	largest := make([]float64, len(live))
	for i := range live {
		largest[i] = live[i] * share[i]
	}
	f.overTime(figure{Title: title}, fitted("nodes", true),
		line{name: "in the largest component", x: x, y: largest},
		line{name: "live", x: x, y: live, dashed: true})
}

// series adds the figure of one column.
func (f *figures) series(name, title, label string, whole bool) {
	values := f.run.Series.Column(name)
	if values == nil {
		f.missing(title, fmt.Sprintf("The series has no column %s.", name))
		return
	}
	f.overTime(figure{Title: title}, fitted(label, whole), line{x: f.inUnit(f.run.Series.AtS), y: values})
}

// othersMax is how many figures of other columns there are.
const othersMax = 30

// others are the columns of which the report knows nothing but the name, without those
// in which nothing happens.
func (f *figures) others() {
	known := []string{"live", "components", "largest_component", "bytes_per_node_per_s", "messages_per_node_per_s"}
	drawn := 0
	var still []string
	for _, c := range f.run.Series.Columns {
		n := nameOf(c.Name)
		switch {
		case slices.Contains(known, c.Name):
			continue
		case !slices.ContainsFunc(c.Values, func(v float64) bool { return v != 0 && !math.IsNaN(v) }):
			still = append(still, n.name)
			continue
		case drawn == othersMax:
			f.missing("Other columns", fmt.Sprintf("The first %d are drawn; series.parquet has all.", othersMax))
			return
		}
		drawn++
		f.series(c.Name, n.name, cmp.Or(n.unit, n.name), false)
	}
	if len(still) > 0 {
		f.missing("What did not happen", "Always 0: "+strings.Join(still, "; ")+".")
	}
}
