package relay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// cable joins two engines in virtual time: every byte takes its time, and some are hit.
type cable struct {
	t     *testing.T
	rng   *rand.Rand
	now   instant
	hit   float64 // of bytes
	ends  [2]*engine
	got   [2][][]byte
	begun [2]int
	wire  [2][]flight // to end i
	dec   [2]Decoder
}

type flight struct {
	at    instant
	bytes []byte
}

func newCable(t *testing.T, seed uint64, baud int, hit float64) *cable {
	c := &cable{t: t, rng: rand.New(rand.NewPCG(seed, 1)), hit: hit}
	for i := range c.ends {
		c.ends[i] = newEngine(c.rng.Uint32(), baud)
	}
	return c
}

// step lets a millisecond pass.
func (c *cable) step() {
	c.now += time.Millisecond
	for i, e := range c.ends {
		e.deaf(c.now)
		for {
			f, ok, _ := e.next(c.now, window)
			if !ok {
				break
			}
			raw := AppendFrame(nil, f)
			e.sent(f, len(raw), c.now)
			for k := range raw {
				if c.rng.Float64() < c.hit {
					raw[k] = byte(c.rng.Uint32())
				}
			}
			c.wire[1-i] = append(c.wire[1-i], flight{e.free, raw})
		}
	}
	for i, e := range c.ends {
		for len(c.wire[i]) > 0 && c.wire[i][0].at <= c.now {
			for _, b := range c.wire[i][0].bytes {
				f, ok := c.dec[i].Feed(b)
				if !ok {
					continue
				}
				packets, begun := e.receive(f, c.now)
				c.got[i] = append(c.got[i], packets...)
				if begun {
					c.begun[i]++
				}
			}
			c.wire[i] = c.wire[i][1:]
		}
	}
}

func (c *cable) until(what string, limit time.Duration, holds func() bool) {
	c.t.Helper()
	for end := c.now + limit; !holds(); c.step() {
		if c.now > end {
			c.t.Fatalf("%s: not within %v: got %d, %d; %+v; %+v", what, limit, len(c.got[0]), len(c.got[1]), *c.ends[0], *c.ends[1])
		}
	}
}

func (c *cable) bothUp() bool { return c.ends[0].up && c.ends[1].up }

// Rule: whatever noise does, every packet arrives once, whole and in order, in both directions.
func TestPacketsArriveOnceAndInOrder(t *testing.T) {
	for seed := range uint64(60) {
		hit := []float64{0, 0.001, 0.004, 0.01}[seed%4]
		c := newCable(t, seed, 115200, hit)
		c.until("up", 30*time.Second, c.bothUp)
		const count = 600 // numbers wrap twice
		var sent [2]int
		c.until("all packets", 20*time.Minute, func() bool {
			for i, e := range c.ends {
				for sent[i] < count {
					p := bytes.Repeat([]byte{byte(sent[i])}, 1+sent[i]%PayloadBytesMax)
					if !e.offer(append([]byte(fmt.Sprint(sent[i])), p[:min(len(p), 100)]...)) {
						break
					}
					sent[i]++
				}
			}
			return len(c.got[0]) >= count && len(c.got[1]) >= count
		})
		for i := range c.ends {
			for n, p := range c.got[i] {
				if !bytes.HasPrefix(p, []byte(fmt.Sprint(n))) {
					t.Fatalf("seed %d: packet %d at end %d is %q", seed, n, i, p)
				}
			}
			if c.begun[i] != 0 {
				t.Errorf("seed %d: end %d lost its session %d times", seed, i, c.begun[i])
			}
		}
	}
}

// Rule: an end that starts anew is recognised, what was under way is told as lost, and the next
// session carries.
func TestEitherEndMayStartAnew(t *testing.T) {
	for i := range 2 {
		c := newCable(t, uint64(i), 9600, 0.001)
		c.until("up", 30*time.Second, c.bothUp)
		for range 5 {
			c.ends[1-i].offer([]byte("old"))
		}
		for range 30 {
			c.step()
		}
		c.ends[i] = newEngine(c.rng.Uint32(), 9600)
		c.got = [2][][]byte{}
		c.until("told", time.Minute, func() bool { return c.begun[1-i] == 1 && c.bothUp() })
		c.ends[i].offer([]byte("new"))
		c.ends[1-i].offer([]byte("new"))
		c.until("carried", time.Minute, func() bool { return len(c.got[0]) > 0 && len(c.got[1]) > 0 })
		if string(c.got[0][0]) != "new" || string(c.got[1][0]) != "new" {
			t.Errorf("after the start of end %d: %q", i, c.got)
		}
	}
}

// Rule: one direction dead for long ends the session at both ends, and it comes back.
func TestADeafEndIsNoticed(t *testing.T) {
	c := newCable(t, 7, 115200, 0)
	c.until("up", time.Minute, c.bothUp)
	for range 3 {
		c.ends[0].offer([]byte("before"))
	}
	for range int((deafAfter + 2*time.Second) / time.Millisecond) {
		c.wire[1] = nil // nothing reaches end 1
		c.step()
	}
	if c.ends[1].up {
		t.Error("end 1 hears nothing and is up")
	}
	c.until("up again", time.Minute, c.bothUp)
	c.got = [2][][]byte{}
	c.ends[0].offer([]byte("after"))
	c.until("carried", time.Minute, func() bool { return len(c.got[1]) > 0 })
	if string(c.got[1][0]) != "after" {
		t.Errorf("got %q", c.got[1])
	}
}

// Rule: our own voice, sent back by a laptop that echoes, is never taken for another end.
func TestAnEchoIsNobody(t *testing.T) {
	e := newEngine(77, 9600)
	var now instant
	var d Decoder
	for range 20000 {
		now += time.Millisecond
		f, ok, _ := e.next(now, window)
		if !ok {
			continue
		}
		raw := AppendFrame(nil, f)
		e.sent(f, len(raw), now)
		for _, b := range raw {
			if f, ok := d.Feed(b); ok {
				e.receive(f, now)
			}
		}
	}
	if e.up || e.peer != 0 {
		t.Error("an echo was taken for a peer")
	}
}

// Rule: a full window waits for room, and nothing is sent beyond it.
func TestNoRoomNoPackets(t *testing.T) {
	c := newCable(t, 3, 115200, 0)
	c.until("up", time.Minute, c.bothUp)
	for range 100 {
		c.step()
	}
	c.ends[0].room = 0
	if !c.ends[0].offer([]byte("x")) {
		t.Fatal("not taken")
	}
	f, ok, _ := c.ends[0].next(c.now+time.Minute, window)
	if !ok || len(f.Payload) != 0 {
		t.Errorf("next = %+v, %v: want an empty frame", f, ok)
	}
	n := 0
	for c.ends[0].offer([]byte("y")) {
		n++
	}
	if n != window+waitingMax-1 {
		t.Errorf("%d packets wait", n)
	}
}

// FuzzReceive: no frame, whatever is in it, makes an engine panic or hold more than it may.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 1, 9, 9})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 9, 1, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		e := newEngine(9, 115200)
		e.receive(Frame{Kind: KindHello, Payload: []byte{0, 0, 0, 1, 0, 0, 0, 9, 1, 1}}, 0)
		if !e.up {
			t.Fatal("not up")
		}
		var now instant
		for len(script) >= 8 {
			now += 10 * time.Millisecond
			n := min(int(script[7])%(PayloadBytesMax+1), len(script)-8)
			e.receive(Frame{
				Kind: Kind(script[0]), Session: e.session, Seq: script[3], Ack: script[4],
				Early: script[5], Room: script[6], Payload: script[8 : 8+n],
			}, now)
			script = script[8+n:]
			e.offer([]byte("p"))
			if f, ok, _ := e.next(now, window); ok {
				e.sent(f, len(AppendFrame(nil, f)), now)
			}
			if e.flying > len(e.queue) || e.flying > window || len(e.queue) > window+waitingMax {
				t.Fatalf("flying %d, queue %d", e.flying, len(e.queue))
			}
		}
	})
}

// FuzzDecoder: noise never makes a frame that was not sent; and a frame comes back as it was.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("~hello~"), []byte("payload"))
	f.Add([]byte{flag, escape, flag, xon}, []byte{flag, escape, xon, xoff})
	f.Fuzz(func(t *testing.T, noise, payload []byte) {
		payload = payload[:min(len(payload), PayloadBytesMax)]
		var d Decoder
		for _, b := range noise {
			if g, ok := d.Feed(b); ok && len(g.Payload) > PayloadBytesMax {
				t.Fatalf("a payload of %d bytes", len(g.Payload))
			}
		}
		sent := Frame{KindData, 0x117e, 1, 2, 3, 4, payload}
		var got []Frame
		for _, b := range AppendFrame(nil, sent) {
			if g, ok := d.Feed(b); ok {
				got = append(got, g)
			}
		}
		if len(got) == 0 {
			t.Fatal("lost")
		}
		last := got[len(got)-1]
		if last.Session != sent.Session || last.Room != 4 || !bytes.Equal(last.Payload, payload) {
			t.Errorf("got %+v, sent %+v", last, sent)
		}
	})
}
