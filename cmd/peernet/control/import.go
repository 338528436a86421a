package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"peernet/actors/book"
)

// importers is how many entries of an import are written at a time: they share a
// sync of the disk.
const importers = 64

// load reads entries, and saves or learns them.
func (d *Daemon) load(c *call) error {
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	type line struct {
		Entry
		number int
	}
	entries := make(chan line)
	var group sync.WaitGroup
	for range importers {
		group.Go(func() {
			for e := range entries {
				err := d.enter(ctx, e.Entry)
				if errors.Is(err, book.ErrOwn) {
					continue // the node needs not be told of itself
				}
				if err != nil {
					cancel(fmt.Errorf("line %d: %w; lines before and some behind it are imported", e.number, err))
				}
			}
		})
	}
	lines := bufio.NewScanner(c.body)
	lines.Buffer(nil, lineMax)
	count, number := 0, 0
	for ctx.Err() == nil && lines.Scan() {
		number++
		if len(lines.Bytes()) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			cancel(fmt.Errorf("line %d is no entry of an export: %w", number, err))
			break
		}
		count++
		entries <- line{e, number}
	}
	close(entries)
	group.Wait()
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is no entry of an export: it has more than %d bytes", number+1, lineMax)
	}
	if err := errors.Join(context.Cause(ctx), lines.Err()); err != nil {
		return err
	}
	known, err := d.node.Len(ctx)
	if err != nil {
		return err
	}
	c.put(Imported{count, known})
	return nil
}

// enter adds an entry to the book. What it counted is not taken over: an address
// that somebody claims counts as untried.
func (d *Daemon) enter(ctx context.Context, e Entry) error {
	if e.Saved {
		return d.node.Save(ctx, e.Address)
	}
	return d.node.Learn(ctx, e.Address)
}
