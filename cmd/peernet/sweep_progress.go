package main

import (
	"fmt"
	"io"
	"strings"

	"peernet/sim/sweep"
)

// failuresShown is how many failed points of a sweep are told of with what they
// wrote; of others the name is shown.
const failuresShown = 10

// A sweepProgress shows how far a sweep is, and which of its points failed.
type sweepProgress struct {
	*tally
	rerun func(sweep.Point) string
	last  sweep.Progress
}

func newSweepProgress(out io.Writer, rerun func(sweep.Point) string) *sweepProgress {
	return &sweepProgress{tally: newTally(out, "points", false), rerun: rerun}
}

// update is called by one goroutine at a time.
func (p *sweepProgress) update(now sweep.Progress) {
	first := p.last.Total == 0
	p.last = now
	if first && now.Resumed > 0 {
		p.resumed = now.Resumed
		fmt.Fprintf(p.out, "%d of %d points were done before\n", now.Resumed, now.Total)
	}
	if now.Failure != nil {
		p.failed(now.Failure)
	}
	if !first || p.bars != nil {
		p.tally.update(now.Done+now.Failed, now.Total)
	}
}

// failed tells of a point that failed.
func (p *sweepProgress) failed(f *sweep.Failure) {
	fmt.Fprintf(p.out, "failed: %s\n", f.Point.Name)
	if p.last.Failed > failuresShown {
		return
	}
	fmt.Fprintf(p.out, "  %s\n  rerun: %s\n", strings.ReplaceAll(plain(f.Err), "\n", "\n  "), p.rerun(f.Point))
}
