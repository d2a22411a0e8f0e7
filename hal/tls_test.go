package hal_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"reversald/hal"
	"reversald/hal/haltest"
)

var (
	year2020 = time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC)
	year2026 = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	year2040 = time.Date(2040, 6, 1, 0, 0, 0, 0, time.UTC)
)

func in2026() time.Time { return year2026 }

// tlsHost listens, and does what serve does with each connection.
func tlsHost(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func serverConfig(p haltest.Paper, clients *x509.CertPool) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{p.Pair}, Time: in2026}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	return c
}

// echoing sends back what it hears.
func echoing(c *tls.Config) func(net.Conn) {
	return func(raw net.Conn) {
		go func() {
			s := tls.Server(raw, c)
			_, _ = io.Copy(s, s)
			_ = s.Close()
		}()
	}
}

func dialTLS(t *testing.T, o hal.TLSOptions, address string) (hal.Link, *hal.TLS, error) {
	t.Helper()
	if o.Now == nil {
		o.Now = in2026
	}
	d, err := hal.OpenTLS(hal.TCP{}, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	link, err := d.Dial(ctx, address)
	if err == nil {
		t.Cleanup(func() { link.Close() })
	}
	return link, d, err
}

// Rule: with a client certificate, a pin and either version, bytes go both ways, and everybody's
// certificate and its end can be seen.
func TestTLSCarriesBytes(t *testing.T) {
	a := haltest.NewAuthority(t)
	host, client := a.Issue("host", year2020, year2040), a.Issue("pos1", year2020, year2026.AddDate(0, 1, 0))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			noLeaks(t)
			config := serverConfig(host, a.Pool())
			config.MaxVersion = version
			link, d, err := dialTLS(t, hal.TLSOptions{
				CAFile: a.File(), CertFile: client.CertFile, KeyFile: client.KeyFile,
				ServerName: "host", Pin: host.Pin,
			}, tlsHost(t, echoing(config)))
			if err != nil {
				t.Fatal(err)
			}
			for i, write := range []func([]byte) (int, error){link.Write, link.TryWrite} {
				said := bytes.Repeat([]byte{byte('a' + i)}, 40_000)
				if n, err := write(said); n != len(said) || err != nil {
					t.Fatal(n, err)
				}
				got := make([]byte, len(said))
				if _, err := io.ReadFull(link, got); err != nil || !bytes.Equal(got, said) {
					t.Fatal(err)
				}
			}
			var ends []string
			for _, c := range d.Certificates() {
				ends = append(ends, c.Whose+" "+c.Expires.Format("2006-01"))
			}
			want := "authority 2090-01, ours 2026-07, host 2040-06"
			if got := strings.Join(ends, ", "); got != want {
				t.Errorf("certificates %q, want %q", got, want)
			}
			if err := link.Close(); err != nil {
				t.Error(err)
			}
			if _, err := link.Write([]byte("x")); !errors.Is(err, hal.ErrLinkGone) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

// Rule: who the host is, is proven, and a refusal says what is wrong.
func TestTLSRefusesTheWrongHost(t *testing.T) {
	a, stranger := haltest.NewAuthority(t), haltest.NewAuthority(t)
	good := a.Issue("host", year2020, year2040)
	other := a.Issue("other", year2020, year2040)
	cases := []struct {
		name  string
		paper haltest.Paper
		o     hal.TLSOptions
		want  string
	}{
		{"authority of others", good, hal.TLSOptions{CAFile: stranger.File()}, "unknown authority"},
		{"another name", good, hal.TLSOptions{CAFile: a.File(), ServerName: "bank"}, "not bank"},
		{"another key", good, hal.TLSOptions{CAFile: a.File(), Pin: other.Pin}, hal.ErrPin.Error()},
		{
			"expired", a.Issue("old", year2020, year2026.Add(-time.Hour)),
			hal.TLSOptions{CAFile: a.File()},
			"judged by the time 2026-06-01T00:00:00Z, is good from 2020-06-01T00:00:00Z to 2026-05-31T23:00:00Z",
		},
		{
			"not yet", a.Issue("new", year2026.Add(time.Hour), year2040),
			hal.TLSOptions{CAFile: a.File()},
			"judged by the time 2026-06-01T00:00:00Z",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := dialTLS(t, c.o, tlsHost(t, echoing(serverConfig(c.paper, nil))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Rule: a host that does not want us says so while we dial, in TLS 1.3 too, where the library calls
// the handshake done before the host has looked at our certificate.
func TestTLSHearsTheHostRefuse(t *testing.T) {
	a, stranger := haltest.NewAuthority(t), haltest.NewAuthority(t)
	host, wrong := a.Issue("host", year2020, year2040), stranger.Issue("pos", year2020, year2040)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, o := range map[string]hal.TLSOptions{
			"no certificate":    {CAFile: a.File()},
			"wrong certificate": {CAFile: a.File(), CertFile: wrong.CertFile, KeyFile: wrong.KeyFile},
		} {
			config := serverConfig(host, a.Pool())
			config.MaxVersion = version
			_, _, err := dialTLS(t, o, tlsHost(t, echoing(config)))
			if !errors.Is(err, hal.ErrRefused) {
				t.Errorf("%s, %s: %v", tls.VersionName(version), name, err)
			}
		}
	}
}

// Rule: a host that takes the connection and says nothing holds the dial no longer than its time.
func TestTLSHandshakeIsBounded(t *testing.T) {
	noLeaks(t)
	a := haltest.NewAuthority(t)
	var held []net.Conn
	address := tlsHost(t, func(c net.Conn) { held = append(held, c) })
	d, err := hal.OpenTLS(hal.TCP{}, hal.TLSOptions{CAFile: a.File()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	soon(t, "Dial", func() {
		if _, err := d.Dial(ctx, address); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		for _, c := range held {
			c.Close()
		}
	})
}

// gagged is a link whose host has done its handshake and reads no more.
func gagged(t *testing.T) (hal.Link, func() *tls.Conn) {
	t.Helper()
	a := haltest.NewAuthority(t)
	host := a.Issue("host", year2020, year2040)
	conns := make(chan *tls.Conn, 1)
	link, _, err := dialTLS(t, hal.TLSOptions{CAFile: a.File()}, tlsHost(t, func(c net.Conn) {
		s := tls.Server(c, serverConfig(host, nil))
		go func() {
			_ = s.Handshake()
			conns <- s
		}()
	}))
	if err != nil {
		t.Fatal(err)
	}
	var conn *tls.Conn
	peer := func() *tls.Conn {
		if conn == nil {
			conn = <-conns
		}
		return conn
	}
	t.Cleanup(func() { peer().NetConn().Close() })
	return link, peer
}

// Rule: not one byte of a frame left means 0; when a record is cut, though the host can make
// nothing of its half, all of the frame may have left.
func TestTLSCountsACutRecordAsLeft(t *testing.T) {
	link, _ := gagged(t)
	frame := bytes.Repeat([]byte{'f'}, 60_000)
	if err := link.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	cut := false
	for range 1000 { // until the kernels are full
		n, err := link.Write(frame)
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		cut = n == len(frame)
		break
	}
	if !cut {
		t.Fatal("the write that met the deadline says that nothing left")
	}
	n, err := link.Write(frame)
	if n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("after a cut record: %d, %v", n, err)
	}
	if n, err := link.TryWrite(frame); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("TryWrite after a cut record: %d, %v", n, err)
	}
	if _, err := link.Read(make([]byte, 1)); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("whoever reads does not learn of it: %v", err)
	}
}

// Rule: a TryWrite never waits, and says 0 only of what was not even encrypted; every frame it took
// arrives whole and in order when the host reads again.
func TestTLSTryWriteNeverWaitsAndLosesNothing(t *testing.T) {
	link, peer := gagged(t)
	frame := bytes.Repeat([]byte{'f'}, 30_000)
	took := 0
	for tries := 0; ; tries++ {
		frame[0] = byte(took)
		var n int
		var err error
		soon(t, "TryWrite", func() { n, err = link.TryWrite(frame) })
		if err != nil || n != 0 && n != len(frame) {
			t.Fatal(n, err)
		}
		if n == 0 {
			break
		}
		took++
	}
	if took == 0 {
		t.Fatal("took nothing")
	}
	got := make([]byte, len(frame))
	for i := range took {
		if _, err := io.ReadFull(peer(), got); err != nil {
			t.Fatal(err)
		}
		if got[0] != byte(i) {
			t.Fatalf("frame %d is %d", i, got[0])
		}
	}
	soon(t, "the way to be free", func() {
		for {
			if n, err := link.TryWrite([]byte("last")); err != nil {
				t.Error(err)
				return
			} else if n > 0 {
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	if _, err := io.ReadFull(peer(), got[:4]); err != nil || string(got[:4]) != "last" {
		t.Errorf("%q, %v", got[:4], err)
	}
}

// Rule: on a line that has been reset nothing leaves, and it is said.
func TestTLSSaysZeroOnADeadLine(t *testing.T) {
	link, peer := gagged(t)
	raw := peer().NetConn().(*net.TCPConn)
	if err := raw.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	if _, err := link.Read(make([]byte, 1)); !errors.Is(err, hal.ErrLinkGone) {
		t.Fatal(err)
	}
	if n, err := link.TryWrite([]byte("frame")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("TryWrite: %d, %v", n, err)
	}
	if n, err := link.Write([]byte("frame")); n != 0 || !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("Write: %d, %v", n, err)
	}
}

// Rule: our own end says goodbye, so that the host knows it from a cut.
func TestTLSSaysGoodbye(t *testing.T) {
	link, peer := gagged(t)
	link.Close()
	if _, err := peer().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// Rule: TLS changes nothing about how a dead host is noticed.
func TestTLSKeepsTheSocketOptions(t *testing.T) {
	a := haltest.NewAuthority(t)
	host := a.Issue("host", year2020, year2040)
	d, err := hal.OpenTLS(hal.TCP{UserTimeout: 7 * time.Second, KeepAliveIdle: 33 * time.Second},
		hal.TLSOptions{CAFile: a.File(), Now: in2026})
	if err != nil {
		t.Fatal(err)
	}
	link, err := d.Dial(context.Background(), tlsHost(t, echoing(serverConfig(host, nil))))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	for option, want := range map[[2]int]int{
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}: 7000,
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:     33,
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:      1,
	} {
		if got := hal.SocketOption(t, link, option[0], option[1]); got != want {
			t.Errorf("option %v is %d, want %d", option, got, want)
		}
	}
}

// Rule: what can not work is refused when the files are read, with the name of the file.
func TestTLSRefusesBadFiles(t *testing.T) {
	a, b := haltest.NewAuthority(t), haltest.NewAuthority(t)
	one, two := a.Issue("one", year2020, year2040), b.Issue("two", year2020, year2040)
	noPEM := t.TempDir() + "/empty.pem"
	if err := os.WriteFile(noPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    hal.TLSOptions
		want string
	}{
		"no authority":      {hal.TLSOptions{}, hal.ErrNoAuthority.Error()},
		"no such file":      {hal.TLSOptions{CAFile: "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
		"no certificate":    {hal.TLSOptions{CAFile: noPEM}, noPEM},
		"key without":       {hal.TLSOptions{CAFile: a.File(), KeyFile: one.KeyFile}, "together"},
		"certificate alone": {hal.TLSOptions{CAFile: a.File(), CertFile: one.CertFile}, "together"},
		"another's key": {hal.TLSOptions{
			CAFile: a.File(), CertFile: one.CertFile, KeyFile: two.KeyFile,
		}, one.CertFile},
		"version": {hal.TLSOptions{CAFile: a.File(), MinVersion: "1.0"}, "1.0"},
		"pin":     {hal.TLSOptions{CAFile: a.File(), Pin: "sha256:12"}, "pin"},
	} {
		_, err := hal.OpenTLS(hal.TCP{}, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
