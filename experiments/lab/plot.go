package lab

import (
	"bytes"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Plot is a figure of a report.
type Plot struct {
	Name       string // of its file, without ending, such as residue
	Title      string
	X, Y       string // labels, with units
	LogX, LogY bool   // only positive values are drawn then
	Lines      []Line
}

// A Line is what is drawn in one colour.
type Line struct {
	Name   string
	Points []XY
	// Published draws marks that are not joined: numbers of a paper. Otherwise points
	// are joined, in their order.
	Published bool
	// Dashed is for closed forms.
	Dashed bool
}

// An XY is a point, with what it may be off, either way; 0 draws no bar.
type XY struct{ X, Y, Error float64 }

// Line returns a series of a case as a line.
func (c *CaseResult) Line(series, name string) (l Line) {
	l.Name = name
	if c == nil {
		return l
	}
	for _, s := range c.Series {
		if s.Name == series {
			for _, p := range s.Points {
				l.Points = append(l.Points, XY{X: p.X, Y: p.Y})
			}
		}
	}
	return l
}

// Across returns two lines over the cases that were run: the means of a measure, with
// three standard errors either way, and what was published of it. x says where a case is,
// or that it is not in the line.
func (r *Results) Across(measure, name string, x func(*CaseResult) (float64, bool)) []Line {
	ours, published := Line{Name: name}, Line{Name: name + ", published", Published: true}
	for _, c := range r.Cases {
		at, ok := x(c)
		if !ok {
			continue
		}
		if s := c.Measure(measure); s != nil {
			ours.Points = append(ours.Points, XY{at, s.Mean(), 3 * s.StandardError()})
		}
		for _, e := range c.Case.Expect {
			if e.Measure == measure && e.Published != "" {
				published.Points = append(published.Points, XY{X: at, Y: e.Published.Value()})
			}
		}
	}
	if len(published.Points) == 0 {
		return []Line{ours}
	}
	return []Line{ours, published}
}

// ByName says where a case is on an axis by its name, in which %g of the format stands for
// the number. A case of another name is not in the line.
func ByName(format string) func(*CaseResult) (float64, bool) {
	before, after, _ := strings.Cut(format, "%g")
	return func(c *CaseResult) (float64, bool) {
		text, is := strings.CutPrefix(c.Case.Name, before)
		text, ends := strings.CutSuffix(text, after)
		x, err := strconv.ParseFloat(text, 64)
		return x, is && ends && err == nil
	}
}

// colours are told apart by people who see few colours (Okabe and Ito, 2008).
var colours = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{230, 159, 0, 255}, {86, 180, 233, 255}, {90, 90, 90, 255},
}

// The size of a plot.
const (
	plotWidth  = 19 * vg.Centimeter
	plotHeight = 9 * vg.Centimeter
)

// bars reports whether it has bars of errors.
func (p *Plot) bars() bool {
	return slices.ContainsFunc(p.Lines, func(l Line) bool {
		return slices.ContainsFunc(l.Points, func(v XY) bool { return v.Error > 0 })
	})
}

// points returns how many points there are to draw.
func (p *Plot) points() (n int) {
	for _, l := range p.Lines {
		if !l.Dashed && !l.Published {
			n += len(l.Points)
		}
	}
	return n
}

// SVG draws the plot as a file of its own.
func (p *Plot) SVG() ([]byte, error) {
	g := plot.New()
	g.Title.Text, g.X.Label.Text, g.Y.Label.Text = p.Title, p.X, p.Y
	g.Title.Padding = vg.Points(8)
	g.BackgroundColor = color.White
	g.X.Tick.Marker, g.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	if p.LogX {
		g.X.Scale, g.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
	}
	if p.LogY {
		g.Y.Scale, g.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
	}
	for _, style := range []*draw.TextStyle{&g.Title.TextStyle, &g.X.Label.TextStyle, &g.Y.Label.TextStyle,
		&g.X.Tick.Label, &g.Y.Tick.Label, &g.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	g.Add(plotter.NewGrid())
	drawn := 0
	ink := -1
	for _, l := range p.Lines {
		if !l.Published || ink < 0 { // what was published has the colour of the line before
			ink++
		}
		drawn += p.add(g, l, colours[ink%len(colours)])
	}
	if drawn == 0 {
		g.X.Min, g.X.Max, g.Y.Min, g.Y.Max = 1, 2, 1, 2
		g.Title.Text += " (not measured)"
	}
	p.room(g)
	// The legend is beside the plot, where it covers no line.
	legend := g.Legend
	g.Legend = plot.NewLegend()
	legend.Top, legend.Left, legend.Padding = true, true, vg.Points(4)
	c := vgsvg.New(plotWidth, plotHeight)
	all := draw.Crop(draw.New(c), 4, -8, 4, -4)
	width := legend.Rectangle(all).Size().X*1.2 + vg.Points(4) // a machine's own font may be wider
	g.Draw(draw.Crop(all, 0, -width, 0, 0))
	legend.Draw(draw.Crop(all, all.Rectangle.Size().X-width+vg.Points(4), 0, 0, -g.Title.TextStyle.Height(p.Title)-g.Title.Padding))
	var b bytes.Buffer
	_, err := c.WriteTo(&b)
	// Fonts of the same widths, for machines that lack the first.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), err
}

// ticks are six or so, at round values.
func ticks(low, high float64) (all []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/6)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (high-low)/(m*step) <= 7 {
			step *= m
			break
		}
	}
	for k := math.Ceil(low / step); k*step <= high; k++ {
		v := k * step
		if math.Abs(v) < step/2 {
			v = 0
		}
		all = append(all, plot.Tick{Value: v, Label: tickLabel(v)})
	}
	return all
}

func tickLabel(v float64) string {
	if a := math.Abs(v); a > 0 && a < 1e-4 || a >= 1e7 {
		return strconv.FormatFloat(v, 'g', 5, 64)
	}
	return Format(v)
}

// logTicks are at all digits, with labels at powers of ten, and where these are few at
// 2 and 5 too.
func logTicks(low, high float64) (all []plot.Tick) {
	few := math.Log10(high/low) < 2.5
	for power := math.Floor(math.Log10(low)); power <= math.Log10(high); power++ {
		for digit := 1.0; digit < 10; digit++ {
			v, label := digit*math.Pow(10, power), ""
			if digit == 1 || few && (digit == 2 || digit == 5) {
				label = tickLabel(v)
			}
			if v >= low && v <= high {
				all = append(all, plot.Tick{Value: v, Label: label})
			}
		}
	}
	return all
}

// room gives a plot some around its values.
func (p *Plot) room(g *plot.Plot) {
	for _, a := range []struct {
		*plot.Axis
		log bool
		top float64
	}{{&g.X, p.LogX, 0.03}, {&g.Y, p.LogY, 0.05}} {
		if a.log {
			span := math.Log(a.Max / a.Min)
			if span == 0 {
				span = 1
			}
			a.Max *= math.Exp(a.top * span)
			a.Min /= math.Exp(0.03 * span)
			continue
		}
		span := a.Max - a.Min
		if span == 0 {
			span = max(1, math.Abs(a.Max))
		}
		a.Max += a.top * span
		if a.Min != 0 {
			a.Min -= 0.03 * span
		}
	}
}

// A cross marks what was published, over what it is compared with.
type cross struct{}

// DrawGlyph implements [draw.GlyphDrawer].
func (cross) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	line := draw.LineStyle{Color: s.Color, Width: 1.6}
	c.StrokeLine2(line, at.X-s.Radius, at.Y-s.Radius, at.X+s.Radius, at.Y+s.Radius)
	c.StrokeLine2(line, at.X-s.Radius, at.Y+s.Radius, at.X+s.Radius, at.Y-s.Radius)
}

// add draws a line, and returns how many points it has.
func (p *Plot) add(g *plot.Plot, l Line, ink color.RGBA) int {
	points := struct {
		plotter.XYs
		plotter.YErrors
	}{}
	for _, v := range l.Points {
		if p.LogX && v.X <= 0 || p.LogY && v.Y <= 0 || math.IsNaN(v.Y) || math.IsInf(v.Y, 0) {
			continue
		}
		low := v.Error
		if p.LogY {
			low = min(low, v.Y*0.9) // a bar to 0 has no place
		}
		points.XYs = append(points.XYs, plotter.XY{X: v.X, Y: v.Y})
		points.YErrors = append(points.YErrors, struct{ Low, High float64 }{low, v.Error})
	}
	if len(points.XYs) == 0 {
		return 0
	}
	shape := draw.GlyphDrawer(draw.CircleGlyph{})
	if l.Published {
		shape = cross{}
	}
	marks := &plotter.Scatter{XYs: points.XYs, GlyphStyle: draw.GlyphStyle{Color: ink, Radius: 2.5, Shape: shape}}
	if l.Published {
		marks.Radius = 4
		g.Add(marks)
		g.Legend.Add(l.Name, marks)
		return len(points.XYs)
	}
	style := draw.LineStyle{Color: ink, Width: 1.3}
	if l.Dashed {
		style.Dashes = []vg.Length{4, 3}
	}
	line := &plotter.Line{XYs: points.XYs, LineStyle: style}
	g.Add(line)
	if len(points.XYs) <= 30 && !l.Dashed {
		g.Add(marks)
	}
	for _, e := range l.Points {
		if e.Error > 0 {
			bars, err := plotter.NewYErrorBars(points)
			if err != nil {
				break
			}
			bars.LineStyle = draw.LineStyle{Color: ink, Width: 0.8}
			g.Add(bars)
			break
		}
	}
	g.Legend.Add(l.Name, line)
	return len(points.XYs)
}
