package hal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
)

// printer is one at the end of a real serial line.
func printer(t *testing.T) (*hal.ESCPOS, *os.File) {
	t.Helper()
	master, slave := haltest.Pty(t)
	port, err := hal.Serial{LockDir: t.TempDir(), WriteTimeout: time.Minute}.Open(context.Background(), slave)
	if err != nil {
		t.Fatal(err)
	}
	p := hal.NewESCPOS(port)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		soon(t, "Close", func() { p.Close(ctx) })
	})
	return p, master
}

// Rule: slips come out whole, as they are, and in order.
func TestPrinterPrintsInOrder(t *testing.T) {
	p, paper := printer(t)
	for _, slip := range []string{"\x1b@one\n\x00\xff", "two\x10\x04\x04", "three"} {
		if err := p.Print([]byte(slip)); err != nil {
			t.Fatal(err)
		}
		wantBytes(t, paper, []byte(slip))
	}
}

// Rule: the printer is asked for its paper between two slips, and believed only if it makes sense.
func TestPrinterTellsOfItsPaper(t *testing.T) {
	p, device := printer(t)
	for answer, want := range map[byte]hal.Paper{
		0x12: hal.PaperThere, 0x1e: hal.PaperLow, 0x72: hal.PaperOut, 0x7e: hal.PaperOut, 0xff: 0, 0: 0,
	} {
		go func() {
			wantBytes(t, device, []byte{0x10, 4, 4})
			device.Write([]byte{answer})
		}()
		got, err := p.Paper(context.Background())
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%#x is %v (%v), want %v", answer, got, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Paper(ctx); !errors.Is(err, hal.ErrPrinterMute) {
		t.Errorf("a mute printer: %v", err)
	}
}

// Rule: a printer that takes nothing holds nobody up: so many slips wait, and the next is refused;
// and it can be closed.
func TestPrinterThatTakesNothing(t *testing.T) {
	p, _ := printer(t)
	slip := bytes.Repeat([]byte("x"), 60_000)
	taken := 0
	soon(t, "Print", func() {
		for {
			err := p.Print(slip)
			if errors.Is(err, hal.ErrPrinterBusy) {
				return
			}
			if err != nil || taken > 64 {
				t.Errorf("after %d slips: %v", taken, err)
				return
			}
			taken++
		}
	})
	if taken < 16 {
		t.Errorf("%d slips may wait", taken)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	soon(t, "Paper", func() {
		if _, err := p.Paper(ctx); !errors.Is(err, hal.ErrPrinterMute) {
			t.Error(err)
		}
	})
}

// Rule: a printer that is unplugged says so with the next slip; nothing that is no slip is taken.
func TestPrinterUnplugged(t *testing.T) {
	p, device := printer(t)
	for _, bad := range [][]byte{nil, make([]byte, 64<<10+1)} {
		if err := p.Print(bad); !errors.Is(err, hal.ErrPrinterJob) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	device.Close()
	soon(t, "the end to be noticed", func() {
		for !errors.Is(p.Print([]byte("x")), hal.ErrLinkGone) {
			time.Sleep(time.Millisecond)
		}
	})
}
