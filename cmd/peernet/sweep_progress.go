package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"peernet/sim/sweep"
)

// failuresShown is how many failed points of a sweep are told of with what they
// wrote; of others the name is shown.
const failuresShown = 10

// A sweepProgress shows how far a sweep is: a bar on a terminal, lines elsewhere.
type sweepProgress struct {
	out     io.Writer
	bars    *mpb.Progress
	bar     *mpb.Bar
	rerun   func(sweep.Point) string
	last    sweep.Progress
	started time.Time
	printed time.Time
}

func newSweepProgress(out io.Writer, rerun func(sweep.Point) string) *sweepProgress {
	p := &sweepProgress{out: out, rerun: rerun, started: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithAutoRefresh())
		p.out = p.bars // lines go above the bar
	}
	return p
}

// update is called by one goroutine at a time.
func (p *sweepProgress) update(now sweep.Progress) {
	first := p.last.Total == 0
	p.last = now
	if first && now.Resumed > 0 {
		fmt.Fprintf(p.out, "%d of %d points were done before\n", now.Resumed, now.Total)
	}
	if now.Failure != nil {
		p.failed(now.Failure)
	}
	ended := now.Done + now.Failed
	if p.bars != nil {
		p.draw(ended)
		return
	}
	if !first && (time.Since(p.printed) >= plainEvery || ended == now.Total) {
		p.printed = time.Now()
		fmt.Fprintf(p.out, "%d of %d points, %s\n", ended, now.Total, timeLeft(time.Since(p.started), ended-now.Resumed, now.Total-ended))
	}
}

func (p *sweepProgress) draw(ended int) {
	if p.bar == nil {
		resumed, started := p.last.Resumed, p.started // the bar draws itself in its own time
		p.bar = p.bars.AddBar(int64(p.last.Total),
			mpb.PrependDecorators(decor.CountersNoUnit("%d of %d points ")),
			mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Name("  "), decor.Any(func(s decor.Statistics) string {
				return timeLeft(time.Since(started), int(s.Current)-resumed, int(s.Total-s.Current))
			})),
			mpb.BarRemoveOnComplete())
		p.bar.SetRefill(int64(resumed))
	}
	p.bar.SetCurrent(int64(ended))
}

// timeLeft says how long the points that are left take, if they take as long as those
// that have ended did.
func timeLeft(elapsed time.Duration, ended, left int) string {
	switch {
	case left == 0:
		return "no time left"
	case ended == 0:
		return "time left unknown"
	}
	rest := time.Duration(float64(elapsed) / float64(ended) * float64(left))
	return rest.Round(time.Second).String() + " left"
}

// failed tells of a point that failed.
func (p *sweepProgress) failed(f *sweep.Failure) {
	fmt.Fprintf(p.out, "failed: %s\n", f.Point.Name)
	if p.last.Failed > failuresShown {
		return
	}
	fmt.Fprintf(p.out, "  %s\n  rerun: %s\n", strings.ReplaceAll(plain(f.Err), "\n", "\n  "), p.rerun(f.Point))
}

// end takes the display away.
func (p *sweepProgress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
	}
	if p.bars != nil {
		p.bars.Wait()
	}
}
