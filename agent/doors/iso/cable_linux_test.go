package iso_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/doors/iso"
	"reversald/hal"
	"reversald/hal/haltest"
	protocol "reversald/iso"
)

// socketOf is a serial port's place, into which an adapter is plugged; its name stays the same.
type socketOf struct {
	t    *testing.T
	path string
	line *os.File // the other end of the cable
}

func (s *socketOf) plugsIn() {
	s.t.Helper()
	line, slave := haltest.Pty(s.t)
	_ = os.Remove(s.path)
	if err := os.Symlink(slave, s.path); err != nil {
		s.t.Fatal(err)
	}
	s.line = line
}

func (s *socketOf) unplugs() {
	s.t.Helper()
	if err := s.line.Close(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *socketOf) brings(b []byte) {
	s.t.Helper()
	if _, err := s.line.Write(b); err != nil {
		s.t.Fatal(err)
	}
}

func (s *socketOf) hears(want []byte) {
	s.t.Helper()
	_ = s.line.SetReadDeadline(time.Now().Add(30 * time.Second))
	got := make([]byte, len(want))
	if n, err := io.ReadFull(s.line, got); err != nil || !bytes.Equal(got, want) {
		s.t.Fatalf("%x (%v), want %x", got[:n], err, want)
	}
}

// cabled opens a door with a cable, whose profile has frames with two binary bytes of length.
func cabled(t *testing.T, l iso.Limits, host hal.SerialHost) (*street, *socketOf) {
	t.Helper()
	profile, err := protocol.Builtin("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	end := &socketOf{t: t, path: filepath.Join(t.TempDir(), "ttyUSB0")}
	end.plugsIn()
	s := &street{
		t: t, frames: map[agent.App][][]byte{}, gone: map[agent.App]int{}, told: map[uint64]bool{},
	}
	host.Serial.LockDir = t.TempDir()
	host.Called = true
	cable := iso.Cable{Dialer: host, Device: end.path}
	if host.Envelope {
		cable.Profile = profile.PackedFrames()
	}
	log := slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug}))
	before := runtime.NumGoroutine()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		iso.New(s, profile, l, log).ServeCable(ctx, cable)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		eventually(t, "nothing is left running", func() bool {
			return runtime.NumGoroutine() <= before
		})
	})
	s.opened(1)
	return s, end
}

// opened waits until the port was opened so many times.
func (s *street) opened(times int) {
	s.t.Helper()
	eventually(s.t, "the cable is open", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return bytes.Count(s.log.Bytes(), []byte("cable open")) == times
	})
}

// enveloped is a body as it goes over a line with envelopes.
func enveloped(body []byte) []byte {
	n := len(body)
	b := append([]byte{2, byte(n/1000<<4 | n/100%10), byte(n/10%10<<4 | n%10)}, body...)
	b = append(b, 3)
	lrc := byte(0)
	for _, c := range b[1:] {
		lrc ^= c
	}
	return append(b, lrc)
}

func (s *street) heard(frames int) {
	s.t.Helper()
	eventually(s.t, "the frames are heard", func() bool {
		_, n, _ := s.count()
		return n == frames
	})
}

// Rule: an app at the end of a cable is an app like any other. In an envelope the length is packed,
// whatever the profile's is; without one the frames are the profile's.
func TestAnAppAtTheEndOfACable(t *testing.T) {
	body := bytes.Repeat([]byte("0800"), 30)
	t.Run("enveloped", func(t *testing.T) {
		_, end := cabled(t, limits(), hal.SerialHost{Envelope: true})
		end.brings(enveloped(body))
		end.hears(enveloped(body))
	})
	t.Run("bare", func(t *testing.T) {
		_, end := cabled(t, limits(), hal.SerialHost{})
		end.brings(wire(body))
		end.hears(wire(body))
	})
	t.Run("with ACK, and ENQ before it", func(t *testing.T) {
		_, end := cabled(t, limits(), hal.SerialHost{Envelope: true, ACK: true, ENQ: true})
		end.brings([]byte{5})
		end.hears([]byte{6})
		end.brings(enveloped(body))
		end.hears(append([]byte{6}, enveloped(body)...))
		end.brings([]byte{6})
	})
}

// Rule: whatever comes over a cable that is no frame costs the frame it hits and nothing else: the
// session goes on, and with it the sales that are under way.
func TestNoiseOnACable(t *testing.T) {
	noise := bytes.Repeat([]byte{0x55, 0xaa, 0xff, 3, 0, 7}, 300)
	for name, host := range map[string]hal.SerialHost{"bare": {}, "enveloped": {Envelope: true}} {
		t.Run(name, func(t *testing.T) {
			l := limits()
			s, end := cabled(t, l, host)
			pack := wire
			if host.Envelope {
				pack = enveloped
			}
			good := pack([]byte("0200 a sale"))
			end.brings(good)
			end.hears(good)
			for i, bad := range [][]byte{
				make([]byte, 40),             // a BREAK, as the kernel tells it, and again
				noise,                        // another speed
				good[:len(good)/2],           // half a frame, and no more of it
				{2, 0x0f, 2, 0x99, 0x99},     // lengths that are none, or too long
				append([]byte{2}, noise...),  // a frame begun
				bytes.Repeat([]byte{2}, 999), // nothing but beginnings
			} {
				end.brings(bad)
				time.Sleep(2*l.FrameTimeout + hushed(host)) // the app waits for its answer, in vain
				end.brings(good)
				eventually(t, "the next frame is heard", func() bool {
					_, n, _ := s.count()
					return n >= 2+i
				})
				end.line.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
				io.Copy(io.Discard, end.line)
			}
			if _, _, gone := s.count(); gone > 0 {
				t.Error("the session ended")
			}
		})
	}
}

// hushed is how long a line must be silent before an envelope begins anew: hal's gap.
func hushed(host hal.SerialHost) time.Duration {
	if host.Envelope {
		return time.Second + 50*time.Millisecond
	}
	return 0
}

// Rule: a cable that is pulled out ends its session, once, and is found when it is back.
func TestACableIsPulledOut(t *testing.T) {
	s, end := cabled(t, limits(), hal.SerialHost{Envelope: true})
	for i := range 2 {
		end.brings(enveloped([]byte("0200")))
		s.heard(i + 1)
		end.unplugs()
		eventually(t, "the app is gone", func() bool {
			_, _, gone := s.count()
			return gone == i+1
		})
		end.plugsIn()
		s.opened(i + 2)
	}
}

// Rule: a port that is not there stops nothing, and is said to be away once.
func TestACableThatIsNotThere(t *testing.T) {
	s, end := cabled(t, limits(), hal.SerialHost{Envelope: true})
	_ = os.Remove(end.path)
	end.unplugs()
	eventually(t, "it is said", func() bool { return s.logged("cable not opened") })
	time.Sleep(1200 * time.Millisecond) // two more tries
	s.mu.Lock()
	if n := bytes.Count(s.log.Bytes(), []byte("cable not opened")); n != 1 {
		t.Errorf("said %d times", n)
	}
	s.mu.Unlock()
	end.plugsIn()
	s.opened(2)
}

// Rule: an app on a cable that stops reading has its answers reported as not delivered, and nobody
// waits for it.
func TestAnAppOnACableThatStopsReading(t *testing.T) {
	const answers = 150 // more than the kernel keeps for a terminal
	l := limits()
	l.AnswersMax = answers
	s, end := cabled(t, l, hal.SerialHost{Envelope: true})
	s.instead(func(app agent.App, _ []byte) {
		for i := range answers {
			app.Tell(uint64(i+1), make([]byte, 900))
		}
	})
	end.brings(enveloped([]byte("0200")))
	eventually(t, "every answer has a fate", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.told) == answers && !s.told[answers]
	})
	eventually(t, "the session ends", func() bool {
		_, _, gone := s.count()
		return gone == 1
	})
}

// Rule: with ack=yes an answer is delivered when the app has said so, and not when it has not.
func TestOnlyAnACKProvesDeliveryOverACable(t *testing.T) {
	l := limits()
	l.WriteTimeout = 10 * time.Second
	s, end := cabled(t, l, hal.SerialHost{
		Envelope: true, ACK: true, Resend: 1, Patience: 200 * time.Millisecond,
	})
	ticket := uint64(0)
	s.instead(func(app agent.App, body []byte) {
		ticket++
		if app.Tell(ticket, body) != agent.TellWaits {
			t.Error("delivered at once")
		}
	})
	told := func(ticket uint64, delivered bool) {
		t.Helper()
		eventually(t, "the fate is told", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			got, ok := s.told[ticket]
			if ok && got != delivered {
				t.Fatalf("ticket %d: delivered %v", ticket, got)
			}
			return ok
		})
	}
	frame := enveloped([]byte("0200"))
	end.brings(frame)
	end.hears(append([]byte{6}, frame...))
	end.brings([]byte{6})
	told(1, true)
	end.brings(frame)
	end.hears(append([]byte{6}, frame...))
	end.brings([]byte{0x15}) // NAK: once more
	end.hears(frame)
	end.brings([]byte{6})
	told(2, true)
	end.brings(frame)
	end.hears(append([]byte{6}, frame...)) // and nothing is said
	end.hears(frame)                       // so it comes again
	told(3, false)
}
