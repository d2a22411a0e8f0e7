package iso_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/doors/iso"
	protocol "reversald/iso"
)

// street is a door on a real socket, with an agent behind it that answers every frame with the
// frame, unless told otherwise.
type street struct {
	t       *testing.T
	network string
	address string

	mu     sync.Mutex
	frames map[agent.App][][]byte
	gone   map[agent.App]int
	told   map[uint64]bool
	log    bytes.Buffer

	onFrame func(app agent.App, body []byte) // in place of sending it back
}

// Frame implements iso.Agent.
func (s *street) Frame(app agent.App, body []byte) {
	s.mu.Lock()
	s.frames[app] = append(s.frames[app], bytes.Clone(body))
	onFrame := s.onFrame
	s.mu.Unlock()
	if onFrame != nil {
		onFrame(app, body)
		return
	}
	app.Tell(0, body)
}

// Told implements iso.Agent.
func (s *street) Told(ticket uint64, delivered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.told[ticket]; twice {
		s.t.Errorf("ticket %d was reported twice", ticket)
	}
	s.told[ticket] = delivered
}

// Gone implements iso.Agent.
func (s *street) Gone(app agent.App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone[app]++
}

// Write takes the log.
func (s *street) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// instead has the agent do something else with a frame than to send it back.
func (s *street) instead(onFrame func(app agent.App, body []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onFrame = onFrame
}

func (s *street) count() (apps, frames, gone int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for app, bodies := range s.frames {
		apps++
		frames += len(bodies)
		gone += s.gone[app]
	}
	for app, n := range s.gone {
		if n != 1 {
			s.t.Errorf("%s went %d times", app.Name(), n)
		}
	}
	return apps, frames, len(s.gone)
}

func (s *street) logged(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.log.Bytes(), []byte(text))
}

func limits() iso.Limits {
	return iso.Limits{
		ConnectionsMax: 8, FrameTimeout: 80 * time.Millisecond, WriteTimeout: 80 * time.Millisecond,
		AnswersMax: 16,
	}
}

// opens a door. It is closed at the end of the test, and must leave nothing running.
func opens(t *testing.T, l iso.Limits) *street {
	t.Helper()
	profile, err := protocol.Builtin("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", "127.0.0.1:0"
	if path.Base(t.Name()) == "unix" { // see onBoth
		network, address = "unix", filepath.Join(t.TempDir(), "door")
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &street{
		t: t, network: network, address: listener.Addr().String(), frames: map[agent.App][][]byte{},
		gone: map[agent.App]int{}, told: map[uint64]bool{},
	}
	log := slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug}))
	before := runtime.NumGoroutine()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- iso.New(s, profile, l, log).Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the door ended: %v", err)
		}
		eventually(t, "nothing is left running", func() bool {
			return runtime.NumGoroutine() <= before
		})
		if _, err := net.Dial(s.network, s.address); err == nil {
			t.Error("the door is still open")
		}
	})
	return s
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 10 seconds", what)
		}
	}
}

// client is an app on a real socket.
type client struct {
	t *testing.T
	socket
}

// socket is what a TCP connection and one over a Unix socket have in common.
type socket interface {
	net.Conn
	CloseWrite() error
	SetReadBuffer(bytes int) error
}

// onBoth runs a test over TCP and over a Unix socket.
func onBoth(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Run("tcp", test)
	t.Run("unix", test)
}

func (s *street) client() client {
	s.t.Helper()
	c, err := net.Dial(s.network, s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	conn := c.(socket)
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	return client{s.t, conn}
}

func wire(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

func (c client) sends(bytes []byte) {
	c.t.Helper()
	if _, err := c.Write(bytes); err != nil {
		c.t.Errorf("write: %v", err)
	}
}

// sells sends a frame and wants it back.
func (c client) sells(body string) {
	c.t.Helper()
	c.sends(wire([]byte(body)))
	got := make([]byte, len(body)+2)
	if _, err := io.ReadFull(c, got); err != nil {
		c.t.Fatalf("no answer to %q: %v", body, err)
	}
	if want := wire([]byte(body)); !bytes.Equal(got, want) {
		c.t.Errorf("the app got %x, want %x", got, want)
	}
}

// isShutOut: the door has closed the connection.
func (c client) isShutOut() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Error("still connected")
	}
}

// Rule: the app's bytes reach the agent as they are, and the agent's the app; keepalives reach nobody.
func TestBytesGoBothWaysUnchanged(t *testing.T) { onBoth(t, bytesGoBothWaysUnchanged) }

func bytesGoBothWaysUnchanged(t *testing.T) {
	t.Helper()
	s := opens(t, limits())
	c := s.client()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for range 3 {
		c.sends([]byte{0, 0})
		c.sells(string(every))
		c.sells("\x00")
	}
	for _, b := range wire([]byte("one byte at a time")) {
		c.sends([]byte{b})
	}
	got := make([]byte, 20)
	if _, err := io.ReadFull(c, got); err != nil || string(got[2:]) != "one byte at a time" {
		t.Errorf("%q, %v", got, err)
	}
	c.sends(append(wire([]byte("two")), wire([]byte("in one"))...))
	got = make([]byte, 13)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != string(wire([]byte("two")))+string(wire([]byte("in one"))) {
		t.Errorf("%q, %v", got, err)
	}
	if _, frames, _ := s.count(); frames != 9 {
		t.Errorf("the agent got %d frames", frames)
	}
	_ = c.Close()
	eventually(t, "gone", func() bool { _, _, gone := s.count(); return gone == 1 })
}

// Rule: an app may be silent for as long as it likes between two frames.
func TestAnAppMayBeSilentBetweenFrames(t *testing.T) {
	l := limits()
	l.FrameTimeout = 10 * time.Millisecond
	s := opens(t, l)
	c := s.client()
	c.sells("before")
	time.Sleep(60 * time.Millisecond)
	c.sells("after")
}

// Rule: an app that jams the door is shut out, and nobody else notices.
func TestAnAppThatJamsTheDoorIsShutOut(t *testing.T) {
	cases := map[string]func(c client){
		"a length beyond all frames": func(c client) { c.sends([]byte{0xff, 0xff, 'x'}) },
		"half a frame and silence":   func(c client) { c.sends(wire([]byte("a whole frame"))[:7]) },
		"half a length and silence":  func(c client) { c.sends([]byte{0}) },
		"a slow drip": func(c client) {
			for range 100 {
				if _, err := c.Write([]byte{0}); err != nil {
					return
				}
				if _, err := c.Write([]byte{40}); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		},
		"an oversize frame": func(c client) {
			_, _ = c.Write(wire(bytes.Repeat([]byte("x"), 60000))) // it may be cut off in the middle
		},
		"a disconnect within a frame": func(c client) {
			c.sends(wire([]byte("a whole frame"))[:7])
			_ = c.CloseWrite()
		},
	}
	for name, jam := range cases {
		t.Run(name, func(t *testing.T) {
			s := opens(t, limits())
			other, bad := s.client(), s.client()
			other.sells("good morning")
			stop, done := make(chan struct{}), make(chan struct{})
			go func() { // the other sells on all the while
				defer close(done)
				for {
					select {
					case <-stop:
						return
					default:
						other.sells("a sale")
					}
				}
			}()
			if name == "a slow drip" {
				// Two bytes of length, then one byte of forty now and then.
				bad.sends([]byte{0, 40})
				go jam(bad)
			} else {
				jam(bad)
			}
			bad.isShutOut()
			close(stop)
			<-done
			other.sells("good night")
			s.mu.Lock()
			for app, bodies := range s.frames {
				for _, body := range bodies {
					if app.Name() == bad.LocalAddr().String() && name != "a slow drip" {
						t.Errorf("the agent got %q from who jams", body)
					}
				}
			}
			s.mu.Unlock()
			eventually(t, "gone", func() bool { _, _, gone := s.count(); return gone == 1 })
		})
	}
}

// Rule: connections are limited; one more is closed at once, those that are there stay, and a place
// that is left is given away again. A thousand cost no more than the limit.
func TestAThousandConnections(t *testing.T) {
	s := opens(t, limits())
	first := s.client()
	first.sells("first")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	for range 7 {
		s.client().sells("a place")
	}
	for range 1000 {
		c := s.client()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Fatal("one too many was served")
		}
		_ = c.Close()
	}
	first.sells("still here")
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	if n := runtime.NumGoroutine() - goroutines; n > 3*8 {
		t.Errorf("%d more goroutines", n)
	}
	_ = first.Close()
	eventually(t, "a place is free", func() bool {
		c := s.client()
		c.sends(wire([]byte("next")))
		_, err := io.ReadFull(c, make([]byte, 6))
		return err == nil
	})
	if !s.logged("too many apps") {
		t.Error("nobody was told")
	}
}

// Rule: an app that never reads is hung up on after AnswersMax answers; the fate of every answer
// that had to wait is reported once, and before the app is gone. Others are served meanwhile.
func TestAnAppThatNeverReadsIsHungUpOn(t *testing.T) { onBoth(t, anAppThatNeverReadsIsHungUpOn) }

func anAppThatNeverReadsIsHungUpOn(t *testing.T) {
	t.Helper()
	l := limits()
	l.WriteTimeout = 5 * time.Second
	s := opens(t, l)
	other, deaf := s.client(), s.client()
	if err := deaf.SetReadBuffer(1024); err != nil {
		t.Fatal(err)
	}
	other.sells("before")
	results := make(map[agent.TellResult]int)
	var tickets []uint64
	ticket := uint64(0)
	s.instead(func(app agent.App, body []byte) {
		if string(body) != "flood me" {
			app.Tell(0, body)
			return
		}
		for {
			ticket++
			begun := time.Now()
			result := app.Tell(ticket, make([]byte, 4000))
			if took := time.Since(begun); took > time.Second {
				t.Errorf("Tell took %s", took)
			}
			results[result]++
			switch result {
			case agent.TellWaits:
				tickets = append(tickets, ticket)
			case agent.TellGone:
				return
			case agent.TellDelivered:
			}
		}
	})
	deaf.sends(wire([]byte("flood me")))
	eventually(t, "gone", func() bool { _, _, gone := s.count(); return gone == 1 })
	if results[agent.TellWaits] > l.AnswersMax || results[agent.TellGone] != 1 {
		t.Errorf("results %v", results)
	}
	s.mu.Lock()
	for _, n := range tickets {
		delivered, reported := s.told[n]
		if !reported || delivered {
			t.Errorf("answer %d: reported %v, delivered %v", n, reported, delivered)
		}
	}
	s.mu.Unlock()
	other.sells("after")
	if !s.logged("does not read") {
		t.Error("the log does not say why")
	}
}

// Rule: an app that reads again in time gets every answer, in order, and each is reported delivered.
func TestAnAppThatReadsLateGetsEveryAnswer(t *testing.T) {
	onBoth(t, anAppThatReadsLateGetsEveryAnswer)
}

func anAppThatReadsLateGetsEveryAnswer(t *testing.T) {
	t.Helper()
	l := limits()
	l.WriteTimeout, l.AnswersMax = 5*time.Second, 512
	s := opens(t, l)
	c := s.client()
	const answers = 400
	waits := make(chan []uint64, 1)
	s.instead(func(app agent.App, _ []byte) {
		var waited []uint64
		for n := range uint64(answers) {
			body := bytes.Repeat([]byte{byte(n)}, 4000)
			switch app.Tell(n+1, body) {
			case agent.TellWaits:
				waited = append(waited, n+1)
			case agent.TellGone:
				t.Errorf("answer %d: gone", n)
			case agent.TellDelivered:
			}
		}
		waits <- waited
	})
	c.sends(wire([]byte("go")))
	waited := <-waits
	for n := range answers {
		got := make([]byte, 4002)
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if got[2] != byte(n) || got[4001] != byte(n) {
			t.Fatalf("answer %d is %d", n, got[2])
		}
	}
	eventually(t, "all are reported", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.told) == len(waited)
	})
	for _, n := range waited {
		if !s.told[n] {
			t.Errorf("answer %d was not delivered", n)
		}
	}
}

// Rule: an app that is hung up on is gone, and what is told to it afterwards is not delivered.
func TestAnAppThatIsHungUpOnIsGone(t *testing.T) { onBoth(t, anAppThatIsHungUpOnIsGone) }

func anAppThatIsHungUpOnIsGone(t *testing.T) {
	t.Helper()
	s := opens(t, limits())
	c := s.client()
	apps := make(chan agent.App, 1)
	s.instead(func(app agent.App, _ []byte) { apps <- app })
	c.sends(wire([]byte("hello")))
	app := <-apps
	want := c.LocalAddr().String()
	if s.network == "unix" {
		want = "unix app 1"
	}
	if app.Name() != want {
		t.Errorf("its name is %s, want %s", app.Name(), want)
	}
	app.Hang("a reason for the log")
	app.Hang("another")
	c.isShutOut()
	eventually(t, "gone", func() bool { _, _, gone := s.count(); return gone == 1 })
	if r := app.Tell(7, []byte("x")); r != agent.TellGone {
		t.Errorf("told with result %d", r)
	}
	if !s.logged("a reason for the log") || s.logged("another") {
		t.Error("the log does not say why, once")
	}
}

// Rule: an answer that fits no frame ends the connection, never half of it.
func TestAnAnswerThatFitsNoFrame(t *testing.T) {
	s := opens(t, limits())
	c := s.client()
	s.instead(func(app agent.App, _ []byte) {
		if r := app.Tell(1, make([]byte, 70000)); r != agent.TellGone {
			t.Errorf("told with result %d", r)
		}
	})
	c.sends(wire([]byte("hello")))
	c.isShutOut()
}

// Rule: the door closes every connection when it is closed.
func TestTheDoorClosesWithConnectionsOpen(t *testing.T) {
	s := opens(t, limits())
	for range 5 {
		s.client().sells("x")
	}
}
