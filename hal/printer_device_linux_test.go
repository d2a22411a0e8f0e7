package hal_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
)

// Rule: slips reach a device file, a FIFO and a serial port byte for byte, and nothing is asked of
// what can not answer. Where there is no printer, none is made.
func TestAPrinterAtAnAddress(t *testing.T) {
	slip := []byte("\x1b@\xd6\xd0\n\x00\xff\x1dVB\x00")
	ctx := context.Background()
	dir := t.TempDir()
	prints := func(t *testing.T, address string, ask bool) {
		t.Helper()
		p, err := hal.OpenPrinter(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Paper(ctx); ask && !errors.Is(err, hal.ErrPrinterMute) {
			t.Errorf("asked for paper: %v", err)
		}
		if err := p.Print(slip); err != nil {
			t.Fatal(err)
		}
		soon(t, "it to be out", func() {
			for p.(*hal.ESCPOS).Unprinted() > 0 {
				time.Sleep(time.Millisecond)
			}
		})
		t.Cleanup(func() { _ = p.Close(ctx) })
	}
	t.Run("a file", func(t *testing.T) {
		file := filepath.Join(dir, "lp0")
		if _, err := hal.OpenPrinter(ctx, "file:"+file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no printer: %v", err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		prints(t, "file:"+file, true)
		if got, _ := os.ReadFile(file); string(got) != string(slip) {
			t.Errorf("%q", got)
		}
	})
	t.Run("a FIFO", func(t *testing.T) {
		file := filepath.Join(dir, "fifo")
		if err := syscall.Mkfifo(file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := hal.OpenPrinter(ctx, "file:"+file); !errors.Is(err, syscall.ENXIO) {
			t.Errorf("nobody reads it: %v", err)
		}
		reader, err := os.OpenFile(file, os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		prints(t, "file:"+file, true)
		wantBytes(t, reader, slip)
	})
	t.Run("a serial port", func(t *testing.T) {
		paper, slave := haltest.Pty(t)
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			wantBytes(t, paper, []byte{0x10, 4, 4}) // for its paper
			_, _ = paper.Write([]byte{0x12})
			wantBytes(t, paper, slip)
		}()
		prints(t, "serial:"+slave+"?baud=19200", false)
		<-asked
	})
	for _, bad := range []string{
		"", "/dev/lp0", "file:lp0", "serial:/dev/ttyS1?envelope=stx", "serial:/dev/ttyS1?ack=yes",
		"serial:ttyS1",
	} {
		if err := hal.CheckPrinter(bad); !errors.Is(err, hal.ErrPrinterAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
