package api_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/agent"
	"reversald/agent/doors/api"
)

// pretended is an agent with as many entries as a test wants.
type pretended struct {
	mu       sync.Mutex
	entries  []agent.Line
	open     []agent.Payment
	changed  chan struct{}
	stopped  bool
	broken   error  // the journal can not be read
	read     int    // how often it was
	replayed string // the last order

	closed     []agent.Payment
	looked     agent.Query // the last one
	sold       []agent.Sale
	outcome    agent.Payment // of a sale
	refusal    error
	decidedFor string // whose the payment had to be
	apps       map[uint64]string
	asked      int // how often AppOf was
}

func newPretended(entries int) *pretended {
	p := &pretended{changed: make(chan struct{})}
	for range entries {
		p.grow()
	}
	return p
}

func (p *pretended) Status(context.Context) (agent.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return agent.Status{}, agent.ErrStopped
	}
	return agent.Status{Profile: "iso87-ascii", Link: "up", Open: len(p.open)}, nil
}

func (p *pretended) Open(context.Context) ([]agent.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil, agent.ErrStopped
	}
	return p.open, nil
}

func (p *pretended) Payment(_ context.Context, id uint64) (agent.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return agent.Payment{}, agent.ErrStopped
	}
	for _, o := range append(p.closed, p.open...) {
		if o.ID == id {
			return o, nil
		}
	}
	return agent.Payment{}, fmt.Errorf("%w: %d", agent.ErrNoPayment, id)
}

func (p *pretended) Find(_ context.Context, q agent.Query) ([]agent.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked = q
	if p.stopped {
		return nil, agent.ErrStopped
	}
	return p.closed, nil
}

func (p *pretended) Sell(ctx context.Context, s agent.Sale) (agent.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sold = append(p.sold, s)
	if p.stopped {
		return agent.Payment{}, agent.ErrStopped
	}
	return p.outcome, p.refusal
}

func (p *pretended) Confirm(_ context.Context, id uint64, app string) (agent.Payment, error) {
	return p.decided(id, app, "confirmed", "doubted")
}

func (p *pretended) Cancel(_ context.Context, id uint64, app string) (agent.Payment, error) {
	return p.decided(id, app, "doubted", "confirmed")
}

func (p *pretended) decided(id uint64, app, becomes, was string) (agent.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decidedFor = app
	switch {
	case p.stopped:
		return agent.Payment{}, agent.ErrStopped
	case id == 404:
		return agent.Payment{}, fmt.Errorf("%w: %d", agent.ErrNoPayment, id)
	case id == 409:
		return agent.Payment{ID: id, Phase: was, Confirms: true}, fmt.Errorf("%w: %d is %s", agent.ErrPhase, id, was)
	}
	return agent.Payment{ID: id, Phase: becomes, Confirms: true}, nil
}

func (p *pretended) Resolve(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	got, err := p.Replay(ctx, id, by, why)
	if err == nil {
		got.Phase = "resolved"
	}
	return got, err
}

func (p *pretended) Hold(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	got, err := p.Replay(ctx, id, by, why)
	if err == nil {
		got.Held = true
	}
	return got, err
}

func (p *pretended) Release(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	got, err := p.Replay(ctx, id, by, why)
	if err == nil {
		got.Reason = "released"
	}
	return got, err
}

func (p *pretended) Command(_ context.Context, by, what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped:
		return agent.ErrStopped
	case what == "often":
		return agent.ErrTooMany
	case what == "full":
		return agent.ErrNoRoom
	case by == "":
		return agent.ErrNoName
	}
	return nil
}

func (p *pretended) Frames(id uint64) ([]agent.Frame, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil, agent.ErrStopped
	}
	if id != 1 {
		return nil, p.broken
	}
	return []agent.Frame{{Seq: 1, What: "request", MTI: "0200"}}, p.broken
}

func (p *pretended) Evidence(_ context.Context, id uint64, _, _ string) (agent.Bundle, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped:
		return agent.Bundle{}, agent.ErrStopped
	case p.broken != nil:
		return agent.Bundle{}, p.broken
	case id != 1:
		return agent.Bundle{}, agent.ErrNoPayment
	}
	return agent.Bundle{Evidence: []byte(`{"v":1}`), PublicKey: "00", Signature: "00"}, nil
}

func (p *pretended) AppOf(id uint64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return p.apps[id]
}

func (p *pretended) Replay(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replayed = fmt.Sprintf("%d by %s: %s", id, by, why)
	switch {
	case p.stopped:
		return agent.Payment{}, agent.ErrStopped
	case by == "":
		return agent.Payment{}, agent.ErrNoName
	case len(why) > 1000:
		return agent.Payment{}, agent.ErrTooLong
	case id == 404:
		return agent.Payment{}, fmt.Errorf("%w: %d", agent.ErrNoPayment, id)
	case id == 409:
		return agent.Payment{}, fmt.Errorf("%w: %d is asked", agent.ErrPhase, id)
	}
	return agent.Payment{ID: id, Phase: "doubted"}, nil
}

func (p *pretended) Encoded(from uint64, most int) ([]agent.Encoded, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if from < 1 {
		from = 1
	}
	if p.broken != nil {
		return nil, p.broken
	}
	if from > uint64(len(p.entries)) {
		return nil, nil
	}
	rest := p.entries[from-1:]
	var page []agent.Encoded
	for _, l := range rest[:min(most, len(rest))] {
		e, err := l.Encode()
		if err != nil {
			return nil, err
		}
		page = append(page, e)
	}
	p.read++
	return page, nil
}

func (p *pretended) Story(id uint64) ([]agent.Line, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var story []agent.Line
	for _, l := range p.entries {
		if l.ID == id {
			story = append(story, l)
		}
	}
	return story, p.broken
}

func (p *pretended) Newest() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(len(p.entries))
}

func (p *pretended) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// grow adds an entry: three of them make one payment.
func (p *pretended) grow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	seq := uint64(len(p.entries) + 1)
	l := agent.Line{Seq: seq, ID: (seq-1)/3*3 + 1, Kind: []string{"asked", "approved", "confirmed"}[(seq-1)%3]}
	l.Time, l.Why = time.Now(), strings.Repeat("y", 200)
	p.entries = append(p.entries, l)
	close(p.changed)
	p.changed = make(chan struct{})
}

var about = api.About{Version: "v1", PID: 42, Listen: "127.0.0.1:1", Overrides: []string{"any_filesystem"}}

// token lets a connection in that the kernel says nothing of: those of bubbles, and TCP.
const token = "0123456789abcdef0123"

// options make whoever runs the tests an operator, and so whoever knows the token.
var options = api.Options{About: about, Access: api.Access{
	Token: sha256.Sum256([]byte(token)), TokenRole: api.RoleOperator,
}}

// opens serves an agent on a Unix socket until the end of the test.
func opens(t *testing.T, p *pretended) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, api.New(p, options)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the server ended: %v", err)
		}
		_ = os.RemoveAll(dir)
	})
	return socket
}

// ask sends a request and returns status, content type and body.
func ask(t *testing.T, socket, method, path, body string) (int, string, string) {
	t.Helper()
	asker := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	req, err := http.NewRequest(method, "http://x"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "key-1")
	resp, err := asker.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(got)
}

// Rule: status says how the agent and the process are.
func TestStatus(t *testing.T) {
	socket := opens(t, newPretended(0))
	got, err := api.NewClient(socket, 10*time.Second).Status(t.Context())
	if err != nil || got.Link != "up" || got.PID != 42 || got.Profile != "iso87-ascii" ||
		!cmp.Equal(got.Overrides, about.Overrides) {
		t.Errorf("status: %+v, %v", got, err)
	}
}

// Rule: open payments are listed, by phase if wanted; none is an empty list, not null.
func TestPayments(t *testing.T) {
	p := newPretended(0)
	socket := opens(t, p)
	if _, _, body := ask(t, socket, "GET", "/v1/payments", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("none: %s", body)
	}
	p.open = []agent.Payment{{ID: 1, Phase: "doubted"}, {ID: 2, Phase: "stuck"}, {ID: 3, Phase: "asked"}}
	for state, want := range map[string]string{"": "123", "open": "123", "stuck": "2", "asked": "3"} {
		all, err := api.NewClient(socket, 10*time.Second).Payments(t.Context(), state)
		ids := ""
		for _, one := range all {
			ids = fmt.Sprint(ids, one.ID)
		}
		if err != nil || ids != want {
			t.Errorf("state %q: %s, %v, want %s", state, ids, err, want)
		}
	}
}

// Rule: one payment is its story, and where it stands while it is held.
func TestOnePayment(t *testing.T) {
	p := newPretended(6)
	p.open, p.closed = []agent.Payment{{ID: 4, Phase: "doubted"}}, []agent.Payment{{ID: 1, Phase: "confirmed"}}
	client := api.NewClient(opens(t, p), 10*time.Second)
	story, err := client.Payment(t.Context(), 4)
	if err != nil || len(story.Entries) != 3 || story.Phase != "doubted" || story.Outcome != "unknown" {
		t.Errorf("open: %+v, %v", story, err)
	}
	story, err = client.Payment(t.Context(), 1)
	if err != nil || len(story.Entries) != 3 || story.Phase != "confirmed" || story.Outcome != "approved" {
		t.Errorf("long closed: %+v, %v", story, err)
	}
	p.mu.Lock()
	p.open = append(p.open, agent.Payment{ID: 88, Phase: "stuck"}) // none of its entries can be read
	p.mu.Unlock()
	story, err = client.Payment(t.Context(), 88)
	if err != nil || story.Phase != "stuck" || story.Next.Do != "call" {
		t.Errorf("damaged: %+v, %v", story, err)
	}
	if _, err := client.Payment(t.Context(), 99); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "99") {
		t.Errorf("none: %v", err)
	}
}

// Rule: what can not be answered is a problem, with a status and a detail for people.
func TestProblems(t *testing.T) {
	p := newPretended(3)
	socket := opens(t, p)
	long := `{"by":"Li","why":"` + strings.Repeat("x", 2000) + `"}`
	huge := `{"by":"Li","why":"` + strings.Repeat("x", 1<<20) + `"}`
	cases := []struct {
		method, path, body string
		status             int
		detail             string
	}{
		{"GET", "/v1/payments/x", "", 400, "digits"},
		{"GET", "/v1/payments/-1", "", 400, "digits"},
		{"GET", "/v1/payments/99999999999999999999", "", 400, "digits"},
		{"GET", "/v1/payments/7", "", 404, "no payment 7"},
		{"POST", "/v1/payments/x/replay", `{"by":"Li","why":""}`, 400, "digits"},
		{"POST", "/v1/payments/1/replay", "", 400, "not JSON"},
		{"POST", "/v1/payments/1/replay", "[]", 400, "not an object"},
		{"POST", "/v1/payments/1/replay", `{"by":"Li","force":true}`, 400, "force"},
		{"POST", "/v1/payments/1/replay", `{"why":"x"}`, 400, "name"},
		{"POST", "/v1/payments/1/replay", long, 400, "too long"},
		{"POST", "/v1/payments/1/replay", huge, 413, "32768 bytes"},
		{"POST", "/v1/payments/404/replay", `{"by":"Li"}`, 404, "no such open payment"},
		{"POST", "/v1/payments/409/replay", `{"by":"Li"}`, 409, "is asked"},
		{"GET", "/v1/journal?from=x", "", 400, "from is not a number"},
		{"GET", "/v1/journal?max=-1", "", 400, "max is not a number"},
		{"GET", "/v1/journal?last=1e9", "", 400, "last is not a number"},
	}
	for _, c := range cases {
		status, kind, body := ask(t, socket, c.method, c.path, c.body)
		var problem api.Problem
		if err := json.Unmarshal([]byte(body), &problem); err != nil {
			t.Errorf("%s %s: %v in %q", c.method, c.path, err, body)
			continue
		}
		if status != c.status || problem.Status != c.status || !strings.Contains(problem.Detail, c.detail) ||
			kind != "application/problem+json" || problem.Title == "" {
			t.Errorf("%s %s: %d %s %+v, want %d and %q", c.method, c.path, status, kind, problem, c.status, c.detail)
		}
	}
	for path, want := range map[string]int{"/": 404, "/v1/nothing": 404, "/v1/payments/1/replay": 405} {
		if status, _, _ := ask(t, socket, "GET", path, ""); status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
	}
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	for _, path := range []string{"/v1/status", "/v1/payments", "/v1/payments/1"} {
		if status, _, _ := ask(t, socket, "GET", path, ""); status != 503 {
			t.Errorf("GET %s of an agent that has stopped: %d", path, status)
		}
	}
	if status, _, _ := ask(t, socket, "POST", "/v1/payments/1/replay", `{"by":"Li"}`); status != 503 {
		t.Errorf("replay by an agent that has stopped: %d", status)
	}
}

// Rule: a replay is carried out in the name of whoever ordered it.
func TestReplay(t *testing.T) {
	p := newPretended(0)
	got, err := api.NewClient(opens(t, p), 10*time.Second).Replay(t.Context(), 5, "Li Wei", "fixed")
	if err != nil || got.Phase != "doubted" || p.replayed != "5 by Li Wei: fixed" {
		t.Errorf("%+v, %v, %s", got, err, p.replayed)
	}
}

// Rule: the journal comes in pages, all of it, from where and as much as was asked for.
func TestJournal(t *testing.T) {
	const entries = 1000
	client := api.NewClient(opens(t, newPretended(entries)), 10*time.Second)
	for query, want := range map[string][2]uint64{ // first and how many
		"":                   {1, 1000},
		"from=1":             {1, 1000},
		"from=0":             {1, 1000},
		"from=990":           {990, 11},
		"from=1001":          {0, 0},
		"max=10":             {1, 10},
		"max=256":            {1, 256},
		"max=257":            {1, 257},
		"from=500&max=300":   {500, 300},
		"last=3":             {998, 3},
		"last=0":             {0, 0},
		"last=5000":          {1, 1000},
		"last=600&max=2":     {401, 2},
		"follow=false&max=1": {1, 1},
	} {
		var first, n uint64
		err := client.Journal(t.Context(), query, func(l agent.Line) error {
			if n++; n == 1 {
				first = l.Seq
			}
			if l.Seq != first+n-1 {
				t.Errorf("%s: entry %d is number %d", query, n, l.Seq)
			}
			return nil
		})
		if err != nil || first != want[0] || n != want[1] {
			t.Errorf("%q: %d entries from %d, %v, want %d from %d", query, n, first, err, want[1], want[0])
		}
	}
	stop := errors.New("enough")
	if err := client.Journal(t.Context(), "", func(agent.Line) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's own end: %v", err)
	}
}

// Rule: a journal that can not be read says so in the stream.
func TestAJournalThatCanNotBeRead(t *testing.T) {
	p := newPretended(3)
	p.broken = errors.New("entry 2 is damaged")
	socket := opens(t, p)
	_, _, body := ask(t, socket, "GET", "/v1/journal", "")
	if !strings.Contains(body, "entry 2 is damaged") {
		t.Errorf("body: %s", body)
	}
	if status, _, _ := ask(t, socket, "GET", "/v1/payments/1", ""); status != 500 {
		t.Errorf("a payment of it: %d", status)
	}
}

// Rule: who follows gets each entry once, as it is written.
func TestFollow(t *testing.T) {
	p := newPretended(3)
	client := api.NewClient(opens(t, p), 10*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan uint64, 1000)
	done := make(chan error, 1)
	go func() {
		done <- client.Journal(ctx, "from=2&follow=true", func(l agent.Line) error {
			got <- l.Seq
			return nil
		})
	}()
	for want := uint64(2); want <= 300; want++ {
		if want > 3 {
			p.grow()
		}
		select {
		case seq := <-got:
			if seq != want {
				t.Fatalf("entry %d, want %d", seq, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("entry %d does not come", want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("the end: %v", err)
	}
}

// Rule: an agent that is not there is told apart from one that refuses.
func TestNobodyOnTheSocket(t *testing.T) {
	client := api.NewClient(filepath.Join(t.TempDir(), "s"), time.Second)
	if _, err := client.Status(t.Context()); !errors.Is(err, api.ErrAway) {
		t.Errorf("%v", err)
	}
}

// pipes is a listener for bubbles: a socket in memory that follows fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// bubbled is the near end of a connection to a server in a bubble.
type bubbled struct {
	net.Conn
	t *testing.T // of the bubble
}

// inBubble serves an agent on fake time; the test gets the client's end of one connection.
func inBubble(t *testing.T, agent *pretended, f func(c bubbled)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		agent.changed = make(chan struct{})
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- api.Serve(ctx, l, api.New(agent, options)) }()
		near, far := net.Pipe()
		l.conns <- far
		f(bubbled{near, t})
		stop()
		if err := <-done; err != nil {
			t.Errorf("the server ended: %v", err)
		}
		_ = near.Close()
		synctest.Wait()
	})
}

// Rule: a reader that stops reading is dropped within ten seconds, and holds nobody up.
func TestAReaderThatStopsReadingIsDropped(t *testing.T) {
	p := newPretended(5000)
	inBubble(t, p, func(c bubbled) {
		t := c.t
		if _, err := io.WriteString(c, "GET /v1/journal?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		before := runtime.NumGoroutine()
		begun := time.Now()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n >= before {
			t.Errorf("%d goroutines, were %d", n, before)
		}
		rest, err := io.ReadAll(c)
		if err != nil || len(rest) > 1<<20 {
			t.Errorf("after %s: %d more bytes, %v", time.Since(begun), len(rest), err)
		}
	})
}

// Rule: who follows a quiet journal is not dropped: an entry may come after an hour.
func TestAFollowerOfAQuietJournalStays(t *testing.T) {
	p := newPretended(1)
	inBubble(t, p, func(c bubbled) {
		t := c.t
		if _, err := io.WriteString(c, "GET /v1/journal?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() // closing the body would wait for its end
		lines := json.NewDecoder(resp.Body)
		for seq := uint64(1); seq <= 3; seq++ {
			var l agent.Line
			if err := lines.Decode(&l); err != nil || l.Seq != seq {
				t.Fatalf("entry %d: %+v, %v", seq, l.Seq, err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			p.grow()
		}
	})
}

// Rule: who connects and asks nothing is dropped.
func TestWhoAsksNothingIsDropped(t *testing.T) {
	inBubble(t, newPretended(0), func(c bubbled) {
		t := c.t
		begun := time.Now()
		if _, err := io.WriteString(c, "GET /v1/sta"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(c)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("dropped after %s", took)
		}
	})
}
