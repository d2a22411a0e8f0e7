package acquirer_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/iso"
	"reversald/iso/acquirer"
)

// The test cards; none of them may ever be seen in the books, the log or on the control socket.
var pans = []string{"4111111111111111", "6222021234567890128", "5413330089020011"}

// handClock stands still until a test moves it.
type handClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []waiter
}

type waiter struct {
	until time.Time
	done  chan struct{}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Wait(ctx context.Context, until time.Time) error {
	c.mu.Lock()
	w := waiter{until, make(chan struct{})}
	if until.After(c.now) {
		c.waiting = append(c.waiting, w)
	} else {
		close(w.done)
	}
	c.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// asked is how many wait for the time.
func (c *handClock) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// move lets time pass.
func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	kept := c.waiting[:0]
	for _, w := range c.waiting {
		if w.until.After(c.now) {
			kept = append(kept, w)
		} else {
			close(w.done)
		}
	}
	c.waiting = kept
}

// bench is an acquirer at work.
type bench struct {
	*acquirer.Acquirer
	t       *testing.T
	profile *iso.Profile
	clock   *handClock
	log     *syncBuffer
	books   string
	control string
	stop    func() error
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func profileNamed(tb testing.TB, name string) *iso.Profile {
	tb.Helper()
	p, err := iso.Builtin(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// open starts an acquirer on real loopback TCP with manners, books and control in a fresh folder.
func open(t *testing.T, spec string) *bench {
	t.Helper()
	return openIn(t, t.TempDir(), "iso87-ascii", spec)
}

func openIn(t *testing.T, dir, profile, spec string) *bench {
	t.Helper()
	return openWith(t, dir, profileNamed(t, profile), spec, nil)
}

func openWith(t *testing.T, dir string, p *iso.Profile, spec string, keys *acquirer.Vault) *bench {
	t.Helper()
	b := &bench{
		t: t, profile: p, log: &syncBuffer{},
		clock: &handClock{now: noon},
	}
	if dir != "" { // else everything is in memory
		b.books, b.control = filepath.Join(dir, "books.jsonl"), filepath.Join(dir, "s")
	}
	var err error
	b.Acquirer, err = acquirer.New(context.Background(), acquirer.Options{
		Profile: b.profile, Books: b.books, Control: b.control, Log: b.log, Clock: b.clock,
		Manners: parse(t, spec), Keys: keys,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, b.Close())
	})
	t.Cleanup(func() {
		if err := b.stop(); err != nil {
			t.Errorf("the acquirer ended with %v", err)
		}
	})
	return b
}

// terminal is the other end of the line.
type terminal struct {
	*bench
	conn   net.Conn
	frames *iso.FrameReader
}

func (b *bench) dial() *terminal {
	b.t.Helper()
	c, err := net.Dial("tcp", b.Address())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return &terminal{b, c, b.profile.NewFrameReader(c)}
}

type fields map[int]string

// saleFields is a sale of 12.34 by T0000001, STAN 000123, with changes; an empty value drops one.
func saleFields(changes ...fields) fields {
	f := fields{
		2: pans[0], 3: "000000", 4: "000000001234", 7: "0422120000", 11: "000123", 12: "120000",
		13: "0422", 14: "3012", 22: "012", 25: "00", 41: "T0000001", 42: "MERCHANT0000001", 49: "156",
	}
	for _, change := range changes {
		maps.Copy(f, change)
	}
	maps.DeleteFunc(f, func(_ int, v string) bool { return v == "" })
	return f
}

func (b *bench) frame(mti string, f fields) []byte {
	b.t.Helper()
	body, err := b.profile.Compose(mti, f)
	if err != nil {
		b.t.Fatal(err)
	}
	frame, err := b.profile.AppendFrame(nil, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return frame
}

func (c *terminal) send(mti string, f fields) {
	c.t.Helper()
	if _, err := c.conn.Write(c.frame(mti, f)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *terminal) receive() iso.Message {
	c.t.Helper()
	body, err := c.frames.Next()
	if err != nil {
		c.t.Fatalf("no answer: %v\n%s", err, c.log)
	}
	m, err := c.profile.Decode(body)
	if err != nil {
		c.t.Fatalf("unreadable answer: %v", err)
	}
	return m
}

// trade sends and expects an answer with the code.
func (c *terminal) trade(mti string, f fields, answer, code string) iso.Message {
	c.t.Helper()
	c.send(mti, f)
	m := c.receive()
	if m.MTI != answer || m.Fields[39] != code {
		c.t.Fatalf("%s was answered %s %s, want %s %s", mti, m.MTI, m.Fields[39], answer, code)
	}
	return m
}

// gone expects the connection to end after so many bytes.
func (c *terminal) gone(bytes int) {
	c.t.Helper()
	rest, err := io.ReadAll(c.conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection is still there")
	}
	if len(rest) != bytes {
		c.t.Errorf("%d bytes before the end, want %d", len(rest), bytes)
	}
}

// quiet expects the next thing on this connection to be the answer to an echo, so whatever was
// asked before has none.
func (c *terminal) quiet() {
	c.t.Helper()
	c.trade("0800", fields{7: "0422120000", 11: "000999", 41: "T0000001", 70: "301"}, "0810", "00")
}

// entry is the only entry with a STAN.
func (b *bench) entry(stan string) acquirer.Entry {
	b.t.Helper()
	got, err := b.Ledger().Books(acquirer.Filter{STAN: stan})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(got.Entries) != 1 {
		b.t.Fatalf("%d entries with STAN %s", len(got.Entries), stan)
	}
	return got.Entries[0]
}

func (b *bench) expect(stan string, state acquirer.State) {
	b.t.Helper()
	if e := b.entry(stan); e.State != state {
		b.t.Errorf("STAN %s is %s (%s), want %s", stan, e.State, e.Note, state)
	}
}

// until waits for something that another goroutine is about to do.
func (b *bench) until(what string, done func() bool) {
	b.t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatalf("waited in vain until %s\n%s", what, b.log)
}
