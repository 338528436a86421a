package actors

// An Event is something worth observing: a peer that came up, a message that
// was dropped and why. Events go to whoever watches the host; no actor sees
// them. The fields beyond Kind are filled where they make sense.
type Event struct {
	Kind    EventKind
	Peer    Ref     // the actor concerned
	Address Address // the address concerned
	Message Message // the message concerned
	N       int64   // a count or size; the event's documentation says which
	Text    string  // a remark for people
}

// An EventKind is a registered name of an event. Hosts count events by kind.
type EventKind uint16

// eventNames is filled by package initialisation and only read afterwards.
var eventNames = []string{"none"}

// RegisterEvent registers a name that is unique in the program, such as
// "gossip.duplicate". It is to be called from a package-level variable.
func RegisterEvent(name string) EventKind {
	for _, n := range eventNames {
		if n == name {
			panic("actors: event " + name + " registered twice")
		}
	}
	eventNames = append(eventNames, name)
	return EventKind(len(eventNames) - 1)
}

// String returns the registered name.
func (k EventKind) String() string { return eventNames[k] }

// EventKinds returns how many kinds are registered; they are numbered from 1
// to EventKinds()−1.
func EventKinds() int { return len(eventNames) }
