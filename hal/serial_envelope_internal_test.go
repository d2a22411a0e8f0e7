package hal

import (
	"bytes"
	"testing"
)

// FuzzEnvelope: whatever a line brings, no more than one frame is kept; and after any noise and the
// rest of a broken frame, a whole frame comes out as it went in.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte{charSTX, 0x00, 0x02, 'h', 'i', charETX, 0x02 ^ 'h' ^ 'i' ^ charETX}, []byte("body"))
	f.Add([]byte{charENQ, charSTX, 0xff}, []byte{charSTX})
	f.Fuzz(func(t *testing.T, noise, body []byte) {
		var e envelope
		for _, c := range noise {
			e.take(c)
			if len(e.frame) > 2+9999+2 {
				t.Fatalf("%d bytes are kept", len(e.frame))
			}
		}
		if e.open {
			e.close(letter{}) // as a gap does
		}
		body = body[:min(len(body), 9999)]
		n := len(body)
		frame := append([]byte{byte(n/1000<<4 | n/100%10), byte(n/10%10<<4 | n%10)}, body...)
		var got letter
		for i, c := range wrap(frame) {
			l, whole := e.take(c)
			if whole != (i == len(frame)+2) {
				t.Fatalf("whole after %d bytes", i)
			}
			got = l
		}
		if got.kind != letterFrame || !bytes.Equal(got.frame, frame) {
			t.Errorf("%v %x, want %x", got.kind, got.frame, frame)
		}
	})
}
