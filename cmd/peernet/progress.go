package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"peernet/sim/scenario"
)

// plainEvery is the time between two progress lines where there is no terminal.
const plainEvery = 5 * time.Second

// A progress shows how far a run is: a bar on a terminal, lines elsewhere.
type progress struct {
	out     io.Writer
	bars    *mpb.Progress
	bar     *mpb.Bar
	last    scenario.Progress
	started time.Time
	printed time.Time
	quiet   bool
}

// newProgress returns the progress display of a run. quiet shows a bar but no
// lines.
func newProgress(out io.Writer, quiet bool) *progress {
	p := &progress{out: out, quiet: quiet, started: time.Now(), printed: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithAutoRefresh())
	}
	return p
}

func (p *progress) update(now scenario.Progress) {
	p.last = now
	if p.bars != nil {
		if p.bar == nil {
			p.bar = p.bars.AddBar(now.Duration.Milliseconds(),
				mpb.PrependDecorators(decor.Any(func(s decor.Statistics) string {
					return fmt.Sprintf("%6.1f s of %.0f s ", float64(s.Current)/1000, float64(s.Total)/1000)
				})),
				mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Name("  left "), decor.AverageETA(decor.ET_STYLE_GO)),
				mpb.BarRemoveOnComplete())
		}
		p.bar.SetCurrent(now.Now.Milliseconds())
		return
	}
	if !p.quiet && time.Since(p.printed) >= plainEvery {
		p.printed = time.Now()
		fmt.Fprintf(p.out, "%6.1f s of %.0f s simulated, %d nodes live, %d deliveries, %.0f s elapsed\n",
			now.Now.Seconds(), now.Duration.Seconds(), now.Live, now.Deliveries, time.Since(p.started).Seconds())
	}
}

// end takes the display away.
func (p *progress) end(complete bool) {
	if p.bars == nil || p.bar == nil {
		return
	}
	if complete {
		p.bar.SetCurrent(p.last.Duration.Milliseconds())
	}
	p.bar.Abort(true)
	p.bars.Wait()
}
