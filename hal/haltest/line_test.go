package haltest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
)

// Every test runs in a bubble: time passes only when all of it waits, so a fake that waited on
// anything but channels and timers would hang here, and one that leaked a goroutine would fail.

// arriving is what n more bytes of the line look like, or all until it ends if n < 0.
func arriving(l hal.Link, n int) (string, error) {
	if n < 0 {
		all, err := io.ReadAll(l)
		return string(all), err
	}
	b := make([]byte, n)
	m, err := io.ReadFull(l, b)
	return string(b[:m]), err
}

func wantWrite(t *testing.T, l hal.Link, text string, n int, want error) {
	t.Helper()
	got, err := l.Write([]byte(text))
	if got != n || !errors.Is(err, want) {
		t.Errorf("Write(%q) = %d, %v, want %d, %v", text, got, err, n, want)
	}
}

func wantRead(t *testing.T, l hal.Link, n int, text string, want error) {
	t.Helper()
	got, err := arriving(l, n)
	if got != text || !errors.Is(err, want) {
		t.Errorf("read %q, %v, want %q, %v", got, err, text, want)
	}
}

func TestLineCarriesBytesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{})
		wantWrite(t, l.Terminal, "0200", 4, nil)
		wantRead(t, l.Host, 4, "0200", nil)
		wantWrite(t, l.Host, "0210", 4, nil)
		l.Host.Close()
		wantRead(t, l.Terminal, -1, "0210", nil) // and then io.EOF
		if _, err := l.Terminal.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read at the end: %v, want EOF", err)
		}
		toHost, toTerminal := l.Written()
		if toHost != 4 || toTerminal != 4 {
			t.Errorf("Written() = %d, %d, want 4, 4", toHost, toTerminal)
		}
	})
}

// A cut lets exactly so many bytes through, for every number and either write call, and the count
// that the writer gets is those bytes.
func TestLineCutAfterEveryByte(t *testing.T) {
	const text = "question"
	for k := range len(text) + 1 {
		for name, f := range map[string]haltest.Faults{
			"to host": {CutToHost: haltest.After(k)}, "to terminal": {CutToTerminal: haltest.After(k)},
		} {
			synctest.Test(t, func(t *testing.T) {
				l := haltest.NewLine(f)
				from, to := l.Terminal, l.Host
				if name == "to terminal" {
					from, to = to, from
				}
				want := hal.ErrLinkGone
				if k == len(text) {
					want = nil
				}
				wantWrite(t, from, text, k, want)
				wantRead(t, to, -1, text[:k], hal.ErrLinkGone)
				wantRead(t, from, -1, "", hal.ErrLinkGone)
				wantWrite(t, from, text, 0, hal.ErrLinkGone)
				wantWrite(t, to, text, 0, hal.ErrLinkGone)

				l = haltest.NewLine(f)
				if from = l.Terminal; name == "to terminal" {
					from = l.Host
				}
				n, err := from.TryWrite([]byte(text))
				if n != k || (err == nil) != (k > 0) || err != nil && !errors.Is(err, hal.ErrLinkGone) {
					t.Errorf("cut at %d: TryWrite = %d, %v", k, n, err)
				}
			})
		}
	}
}

// A kernel takes bytes that the network never gets.
func TestLineCutUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{CutToHost: haltest.After(3), CutUnseen: true})
		wantWrite(t, l.Terminal, "question", 8, nil)
		wantRead(t, l.Host, -1, "que", hal.ErrLinkGone)
		wantWrite(t, l.Terminal, "again", 0, hal.ErrLinkGone)
	})
}

func TestLineSwallows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{
			SwallowToHost: haltest.After(2), SwallowToTerminal: haltest.After(0), Buffer: 10,
		})
		wantWrite(t, l.Terminal, "question that never gets there", 30, nil)
		wantWrite(t, l.Host, "answer that never gets there", 28, nil)
		wantRead(t, l.Host, 2, "qu", nil)
		l.Host.Close()
		ended := make(chan error, 1)
		go func() {
			_, err := l.Terminal.Read(make([]byte, 1))
			ended <- err
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			t.Errorf("the terminal saw something: %v", err)
		default:
		}
		l.Terminal.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
	})
}

// Half-open: writes fill the buffer and then meet the deadline; nothing else is ever seen, until
// the network heals and everything arrives late.
func TestLineHalfOpenFillsUpAndMayHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{HalfOpen: haltest.After(4), Buffer: 10})
		wantWrite(t, l.Terminal, "0200", 4, nil)
		wantRead(t, l.Host, 4, "0200", nil)
		wantWrite(t, l.Host, "0210", 4, nil)
		start := time.Now()
		l.Terminal.SetWriteDeadline(start.Add(time.Minute))
		wantWrite(t, l.Terminal, "0800 0800 0800", 10, os.ErrDeadlineExceeded)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("Write took %v, want a minute", took)
		}
		if n, err := l.Terminal.TryWrite([]byte("x")); n != 0 || err != nil {
			t.Errorf("TryWrite = %d, %v, want 0, nil", n, err)
		}
		l.Host.Close()
		time.AfterFunc(time.Hour, func() { l.Silence(false) })
		wantRead(t, l.Terminal, -1, "0210", nil)
		if late := time.Since(start); late != time.Hour+time.Minute {
			t.Errorf("the answer came after %v", late)
		}
	})
}

func TestLineSilenceHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{})
		wantWrite(t, l.Host, "before ", 7, nil)
		l.Silence(true)
		wantWrite(t, l.Host, "after", 5, nil)
		l.Silence(true) // again changes nothing
		wantRead(t, l.Terminal, 7, "before ", nil)
		time.AfterFunc(time.Second, func() { l.Silence(false) })
		start := time.Now()
		wantRead(t, l.Terminal, 5, "after", nil)
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v, want a second", took)
		}
	})
}

func TestLineDelaysAndDeliversInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{
			DelayToHost: time.Second, DelayToTerminal: time.Minute, Pieces: 3,
		})
		start := time.Now()
		wantWrite(t, l.Terminal, "question", 8, nil)
		b := make([]byte, 8)
		if n, err := l.Host.Read(b); n != 3 || err != nil {
			t.Errorf("Read = %d, %v, want 3 bytes", n, err)
		}
		wantRead(t, l.Host, 5, "stion", nil)
		if took := time.Since(start); took != time.Second {
			t.Errorf("the question took %v, want a second", took)
		}
		wantWrite(t, l.Host, "answer", 6, nil)
		l.Cut() // what is under way still arrives
		wantRead(t, l.Terminal, -1, "answer", hal.ErrLinkGone)
		if took := time.Since(start); took != time.Second+time.Minute {
			t.Errorf("the answer came after %v", took)
		}
	})
}

func TestLineResetLosesWhatWasNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{})
		wantWrite(t, l.Host, "answer", 6, nil)
		l.Reset()
		wantRead(t, l.Terminal, -1, "", hal.ErrLinkGone)
	})
}

// As with TCP, the first write to an end that has gone seems to work.
func TestLineWriteAfterThePeerClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{})
		l.Host.Close()
		wantWrite(t, l.Terminal, "question", 8, nil)
		wantWrite(t, l.Terminal, "question", 0, hal.ErrLinkGone)
		wantRead(t, l.Terminal, -1, "", hal.ErrLinkGone)
	})
}

func TestLineCloseUnblocksReadAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{Buffer: 4})
		errs := make(chan error, 3)
		go func() {
			_, err := l.Terminal.Read(make([]byte, 1))
			errs <- err
		}()
		for range 2 {
			go func() {
				_, err := l.Terminal.Write([]byte("question"))
				errs <- err
			}()
		}
		synctest.Wait()
		if n, err := l.Terminal.TryWrite([]byte("x")); n != 0 || err != nil {
			t.Errorf("TryWrite beside a Write = %d, %v, want 0, nil", n, err)
		}
		l.Terminal.Close()
		for range 3 {
			if err := <-errs; !errors.Is(err, hal.ErrLinkGone) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("error after Close: %v, want ErrLinkGone and net.ErrClosed", err)
			}
		}
		if err := l.Terminal.SetWriteDeadline(time.Time{}); !errors.Is(err, hal.ErrLinkGone) {
			t.Errorf("SetWriteDeadline after Close: %v", err)
		}
		if err := l.Terminal.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

// Writes larger than the buffer go through while somebody reads, and two never mix.
func TestLineWritesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := haltest.NewLine(haltest.Faults{Buffer: 5, Pieces: 2})
		const each = 100
		for _, c := range []byte("ab") {
			go l.Terminal.Write(bytes.Repeat([]byte{c}, each))
		}
		got, err := arriving(l.Host, 2*each)
		if err != nil {
			t.Fatal(err)
		}
		first := bytes.Repeat([]byte(got[:1]), each)
		if got[:each] != string(first) {
			t.Errorf("two writes are mixed: %q", got)
		}
		if n, err := l.Terminal.Write(nil); n != 0 || err != nil {
			t.Errorf("Write(nil) = %d, %v", n, err)
		}
	})
}
