package main_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peakMax is half of the memory of the smallest terminal, in KiB.
const peakMax = 32 << 10

// card is a test card's number, sent inside of noise: no log may show it.
const card = "4111111111111111"

// hostile connects to the daemon and writes, and hangs up when the test ends.
func (s *stage) hostile(content []byte) net.Conn {
	s.t.Helper()
	conn, err := net.DialTimeout("tcp", s.posAddr, patience)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_, _ = conn.Write(content) // it may have been hung up on already
	return conn
}

// shutOut wants the daemon to hang up on a connection.
func (s *stage) shutOut(conn net.Conn) {
	s.t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		s.t.Errorf("not hung up on: %v", err)
	}
}

func framed(body string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

// TestHostileApps: whatever comes in at the door, a sale by another app goes on, the log says what
// was refused without showing a card, and the daemon stays small. It is the binary that is shipped.
func TestHostileApps(t *testing.T) {
	s := newStage(t, "reversald-shipped", "iso87-ascii", "")
	stan := 100
	sale := func() {
		t.Helper()
		stan++
		s.sell(0, stan)
	}
	logged := func(words string) {
		t.Helper()
		s.wait("the log to say "+words, func() bool { return strings.Contains(s.read("pos.err"), words) })
	}
	sale()

	// Noise: the first two bytes are a length beyond the limit.
	noise := bytes.Repeat([]byte{0xff, 0xfe, 0x00, 0x81}, 4<<10)
	for range 50 {
		s.shutOut(s.hostile(append(noise, card...)))
	}
	sale()
	logged(`msg="app shut out"`)

	// Whole frames of noise: each is refused, and the stream is still in step.
	for _, body := range []string{
		card, "0200" + card + card, "0200\xff\xff\xff\xff\xff\xff\xff\xff" + strings.Repeat(card, 20),
		"9999" + strings.Repeat("7", 100), strings.Repeat("\x00", 4096), "0200" + strings.Repeat("F", 4092),
	} {
		conn := s.hostile(bytes.Repeat(framed(body), 50))
		sale()
		_ = conn.Close()
	}
	logged(`msg="app's message refused"`)

	// Half a frame, and no more of it.
	half := s.hostile(framed("0200" + strings.Repeat(card, 20))[:80])
	sale()
	s.shutOut(half)
	logged("half a frame, and no more of it in time")

	// A frame over the limit of the profile, and a sender that goes on.
	over := s.hostile(append([]byte{0xff, 0xff}, strings.Repeat(card, 8<<10)...))
	sale()
	s.shutOut(over)
	logged("frame: length 65535 is over the limit")

	// Byte by byte, each in time, the frame not.
	drip := s.hostile(nil)
	stop := make(chan struct{})
	dripped := make(chan struct{})
	go func() {
		defer close(dripped)
		for _, b := range framed("0200" + strings.Repeat(card, 50)) {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			if _, err := drip.Write([]byte{b}); err != nil {
				return
			}
		}
	}()
	sale()
	s.shutOut(drip)
	close(stop)
	<-dripped

	// A thousand connections that say nothing; then a thousand that begin a frame.
	for _, begin := range []string{"", "\x00"} {
		for range 1000 {
			s.hostile([]byte(begin))
		}
		sale()
		sale()
	}
	logged(`msg="too many apps`)

	if peak := s.peakKiB(); peak > peakMax {
		t.Errorf("it had %d KiB, at most %d are for it", peak, peakMax)
	} else {
		t.Logf("it had %d KiB at most", peak)
	}
	if strings.Contains(s.read("pos.err"), card) {
		t.Error("a card number is in the log")
	}
	if code := s.pos.end(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

// TestNobodyReadsTheLog: whoever collects the daemon's output may end; payments go on.
func TestNobodyReadsTheLog(t *testing.T) {
	s := newStage(t, "reversald", "iso87-ascii", "")
	s.pos.end(os.Kill)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(s.dir, s.env, "reversald", "run", "-c", "pos.yaml", "--listen", s.posAddr, "--host", s.hostAddr)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	p := &program{cmd: cmd, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.done) }()
	t.Cleanup(func() { p.end(os.Kill) })
	s.waitStatus(`"link":"up"`)
	_ = r.Close()
	for stan := range 5 {
		s.sell(0, 300+stan)
	}
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestDaemonHangs: a daemon that does not answer does not hang whoever asks.
func TestDaemonHangs(t *testing.T) {
	s := newStage(t, "reversald", "iso87-ascii", "")
	if err := s.pos.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"status"}, {"stuck"}, {"show", "1"}, {"replay", "1"}, {"tail"},
	} {
		if _, code := s.do("reversald", append(args, "--wait", "200ms")...); code != 69 {
			t.Errorf("%v: exit code %d, want 69", args, code)
		}
	}
	if err := s.pos.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.sell(0, 400)
}
