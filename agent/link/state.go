package link

import "fmt"

// State is where the line is.
//
//	        Dial          Connected          SignedOn
//	Down ---------> Dialling ------> SigningOn ------> Up
//	 ^                  |                |             |
//	 +---- Lost --------+------ Lost ----+---- Lost ---+
//
// Stop leads to Draining from anywhere, and Draining ends Down for good.
type State uint8

// The states of a line.
const (
	// Down: no line; the next dial waits for its turn.
	Down State = iota + 1
	// Dialling: one address is being tried.
	Dialling
	// SigningOn: the line is open, the host does not take payments yet.
	SigningOn
	// Up: payments and reversals go out.
	Up
	// Draining: stopping; what was asked may still be answered, nothing new is sent.
	Draining
)

// String names the state for status and logs.
func (s State) String() string {
	switch s {
	case Down:
		return "down"
	case Dialling:
		return "dialling"
	case SigningOn:
		return "signing on"
	case Up:
		return "up"
	case Draining:
		return "draining"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Event is what happens to a line.
type Event uint8

// The events.
const (
	// Dial: it is time to try an address.
	Dial Event = iota + 1
	// Connected: the address answered.
	Connected
	// SignedOn: the host takes payments. Follows Connected at once where there is no sign-on.
	SignedOn
	// Lost: refused, timed out, cut, or closed by the host.
	Lost
	// Stop: the agent is stopping.
	Stop
)

// Next is the state after an event; an event that means nothing in a state leaves it as it is.
func Next(s State, e Event) State {
	switch e {
	case Dial:
		if s == Down {
			return Dialling
		}
	case Connected:
		if s == Dialling {
			return SigningOn
		}
	case SignedOn:
		if s == SigningOn {
			return Up
		}
	case Lost:
		if s != Draining {
			return Down
		}
	case Stop:
		return Draining
	}
	return s
}
