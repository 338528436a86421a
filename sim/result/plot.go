package result

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a figure, in points. It is drawn at about this size, in pixels, on a
// telephone and in a column of a wide window, so that its text can be read in both.
const (
	figureWidth  = 360
	figureHeight = 212
	textSize     = 11
)

// What is drawn has one of these colours, each of which stands for a variable of
// the style sheet: which colour it really is depends on the reader's theme. None is
// black, which the SVG would not mention.
var (
	inkText  = color.RGBA{R: 1, A: 255}
	inkGrid  = color.RGBA{R: 2, A: 255}
	inkMark  = color.RGBA{R: 3, A: 255}
	inkOne   = color.RGBA{R: 4, A: 255}
	inkTwo   = color.RGBA{R: 5, A: 255}
	themable = strings.NewReplacer(
		"#010000", "var(--quiet)",
		"#020000", "var(--grid)",
		"#030000", "var(--mark)",
		"#040000", "var(--one)",
		"#050000", "var(--two)",
		// The style sheet has a list of fonts with these metrics.
		"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "",
	)
)

// An axis is the range and the name of one axis.
type axis struct {
	label    string
	min, max float64
	whole    bool // there are no values between whole numbers
}

// newPlot returns a plot of this look.
func newPlot(x, y axis) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []struct {
		to   *plot.Axis
		from axis
	}{{&p.X, x}, {&p.Y, y}} {
		a.to.Min, a.to.Max = a.from.min, a.from.max
		if a.to.Max <= a.to.Min {
			a.to.Max = a.to.Min + 1
		}
		a.to.Label.Text = a.from.label
		a.to.Color = inkGrid
		a.to.Padding = 0
		a.to.Tick.Marker = ticks(a.from.whole)
		a.to.Tick.Length = 4
		a.to.Tick.Color = inkGrid
		a.to.Label.Padding = 4
		for _, style := range []*draw.TextStyle{&a.to.Label.TextStyle, &a.to.Tick.Label} {
			style.Color = inkText
			style.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
		}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal = draw.LineStyle{Color: inkGrid, Width: 0.7}
	p.Add(grid)
	return p
}

// svg draws a plot as an element of a page. Nothing in it comes from the text of a
// run but numbers, and names of columns, which are letters.
func svg(p *plot.Plot) (template.HTML, error) {
	c := vgsvg.New(figureWidth, figureHeight)
	// Room for half a number at the right, and for those of marks at the top.
	p.Draw(draw.Crop(draw.New(c), 0, -textSize, 0, -textSize-2))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	// The page has a head of its own: no size, so that it fits, and no name space,
	// which HTML does without.
	_, body, ok := strings.Cut(b.String(), "<g ")
	if !ok {
		return "", fmt.Errorf("unexpected SVG")
	}
	head := fmt.Sprintf(`<svg viewBox="0 0 %d %d" aria-hidden="true">`, figureWidth, figureHeight)
	return template.HTML(head + "<g " + themable.Replace(body)), nil
}

// ticks marks an axis at some five round numbers, whole ones if true.
type ticks bool

// Ticks implements [plot.Ticker].
func (whole ticks) Ticks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, m := range []float64{5, 2} {
		if (high-low)/(m*step) >= 4 {
			step *= m
			break
		}
	}
	if whole {
		step = max(1, step)
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var all []plot.Tick
	// By whole numbers, so that rounding does not add up; and bounded, where steps
	// are lost in the size of the numbers.
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9 && len(all) < 20; i++ {
		v := i*step + 0 // never −0
		all = append(all, plot.Tick{Value: v, Label: tickLabel(v, digits)})
	}
	return all
}

// tickLabel is a short text for a number: from ten thousand on with a prefix of the
// SI.
func tickLabel(v float64, digits int) string {
	for _, prefix := range []struct {
		size float64
		sign string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= prefix.size && math.Abs(v) >= 1e4 {
			return strconv.FormatFloat(math.Round(v/prefix.size*1000)/1000, 'f', -1, 64) + prefix.sign
		}
	}
	if digits > 6 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// drawable reports whether a number can be drawn: what is larger would be lost in
// the arithmetic of axes.
func drawable(v float64) bool { return math.Abs(v) <= 1e15 }

// pointsMax is how many points of a line are drawn.
const pointsMax = 800

// addLine adds a line through points, with gaps where there is no value.
func addLine(p *plot.Plot, x, y []float64, ink color.Color, dashed bool) {
	x, y = thin(x, y)
	style := draw.LineStyle{Color: ink, Width: 1.6}
	if dashed {
		style.Dashes = []vg.Length{5, 3}
	}
	var run plotter.XYs
	flush := func() {
		switch len(run) {
		case 0:
		case 1: // a line of one point would not be seen
			p.Add(&plotter.Scatter{XYs: run, GlyphStyle: dot(ink)})
		default:
			p.Add(&plotter.Line{XYs: run, LineStyle: style})
		}
		run = nil
	}
	for i := range x {
		if !drawable(x[i]) || !drawable(y[i]) {
			flush()
			continue
		}
		run = append(run, plotter.XY{X: x[i], Y: y[i]})
	}
	flush()
}

// dot is how single points are drawn.
func dot(ink color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: ink, Radius: 1.8, Shape: draw.CircleGlyph{}}
}

// addDots adds points that are not joined.
func addDots(p *plot.Plot, x, y []float64, ink color.Color) {
	x, y = thin(x, y)
	var points plotter.XYs
	for i := range x {
		if drawable(x[i]) && drawable(y[i]) {
			points = append(points, plotter.XY{X: x[i], Y: y[i]})
		}
	}
	p.Add(&plotter.Scatter{XYs: points, GlyphStyle: dot(ink)})
}

// thin leaves out points of a long line such that its look stays: of each group of
// points it keeps the lowest and the highest.
func thin(x, y []float64) (tx, ty []float64) {
	if len(x) <= pointsMax {
		return x, y
	}
	group := (len(x)*2 + pointsMax - 1) / pointsMax
	for from := 0; from < len(x); from += group {
		to := min(from+group, len(x))
		low, high := from, from
		for i := from; i < to; i++ {
			if y[i] < y[low] || math.IsNaN(y[low]) {
				low = i
			}
			if y[i] > y[high] || math.IsNaN(y[high]) {
				high = i
			}
		}
		for _, i := range []int{min(low, high), max(low, high)} {
			tx, ty = append(tx, x[i]), append(ty, y[i])
		}
	}
	return tx, ty
}

// addBars adds a histogram.
func addBars(p *plot.Plot, bars []bar) {
	bins := make([]plotter.HistogramBin, len(bars))
	for i, b := range bars {
		gap := (b.high - b.low) * 0.06
		bins[i] = plotter.HistogramBin{Min: b.low + gap, Max: b.high - gap, Weight: b.share}
	}
	p.Add(&plotter.Histogram{Bins: bins, FillColor: inkOne})
}

// numberedLines are vertical lines, numbered at their top.
type numberedLines struct {
	at    []float64
	style draw.LineStyle
	text  draw.TextStyle
}

// addMarks adds the marks of a run, at their times on the axis.
func addMarks(p *plot.Plot, at []float64) {
	text := p.X.Tick.Label
	text.Color = inkMark
	text.XAlign, text.YAlign = draw.XCenter, draw.YBottom
	p.Add(numberedLines{at, draw.LineStyle{Color: inkMark, Width: 1, Dashes: []vg.Length{2, 2}}, text})
}

// Plot implements [plot.Plotter].
func (n numberedLines) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	var taken []vg.Length // where numbers are
	for i, at := range n.at {
		if at < p.X.Min || at > p.X.Max {
			continue
		}
		line := x(at)
		c.StrokeLine2(n.style, line, c.Min.Y, line, c.Max.Y)
		if !slices.ContainsFunc(taken, func(t vg.Length) bool { return math.Abs(float64(t-line)) < 1.3*textSize }) {
			taken = append(taken, line)
			c.FillText(n.text, vg.Point{X: line, Y: c.Max.Y + 1}, strconv.Itoa(i+1))
		}
	}
}
