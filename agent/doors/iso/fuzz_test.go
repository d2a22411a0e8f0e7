package iso_test

import (
	"bytes"
	"io"
	"testing"
)

// FuzzSession sends any bytes to a door: it takes whole frames only, as they are, and goes on serving
// others whatever came.
func FuzzSession(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0})
	f.Add([]byte{0, 1, 'x', 0, 0, 0, 2, 'y', 'z'})
	f.Add([]byte{0xff, 0xff, 1, 2, 3})
	f.Add([]byte{0, 40, 1, 2, 3})
	f.Add([]byte("GET / HTTP/1.1\r\nHost: terminal\r\n\r\n"))
	f.Add(append([]byte{0x10, 0x00}, make([]byte, 4096)...))
	f.Add(append([]byte{0x10, 0x01}, make([]byte, 4097)...))
	f.Fuzz(func(t *testing.T, input []byte) {
		s := opens(t, limits())
		other, c := s.client(), s.client()
		go func() {
			_, _ = c.Write(input)
			_ = c.CloseWrite()
		}()
		_, _ = io.Copy(io.Discard, c)
		other.sells("a sale")
		eventually(t, "gone", func() bool { _, _, gone := s.count(); return gone == 1 })
		var want [][]byte
		for rest := input; len(rest) >= 2; {
			n := int(rest[0])<<8 | int(rest[1])
			if n > 4096 || len(rest) < n+2 {
				break
			}
			if n > 0 {
				want = append(want, rest[2:n+2])
			}
			rest = rest[n+2:]
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		var got [][]byte
		for app, bodies := range s.frames {
			if app.Name() == c.LocalAddr().String() {
				got = bodies
			}
		}
		if len(got) > len(want) {
			t.Fatalf("%d frames came of %d", len(got), len(want))
		}
		for i := range got { // fewer where the door was reset before it had read all
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("frame %d is %x, want %x", i, got[i], want[i])
			}
		}
	})
}
