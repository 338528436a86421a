package rumor

import (
	"errors"

	"peernet/actors"
)

// Start has a site hear the update from its user.
type Start struct{}

// An Update carries the update.
type Update struct{ Answer bool } // to a Poll, or to an Update of push-pull

// Poll asks for updates.
type Poll struct{}

// Feedback answers an Update.
type Feedback struct{ Needed bool }

// What sites send; messages are immutable, so that these do.
var (
	poll     = &Poll{}
	push     = &Update{}
	answer   = &Update{Answer: true}
	feedback = [2]*Feedback{{}, {Needed: true}}
)

var errBytes = errors.New("rumor: want one byte, 0 or 1")

var (
	startKind  = actors.RegisterMessage("rumor.start", nil)
	updateKind = actors.RegisterMessage("rumor.update", func(b []byte) (actors.Message, error) {
		is, err := flag(b)
		return &Update{is}, err
	})
	pollKind = actors.RegisterMessage("rumor.poll", func(b []byte) (actors.Message, error) {
		if len(b) > 0 {
			return nil, errBytes
		}
		return poll, nil
	})
	feedbackKind = actors.RegisterMessage("rumor.feedback", func(b []byte) (actors.Message, error) {
		is, err := flag(b)
		return &Feedback{is}, err
	})
)

func flag(b []byte) (bool, error) {
	if len(b) != 1 || b[0] > 1 {
		return false, errBytes
	}
	return b[0] == 1, nil
}

// Kind implements [actors.Message].
func (*Start) Kind() actors.Kind { return startKind }

// Append implements [actors.Message].
func (*Start) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Update) Kind() actors.Kind { return updateKind }

// Append implements [actors.Message].
func (m *Update) Append(b []byte) []byte { return append(b, byte(b2i(m.Answer))) }

// Kind implements [actors.Message].
func (*Poll) Kind() actors.Kind { return pollKind }

// Append implements [actors.Message].
func (*Poll) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Feedback) Kind() actors.Kind { return feedbackKind }

// Append implements [actors.Message].
func (m *Feedback) Append(b []byte) []byte { return append(b, byte(b2i(m.Needed))) }
