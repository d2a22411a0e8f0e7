package link_test

import (
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"reversald/agent/link"
	"reversald/hal"
)

// eventually waits for something real to happen, and not for long.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 10 seconds", what)
		}
	}
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func acceptTCP(t *testing.T, l *net.TCPListener) *net.TCPConn {
	t.Helper()
	if err := l.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Rules of the supervisor over real sockets: turn, frames both ways, the end of a line seen at once,
// the next address, and nothing left running.
func TestOverRealTCP(t *testing.T) {
	before := runtime.NumGoroutine()
	dead := listen(t)
	_ = dead.Close()
	first, second := listen(t), listen(t)
	b := start(t, link.Options{
		Dialer: hal.TCP{}, Framing: binary2{},
		Addresses:   []string{dead.Addr().String(), first.Addr().String(), second.Addr().String()},
		DialTimeout: time.Second, WriteTimeout: time.Second,
		RedialMin: time.Millisecond, RedialMax: 10 * time.Millisecond,
	})
	host := acceptTCP(t, first)
	eventually(t, "line up", func() bool { return b.s.State() == link.Up })
	if err := b.s.Send(link.Tag{ID: 1}, []byte("question")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, host, 10); got != string(frame("question")) {
		t.Errorf("the host got %q", got)
	}
	if _, err := host.Write(frame("answer")); err != nil {
		t.Fatal(err)
	}
	arrived := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		last, ok := b.reports[len(b.reports)-1].(link.Arrived)
		return ok && string(last.Body) == "answer"
	}
	eventually(t, "the answer", arrived)
	_ = host.SetLinger(0) // a reset
	_ = host.Close()
	host = acceptTCP(t, second)
	eventually(t, "line up again", func() bool { return b.s.State() == link.Up })
	_ = host.CloseWrite() // an orderly end
	acceptTCP(t, first)   // the dead address is skipped
	b.ends()
	if err := b.s.Send(link.Tag{ID: 2}, []byte("x")); !errors.Is(err, link.ErrDown) {
		t.Errorf("after the end: %v", err)
	}
	eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

// Rule: a host that reads nothing costs a bounded backlog, never the caller's time; when it is gone
// everything that never left is reported first.
func TestAHostThatReadsNothingOverRealTCP(t *testing.T) {
	before := runtime.NumGoroutine()
	l := listen(t)
	o := options(hal.TCP{})
	o.Addresses = []string{l.Addr().String()}
	b := start(t, o)
	host := acceptTCP(t, l)
	_ = host.SetReadBuffer(4096)
	eventually(t, "line up", func() bool { return b.s.State() == link.Up })
	body, accepted := make([]byte, 50000), 0
	for n := uint64(1); ; n++ {
		begun := time.Now()
		err := b.s.Send(link.Tag{ID: n}, body)
		if took := time.Since(begun); took > time.Second {
			t.Fatalf("Send took %s", took)
		}
		if errors.Is(err, link.ErrBusy) {
			break
		}
		if err != nil || n > 5000 {
			t.Fatalf("frame %d: %v", n, err)
		}
		accepted++
	}
	_ = host.SetLinger(0)
	_ = host.Close()
	_ = l.Close()
	lost := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, r := range b.reports {
			if _, ok := r.(link.LineLost); ok {
				return true
			}
		}
		return false
	}
	eventually(t, "the loss", lost)
	never, over := 0, false
	for _, r := range b.told() {
		switch r.(type) {
		case link.NeverLeft:
			if never++; over {
				t.Error("a frame was reported after the loss of its line")
			}
		case link.LineLost:
			over = true
		case link.LineUp, link.Arrived, link.DialFailed:
		}
	}
	if never < 60 || never >= accepted {
		t.Errorf("%d of %d never left", never, accepted)
	}
	b.ends()
	eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

// Rule: the host's end is read to the end: an answer that came just before the end still arrives.
func TestAnAnswerJustBeforeTheEndArrives(t *testing.T) {
	l := listen(t)
	o := options(hal.TCP{})
	o.Addresses = []string{l.Addr().String()}
	b := start(t, o)
	host := acceptTCP(t, l)
	if _, err := host.Write(frame("the last word")); err != nil {
		t.Fatal(err)
	}
	_ = host.Close()
	acceptTCP(t, l)
	eventually(t, "line up", func() bool { return b.s.State() == link.Up })
	if got := b.names(); got != " up:"+o.Addresses[0]+" arrived:the last word lost up:"+o.Addresses[0] &&
		got != " up:"+o.Addresses[0]+" arrived:the last word lost" {
		t.Errorf("reported%s", got)
	}
	b.ends()
}
