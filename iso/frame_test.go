package iso_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"reversald/iso"
)

// framed is iso87-ascii with another framing: one key.
func framed(t testing.TB, framing string) *iso.Profile {
	t.Helper()
	p, err := iso.Parse([]byte("name: framed\nextends: iso87-ascii\nframing: "+framing+"\n"), "framed")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var framings = map[string]string{ // and the frame of "hello"
	"binary2":                            "\x00\x05hello",
	"ascii4":                             "0005hello",
	"bcd2":                               "\x00\x05hello",
	"{length: binary2, inclusive: true}": "\x00\x07hello",
	"{length: ascii4, inclusive: true}":  "0009hello",
	"{length: bcd2, inclusive: true}":    "\x00\x07hello",
}

func TestFramesOnAStream(t *testing.T) {
	for framing, hello := range framings {
		t.Run(framing, func(t *testing.T) {
			p := framed(t, framing)
			var stream []byte
			bodies := []string{"hello", "", strings.Repeat("x", p.FrameMax()), "", "a"}
			for _, body := range bodies {
				var err error
				if stream, err = p.AppendFrame(stream, []byte(body)); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.HasPrefix(string(stream), hello) {
				t.Fatalf("frame of hello is %q", stream[:9])
			}
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
				"end with data": iotest.DataErrReader(bytes.NewReader(stream)),
			} {
				fr := p.NewFrameReader(r)
				for i, want := range bodies {
					got, err := fr.Next()
					if err != nil || string(got) != want {
						t.Fatalf("%s: frame %d is %d bytes (%v), want %d", name, i, len(got), err, len(want))
					}
				}
				if _, err := fr.Next(); err != io.EOF {
					t.Errorf("%s: after the last frame: %v", name, err)
				}
			}
			for cut := 1; cut < len(hello); cut++ {
				_, err := p.NewFrameReader(strings.NewReader(hello[:cut])).Next()
				if err != io.ErrUnexpectedEOF {
					t.Errorf("cut at %d: %v", cut, err)
				}
			}
		})
	}
}

// A length that cannot be right ends the stream: where the next frame starts is not known.
func TestWrongLengthIsFinal(t *testing.T) {
	for framing, bad := range map[string]string{
		"binary2":                            "\x10\x01" + strings.Repeat("x", 9000),
		"ascii4":                             "00-5hello0005hello",
		"bcd2":                               "\x0F\x05hello",
		"{length: binary2, inclusive: true}": "\x00\x01hello",
		"{length: ascii4, inclusive: true}":  "0003hello",
	} {
		fr := framed(t, framing).NewFrameReader(strings.NewReader(bad))
		for range 2 {
			_, err := fr.Next()
			var fe *iso.FrameError
			if !errors.As(err, &fe) {
				t.Errorf("%s: %v", framing, err)
			}
		}
	}
	p := framed(t, "binary2")
	if _, err := p.AppendFrame(nil, make([]byte, p.FrameMax()+1)); err == nil {
		t.Error("a body over the limit was framed")
	}
}

// A deadline in the middle of a frame loses nothing.
func TestFrameReaderGoesOnAfterATimeout(t *testing.T) {
	p := framed(t, "ascii4")
	fr := p.NewFrameReader(&stutter{text: "0005hello0000"})
	var frames []string
	for range 60 {
		body, err := fr.Next()
		switch {
		case err == nil:
			frames = append(frames, string(body))
		case !errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatal(err)
		}
	}
	if len(frames) != 2 || frames[0] != "hello" || frames[1] != "" {
		t.Errorf("frames: %q", frames)
	}
}

// stutter gives one byte, then a timeout, and so on.
type stutter struct {
	text string
	turn int
}

func (s *stutter) Read(b []byte) (int, error) {
	if s.turn++; s.turn%2 == 0 || s.text == "" {
		return 0, os.ErrDeadlineExceeded
	}
	b[0] = s.text[0]
	s.text = s.text[1:]
	return 1, nil
}

func TestFrameReaderGivesUpOnAReaderThatReadsNothing(t *testing.T) {
	_, err := framed(t, "ascii4").NewFrameReader(idle{}).Next()
	if err != io.ErrNoProgress {
		t.Error(err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }
