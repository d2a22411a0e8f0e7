package hal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"reversald/hal"
)

// patience is how long a test waits for something that should happen at once.
const patience = 30 * time.Second

// noLeaks fails the test if it ends with more goroutines than it began with. Call it first.
func noLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		end := time.Now().Add(patience)
		for runtime.NumGoroutine() > before {
			if time.Now().After(end) {
				stacks := make([]byte, 1<<16)
				t.Errorf("%d goroutines, want %d:\n%s", runtime.NumGoroutine(), before,
					stacks[:runtime.Stack(stacks, true)])
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// soon runs f and fails the test if it takes longer than patience.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s did not return", what)
	}
}

// tcpPair is a link made by d, and the host's end of it.
func tcpPair(t *testing.T, d hal.TCP) (hal.Link, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	link, err := d.Dial(context.Background(), ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if got, want := link.Remote(), ln.Addr().String(); got != want {
		t.Errorf("Remote() = %s, want %s", got, want)
	}
	if got, want := link.Local(), peer.RemoteAddr().String(); got != want {
		t.Errorf("Local() = %s, want %s", got, want)
	}
	return link, peer.(*net.TCPConn)
}

func TestTCPCarriesBytesInOrder(t *testing.T) {
	noLeaks(t)
	link, peer := tcpPair(t, hal.TCP{})
	want := []byte("0200 question")
	if n, err := link.Write(want[:5]); n != 5 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if n, err := link.TryWrite(want[5:]); n != len(want)-5 || err != nil {
		t.Fatalf("TryWrite = %d, %v", n, err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("peer read %q, %v", got, err)
	}
	if _, err := peer.Write([]byte("0210")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(link, got[:4]); err != nil || string(got[:4]) != "0210" {
		t.Fatalf("read %q, %v", got[:4], err)
	}
	if n, err := link.TryWrite(nil); n != 0 || err != nil {
		t.Errorf("TryWrite(nil) = %d, %v", n, err)
	}
}

// A FIN is an orderly end, and the reader sees it while it waits.
func TestTCPReaderSeesTheEndAtOnce(t *testing.T) {
	noLeaks(t)
	link, peer := tcpPair(t, hal.TCP{})
	peer.Close()
	soon(t, "Read", func() {
		if n, err := link.Read(make([]byte, 8)); n != 0 || err != io.EOF {
			t.Errorf("Read = %d, %v, want 0, EOF", n, err)
		}
	})
}

// A reset is seen by the reader, and then no write claims that anything left.
func TestTCPResetIsGoneForEveryone(t *testing.T) {
	noLeaks(t)
	link, peer := tcpPair(t, hal.TCP{})
	peer.SetLinger(0)
	peer.Close()
	soon(t, "Read", func() {
		if n, err := link.Read(make([]byte, 8)); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
			t.Errorf("Read = %d, %v, want 0, ErrLinkGone", n, err)
		}
	})
	for range 2 {
		if n, err := link.TryWrite([]byte("x")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
			t.Errorf("TryWrite = %d, %v, want 0, ErrLinkGone", n, err)
		}
		if n, err := link.Write([]byte("x")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
			t.Errorf("Write = %d, %v, want 0, ErrLinkGone", n, err)
		}
	}
}

// A host that stops reading: the buffers fill, TryWrite says so, Write keeps to its deadline, and
// the counts add up to what the host finds when it reads again.
func TestTCPCountsAreHonestWhenTheHostStopsReading(t *testing.T) {
	noLeaks(t)
	link, peer := tcpPair(t, hal.TCP{})
	block := make([]byte, 1<<16)
	total := 0
	for full := 0; full < 3; { // the kernel may yet move bytes from one buffer to the other
		n, err := link.TryWrite(block)
		if err != nil {
			t.Fatalf("TryWrite = %d, %v", n, err)
		}
		total += n
		if n > 0 {
			full = 0
			continue
		}
		full++
		time.Sleep(time.Millisecond)
	}
	link.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
	soon(t, "Write", func() {
		n, err := link.Write(make([]byte, 1<<23))
		total += n
		if !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, hal.ErrLinkGone) {
			t.Errorf("Write = %d, %v, want the deadline and no more", n, err)
		}
	})
	link.Close()
	got, err := io.Copy(io.Discard, peer)
	if err != nil || int(got) != total {
		t.Errorf("host found %d bytes, %v, want %d", got, err, total)
	}
}

// A reset in the middle of a large write: the count covers at least what the host has read.
func TestTCPResetUnderAWrite(t *testing.T) {
	noLeaks(t)
	link, peer := tcpPair(t, hal.TCP{})
	const most = 1 << 25
	type result struct {
		n   int
		err error
	}
	results := make(chan result, 1)
	go func() {
		n, err := link.Write(make([]byte, most))
		results <- result{n, err}
	}()
	read, err := io.ReadFull(peer, make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	peer.SetLinger(0)
	peer.Close()
	select {
	case r := <-results:
		if r.n < read || r.n >= most || !errors.Is(r.err, hal.ErrLinkGone) {
			t.Errorf("Write = %d, %v, want %d or more, and ErrLinkGone", r.n, r.err, read)
		}
	case <-time.After(patience):
		t.Fatal("the reset did not end the write")
	}
}

// TryWrite must not wait for the Write that is blocked beside it, and Close frees both.
func TestTCPCloseUnblocksReadAndWrite(t *testing.T) {
	noLeaks(t)
	link, peer := tcpPair(t, hal.TCP{})
	peer.SetReadBuffer(4096)
	started := make(chan struct{}, 2)
	errs := make(chan error, 2)
	go func() {
		started <- struct{}{}
		_, err := link.Read(make([]byte, 8))
		errs <- err
	}()
	go func() {
		started <- struct{}{}
		_, err := link.Write(make([]byte, 1<<25))
		errs <- err
	}()
	<-started
	<-started
	soon(t, "TryWrite", func() {
		for range 3 { // in the end the other write has the line
			n, err := link.TryWrite([]byte("x"))
			if n > 1 || err != nil {
				t.Errorf("TryWrite = %d, %v", n, err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	link.Close()
	for range 2 {
		select {
		case err := <-errs:
			if !errors.Is(err, hal.ErrLinkGone) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("error after Close: %v, want ErrLinkGone and net.ErrClosed", err)
			}
		case <-time.After(patience):
			t.Fatal("Close unblocked nobody")
		}
	}
	if err := link.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if n, err := link.TryWrite([]byte("x")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("TryWrite after Close = %d, %v, want 0, ErrLinkGone", n, err)
	}
	if err := link.SetWriteDeadline(time.Time{}); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("SetWriteDeadline after Close: %v, want ErrLinkGone", err)
	}
}

func TestTCPDialSaysWhy(t *testing.T) {
	noLeaks(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name    string
		ctx     context.Context
		dialer  hal.TCP
		address string
	}{
		{"nobody listens", context.Background(), hal.TCP{}, address},
		{"the context has ended", ended, hal.TCP{}, address},
		{"no port", context.Background(), hal.TCP{}, "127.0.0.1"},
		{"no such interface", context.Background(), hal.TCP{Interface: "nosuch9"}, address},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			link, err := tt.dialer.Dial(tt.ctx, tt.address)
			if err == nil || link != nil {
				t.Errorf("Dial = %v, %v, want an error alone", link, err)
			}
		})
	}
}
