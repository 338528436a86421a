//go:build !js

package realnet_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"peernet/actors"
	"peernet/realnet"
)

var killRounds = flag.Int("kill-rounds", 40, "rounds of TestKillLosesNothingAcknowledged")

func init() {
	children["saver"] = saver
}

// How many goroutines of a saver write, and to how many addresses each.
const savers, saverAddresses = 16, 50

func saverAddress(worker, i int) string { return fmt.Sprintf("tcp://10.%d.0.%d:80", worker, i) }

// saver saves and removes addresses until it is killed. It says of every change
// when it begins, and when it is acknowledged.
func saver(args []string, _ *bufio.Scanner) error {
	ctx := context.Background()
	n, err := realnet.Open(ctx, realnet.Config{Data: args[0], Peer: fast()})
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for w := range savers {
		group.Go(func() {
			for {
				a, op, change := saverAddress(w, rand.IntN(saverAddresses)), "save", n.Save
				if rand.IntN(3) == 0 {
					op, change = "remove", n.Remove
				}
				// One write each, so that a line is there or not.
				_, _ = os.Stdout.WriteString("begin " + op + " " + a + "\n")
				if err := change(ctx, a); err != nil {
					_, _ = os.Stdout.WriteString("error " + err.Error() + "\n")
					return
				}
				_, _ = os.Stdout.WriteString("done " + op + " " + a + "\n")
			}
		})
	}
	group.Wait()
	return nil
}

// What was acknowledged is there after kill -9 at any time, and the book opens.
// Every fourth round begins with a fresh directory.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	var s saves
	for round := range *killRounds {
		if round%4 == 0 {
			s.dir, s.saved, s.unsure = t.TempDir(), map[string]bool{}, map[string]bool{}
		}
		if err := s.round(t); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	t.Logf("%d rounds, %d changes acknowledged", *killRounds, s.changes)
}

// saves are what savers did in a directory.
type saves struct {
	dir     string
	saved   map[string]bool // as acknowledged
	unsure  map[string]bool // a change had begun when the process was killed
	changes int
}

// round runs a saver, kills it, and looks at what it has left.
func (s *saves) round(t *testing.T) error {
	c := startChild(t, "saver", s.dir)
	time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { _ = c.cmd.Process.Kill() })
	began := map[string]bool{}
	for c.out.Scan() {
		word := strings.Fields(c.out.Text())
		switch {
		case len(word) == 3 && word[0] == "begin":
			began[word[2]] = true
		case len(word) == 3 && word[0] == "done":
			s.saved[word[2]] = word[1] == "save"
			delete(began, word[2])
			delete(s.unsure, word[2])
			s.changes++
		default:
			return errors.New(c.out.Text())
		}
	}
	c.kill()
	maps.Copy(s.unsure, began)
	return s.check()
}

func (s *saves) check() (err error) {
	book, err := realnet.OpenBook(filepath.Join(s.dir, "book"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	for a, want := range s.saved {
		if s.unsure[a] {
			continue
		}
		at := actors.MustAddress(a)
		i, found := book.Find(at)
		if found != want || found && !book.At(i).Saved || !want && book.Barred(at) == 0 {
			return fmt.Errorf("%s is in the book: %v, acknowledged: %v", a, found, want)
		}
	}
	return nil
}
