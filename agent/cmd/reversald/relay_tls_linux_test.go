package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/agent/doors/api"
	"reversald/hal/haltest"
)

// bug is a network between two programs that notes all that goes through it, and can die.
type bug struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	conns []net.Conn
	there bytes.Buffer // what went to the far end
	back  bytes.Buffer
}

func newBug(t *testing.T, to string) *bug {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bug{listener: listener, to: to}
	t.Cleanup(b.die)
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			b.mu.Lock()
			b.conns = append(b.conns, near, far)
			b.mu.Unlock()
			go b.carry(far, near, &b.there)
			go b.carry(near, far, &b.back)
		}
	}()
	return b
}

func (b *bug) carry(to, from net.Conn, noted *bytes.Buffer) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		b.mu.Lock()
		noted.Write(buf[:n])
		b.mu.Unlock()
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

func (b *bug) address() string { return b.listener.Addr().String() }

func (b *bug) die() {
	_ = b.listener.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		_ = c.Close()
	}
}

// heard is all that went through, both ways.
func (b *bug) heard() (there, back []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.there.Bytes()), bytes.Clone(b.back.Bytes())
}

// readable is what of a message in the clear anybody could read: its type, its card, its terminal.
var readable = regexp.MustCompile(`0[24][01]0|4111111111111111|T0000001`)

// relayed is a terminal whose host wants TLS and whose network is dead, and a laptop on its cable.
type relayed struct {
	stage
	cable *haltest.Cable
	till  *bug // between the till and the terminal, in the clear
	net   *bug // the terminal's own network
	lent  *bug // the laptop's, to the host
	false *bug // the laptop's, to somebody who says he is the host
}

func newRelayed(t *testing.T) *relayed {
	t.Helper()
	r := &relayed{stage: stage{t: t, dir: t.TempDir(), reversald: "reversald"}}
	r.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "XDG_STATE_HOME=" + r.dir, "GORACE=" + raceOptions,
	}
	r.cable = haltest.NewCable(t, haltest.CableOptions{})
	now := time.Now()
	authority := haltest.NewAuthority(t)
	host := func(name string, papers haltest.Paper) *bug {
		p, address, err := launch(r.dir, name, r.env, []string{
			"acquirerd", "serve", "--listen", "127.0.0.1:0", "--log", "--books", "none", "--control", name + ".sock",
			"--tls-cert", papers.CertFile, "--tls-key", papers.KeyFile,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.end(os.Kill) })
		r.hostAddr = address
		return newBug(t, address)
	}
	year := now.AddDate(1, 0, 0)
	r.false = host("impostor", haltest.NewAuthority(t).Issue("host", now.AddDate(0, 0, -1), year))
	r.lent = host("host", authority.Issue("host", now.AddDate(0, 0, -1), year))
	r.net = newBug(t, r.hostAddr)
	public, code := r.do("reversald", "tech", "keygen", "li.wei", "--no-passphrase", "--key", "tech.key")
	if code != 0 {
		t.Fatal("no key for the technician")
	}
	config := quick + fmt.Sprintf("terminal: T0000001\ntls: {ca_file: %q, server_name: host}\nconsole:\n"+
		"  port: %q\n  keys: [%q]\n  relay_hosts: [%q, %q]\n", authority.File(), r.cable.A,
		strings.TrimSpace(public), r.lent.address(), r.false.address())
	if err := os.WriteFile(r.path("pos.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.hostAddr, r.posAddr = r.net.address(), "127.0.0.1:0"
	r.start()
	r.till = newBug(t, r.posAddr)
	r.posAddr = r.till.address()
	return r
}

// lends runs the laptop's program towards an address until something holds.
func (r *relayed) lends(to, what string, holds func(api.Status) bool) {
	r.t.Helper()
	laptop := command(r.dir, r.env, r.reversald, "relay", "--port", r.cable.B, "--to", to, "--key", "tech.key")
	var said bytes.Buffer
	laptop.Stdout, laptop.Stderr = &said, &said
	if err := laptop.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.until(what, holds)
	_ = laptop.Process.Signal(os.Interrupt)
	if err := laptop.Wait(); err != nil {
		r.t.Errorf("the laptop: %v: %s", err, said.String())
	}
	if !strings.Contains(said.String(), to+" opened") {
		r.t.Errorf("the laptop says %s", said.String())
	}
}

func (r *relayed) until(what string, holds func(api.Status) bool) {
	r.t.Helper()
	r.wait(what, func() bool {
		var s api.Status
		out, _ := r.do("reversald", "status", "--json")
		return json.Unmarshal([]byte(out), &s) == nil && holds(s)
	})
}

// Rule: with the terminal's network dead a stuck reversal goes out over a technician's laptop, which
// carries nothing that it can read; somebody at the far end who is not the host gets nothing.
func TestATLSLineGoesOverALaptopThatCanNotReadIt(t *testing.T) {
	r := newRelayed(t)
	r.until("the line", func(s api.Status) bool { return s.Link == "up" })
	r.do("acquirerd", "behave", "--control", "host.sock", "0200:silent x1; 0400:code=58 x1")
	r.sell(2, 77, "--tid", "T0000001", "--amount", "55.00")
	r.until("a stuck reversal", func(s api.Status) bool { return s.Stuck == 1 })
	r.do("acquirerd", "behave", "--control", "host.sock", "--forget")
	r.net.die()
	r.until("a dead network", func(s api.Status) bool { return s.Link != "up" })
	out, _ := r.do("reversald", "stuck", "--json")
	var stuck []struct{ ID uint64 }
	if err := json.Unmarshal([]byte(out), &stuck); err != nil || len(stuck) != 1 {
		t.Fatalf("stuck: %v in %s", err, out)
	}
	if out, code := r.do("reversald", "replay", fmt.Sprint(stuck[0].ID), "--by", "li.wei"); code != 0 {
		t.Fatalf("replay: %s", out)
	}

	r.lends(r.false.address(), "the impostor's refusal", func(s api.Status) bool {
		return strings.Contains(s.LinkNote, "unknown authority")
	})
	if out, _ := r.do("acquirerd", "books", "--control", "impostor.sock", "--json"); strings.Contains(out, "T0000001") {
		t.Errorf("the impostor has %s", out)
	}
	if log := r.read("impostor.out") + r.read("impostor.err"); readable.MatchString(log) {
		t.Errorf("the impostor has heard %s", log)
	}
	r.until("still owed", func(s api.Status) bool { return s.Owed == 1 })

	r.lends(r.lent.address(), "the reversal", func(s api.Status) bool { return s.Owed == 0 && s.Stuck == 0 })
	if out, _ := r.do("acquirerd", "books", "--control", "host.sock"); !regexp.MustCompile(
		`(?m)^T0000001 .*000077.* reversed `).MatchString(out) {
		t.Errorf("the host's books:\n%s", out)
	}
	r.seesNothing()
}

// seesNothing looks at what the laptop has carried. Of the till, whose line is in the clear, the
// same look finds everything.
func (r *relayed) seesNothing() {
	r.t.Helper()
	if there, _ := r.till.heard(); len(readable.FindAll(there, -1)) < 3 {
		r.t.Errorf("a look at a line in the clear finds %q", readable.FindAll(there, -1))
	}
	for name, b := range map[string]*bug{"the host": r.lent, "the impostor": r.false} {
		there, back := b.heard()
		const hello = "\x16\x03" // a TLS record with a handshake (RFC 8446, 5.1)
		for way, text := range map[string][]byte{"to": there, "from": back} {
			if !bytes.HasPrefix(text, []byte(hello)) || len(text) < 200 {
				r.t.Errorf("%s %s: %d bytes, begin with %.8x", way, name, len(text), text)
			}
			if found := readable.Find(text); found != nil {
				r.t.Errorf("%s %s the laptop reads %s", way, name, found)
			}
		}
	}
}
