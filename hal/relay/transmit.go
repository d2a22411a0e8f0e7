package relay

import (
	"encoding/binary"
	"time"
)

// frameTime is how long the longest frame takes, flags included, nothing escaped.
func (e *engine) frameTime() time.Duration {
	return (headBytes + PayloadBytesMax + sumBytes + 2) * e.byteTime
}

// next is the frame to send now, if there is one; otherwise wake is when to ask again. What is
// handed out has to be told to sent. Ours is how many packets this end takes.
//
// No more than a frame lies in the system's buffer at any time: whatever is handed out later knows
// more, and an acknowledgement does not wait behind what it could have gone along with.
func (e *engine) next(now instant, ours int) (f Frame, ok bool, wake instant) {
	if ahead := e.free - e.frameTime(); now < ahead {
		return f, false, ahead
	}
	f = Frame{
		Kind: KindData, Session: e.session, Seq: e.base + byte(e.flying), Ack: e.expect,
		Early: e.earlyBits(), Room: byte(ours),
	}
	switch {
	case e.leaving > 0 && e.peer != 0:
		e.leaving--
		f.Kind, f.Payload = KindBye, []byte(e.farewell)
		return f, true, 0
	case e.leaving > 0:
		e.leaving = 0 // there is nobody to tell
	case e.greet || !e.up && now-e.called >= callEvery:
		e.greet, e.called = false, now
		f.Kind, f.Payload = KindHello, e.greeting()
		return f, true, 0
	case !e.up:
		return f, false, e.called + callEvery
	}
	wake = e.spoke + idleEvery
	for i := range e.queue[:e.flying] {
		p := &e.queue[i]
		due := p.left + e.repeatAfter(p.sends)
		switch {
		case p.here:
		case p.lost || now >= due:
			e.resent++
			return e.transmit(f, i), true, 0
		default:
			wake = min(wake, due)
		}
	}
	if e.flying < len(e.queue) && e.flying < min(window, e.room) {
		e.flying++
		return e.transmit(f, e.flying-1), true, 0
	}
	if e.owe || now-e.spoke >= idleEvery {
		return f, true, 0
	}
	return f, false, wake
}

// transmit fills in packet i of the queue.
func (e *engine) transmit(f Frame, i int) Frame {
	p := &e.queue[i]
	e.order++
	p.order, p.lost = e.order, false
	p.sends++
	f.Seq, f.Payload = e.base+byte(i), p.bytes
	return f
}

// sent notes that a frame of so many bytes was handed to the line.
func (e *engine) sent(f Frame, wireBytes int, now instant) {
	e.free = max(e.free, now) + time.Duration(wireBytes)*e.byteTime
	if len(f.Payload) <= shortBytes {
		e.spoke = now
	}
	if f.Kind != KindData {
		return
	}
	e.owe = false
	if i := int(f.Seq - e.base); len(f.Payload) > 0 && i < e.flying {
		e.queue[i].left = e.free
	}
}

func (e *engine) earlyBits() (bits byte) {
	for i := range window - 1 {
		if e.early[i] != nil {
			bits |= 1 << i
		}
	}
	return bits
}

// greeting is the payload of a hello: our number, the one we know of the other end, the version,
// and 1 when an answer is wanted.
func (e *engine) greeting() []byte {
	b := binary.BigEndian.AppendUint32(nil, e.self)
	b = binary.BigEndian.AppendUint32(b, e.peer)
	if e.up {
		return append(b, protocolVersion, 0)
	}
	return append(b, protocolVersion, 1)
}

// deaf ends a session in which nothing good has been heard for too long.
func (e *engine) deaf(now instant) (ended bool) {
	if e.peer == 0 || now-e.heard < deafAfter {
		return false
	}
	ended = e.up
	e.forget()
	return ended
}
