package console_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/agent/badge"
	"reversald/agent/console"
	"reversald/hal"
	"reversald/hal/relay"
)

// echo sends everything that reaches the laptop back, as a port in its system's default mode does.
func (d *desk) echo(on *bool) {
	go func() {
		at := 0
		for {
			time.Sleep(time.Millisecond)
			d.mu.Lock()
			if !*on {
				d.mu.Unlock()
				return
			}
			fresh := bytes.Clone(d.seen[at:])
			at = len(d.seen)
			d.mu.Unlock()
			if len(fresh) > 0 {
				d.laptop.Write(fresh)
			}
		}
	}()
}

// Rule: our own words, sent back, are no answer, count as no failure, and start no conversation.
func TestAnEchoIsNobody(t *testing.T) {
	d := newDesk(t, func(o *console.Options) { o.PIN = pinFor(t, pinOfTests) })
	on := true
	d.echo(&on)
	d.awake("\r", "challenge")
	time.Sleep(2 * time.Second)
	d.mu.Lock()
	said := len(d.seen)
	d.mu.Unlock()
	time.Sleep(2 * time.Second)
	d.mu.Lock()
	more := len(d.seen) - said
	on = false
	d.mu.Unlock()
	if more > 0 || said > 4000 {
		t.Errorf("the console talked to itself: %d bytes, then %d more", said, more)
	}
	if got := d.agent.notes(); got != "" {
		t.Errorf("an echo is on file: %s", got)
	}
	time.Sleep(50 * time.Millisecond)
	d.login() // and afterwards it is the same as ever
}

// Rule: when a line begins to echo under somebody who is logged in, they are logged out and nothing
// is done.
func TestAnEchoLogsOut(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	on := true
	d.echo(&on)
	d.press("help\r")
	for end := time.Now().Add(patience); !strings.Contains(d.agent.notes(), "logout: the line echoes"); {
		if time.Now().After(end) {
			t.Fatalf("still logged in: %q", d.screen())
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.mu.Lock()
	on = false
	d.mu.Unlock()
	if got := d.agent.orders(); got != "" {
		t.Errorf("ordered by an echo: %s", got)
	}
}

// Rule: noise, zeroes and BREAKs wake nobody, log nobody in, count as no failure, and order nothing.
func TestNoiseIsNobody(t *testing.T) {
	d := newDesk(t, func(o *console.Options) { o.PIN = pinFor(t, pinOfTests) })
	rng := rand.New(rand.NewPCG(3, 3))
	for range 60 {
		noise := make([]byte, 1+rng.IntN(200))
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		d.press(string(noise))
		d.press("\x00\x00\x00")
	}
	time.Sleep(1500 * time.Millisecond)
	if got := d.agent.notes() + d.agent.orders(); got != "" {
		t.Errorf("noise did: %s", got)
	}
	d.awake("\r", "answer") // somebody may have been greeted meanwhile: two tries
	d.press("\r\r\r\r")
	time.Sleep(time.Second)
	d.skip()
	d.login()
}

// Rule: noise under somebody who is logged in orders nothing.
func TestNoiseOrdersNothing(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	rng := rand.New(rand.NewPCG(4, 4))
	for range 300 {
		noise := make([]byte, 1+rng.IntN(40))
		for i := range noise {
			noise[i] = byte(rng.Uint32())
			if noise[i] == 4 {
				noise[i] = 'r' // ^D would end it
			}
		}
		d.press(string(noise) + "\r")
		d.press("replay 21\r")
	}
	time.Sleep(time.Second)
	if got := d.agent.orders(); got != "" {
		t.Errorf("noise ordered: %s", got)
	}
}

// Rule: what was sent before the console looked, and within 300 ms, is thrown away.
func TestWhatCameBeforeIsThrownAway(t *testing.T) {
	d := newDesk(t, nil)
	d.end()
	d.press("\r\r\r123456\r\r")
	d.start(nil)
	d.silence(1500 * time.Millisecond)
}

// Rule: CR, LF and CRLF all end a line, and end it once.
func TestLineEnds(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	for _, ending := range []string{"\r", "\n", "\r\n", "\r\x00"} {
		d.press("frobnicate" + ending)
		d.expect("is no word here")
		d.expect("]> ")
		time.Sleep(50 * time.Millisecond)
		if got := d.screen(); strings.Contains(got, ">") {
			t.Errorf("%q ends a line twice: %q", ending, got)
		}
	}
}

// Rule: half an escape sequence hangs nothing, however long it goes on.
func TestHalfEscapeSequences(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	for _, half := range []string{
		"\x1b", "\x1b[", "\x1b[1", "\x1bO", "\x1b[" + strings.Repeat("1;", 400), "\xe4\xb8", "\xff\xfe",
		"\x1b[200~", "\x1b[201~",
	} {
		d.press(half)
		time.Sleep(250 * time.Millisecond)
		d.press("\x15frobnicate\r")
		d.expect("is no word here")
		d.expect("]> ")
	}
}

// Rule: a line without an end stops growing.
func TestALongLineStopsGrowing(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	d.press(strings.Repeat("x", 5000) + "\r")
	if got := d.expect("]> "); strings.Count(got, "x") > 1000 {
		t.Errorf("%d characters were taken", strings.Count(got, "x"))
	}
}

// Rule: a pulled cable logs out; a cable put back finds a console that knows nobody.
func TestUnplugged(t *testing.T) {
	d := newDesk(t, nil)
	for range 3 {
		d.login()
		d.press("replay 21\r")
		d.expect("again: ")
		d.cable.Unplug()
		d.laptop.Close()
		for end := time.Now().Add(patience); !strings.Contains(d.agent.notes(), "logout: the cable is gone"); {
			if time.Now().After(end) {
				t.Fatalf("still logged in: %s", d.agent.notes())
			}
			time.Sleep(10 * time.Millisecond)
		}
		d.agent.mu.Lock()
		d.agent.noted = nil
		d.agent.mu.Unlock()
		d.cable.Plug()
		d.plugIn()
		d.press("21\r")
	}
	time.Sleep(500 * time.Millisecond)
	if got := d.agent.orders(); got != "" {
		t.Errorf("ordered across a pulled cable: %s", got)
	}
	d.skip()
	d.login()
}

// Rule: a laptop that stops reading is logged out, the agent is not held up, and afterwards the
// console is there again.
func TestALaptopThatStopsReading(t *testing.T) {
	d := newDesk(t, nil)
	d.agent.lines = 3000
	d.login()
	d.press("lines 0\r")
	d.expect("]> ")
	d.cable.Hold(true)
	d.press("tail -n 3000\r")
	for end := time.Now().Add(patience); !strings.Contains(d.agent.notes(), "logout"); {
		if time.Now().After(end) {
			t.Fatal("it waits for ever")
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.cable.Hold(false)
	time.Sleep(500 * time.Millisecond)
	d.skip()
	d.login()
}

// wire is a port with control lines, as an RS-232 cable has them.
type wire struct {
	net.Conn
	mu sync.Mutex
	m  hal.Modem
}

func (w *wire) Modem() (hal.Modem, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.m, true, nil
}

// Read gives the error a port gives.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err != nil {
		err = errors.Join(err, hal.ErrLinkGone)
	}
	return n, err
}

// Rule: a carrier that drops logs out, on cables that have one.
func TestHangUp(t *testing.T) {
	near, far := net.Pipe()
	port := &wire{Conn: near, m: hal.Modem{DSR: true}}
	opened := make(chan struct{}, 1)
	opened <- struct{}{}
	d := newDesk(t, func(o *console.Options) {
		o.Open = func(ctx context.Context) (console.Port, error) {
			select {
			case <-opened:
				return port, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	})
	seen := make(chan string, 1000)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := far.Read(b)
			if err != nil {
				return
			}
			seen <- string(b[:n])
		}
	}()
	all := ""
	until := func(text string) {
		t.Helper()
		for end := time.After(patience); !strings.Contains(all, text); {
			select {
			case more := <-seen:
				all += more
			case <-end:
				t.Fatalf("waited for %q in %q", text, all)
			}
		}
	}
	time.Sleep(400 * time.Millisecond)
	far.Write([]byte("\r"))
	until("answer: ")
	c, err := badge.ParseChallenge(challengeLine.FindStringSubmatch(all)[1])
	if err != nil {
		t.Fatal(err)
	}
	far.Write([]byte(badge.Sign(c, d.key) + "\r"))
	until("]> ")
	port.mu.Lock()
	port.m = hal.Modem{}
	port.mu.Unlock()
	until("logged out: the other side hung up")
}

// Rule: lrzsz gets a file from the console as it is, and afterwards the console goes on.
func TestAFileByYMODEM(t *testing.T) {
	rb, err := exec.LookPath("rb")
	if err != nil {
		t.Skip("lrzsz is not installed: apt-get install lrzsz")
	}
	d := newDesk(t, nil)
	d.agent.lines = 500
	d.login()
	d.press("send journal 500\r")
	d.expect("stop it.\r\n")
	d.laptop.Close()
	port, err := os.OpenFile(d.cable.A, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(rb, "-b", "-q")
	cmd.Dir, cmd.Stdin, cmd.Stdout = t.TempDir(), port, port
	if err := cmd.Run(); err != nil {
		t.Logf("rb: %v", err) // it may abort after its work is done; the file is what counts
	}
	port.Close()
	d.plugIn()
	content, err := os.ReadFile(filepath.Join(cmd.Dir, "journal-T0000001.jsonl.gz"))
	if err != nil || len(content) < 100 || content[0] != 0x1f {
		t.Errorf("got %d bytes, %v", len(content), err)
	}
	d.awake("\r", "]> ")
}

// detour is where the console sends the host's line.
type detour struct {
	taken     chan hal.Dialer
	left      chan struct{}
	encrypted bool
}

func (d *detour) Take(way hal.Dialer, _ string) { d.taken <- way }
func (d *detour) Leave()                        { d.left <- struct{}{} }
func (d *detour) Encrypted() bool               { return d.encrypted }

// Rule: relay makes the cable the way to an allowed host; leaving it leads back to a console that
// wants a log-in.
func TestRelayFromTheConsole(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	go func() {
		c, err := host.Accept()
		if err != nil {
			return
		}
		io.Copy(c, c)
	}()
	way := &detour{taken: make(chan hal.Dialer, 1), left: make(chan struct{}, 1)}
	d := newDesk(t, func(o *console.Options) {
		o.Detour, o.Hosts = way, []string{"10.0.0.1:443", host.Addr().String()}
	})
	d.laptop.Close()
	port, err := hal.Serial{LockDir: t.TempDir()}.Open(context.Background(), d.cable.A)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	sign := func(c badge.Challenge) (string, error) { return badge.Sign(c, d.key), nil }
	wire, err := console.Enter(context.Background(), port, sign, "relay", console.RelayReady)
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{"evil.example:1", host.Addr().String()}
	line := relay.NewLine(wire, relay.Options{Offer: hosts})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- line.Run(ctx) }()
	go relay.Serve(ctx, line, hosts, func(relay.Event) {})
	dialer := <-way.taken
	link, err := dialer.Dial(context.Background(), host.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	link.Write([]byte("reversal"))
	got := make([]byte, 8)
	if _, err := io.ReadFull(link, got); err != nil || string(got) != "reversal" {
		t.Errorf("came back %q, %v", got, err)
	}
	if !strings.Contains(d.agent.notes(), "console li.wei: relay to "+host.Addr().String()+" in the clear") {
		t.Errorf("on file: %s", d.agent.notes())
	}
	stop()
	<-ended
	<-way.left
	if _, err := link.Write([]byte("x")); !errors.Is(err, hal.ErrLinkGone) {
		t.Errorf("the link goes on: %v", err)
	}
	port.Close()
	d.plugIn()
	d.login()
}

// Rule: a host that the terminal does not allow is refused, whatever the laptop says.
func TestRelayToAForeignHost(t *testing.T) {
	way := &detour{taken: make(chan hal.Dialer, 1), left: make(chan struct{}, 1)}
	d := newDesk(t, func(o *console.Options) { o.Detour = way })
	d.laptop.Close()
	port, err := hal.Serial{LockDir: t.TempDir()}.Open(context.Background(), d.cable.A)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	sign := func(c badge.Challenge) (string, error) { return badge.Sign(c, d.key), nil }
	wire, err := console.Enter(context.Background(), port, sign, "relay", console.RelayReady)
	if err != nil {
		t.Fatal(err)
	}
	line := relay.NewLine(wire, relay.Options{Offer: []string{"evil.example:1"}})
	if err := line.Run(context.Background()); !errors.Is(err, relay.ErrLeft) ||
		!strings.Contains(err.Error(), "does not allow evil.example:1") {
		t.Errorf("ended with %v", err)
	}
	select {
	case <-way.taken:
		t.Error("the line was taken")
	default:
	}
}
