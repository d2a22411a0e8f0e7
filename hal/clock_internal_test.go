//go:build linux

package hal

import (
	"testing"
	"time"
)

func TestSystemClock(t *testing.T) {
	c, err := OpenSystem()
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenSystem()
	if err != nil {
		t.Fatal(err)
	}
	if c.BootID() == [16]byte{} || c.BootID() != again.BootID() {
		t.Errorf("boot ids %x and %x, want one", c.BootID(), again.BootID())
	}
	before := c.SinceBoot()
	time.Sleep(time.Millisecond)
	if passed := again.SinceBoot() - before; passed < time.Millisecond || before <= 0 {
		t.Errorf("%v passed since %v, want a millisecond or more", passed, before)
	}
	if off := time.Since(c.Wall()).Abs(); off > time.Minute {
		t.Errorf("Wall() is off by %v", off)
	}
	if c.Trusted(time.Now().Add(time.Hour)) {
		t.Error("trusted before its floor")
	}
}

func TestParseBootID(t *testing.T) {
	got, err := parseBootID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n")
	want := [16]byte{
		0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0,
	}
	if err != nil || got != want {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	for _, text := range []string{"", "0f1e", "zf1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"} {
		if id, err := parseBootID(text); err == nil || id != [16]byte{} {
			t.Errorf("parseBootID(%q) = %x, %v, want an error", text, id, err)
		}
	}
}
