package relay

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// window is how many packets may be under way at once: more than a line of 115200 baud holds
// between two acknowledgements, and few enough that a line of 9600 is not booked out for seconds.
// It is also the number of bits in Frame.Early.
const window = 8

// waitingMax is how many packets wait behind those under way, so that one message of a host fits
// in whole.
const waitingMax = 24

const (
	// callEvery is the time between two greetings.
	callEvery = 500 * time.Millisecond
	// idleEvery is how long an end goes without a short frame: in noise that tears every long one
	// these still get through, and say that the line lives.
	idleEvery  = time.Second
	shortBytes = 16
	// deafAfter is how long an end hears nothing good before it greets anew: a few times what a
	// noisy line needs for one frame.
	deafAfter = 8 * time.Second
	// answerMargin is what adapters, drivers and schedulers add to the time on the wire: a USB
	// adapter alone keeps bytes for 16 ms.
	answerMargin = 80 * time.Millisecond
	// patientSends is how often a packet is sent before the wait for its acknowledgement grows.
	patientSends = 20

	// repeatMax is the longest wait before a packet is sent again.
	repeatMax = 2 * time.Second
)

// bitsPerByte on a line: start, eight, stop.
const bitsPerByte = 10

// protocolVersion is in every greeting; ends of different versions do not talk.
const protocolVersion = 1

// instant is a time since the line began.
type instant = time.Duration

// engine numbers, acknowledges and repeats packets for one end. It is pure: frames and times come
// in, frames come out. A packet that was offered arrives once, whole and in order, or the session
// ends and both ends know.
type engine struct {
	self    uint32 // this end's number, new with every start; never 0
	peer    uint32 // the other end's; 0: not known
	up      bool   // the other end has named our number: packets may go
	session uint16
	ended   string // what the other end said when it left; empty: it has not

	heard    instant // when a good frame came last
	spoke    instant // when a short frame was handed out last
	called   instant // when a greeting was
	greet    bool    // the other end waits for a greeting
	leaving  int     // farewells still to be sent
	farewell string

	queue   []packet // queue[0] has the number base; the first flying of them were sent
	base    byte
	flying  int
	order   uint64 // counts transmissions
	arrived uint64 // the latest transmission known to have arrived
	room    int    // how many the other end takes from base on

	expect   byte
	early    [window][]byte // early[i] is packet expect+1+i, nil: not here
	owe      bool           // an acknowledgement
	byteTime time.Duration  // of one byte on the wire
	free     instant        // when all that was handed out will have left

	srtt, rttvar time.Duration

	resent int // packets sent more than once, for people
}

// packet is one numbered note and what is known about its way.
type packet struct {
	bytes []byte
	left  instant // when its last transmission will have left the wire
	order uint64  // of its last transmission; 0: never sent
	sends int
	here  bool // it has arrived early
	lost  bool // a later one has arrived: it is gone
}

func newEngine(self uint32, baud int) *engine {
	return &engine{
		self: max(self, 1), byteTime: bitsPerByte * time.Second / time.Duration(baud),
		room: window, called: -callEvery,
	}
}

// offer takes a packet to be sent; false: as many wait as may, or there is no session.
func (e *engine) offer(b []byte) bool {
	if !e.up || len(e.queue) >= window+waitingMax || e.leaving > 0 {
		return false
	}
	e.queue = append(e.queue, packet{bytes: b})
	return true
}

// leave ends the session from this side: the farewell goes out a few times, as nobody answers it.
func (e *engine) leave(why string) {
	const farewells = 5
	e.farewell, e.leaving = why[:min(len(why), PayloadBytesMax)], farewells
	e.queue, e.flying = nil, 0
}

// receive takes a frame, and gives the packets that are now in order. Begun says that a session has
// ended: whatever was under way in it is lost.
func (e *engine) receive(f Frame, now instant) (packets [][]byte, begun bool) {
	switch f.Kind {
	case KindHello:
		return nil, e.greeted(f, now)
	case KindBye:
		if f.Session == e.session && e.peer != 0 && e.ended == "" {
			e.ended = string(f.Payload)
			if e.ended == "" {
				e.ended = "the other end has left"
			}
		}
	case KindData:
		if !e.up || f.Session != e.session {
			return nil, false // from before a restart
		}
		e.heard = now
		e.acknowledged(f, now)
		return e.take(f), false
	}
	return nil, false
}

// greetingBytes is the size of a hello's payload.
const greetingBytes = 10

func (e *engine) greeted(f Frame, now instant) (begun bool) {
	if len(f.Payload) != greetingBytes || f.Payload[8] != protocolVersion {
		return false
	}
	peer := binary.BigEndian.Uint32(f.Payload)
	echo := binary.BigEndian.Uint32(f.Payload[4:])
	if peer == 0 || peer == e.self {
		return false // our own voice, sent back
	}
	e.heard = now
	if peer != e.peer { // it has started, or started anew
		begun = e.up
		e.reset()
		e.peer = peer
		e.session = sessionOf(e.self, peer)
	}
	if echo == e.self {
		e.up = true
	}
	if f.Payload[9] != 0 {
		e.greet = true
	}
	return begun
}

// sessionOf is the same from both ends, and new when either has a new number.
func sessionOf(a, b uint32) uint16 {
	var both [8]byte
	binary.BigEndian.PutUint32(both[:], min(a, b))
	binary.BigEndian.PutUint32(both[4:], max(a, b))
	return uint16(crc32.ChecksumIEEE(both[:]))
}

// reset forgets the session.
func (e *engine) reset() {
	e.peer, e.up, e.session = 0, false, 0
	e.queue, e.flying, e.base, e.room = nil, 0, 0, window
	e.arrived, e.order = 0, 0
	e.expect, e.early, e.owe = 0, [window][]byte{}, false
}

// forget is a reset of our own: the other end, if it still hears us, must see that we start anew.
func (e *engine) forget() {
	e.reset()
	e.self = max(e.self+1, 1)
}

// acknowledged notes what has arrived at the other end.
func (e *engine) acknowledged(f Frame, now instant) {
	n := int(f.Ack - e.base)
	if n > e.flying {
		return // of long ago: numbers wrap, and a wrong one can not pass the checksum
	}
	for i := range n {
		e.noteArrived(&e.queue[i], now)
	}
	e.queue = e.queue[n:]
	e.base += byte(n)
	e.flying -= n
	e.room = min(int(f.Room), window)
	for i := range window - 1 {
		if f.Early&(1<<i) != 0 && i+1 < e.flying && !e.queue[i+1].here {
			e.noteArrived(&e.queue[i+1], now)
			e.queue[i+1].here = true
		}
	}
	// A cable does not change the order of things: what was sent before something that has
	// arrived, and has not arrived itself, is lost.
	for i := range e.queue[:e.flying] {
		if p := &e.queue[i]; !p.here && p.order < e.arrived {
			p.lost = true
		}
	}
}

func (e *engine) noteArrived(p *packet, now instant) {
	e.arrived = max(e.arrived, p.order)
	if p.sends != 1 || p.here {
		return // nobody knows which of its transmissions was answered
	}
	sample := max(now-p.left, 0)
	if e.srtt == 0 {
		e.srtt, e.rttvar = sample, sample/2
		return
	}
	e.rttvar += (max(sample-e.srtt, e.srtt-sample) - e.rttvar) / 4 // RFC 6298, section 2
	e.srtt += (sample - e.srtt) / 8
}

// take puts an arrived packet in its place, and gives those that are next in order.
func (e *engine) take(f Frame) (packets [][]byte) {
	if len(f.Payload) == 0 {
		return nil
	}
	e.owe = true
	ahead := int(f.Seq - e.expect)
	if ahead > 0 && ahead < window {
		e.early[ahead-1] = f.Payload
	}
	if ahead != 0 {
		return nil // too early, or known already
	}
	for next := f.Payload; next != nil; {
		packets = append(packets, next)
		e.expect++
		next = e.early[0]
		copy(e.early[:], e.early[1:])
		e.early[window-1] = nil
	}
	return packets
}

// repeatAfter is how long after a packet has left its acknowledgement may take: what was measured,
// and at least the time of the frame the other end may be in the middle of, and its answer. Noise
// is no congestion, so the wait grows only when so many in a row make it look like the wrong wait.
func (e *engine) repeatAfter(sends int) time.Duration {
	wait := max(e.srtt+4*e.rttvar, 2*e.frameTime()+answerMargin)
	return min(wait<<max(0, min(sends-patientSends, 3)), repeatMax)
}
