package hal_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"reversald/hal"
)

// states watches a source until the test ends.
func states(t *testing.T, p hal.Power) <-chan hal.PowerState {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	said, ended := make(chan hal.PowerState, 16), make(chan error, 1)
	go func() { ended <- p.Watch(ctx, func(s hal.PowerState) { said <- s }) }()
	t.Cleanup(func() {
		cancel()
		soon(t, "Watch", func() {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("Watch ended: %v", err)
			}
		})
	})
	return said
}

func wantState(t *testing.T, said <-chan hal.PowerState, failing bool) {
	t.Helper()
	select {
	case s := <-said:
		if s.Failing != failing || s.Why == "" {
			t.Errorf("%+v, want failing %v", s, failing)
		}
	case <-time.After(patience):
		t.Errorf("nobody says that failing is %v", failing)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".next"
	if err := errors.Join(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, path)); err != nil {
		t.Fatal(err)
	}
}

// Rule: a file says that the power fails and that it is back; one that is missing says nothing bad.
func TestPowerFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "power")
	said := states(t, hal.PowerFile{Path: path, Every: time.Millisecond})
	wantState(t, said, false)
	for _, text := range []string{"1\n", "fail", "low", "anything at all"} {
		put(t, path, text)
		wantState(t, said, true)
		put(t, path, "0\n")
		wantState(t, said, false)
	}
	put(t, path, "1")
	wantState(t, said, true)
	os.Remove(path)
	wantState(t, said, false)
}

// Rule: a supply that is off line, or that has been unplugged with its driver, is a power that fails.
func TestPowerFromASupplyOfSysfs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "AC")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "online"), "1\n")
	p, err := hal.ParsePower("supply:" + dir)
	if err != nil {
		t.Fatal(err)
	}
	said := states(t, p)
	wantState(t, said, false)
	put(t, filepath.Join(dir, "online"), "0\n")
	wantState(t, said, true)
	put(t, filepath.Join(dir, "online"), "1\n")
	wantState(t, said, false)
	os.Remove(filepath.Join(dir, "online"))
	wantState(t, said, true)
}

// Rule: of an input device's events only the key that was named counts. The device is a FIFO here,
// which speaks the same bytes and can not be asked how the key stands.
func TestPowerFromAKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "event0")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	driver, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() }) // after Watch has ended: a device without a driver is an error
	p, err := hal.ParsePower("evdev:" + path + ":key:116")
	if err != nil {
		t.Fatal(err)
	}
	said := states(t, p)
	wantState(t, said, false)
	event := func(kind, code uint16, value uint32) {
		e := make([]byte, 2*unsafe.Sizeof(uintptr(0))+8)
		tail := e[len(e)-8:]
		binary.NativeEndian.PutUint16(tail, kind)
		binary.NativeEndian.PutUint16(tail[2:], code)
		binary.NativeEndian.PutUint32(tail[4:], value)
		if _, err := driver.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	event(1, 30, 1)  // another key
	event(5, 116, 1) // a switch of that number
	event(1, 116, 1)
	wantState(t, said, true)
	event(1, 116, 2) // still held
	event(1, 116, 0)
	wantState(t, said, false)
}

// Rule: what is no source is refused by name, and a device that is not there is an error at once.
func TestPowerSourcesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "file", "file:", "gpio:/dev/gpiochip0", "gpio:/dev/gpiochip0:x", "gpio:/dev/c:1:high",
		"evdev:/dev/e", "evdev:/dev/e:knob:1", "evdev:/dev/e:key:768", "battery:1",
	} {
		if _, err := hal.ParsePower(text); !errors.Is(err, hal.ErrPowerSource) {
			t.Errorf("%q: %v", text, err)
		}
	}
	null := filepath.Join(t.TempDir(), "chip")
	put(t, null, "")
	for _, text := range []string{
		"gpio:/nowhere/chip:1", "gpio:" + null + ":1:low", "evdev:/nowhere/event0:switch:1",
	} {
		p, err := hal.ParsePower(text)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Watch(context.Background(), func(hal.PowerState) { t.Errorf("%s reports", text) })
		if err == nil {
			t.Errorf("%s is watched", text)
		}
	}
}
