package ymodem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"

	"reversald/hal/ymodem"
)

// script is a line whose receiver says what it is told to.
type script struct {
	says    []byte
	written bytes.Buffer
	onWrite func(b []byte) []byte // what it says to a write
}

func (s *script) Write(b []byte) (int, error) {
	if s.onWrite != nil {
		s.says = append(s.says, s.onWrite(b)...)
	}
	return s.written.Write(b)
}

func (s *script) Next(wait time.Duration) (byte, error) {
	if len(s.says) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	b := s.says[0]
	s.says = s.says[1:]
	return b, nil
}

// lrzsz runs rb on a pty in a directory of its own, and gives our end of the line.
func lrzsz(t *testing.T) (line *ptyLine, dir string, wait func() error) {
	t.Helper()
	rb, err := exec.LookPath("rb")
	if err != nil {
		t.Skip("lrzsz is not installed: apt-get install lrzsz")
	}
	dir = t.TempDir()
	cmd := exec.Command(rb, "-b", "-q")
	cmd.Dir = dir
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty here: %v", err)
	}
	cmd.Stdin, cmd.Stdout = slave, slave
	raw := exec.Command("stty", "raw", "-echo")
	raw.Stdin = slave
	if err := raw.Run(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	l := &ptyLine{master: master, in: make(chan byte, 4096)}
	go l.read()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		master.Close()
	})
	return l, dir, func() error {
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("rb goes on")
		}
	}
}

type ptyLine struct {
	master *os.File
	in     chan byte
	hurt   int // the write of which a byte is spoilt; 0: none
	writes int
}

func (l *ptyLine) read() {
	defer close(l.in)
	b := make([]byte, 256)
	for {
		n, err := l.master.Read(b)
		for _, c := range b[:n] {
			l.in <- c
		}
		if err != nil {
			return
		}
	}
}

func (l *ptyLine) Write(b []byte) (int, error) {
	l.writes++
	if l.hurt > 0 && l.writes == l.hurt {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 0x55
	}
	return l.master.Write(b)
}

func (l *ptyLine) Next(wait time.Duration) (byte, error) {
	select {
	case b, ok := <-l.in:
		if !ok {
			return 0, io.EOF
		}
		return b, nil
	case <-time.After(wait):
		return 0, os.ErrDeadlineExceeded
	}
}

func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// Rule: lrzsz gets every file as it was, whatever its size, and in spite of spoilt blocks.
func TestAgainstLrzsz(t *testing.T) {
	for _, size := range []int{0, 1, 128, 129, 1024, 1025, 70001} {
		for _, hurt := range []int{0, 2} {
			if hurt > 0 && size != 1025 {
				continue // rb takes seconds over every spoilt block
			}
			t.Run(fmt.Sprint(size, hurt), func(t *testing.T) {
				t.Parallel() // rb takes its time
				line, dir, wait := lrzsz(t)
				line.hurt = hurt
				sent := noise(size)
				err := ymodem.Send(context.Background(), line, "evidence.json", int64(size), bytes.NewReader(sent), nil)
				if err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if err := wait(); err != nil {
					// On a busy machine rb has been seen to stay, or to abort, after it had taken and
					// acknowledged everything. What it has written is what counts.
					t.Logf("%d bytes: rb: %v", size, err)
				}
				got, err := os.ReadFile(filepath.Join(dir, "evidence.json"))
				if err != nil || !bytes.Equal(got, sent) {
					t.Errorf("%d bytes, hurt %d: got %d bytes, %v", size, hurt, len(got), err)
				}
			})
		}
	}
}

// Rule: a file that ends early cancels the receiver, and so does our own stop.
func TestOurEndCancelsTheReceiver(t *testing.T) {
	line, dir, wait := lrzsz(t)
	err := ymodem.Send(context.Background(), line, "short", 5000, bytes.NewReader(noise(3000)), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Send = %v", err)
	}
	if err := wait(); err == nil {
		t.Error("rb is content")
	}
	if info, err := os.Stat(filepath.Join(dir, "short")); err == nil && info.Size() == 5000 {
		t.Error("rb has a file of full length")
	}

	line, _, wait = lrzsz(t)
	ctx, cancel := context.WithCancel(context.Background())
	err = ymodem.Send(ctx, line, "long", 1<<20, bytes.NewReader(noise(1<<20)), func(done int64) {
		if done > 10000 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Send = %v", err)
	}
	wait()
}

// Rule: the receiver's cancel ends it, one CAN does not, and retries are bounded.
func TestTheReceiversManners(t *testing.T) {
	send := func(s *script) error {
		return ymodem.Send(context.Background(), s, "f", 3, bytes.NewReader([]byte("abc")), nil)
	}
	if err := send(&script{says: []byte{0x18, 0x18}}); !errors.Is(err, ymodem.ErrCancelled) {
		t.Errorf("two cancels: %v", err)
	}
	refuse := &script{says: []byte{'C'}, onWrite: func([]byte) []byte { return []byte{0x15} }}
	if err := send(refuse); !errors.Is(err, ymodem.ErrNoise) {
		t.Errorf("refused for ever: %v", err)
	}
	if n := refuse.written.Len(); n != 10*133+12 {
		t.Errorf("%d bytes were sent, want ten blocks and a cancel", n)
	}
	polite := &script{says: []byte{'x', 0x18, 'y', 'C'}, onWrite: func(b []byte) []byte {
		return []byte{0x06, 'C'}
	}}
	if err := send(polite); err != nil {
		t.Errorf("a polite receiver: %v", err)
	}
	if err := send(&script{says: bytes.Repeat([]byte{0}, 100000)}); err == nil {
		t.Error("noise for ever was taken for a receiver")
	}
	if err := ymodem.Send(context.Background(), &script{}, "", 0, nil, nil); err == nil {
		t.Error("a file without a name was sent")
	}
}

// FuzzReceiver: whatever a receiver says, Send ends, and does not panic.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte("C\x06C\x06\x15\x06C\x06"))
	f.Fuzz(func(_ *testing.T, says []byte) {
		_ = ymodem.Send(context.Background(), &script{says: says}, "f", 2000, bytes.NewReader(make([]byte, 2000)), nil)
	})
}
