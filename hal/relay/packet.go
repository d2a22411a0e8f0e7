package relay

import (
	"errors"
	"fmt"
)

// errFlooded ends a call whose other end does not heed how much room it was given.
var errFlooded = errors.New("more arrived than there was room for")

// say queues a packet about a call. More than controlMax means that the other end opens and closes
// without taking the answers: it gets a new session.
func (l *Line) say(kind, id byte, text string) {
	if len(l.control) >= controlMax {
		l.control = nil
		l.engine.forget()
		l.dropCall(errors.New("too much waits"))
		return
	}
	p := append([]byte{kind, id}, text[:min(len(text), dataBytesMax)]...)
	l.control = append(l.control, p)
}

// dropCall breaks the call there is, without a word to the other end.
func (l *Line) dropCall(cause error) {
	if l.call != nil {
		l.call.fail(cause)
	}
}

// packet does what a packet says. What makes no sense is passed over: it comes from a call that is
// no more, or from an end that is wrong, and neither must stop the relay.
func (l *Line) packet(p []byte) error {
	if len(p) < 2 {
		return nil
	}
	kind, id, body := p[0], p[1], p[2:]
	switch kind {
	case packetOffer:
		if len(l.offers) < offersMax {
			l.offers = append(l.offers, printable(string(body)))
		}
		return nil
	case packetOffered:
		offers := l.offers
		l.offers = nil
		if l.options.Offered == nil {
			return nil
		}
		if err := l.options.Offered(offers); err != nil {
			l.leaving, l.refusal = true, err
			l.engine.leave(err.Error())
		}
		return nil
	case packetOpen:
		l.opened(id, string(body))
		return nil
	}
	if c := l.call; c != nil && c.id == id {
		c.packet(kind, body)
	}
	return nil
}

// opened takes a call from the other end. It replaces the one there is.
func (l *Line) opened(id byte, address string) {
	l.dropCall(errors.New("another call was opened"))
	c := &Call{line: l, id: id, address: address, state: calling, wait: make(chan struct{})}
	select {
	case l.calls <- c:
		l.call = c
	default: // the one before has not even been looked at
		l.say(packetRefused, id, "busy")
	}
}

// packet does what a packet says to this call.
func (c *Call) packet(kind byte, body []byte) {
	switch kind {
	case packetAccepted:
		if c.state == calling {
			c.state = through
		}
	case packetRefused:
		c.fail(fmt.Errorf("refused: %s", printable(string(body))))
		return
	case packetData:
		if len(c.kept)+len(body) > keptBytesMax+window*PayloadBytesMax {
			c.line.say(packetReset, c.id, errFlooded.Error())
			c.fail(errFlooded)
			return
		}
		c.kept = append(c.kept, body...)
	case packetEnd:
		c.ended = true
	case packetReset:
		c.fail(fmt.Errorf("reset: %s", printable(string(body))))
		return
	}
	c.changed()
}
