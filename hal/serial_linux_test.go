package hal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.bug.st/serial"

	"reversald/hal"
	"reversald/hal/haltest"
)

// openPort is a port on the slave of a pty, and the master.
func openPort(t *testing.T, s hal.Serial) (*hal.Port, *os.File) {
	t.Helper()
	master, slave := haltest.Pty(t)
	if s.LockDir == "" {
		s.LockDir = t.TempDir()
	}
	port, err := s.Open(context.Background(), slave)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	if port.Remote() != slave || port.Local() != slave {
		t.Errorf("Remote, Local = %s, %s, want %s", port.Remote(), port.Local(), slave)
	}
	return port, master
}

// successors opens files, one of which gets the number of the descriptor that was closed last, and
// returns a function that tells what has been written to them.
func successors(t *testing.T) func() string {
	t.Helper()
	var names []string
	for i := range 8 {
		f, err := os.Create(filepath.Join(t.TempDir(), strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		names = append(names, f.Name())
	}
	return func() string {
		var all []byte
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text...)
		}
		return string(all)
	}
}

// Why the port is wrapped: this is what the library does.
func TestLibraryWritesIntoTheFileThatCameAfter(t *testing.T) {
	_, slave := haltest.Pty(t)
	port, err := serial.Open(slave, &serial.Mode{BaudRate: 9600})
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
	written := successors(t)
	n, err := port.Write([]byte("stale"))
	if n != 5 || err != nil || written() != "stale" {
		t.Errorf("Write = %d, %v and %q in a file: the library has been mended", n, err, written())
	}
}

// And this is what the port does: every call after Close is refused, and no file is touched.
func TestPortAfterCloseReachesNothing(t *testing.T) {
	noLeaks(t)
	port, _ := openPort(t, hal.Serial{})
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	written := successors(t)
	calls := map[string]func() error{
		"Write":    func() error { _, err := port.Write([]byte("stale")); return err },
		"TryWrite": func() error { _, err := port.TryWrite([]byte("stale")); return err },
		"Read":     func() error { _, err := port.Read(make([]byte, 4)); return err },
		"Modem":    func() error { _, _, err := port.Modem(); return err },
		"SetDTR":   func() error { return port.SetDTR(true) },
		"SetRTS":   func() error { return port.SetRTS(true) },
		"SetWriteDeadline": func() error {
			return port.SetWriteDeadline(time.Now().Add(time.Hour))
		},
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, hal.ErrLinkGone) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrLinkGone and net.ErrClosed", name, err)
		}
	}
	if got := written(); got != "" {
		t.Errorf("a file got %q", got)
	}
	if err := port.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// The same with writers that do not know of the Close, again and again: whatever the interleaving,
// nothing reaches the files.
func TestPortClosedUnderItsWriters(t *testing.T) {
	noLeaks(t)
	master, slave := haltest.Pty(t)
	go io.Copy(io.Discard, master)
	dir := t.TempDir()
	for range 20 {
		port, err := hal.Serial{LockDir: dir}.Open(context.Background(), slave)
		if err != nil {
			t.Fatal(err)
		}
		var writers sync.WaitGroup
		for i := range 2 {
			writers.Add(1)
			go func() {
				defer writers.Done()
				for err := error(nil); err == nil; {
					if i == 0 {
						_, err = port.Write([]byte("stale"))
					} else {
						_, err = port.TryWrite([]byte("stale"))
					}
				}
			}()
		}
		time.Sleep(100 * time.Microsecond)
		port.Close()
		written := successors(t)
		writers.Wait()
		if got := written(); got != "" {
			t.Fatalf("a file got %q", got)
		}
	}
	master.Close()
}

func TestPortCarriesBytesInOrder(t *testing.T) {
	noLeaks(t)
	port, master := openPort(t, hal.Serial{Baud: 9600})
	every := make([]byte, 256) // no byte may be special to the line
	for i := range every {
		every[i] = byte(i)
	}
	got := make([]byte, len(every))
	if n, err := port.Write(every[:100]); n != 100 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if n, err := port.TryWrite(every[100:]); n != 156 || err != nil {
		t.Fatalf("TryWrite = %d, %v", n, err)
	}
	if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, every) {
		t.Fatalf("master read %x, %v", got, err)
	}
	master.Write(every)
	clear(got)
	if _, err := io.ReadFull(port, got); err != nil || !bytes.Equal(got, every) {
		t.Fatalf("read %x, %v", got, err)
	}
}

// A hang-up ends the Read that waits, and writes; each call returns at once and none with 0, nil.
func TestPortHangUpIsGone(t *testing.T) {
	noLeaks(t)
	port, master := openPort(t, hal.Serial{})
	result := make(chan error, 1)
	go func() {
		_, err := port.Read(make([]byte, 8))
		result <- err
	}()
	time.Sleep(time.Millisecond)
	master.Close()
	select {
	case err := <-result:
		if !errors.Is(err, hal.ErrLinkGone) || errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v, want ErrLinkGone and not our own doing", err)
		}
	case <-time.After(patience):
		t.Fatal("the hang-up went unnoticed")
	}
	if n, err := port.Read(make([]byte, 8)); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("second Read = %d, %v, want 0, ErrLinkGone", n, err)
	}
	if n, err := port.Write([]byte("x")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("Write = %d, %v, want 0, ErrLinkGone", n, err)
	}
	if n, err := port.TryWrite([]byte("x")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("TryWrite = %d, %v, want 0, ErrLinkGone", n, err)
	}
	if err := port.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Nobody reads the cable: TryWrite says so, Write keeps to its deadlines, and the counts add up to
// what comes out when somebody does.
func TestPortCountsAreHonestWhenNobodyReads(t *testing.T) {
	noLeaks(t)
	port, master := openPort(t, hal.Serial{WriteTimeout: 5 * time.Millisecond})
	block := make([]byte, 1000)
	total := 0
	for full := 0; full < 3; { // the kernel may yet move bytes on
		n, err := port.TryWrite(block)
		if err != nil {
			t.Fatalf("TryWrite = %d, %v", n, err)
		}
		total += n
		if n == 0 {
			full++
			time.Sleep(time.Millisecond)
		}
	}
	for _, deadline := range []time.Time{{}, time.Now(), {}} {
		if err := port.SetWriteDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		soon(t, "Write", func() {
			n, err := port.Write(make([]byte, 1<<20)) // more than the kernel finds room for
			total += n
			if !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, hal.ErrLinkGone) {
				t.Errorf("Write = %d, %v, want the deadline and no more", n, err)
			}
		})
	}
	got := 0
	for chunk := make([]byte, 4096); got < total; {
		n, err := master.Read(chunk)
		if err != nil {
			t.Fatalf("master read %d of %d bytes, %v", got, total, err)
		}
		got += n
	}
	master.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
	if n, err := master.Read(block); err == nil {
		t.Errorf("%d bytes more than were counted", n)
	}
}

// Close frees a Read and a Write that wait, and does not wait itself for bytes nobody will take.
func TestPortCloseUnblocksReadAndWrite(t *testing.T) {
	noLeaks(t)
	port, _ := openPort(t, hal.Serial{})
	errs := make(chan error, 2)
	go func() {
		_, err := port.Read(make([]byte, 8))
		errs <- err
	}()
	go func() {
		_, err := port.Write(make([]byte, 1<<20))
		errs <- err
	}()
	time.Sleep(3 * time.Millisecond)
	soon(t, "TryWrite", func() { // it may be there before the Write, but never waits for it
		if n, err := port.TryWrite([]byte("x")); n > 1 || err != nil {
			t.Errorf("TryWrite beside a Write = %d, %v, want at most 1, nil", n, err)
		}
	})
	start := time.Now()
	soon(t, "Close", func() { port.Close() })
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
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %v", took)
	}
}

// A pty has no control lines, and that is no error.
func TestPortWithoutModemBits(t *testing.T) {
	port, _ := openPort(t, hal.Serial{})
	if m, ok, err := port.Modem(); ok || err != nil {
		t.Errorf("Modem() = %+v, %v, %v, want none", m, ok, err)
	}
	if err := errors.Join(port.SetDTR(true), port.SetRTS(false)); err != nil {
		t.Error(err)
	}
}

// The library's Read panics on a descriptor above 1023, for it uses select. Ours does not use it.
func TestPortWithAHighDescriptor(t *testing.T) {
	for range 1100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
	}
	port, master := openPort(t, hal.Serial{})
	master.Write([]byte("x"))
	if n, err := port.Read(make([]byte, 8)); n != 1 || err != nil {
		t.Errorf("Read = %d, %v", n, err)
	}
}

func TestPortOpenSaysWhy(t *testing.T) {
	_, slave := haltest.Pty(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		port   hal.Serial
		device string
		want   error // nil: any
	}{
		{"nothing there", hal.Serial{}, "/dev/ttyNOSUCH9", fs.ErrNotExist},
		{"a file", hal.Serial{}, file, hal.ErrNotSerial},
		{"a device that is no terminal", hal.Serial{}, "/dev/null", hal.ErrNotSerial},
		{"nine data bits", hal.Serial{DataBits: 9}, slave, nil},
		{"three stop bits", hal.Serial{StopBits: 3}, slave, nil},
		{"no such parity", hal.Serial{Parity: 7}, slave, nil},
		{"negative speed", hal.Serial{Baud: -1}, slave, nil},
		{"negative timeout", hal.Serial{WriteTimeout: -1}, slave, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.port.LockDir = t.TempDir()
			port, err := tt.port.Open(context.Background(), tt.device)
			if port != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, %v, want %v", port, err, tt.want)
			}
			if err != nil && strings.Count(err.Error(), tt.device) != 1 {
				t.Errorf("%q does not name the device once", err)
			}
			if left, _ := os.ReadDir(tt.port.LockDir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
