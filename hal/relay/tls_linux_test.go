package relay_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
	"reversald/hal/relay"
)

// lineDialer opens calls through a relay.
type lineDialer struct{ line *relay.Line }

func (d lineDialer) Dial(ctx context.Context, address string) (hal.Link, error) {
	call, err := d.line.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return call, nil
}

// wiretap is what a laptop can see of what it carries.
type wiretap struct {
	mu   sync.Mutex
	seen []byte
}

func (w *wiretap) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, b...)
	return len(b), nil
}

// tapped listens where the laptop believes the host to be, and keeps a copy of all that passes.
func tapped(t *testing.T, host string) (address string, tap *wiretap) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	tap = &wiretap{}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			on, err := net.Dial("tcp", host)
			if err != nil {
				c.Close()
				return
			}
			go func() {
				io.Copy(io.MultiWriter(c, tap), on)
				c.Close()
			}()
			go func() {
				io.Copy(io.MultiWriter(on, tap), c)
				on.Close()
			}()
		}
	}()
	return ln.Addr().String(), tap
}

// Rule: the terminal's own TLS goes over the cable: the laptop sees ciphertext, and the host must
// have the right authority, the right key, and a certificate that is good at the terminal's time.
func TestTheTerminalsTLSGoesOverTheCable(t *testing.T) {
	a, other := haltest.NewAuthority(t), haltest.NewAuthority(t)
	from, to := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }
	paper, stranger := a.Issue("host", from, to), a.Issue("stranger", from, to)
	host := echoHost(t, func(c net.Conn) net.Conn {
		return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{paper.Pair}, Time: now})
	})
	laptopsHost, tap := tapped(t, host)
	terminal, _, _ := pair(t, haltest.CableOptions{Baud: 115200, Noise: 0.0005, Seed: 5}, laptopsHost)
	dial := func(o hal.TLSOptions) (hal.Link, error) {
		o.ServerName = "host"
		if o.Now == nil {
			o.Now = now
		}
		d, err := hal.OpenTLS(hal.TCP{}, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return d.Over(lineDialer{terminal.line}).Dial(ctx, laptopsHost)
	}
	link, err := dial(hal.TLSOptions{CAFile: a.File(), Pin: paper.Pin})
	if err != nil {
		t.Fatal(err)
	}
	card := bytes.Repeat([]byte("track 2 of a card "), 100)
	for i, write := range []func([]byte) (int, error){link.Write, link.TryWrite} {
		wire := frame(append([]byte{byte('a' + i)}, card...))
		if n, err := write(wire); err != nil || n != len(wire) {
			t.Fatal(n, err)
		}
		body, err := readFrame(link)
		if err != nil || len(body) != len(wire)-2 || body[len(body)-1] != byte('a'+i) {
			t.Fatalf("%d bytes came back, %v", len(body), err)
		}
	}
	link.Close()
	tap.mu.Lock()
	if len(tap.seen) < 2*len(card) || bytes.Contains(tap.seen, []byte("track 2")) {
		t.Errorf("the laptop saw %d bytes, the clear text among them: %v", len(tap.seen),
			bytes.Contains(tap.seen, []byte("track 2")))
	}
	tap.mu.Unlock()
	if _, err := link.Write([]byte("x")); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("a closed line takes bytes: %v", err)
	}
	for name, o := range map[string]hal.TLSOptions{
		"authority": {CAFile: other.File()},
		"pin":       {CAFile: a.File(), Pin: stranger.Pin},
		"time":      {CAFile: a.File(), Now: func() time.Time { return to.AddDate(1, 0, 0) }},
	} {
		if link, err := dial(o); err == nil {
			link.Close()
			t.Errorf("the wrong %s was taken", name)
		}
	}
}

// Rule: a link that TLS can not be spoken on is refused, never used in the clear.
func TestNoTLSOverWhatCanNotCarryIt(t *testing.T) {
	a := haltest.NewAuthority(t)
	d, err := hal.OpenTLS(hal.TCP{}, hal.TLSOptions{CAFile: a.File()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Over(haltest.NewDialer()).Dial(context.Background(), "host:1")
	if !errors.Is(err, hal.ErrUnsupported) {
		t.Errorf("dialled: %v", err)
	}
}
