package console_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/badge"
	"reversald/agent/console"
	"reversald/agent/doors/api"
	"reversald/hal"
	"reversald/hal/haltest"
)

// patience bounds every wait: ten times what a loaded machine needs.
const patience = 30 * time.Second

// fakeAgent answers a console, and remembers what was written down and ordered.
type fakeAgent struct {
	mu      sync.Mutex
	stuck   []agent.Payment
	noted   []string
	ordered []string
	full    bool // nothing can be written down
	lines   int  // of the journal
}

func (f *fakeAgent) Status(context.Context) (api.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return api.Status{Status: agent.Status{Link: "down", Stuck: len(f.stuck)}}, nil
}

func (f *fakeAgent) Payments(_ context.Context, state string) ([]agent.Payment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stuck, nil
}

func (f *fakeAgent) Payment(_ context.Context, id uint64) (api.Story, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.stuck {
		if p.ID == id {
			return api.Story{Payment: api.Payment{Payment: p}, Entries: []agent.Line{{Seq: id, ID: id, Kind: "asked"}}}, nil
		}
	}
	return api.Story{}, errors.New("there is no such payment on file")
}

func (f *fakeAgent) Journal(ctx context.Context, query string, each func(agent.Line) error) error {
	for i := range f.lines {
		if err := each(agent.Line{Seq: uint64(i + 1), ID: 1, Kind: "asked"}); err != nil {
			return err
		}
	}
	if strings.Contains(query, "follow=true") {
		<-ctx.Done()
	}
	return nil
}

// Lines gives what Journal does, as it comes over the socket, two at a time.
func (f *fakeAgent) Lines(ctx context.Context, query string, each func(lines []byte) error) error {
	var lines []byte
	err := f.Journal(ctx, query, func(l agent.Line) error {
		e, err := l.Encode()
		before := len(lines)
		lines = append(append(lines, e.JSON...), '\n')
		if err != nil || before == 0 {
			return err
		}
		defer func() { lines = lines[:0] }()
		return each(lines)
	})
	if err != nil || len(lines) == 0 {
		return err
	}
	return each(lines)
}

func (f *fakeAgent) Frames(context.Context, uint64) ([]agent.Frame, error) { return nil, nil }

func (f *fakeAgent) Evidence(_ context.Context, id uint64, by string) (agent.Bundle, error) {
	text, _ := json.Marshal(map[string]any{"id": id, "by": by, "entries": strings.Repeat("x", 3000)})
	return agent.Bundle{Evidence: text, PublicKey: "k", Signature: "s"}, nil
}

func (f *fakeAgent) order(what string, id uint64, by, why string) (agent.Payment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ordered = append(f.ordered, fmt.Sprintf("%s %d by %s: %s", what, id, by, why))
	return agent.Payment{ID: id}, nil
}

func (f *fakeAgent) Replay(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return f.order("replay", id, by, why)
}

func (f *fakeAgent) Hold(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return f.order("hold", id, by, why)
}

func (f *fakeAgent) Release(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return f.order("release", id, by, why)
}

func (f *fakeAgent) Resolve(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return f.order("resolve", id, by, why)
}

func (f *fakeAgent) Command(_ context.Context, by, what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return errors.New("the journal's last room is left to payments")
	}
	f.noted = append(f.noted, by+": "+what)
	return nil
}

func (f *fakeAgent) notes() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.noted, "\n")
}

func (f *fakeAgent) orders() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.ordered, "\n")
}

// desk is a console at one end of a cable, and a laptop at the other.
type desk struct {
	t      *testing.T
	cable  *haltest.Cable
	agent  *fakeAgent
	key    ed25519.PrivateKey
	state  string
	stop   context.CancelFunc
	done   chan struct{}
	laptop *hal.Port

	mu   sync.Mutex
	seen []byte
	mark int // what expect has passed
}

// pinOfTests is hashed with few rounds, so that the tests are about something else.
const pinOfTests = "271828"

func pinFor(t *testing.T, digits string) *badge.PIN {
	t.Helper()
	pin, err := badge.NewPIN(digits)
	if err != nil {
		t.Fatal(err)
	}
	return &pin
}

func newDesk(t *testing.T, change func(*console.Options)) *desk {
	t.Helper()
	d := &desk{
		t: t, cable: haltest.NewCable(t, haltest.CableOptions{}), state: filepath.Join(t.TempDir(), "state"),
		agent: &fakeAgent{stuck: []agent.Payment{
			{ID: 21, Phase: "stuck", Terminal: "T0000001", STAN: "000011", Amount: 5500, Cause: "the host refuses it: 58"},
			{ID: 34, Phase: "stuck", Terminal: "T0000001", STAN: "000015", Amount: 990, Cause: "the host refuses it: 58"},
		}},
	}
	d.start(change)
	d.plugIn()
	return d
}

func (d *desk) start(change func(*console.Options)) {
	known, file, err := badge.NewSecret("li.wei", "")
	if err != nil {
		d.t.Fatal(err)
	}
	_, d.key, _ = badge.OpenSecret(file, nil)
	locks := d.t.TempDir()
	o := console.Options{
		Device: d.cable.B, Baud: 115200, Terminal: "T0000001", Keys: []badge.Key{known},
		State: d.state, Idle: time.Minute, Client: d.agent, Config: &agent.Config{},
		Hosts: []string{"127.0.0.1:1"}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Open: func(ctx context.Context) (console.Port, error) {
			p, err := hal.Serial{LockDir: locks, WriteTimeout: time.Second}.Open(ctx, d.cable.B)
			if err != nil {
				return nil, err
			}
			return p, nil
		},
	}
	if change != nil {
		change(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop, d.done = stop, make(chan struct{})
	c := console.New(o)
	go func() {
		defer close(d.done)
		c.Run(ctx)
	}()
	d.t.Cleanup(d.end)
}

// end stops the console, which joins everything it started.
func (d *desk) end() {
	d.stop()
	select {
	case <-d.done:
	case <-time.After(patience):
		d.t.Error("the console does not end")
	}
}

// plugIn opens the laptop's port and reads it.
func (d *desk) plugIn() {
	d.t.Helper()
	port, err := hal.Serial{LockDir: d.t.TempDir()}.Open(context.Background(), d.cable.A)
	if err != nil {
		d.t.Fatal(err)
	}
	d.laptop = port
	d.t.Cleanup(func() { port.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := port.Read(b)
			d.mu.Lock()
			d.seen = append(d.seen, b[:n]...)
			d.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

func (d *desk) press(text string) {
	d.t.Helper()
	if _, err := d.laptop.Write([]byte(text)); err != nil {
		d.t.Fatalf("typing %q: %v", text, err)
	}
}

// screen is what came since the last expect.
func (d *desk) screen() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.seen[d.mark:])
}

// expect waits for a text, and gives what came up to its end.
func (d *desk) expect(text string) string {
	d.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		d.mu.Lock()
		at := strings.Index(string(d.seen[d.mark:]), text)
		if at >= 0 {
			got := string(d.seen[d.mark : d.mark+at+len(text)])
			d.mark += at + len(text)
			d.mu.Unlock()
			return got
		}
		d.mu.Unlock()
	}
	d.t.Fatalf("waited for %q, saw %q", text, d.screen())
	return ""
}

// silence wants nothing to be said for a while.
func (d *desk) silence(during time.Duration) {
	d.t.Helper()
	time.Sleep(during)
	if got := d.screen(); got != "" {
		d.t.Errorf("the console said %q", got)
	}
}

var challengeLine = regexp.MustCompile(`challenge  (RC1\.\S+)`)

// knock presses ENTER until somebody answers, and gives the challenge.
func (d *desk) knock() badge.Challenge {
	d.t.Helper()
	d.awake("\r", "answer")
	d.expect(": ")
	d.mu.Lock()
	all := challengeLine.FindAllSubmatch(d.seen, -1)
	d.mu.Unlock()
	if len(all) == 0 {
		d.t.Fatalf("no challenge in %q", d.seen)
	}
	c, err := badge.ParseChallenge(string(all[len(all)-1][1]))
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// awake types until the console says something with a text in it.
func (d *desk) awake(keys, text string) {
	d.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		d.press(keys)
		for range 50 {
			time.Sleep(10 * time.Millisecond)
			if strings.Contains(d.screen(), text) {
				d.expect(text)
				return
			}
		}
	}
	d.t.Fatalf("nobody said %q: %q", text, d.screen())
}

func (d *desk) login() {
	d.t.Helper()
	c := d.knock()
	d.press(badge.Sign(c, d.key) + "\r")
	d.expect("T0000001 [2 stuck]> ")
}

// skip passes over what has come.
func (d *desk) skip() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mark = len(d.seen)
}

// all is everything that has come.
func (d *desk) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.seen)
}
