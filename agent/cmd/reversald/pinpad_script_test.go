package main_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reversald/hal/haltest"
)

// pinpad puts a PIN pad at the other end of a serial port whose path it puts into TTY, and opens a
// place on TCP where whoever sells sells through it: frames with two binary bytes of length come
// in, and go over the cable in envelopes, with ACK. It is written here on its own: what both sides
// had from one source, both would have wrong. A noisy one babbles before every frame.
func pinpad(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: pinpad TTY VAR [noisy]")
		}
		line, slave := haltest.Pty(t)
		apps, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(args[0], slave)
		ts.Setenv(args[1], apps.Addr().String())
		ts.Defer(func() { _, _ = apps.Close(), line.Close() })
		pad := &pad{line: line, noisy: len(args) > 2}
		go pad.listens()
		go func() {
			for {
				app, err := apps.Accept()
				if err != nil {
					return
				}
				go pad.serves(app)
			}
		}()
	}
}

// pad is the PIN pad's program.
type pad struct {
	line  *os.File
	noisy bool

	mu  sync.Mutex
	app net.Conn // who is answered
}

func (p *pad) serves(app net.Conn) {
	p.mu.Lock()
	p.app = app
	p.mu.Unlock()
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(app, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint16(head))
		if _, err := io.ReadFull(app, body); err != nil {
			return
		}
		p.says(body)
	}
}

func (p *pad) says(body []byte) {
	n := len(body)
	frame := append([]byte{byte(n/1000<<4 | n/100%10), byte(n/10%10<<4 | n%10)}, body...)
	frame = append(frame, 0x03)
	sum := byte(0)
	for _, c := range frame {
		sum ^= c
	}
	if p.noisy {
		_, _ = p.line.Write(bytes.Repeat([]byte{0, 0xff, 0x55, 0x15, 0x06, 0x05}, 40))
		_, _ = p.line.Write([]byte{2, 0, 0x42, 'h', 'a', 'l', 'f'}) // half a frame, and a silence
		time.Sleep(1500 * time.Millisecond)
	}
	_, _ = p.line.Write(append(append([]byte{0x02}, frame...), sum))
}

// listens hands what comes in envelopes to the app, and says ACK.
func (p *pad) listens() {
	for {
		c := make([]byte, 1)
		if _, err := p.line.Read(c); err != nil {
			return
		}
		if c[0] != 0x02 { // ACK, or NAK
			continue
		}
		head := make([]byte, 2)
		if _, err := io.ReadFull(p.line, head); err != nil {
			return
		}
		n := int(head[0]>>4)*1000 + int(head[0]&15)*100 + int(head[1]>>4)*10 + int(head[1]&15)
		body := make([]byte, n+2)
		if _, err := io.ReadFull(p.line, body); err != nil {
			return
		}
		_, _ = p.line.Write([]byte{0x06})
		p.mu.Lock()
		if p.app != nil {
			_, _ = p.app.Write(append(binary.BigEndian.AppendUint16(nil, uint16(n)), body[:n]...))
		}
		p.mu.Unlock()
	}
}
