package relay_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
	"reversald/hal/relay"
)

// patience bounds every wait: ten times what a loaded machine needs.
const patience = 60 * time.Second

// end is one end of a relay over a port of a cable.
type end struct {
	line *relay.Line
	port *hal.Port
	err  chan error
	up   chan bool
	stop context.CancelFunc
}

func startEnd(tb testing.TB, path string, o relay.Options) *end {
	tb.Helper()
	port, err := hal.Serial{Baud: o.Baud, LockDir: tb.TempDir()}.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	e := &end{port: port, err: make(chan error, 1), up: make(chan bool, 100)}
	o.Up = func(up bool) {
		select {
		case e.up <- up:
		default:
		}
	}
	e.line = relay.NewLine(port, o)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	go func() { e.err <- e.line.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		port.Close()
	})
	return e
}

func (e *end) waitUp(tb testing.TB, want bool) {
	tb.Helper()
	for {
		select {
		case up := <-e.up:
			if up == want {
				return
			}
		case err := <-e.err:
			tb.Fatalf("the relay ended: %v", err)
		case <-time.After(patience):
			tb.Fatalf("up = %v never came", want)
		}
	}
}

func (e *end) ended(tb testing.TB) error {
	tb.Helper()
	select {
	case err := <-e.err:
		return err
	case <-time.After(patience):
		tb.Fatal("the relay goes on")
		return nil
	}
}

// pair is a relay over a cable: the terminal at B, the laptop at A.
func pair(tb testing.TB, o haltest.CableOptions, hosts ...string) (terminal, laptop *end, c *haltest.Cable) {
	tb.Helper()
	c = haltest.NewCable(tb, o)
	terminal = startEnd(tb, c.B, relay.Options{Baud: o.Baud, Escape: true})
	laptop = startEnd(tb, c.A, relay.Options{Baud: o.Baud, Offer: hosts})
	ctx, stop := context.WithCancel(context.Background())
	tb.Cleanup(stop)
	go relay.Serve(ctx, laptop.line, hosts, func(relay.Event) {})
	terminal.waitUp(tb, true)
	return terminal, laptop, c
}

// echoHost answers frames of two length bytes, each with itself turned round.
func echoHost(tb testing.TB, wrap func(net.Conn) net.Conn) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				conn := wrap(c)
				for {
					body, err := readFrame(conn)
					if err != nil {
						return
					}
					for i, j := 0, len(body)-1; i < j; i, j = i+1, j-1 {
						body[i], body[j] = body[j], body[i]
					}
					conn.Write(frame(body))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func plain(c net.Conn) net.Conn { return c }

func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(r, body)
	return body, err
}

// reversalBytes is what a reversal and its answer have, about.
const reversalBytes = 220

// exchange sends one message as long as a reversal, and wants it back turned round.
func exchange(rw io.ReadWriter, n int) error {
	body := make([]byte, reversalBytes)
	rand.Read(body)
	copy(body, fmt.Sprint(n))
	if _, err := rw.Write(frame(body)); err != nil {
		return err
	}
	answer, err := readFrame(rw)
	if err != nil {
		return err
	}
	for i := range answer {
		if answer[i] != body[len(body)-1-i] {
			return fmt.Errorf("answer %d is wrong at byte %d", n, i)
		}
	}
	return nil
}

// exchanges wants twenty of twenty.
func exchanges(tb testing.TB, terminal *end, address string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	call, err := terminal.line.Dial(ctx, address)
	if err != nil {
		tb.Fatal(err)
	}
	defer call.Close()
	for n := range 20 {
		if err := exchange(call, n); err != nil {
			tb.Fatalf("reversal %d: %v", n, err)
		}
	}
}

// Rule: twenty of twenty at 115200 with four bad bytes in a thousand, over a real terminal line.
func TestTwentyOfTwentyInNoise(t *testing.T) {
	host := echoHost(t, plain)
	terminal, laptop, _ := pair(t, haltest.CableOptions{Baud: 115200, Noise: 0.004, Seed: 4}, host)
	exchanges(t, terminal, host)
	if s := terminal.line.Stats(); s.Bad == 0 || s.Frames == 0 {
		t.Errorf("stats %+v, %+v: where was the noise?", s, laptop.line.Stats())
	}
}

// Rule: TLS between terminal and host passes through untouched, in noise too.
func TestTLSPassesThrough(t *testing.T) {
	cert, pool := certificate(t)
	host := echoHost(t, func(c net.Conn) net.Conn {
		return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
	})
	terminal, _, _ := pair(t, haltest.CableOptions{Baud: 115200, Noise: 0.001, Seed: 5}, host)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	call, err := terminal.line.Dial(ctx, host)
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.Client(asConn{call}, &tls.Config{RootCAs: pool, ServerName: "host.test"})
	for n := range 3 {
		if err := exchange(secure, n); err != nil {
			t.Fatal(err)
		}
	}
	secure.Close()
}

// Rule: a call can be opened and ended again and again, and a new one replaces an old one.
func TestCallsOpenAndEnd(t *testing.T) {
	host := echoHost(t, plain)
	terminal, _, _ := pair(t, haltest.CableOptions{}, host)
	var old *relay.Call
	for n := range 10 {
		call, err := terminal.line.Dial(context.Background(), host)
		if err != nil {
			t.Fatal(err)
		}
		if err := exchange(call, n); err != nil {
			t.Fatal(err)
		}
		if old != nil {
			if _, err := old.Write([]byte("x")); !errors.Is(err, hal.ErrLinkGone) {
				t.Errorf("the old call still takes bytes: %v", err)
			}
		}
		if n%2 == 0 {
			call.Close()
		}
		old = call
	}
}

// Rule: a host that hangs up is an orderly end, after its last byte; one that refuses is an error.
func TestTheHostsEndIsPassedOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	go func() {
		c, _ := l.Accept()
		c.Write(bytes.Repeat([]byte("last"), 500))
		c.Close()
		l.Close()
	}()
	terminal, _, _ := pair(t, haltest.CableOptions{}, host)
	call, err := terminal.line.Dial(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(call)
	if err != nil || len(all) != 2000 {
		t.Errorf("read %d bytes, %v: want all 2000 and an end", len(all), err)
	}
	call.Close()
	if _, err := terminal.line.Dial(context.Background(), host); err == nil ||
		!strings.Contains(err.Error(), "refused") {
		t.Errorf("a host that is gone: %v", err)
	}
}

// Rule: the laptop calls nobody but whom its user has named.
func TestOnlyWhatWasOfferedIsDialled(t *testing.T) {
	secret := echoHost(t, plain)
	terminal, _, _ := pair(t, haltest.CableOptions{}, "127.0.0.1:1")
	if _, err := terminal.line.Dial(context.Background(), secret); err == nil ||
		!strings.Contains(err.Error(), "was not offered") {
		t.Errorf("Dial = %v", err)
	}
}

// Rule: the terminal refuses offers it does not like, and both ends know why.
func TestOffersCanBeRefused(t *testing.T) {
	c := haltest.NewCable(t, haltest.CableOptions{})
	var seen []string
	terminal := startEnd(t, c.B, relay.Options{Offered: func(all []string) error {
		seen = all
		return errors.New("evil.example is not a host of this terminal")
	}})
	laptop := startEnd(t, c.A, relay.Options{Offer: []string{"a:1", "evil.example:443"}})
	for _, e := range []*end{terminal, laptop} {
		if err := e.ended(t); err == nil || !strings.Contains(err.Error(), "is not a host of") {
			t.Errorf("ended with %v", err)
		}
	}
	if fmt.Sprint(seen) != "[a:1 evil.example:443]" {
		t.Errorf("offered %v", seen)
	}
}

// Rule: when the laptop's program starts anew, calls of before break and the next ones go through.
func TestTheLaptopStartsAnew(t *testing.T) {
	host := echoHost(t, plain)
	terminal, laptop, c := pair(t, haltest.CableOptions{}, host)
	call, err := terminal.line.Dial(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	laptop.port.Close() // as a crash does: no farewell
	laptop.ended(t)
	again := startEnd(t, c.A, relay.Options{Offer: []string{host}})
	go relay.Serve(t.Context(), again.line, []string{host}, func(relay.Event) {})
	terminal.waitUp(t, false)
	terminal.waitUp(t, true)
	if _, err := call.Read(make([]byte, 1)); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("the call of before: %v", err)
	}
	exchanges(t, terminal, host)
}

// Rule: a cable that is pulled ends the terminal's relay, and one that is put back starts another.
func TestPulledCableEndsTheRelay(t *testing.T) {
	host := echoHost(t, plain)
	terminal, _, c := pair(t, haltest.CableOptions{}, host)
	call, err := terminal.line.Dial(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	c.Unplug()
	if err := terminal.ended(t); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("ended with %v", err)
	}
	if _, err := call.Write([]byte("x")); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("Write = %v", err)
	}
}

// Rule: either side can leave, and a person can type the way out.
func TestWaysOut(t *testing.T) {
	terminal, laptop, _ := pair(t, haltest.CableOptions{})
	laptop.line.Leave("done")
	if err := terminal.ended(t); !errors.Is(err, relay.ErrLeft) || !strings.Contains(err.Error(), "done") {
		t.Errorf("ended with %v", err)
	}
	laptop.ended(t)

	c := haltest.NewCable(t, haltest.CableOptions{})
	person := startEnd(t, c.A, relay.Options{Escape: true})
	time.Sleep(1100 * time.Millisecond) // the silence before it is part of it
	for range 3 {
		c.Inject([]byte("+"))
	}
	if err := person.ended(t); !errors.Is(err, relay.ErrEscaped) {
		t.Errorf("ended with %v", err)
	}
	alone := startEnd(t, haltest.NewCable(t, haltest.CableOptions{}).A, relay.Options{Patience: 50 * time.Millisecond})
	if err := alone.ended(t); !errors.Is(err, relay.ErrNobody) {
		t.Errorf("ended with %v", err)
	}
}

// Rule: a reader that does not read stops the sender, and nothing is lost or grows.
func TestASlowReaderStopsTheSender(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const total, onTheSide = 60_000, "the other direction still goes"
	var sender sync.WaitGroup
	sender.Add(1)
	go func() {
		defer sender.Done()
		c, _ := l.Accept()
		heard := make([]byte, len(onTheSide))
		go io.ReadFull(c, heard)
		c.Write(make([]byte, total))
		c.(*net.TCPConn).CloseWrite()
	}()
	terminal, _, _ := pair(t, haltest.CableOptions{}, l.Addr().String())
	call, err := terminal.line.Dial(context.Background(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	before := terminal.line.Stats().Frames
	if before > 200 {
		t.Errorf("%d frames came for a reader that does not read", before)
	}
	call.Write([]byte(onTheSide))
	n, err := io.Copy(io.Discard, call)
	if n != total || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	sender.Wait()
}

// asConn makes a net.Conn of a call, for crypto/tls.
type asConn struct{ *relay.Call }

func (asConn) LocalAddr() net.Addr             { return &net.TCPAddr{} }
func (asConn) RemoteAddr() net.Addr            { return &net.TCPAddr{} }
func (asConn) SetDeadline(time.Time) error     { return nil }
func (asConn) SetReadDeadline(time.Time) error { return nil }

func certificate(tb testing.TB) (tls.Certificate, *x509.CertPool) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "host.test"},
		DNSNames: []string{"host.test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// BenchmarkRelay prints what one reversal of 220 bytes and its answer take over the cable.
func BenchmarkRelay(b *testing.B) {
	for _, o := range []haltest.CableOptions{
		{Baud: 9600},
		{Baud: 9600, Noise: 0.001, Seed: 1},
		{Baud: 115200},
		{Baud: 115200, Noise: 0.004, Seed: 1},
	} {
		b.Run(fmt.Sprintf("baud=%d/noise=%.3f", o.Baud, o.Noise), func(b *testing.B) {
			host := echoHost(b, plain)
			terminal, _, _ := pair(b, o, host)
			call, err := terminal.line.Dial(context.Background(), host)
			if err != nil {
				b.Fatal(err)
			}
			worst := time.Duration(0)
			b.ResetTimer()
			for n := range b.N {
				begun := time.Now()
				if err := exchange(call, n); err != nil {
					b.Fatal(err)
				}
				worst = max(worst, time.Since(begun))
			}
			b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
		})
	}
}

// Rule: half an answer is told as broken, never as an end.
func TestAResetHostIsNoOrderlyEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, _ := l.Accept()
		c.Write([]byte("half"))
		io.ReadFull(c, make([]byte, 4))
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}()
	terminal, _, _ := pair(t, haltest.CableOptions{}, l.Addr().String())
	call, err := terminal.line.Dial(context.Background(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(call, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	call.Write([]byte("more"))
	if _, err := io.ReadAll(call); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("ended with %v", err)
	}
}
