package hal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
)

// frameOf is a body with its packed length.
func frameOf(body string) []byte {
	n := len(body)
	return append([]byte{byte(n/1000%10<<4 | n/100%10), byte(n/10%10<<4 | n%10)}, body...)
}

// enveloped is a frame as it goes over the line.
func enveloped(frame []byte) []byte {
	sum := byte(3)
	for _, c := range frame {
		sum ^= c
	}
	return append(append(append([]byte{2}, frame...), 3), sum)
}

// serialHost is a line to a host whose end of the cable is the test's. Somebody reads it.
func serialHost(t *testing.T, options string) (link hal.Link, host *os.File, heard <-chan []byte) {
	t.Helper()
	master, slave := haltest.Pty(t)
	h, device, err := hal.ParseSerialHost("serial:" + slave + "?" + options)
	if err != nil {
		t.Fatal(err)
	}
	h.Serial.LockDir, h.Patience = t.TempDir(), time.Second
	knocked := make(chan struct{})
	if h.ENQ {
		go func() {
			defer close(knocked)
			wantBytes(t, master, []byte{5})
			master.Write([]byte{6})
		}()
	} else {
		close(knocked)
	}
	link, err = h.Dial(context.Background(), device)
	if err != nil {
		t.Fatal(err)
	}
	<-knocked
	frames := make(chan []byte, 16)
	go func() {
		defer close(frames)
		for {
			head := make([]byte, 2)
			if _, err := io.ReadFull(link, head); err != nil {
				return
			}
			n := int(head[0]>>4)*1000 + int(head[0]&15)*100 + int(head[1]>>4)*10 + int(head[1]&15)
			body := make([]byte, n)
			if _, err := io.ReadFull(link, body); err != nil {
				return
			}
			frames <- append(head, body...)
		}
	}()
	t.Cleanup(func() {
		link.Close()
		soon(t, "the reader", func() {
			for range frames {
			}
		})
	})
	return link, master, frames
}

func wantBytes(t *testing.T, host *os.File, want []byte) {
	t.Helper()
	_ = host.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(host, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the host hears %x (%v), want %x", got, err, want)
	}
}

func wantSilence(t *testing.T, host *os.File) {
	t.Helper()
	_ = host.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	b := make([]byte, 64)
	if n, err := host.Read(b); err == nil {
		t.Errorf("the host hears %x, want nothing", b[:n])
	}
}

// Rule: a frame goes in an envelope and comes out of one; noise between frames, a broken frame and
// one that was cut off are passed over.
func TestSerialFramesGoInEnvelopes(t *testing.T) {
	link, host, heard := serialHost(t, "baud=115200")
	question := frameOf("\x02\x03\x05\x06\x15 a body may hold anything")
	if n, err := link.TryWrite(question); n != 0 || err != nil {
		t.Fatalf("TryWrite: %d, %v", n, err)
	}
	if n, err := link.Write(question); n != len(question) || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
	wantBytes(t, host, enveloped(question))
	broken := enveloped(frameOf("broken"))
	broken[len(broken)-1] ^= 1
	answer := frameOf("answer")
	for _, piece := range [][]byte{
		[]byte("\x00\xffnoise\x06\x15\x05"), broken, {2, 0xaa}, enveloped(answer)[:4],
	} {
		host.Write(piece)
	}
	time.Sleep(10 * time.Millisecond)
	host.Write(enveloped(answer)[4:])
	select {
	case got := <-heard:
		if !bytes.Equal(got, answer) {
			t.Errorf("heard %x, want %x", got, answer)
		}
	case <-time.After(patience):
		t.Error("the answer did not come through")
	}
	wantSilence(t, host) // there is no dialogue
}

// Rule: what is no frame with a packed length does not leave.
func TestSerialRefusesOtherFrames(t *testing.T) {
	link, host, _ := serialHost(t, "")
	for _, b := range [][]byte{{}, {0}, {0, 4, 'x'}, {0, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}} {
		if n, err := link.Write(b); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
			t.Errorf("%x: %d, %v", b, n, err)
		}
	}
	wantSilence(t, host)
}

// Rule: in a dialogue a good frame is answered with ACK and a broken one with NAK.
func TestSerialAnswersFrames(t *testing.T) {
	_, host, heard := serialHost(t, "ack=yes&enq=yes")
	broken := enveloped(frameOf("answer"))
	broken[len(broken)-2] = 4
	host.Write(broken)
	wantBytes(t, host, []byte{0x15})
	host.Write([]byte{5})
	wantBytes(t, host, []byte{6})
	host.Write(enveloped(frameOf("answer")))
	wantBytes(t, host, []byte{6})
	if got := <-heard; !bytes.Equal(got, frameOf("answer")) {
		t.Errorf("heard %x", got)
	}
}

// Rule: a request is never sent twice. No ACK proves nothing, so the frame may have been taken; a NAK
// ends the line, and all of the frame may have left.
func TestSerialNeverSendsARequestTwice(t *testing.T) {
	question := frameOf("question")
	for name, c := range map[string]struct {
		options string
		says    []byte
		bad     bool
	}{
		"ACK":                   {"ack=yes", []byte{6}, false},
		"silence":               {"ack=yes", nil, false},
		"silence, with resends": {"ack=yes&resend=3", nil, false},
		"NAK":                   {"ack=yes", []byte{0x15}, true},
	} {
		t.Run(name, func(t *testing.T) {
			link, host, _ := serialHost(t, c.options)
			done := make(chan struct{})
			var n int
			var err error
			go func() {
				defer close(done)
				n, err = link.Write(question)
			}()
			wantBytes(t, host, enveloped(question))
			host.Write(c.says)
			soon(t, "Write", func() { <-done })
			if n != len(question) || (err != nil) != c.bad || c.bad && !errors.Is(err, hal.ErrLinkGone) {
				t.Errorf("Write: %d, %v", n, err)
			}
			wantSilence(t, host)
		})
	}
}

// Rule: only a NAK, and only where the integrator allows it, has a frame sent again, and not for ever.
func TestSerialSendsAgainAfterANAKWhereAllowed(t *testing.T) {
	link, host, _ := serialHost(t, "ack=yes&resend=2")
	question := frameOf("question")
	errs := make(chan error, 1)
	go func() {
		_, err := link.Write(question)
		errs <- err
	}()
	for range 3 {
		wantBytes(t, host, enveloped(question))
		host.Write([]byte{0x15})
	}
	if err := <-errs; !errors.Is(err, hal.ErrLinkGone) || !strings.Contains(err.Error(), "NAK") {
		t.Error(err)
	}
	wantSilence(t, host)
}

// Rule: nobody who answers ENQ means that not one byte of the frame has left.
func TestSerialKnocksBeforeItSends(t *testing.T) {
	link, host, _ := serialHost(t, "ack=yes&enq=yes")
	question := frameOf("question")
	errs := make(chan error, 1)
	go func() {
		n, err := link.Write(question)
		if n != 0 {
			err = errors.New("bytes left")
		}
		errs <- err
	}()
	wantBytes(t, host, []byte{5, 5, 5})
	if err := <-errs; !errors.Is(err, hal.ErrLinkGone) || !strings.Contains(err.Error(), "ENQ") {
		t.Error(err)
	}
	wantSilence(t, host)
	go func() {
		_, err := link.Write(question)
		errs <- err
	}()
	wantBytes(t, host, []byte{5})
	host.Write([]byte{6})
	wantBytes(t, host, enveloped(question))
	host.Write([]byte{6})
	if err := <-errs; err != nil {
		t.Error(err)
	}
}

// Rule: with ENQ there is no line to a host that is not there.
func TestSerialDialsNobody(t *testing.T) {
	_, slave := haltest.Pty(t)
	h, device, err := hal.ParseSerialHost("serial:" + slave + "?ack=yes&enq=yes")
	if err != nil {
		t.Fatal(err)
	}
	h.Serial.LockDir, h.Patience = t.TempDir(), 50*time.Millisecond
	soon(t, "Dial", func() {
		if _, err := h.Dial(context.Background(), device); err == nil {
			t.Error("somebody is there")
		}
	})
}

// Rule: an address that makes no sense is refused, with what would.
func TestSerialAddresses(t *testing.T) {
	for _, bad := range []string{
		"", "serial:", "serial:ttyS0", "tcp:/dev/ttyS0", "serial:/dev/ttyS0?baud=x", "serial:/dev/t?baud=0",
		"serial:/dev/t?mode=9N1", "serial:/dev/t?mode=8X1", "serial:/dev/t?ack=perhaps",
		"serial:/dev/t?envelope=none&ack=yes", "serial:/dev/t?resend=1", "serial:/dev/t?ack=yes&resend=4",
		"serial:/dev/t?speed=1", "serial:/dev/t?baud=1&baud=2", "serial:/dev/t?%zz",
	} {
		if _, _, err := hal.ParseSerialHost(bad); !errors.Is(err, hal.ErrSerialHost) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	h, device, err := hal.ParseSerialHost("serial:/dev/ttyS1?baud=19200&mode=7E2&ack=yes&enq=yes&resend=3")
	if err != nil || device != "/dev/ttyS1" || h.Serial.Baud != 19200 || h.Serial.DataBits != 7 ||
		h.Serial.Parity != hal.ParityEven || h.Serial.StopBits != 2 || !h.ACK || !h.ENQ || h.Resend != 3 {
		t.Errorf("%+v, %s, %v", h, device, err)
	}
}
