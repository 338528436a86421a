package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// A tally shows how many of a number of things are done: a bar on a terminal, lines
// elsewhere.
type tally struct {
	out     io.Writer // for lines of others: above the bar, if there is one
	what    string    // the things, such as points
	quiet   bool      // shows a bar but no lines
	resumed int       // things that were done before
	bars    *mpb.Progress
	bar     *mpb.Bar
	started time.Time
	printed time.Time
}

func newTally(out io.Writer, what string, quiet bool) *tally {
	t := &tally{out: out, what: what, quiet: quiet, started: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithAutoRefresh())
		t.out = t.bars
	}
	return t
}

// update is called by one goroutine at a time.
func (t *tally) update(done, total int) {
	if t.bars != nil {
		if t.bar == nil {
			t.add(total)
		}
		t.bar.SetCurrent(int64(done))
		return
	}
	if !t.quiet && (time.Since(t.printed) >= plainEvery || done == total) {
		t.printed = time.Now()
		fmt.Fprintf(t.out, "%d of %d %s, %s\n", done, total, t.what, timeLeft(time.Since(t.started), done-t.resumed, total-done))
	}
}

// add makes the bar.
func (t *tally) add(total int) {
	resumed, started := t.resumed, t.started // the bar draws itself in its own time
	t.bar = t.bars.AddBar(int64(total),
		mpb.PrependDecorators(decor.CountersNoUnit("%d of %d "+t.what+" ")),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Name("  "), decor.Any(func(s decor.Statistics) string {
			return timeLeft(time.Since(started), int(s.Current)-resumed, int(s.Total-s.Current))
		})),
		mpb.BarRemoveOnComplete())
	t.bar.SetRefill(int64(resumed))
}

// timeLeft says how long the things that are left take, if they take as long as those
// that are done did.
func timeLeft(elapsed time.Duration, done, left int) string {
	switch {
	case left == 0:
		return "no time left"
	case done == 0:
		return "time left unknown"
	}
	rest := time.Duration(float64(elapsed) / float64(done) * float64(left))
	return rest.Round(time.Second).String() + " left"
}

// end takes the display away.
func (t *tally) end() {
	if t.bar != nil {
		t.bar.Abort(true)
	}
	if t.bars != nil {
		t.bars.Wait()
	}
}
